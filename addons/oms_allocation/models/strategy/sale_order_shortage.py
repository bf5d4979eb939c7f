from dataclasses import replace
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from .const import CAUSES, SHORTAGES

# Nothing of an order goes while its strategy wants it all; the hold of this type says what it waits for.
HOLDING = {"complete": "stock", "wait": "stock", "ask": "unfilled"}
HOLD_CODES = ("stock", "unfilled")
DUE_FIELDS = ("oms_unfilled_due", "oms_cancel_date")


class SaleOrder(models.Model):
    """What happens when the warehouses do not have all of an order.

    Some strategies hold the whole order back before the gate "allocate": nothing is asked of a warehouse, and nothing
    is bound, until all is there, the wait is over, or a person lets go what is there. Others send what is there; what
    they do about the rest is done in the background, see `sale_order_unfilled.py`.
    """

    _inherit = "sale.order"

    oms_unfilled_reason = fields.Char(
        string="What Is Missing", copy=False, readonly=True, help="What is missing of the order."
    )
    oms_unfilled_cause = fields.Selection(
        CAUSES, string="Cause", copy=False, readonly=True, help="Why it is missing; where there are several, the first."
    )
    oms_unfilled_strategy_id = fields.Many2one(
        "oms.sourcing.strategy",
        string="Unfilled Under",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The strategy that it was sourced by when goods were missing.",
    )
    oms_unfilled_policy = fields.Selection(
        SHORTAGES,
        string="What Is Done",
        copy=False,
        readonly=True,
        help="What that strategy does when goods are missing.",
    )
    oms_unfilled_date = fields.Datetime(
        string="Unfilled Since", copy=False, readonly=True, help="Since when goods are missing of the confirmed order."
    )
    oms_unfilled_due = fields.Datetime(
        string="Next Step On",
        copy=False,
        readonly=True,
        help="When the strategy does the next thing about what is missing.",
    )
    oms_cancel_date = fields.Datetime(
        string="Cancelled On",
        copy=False,
        tracking=True,
        help="What is still missing then is cancelled by itself. Set by the strategy, may be moved.",
    )

    _oms_unfilled_idx = models.Index("(id) WHERE oms_unfilled_date IS NOT NULL")

    def _oms_get_strategies(self):
        """Override: an order of which something is with a warehouse already, or that a person let go, is not held
        back."""
        strategies = super()._oms_get_strategies()
        now = fields.Datetime.now()
        return {
            order: replace(spec, on_shortage=order._oms_get_shortage_policy(spec, now))
            if spec.on_shortage in HOLDING
            else spec
            for order, spec in strategies.items()
        }

    def _oms_get_shortage_policy(self, strategy, now):
        """Return what happens with one order when not all is there: key of `const.SHORTAGES`."""
        self.ensure_one()
        if self._oms_is_going():
            return "ship"
        if strategy.on_shortage == "wait" and self.oms_unfilled_due and self.oms_unfilled_due <= now:
            return strategy.after_wait
        return strategy.on_shortage

    # === HOLD BACK === #

    @api.model
    def _oms_hold_back(self, sourcing):
        """Hold back the orders of which their strategy wants all, and not all is there. Return them.

        :param sourcing: Sourcing
        """
        waiting = {}  # {(code of the hold, reason): orders}
        for order, plan in sourcing.plans.items():
            code = HOLDING.get(sourcing.strategies[order].on_shortage)
            if not code and order._oms_is_refused_everywhere(sourcing):
                code = "unfilled"
            if plan.shortages and code:
                key = (code, order._oms_describe_shortages(sourcing))
                waiting[key] = waiting.get(key, self.browse()) | order
        for (code, reason), orders in waiting.items():
            orders._oms_place_hold(code, reason)
        return self.browse().union(*waiting.values())

    def _oms_is_refused_everywhere(self, sourcing):
        """Whether no warehouse may send something of one order, and nobody has decided yet that it goes all the
        same."""
        self.ensure_one()
        return not self._oms_is_going() and any(
            not sourcing.get_allowed(self, [shortage.product_id]) for shortage in sourcing.plans[self].shortages
        )

    def _oms_waits_for_capacity(self, sourcing):
        """Whether the goods of one order are there and can't be sent today: nothing is missing tomorrow."""
        self.ensure_one()
        return bool(sourcing.get_full_ids(self)) and self._oms_is_refused_everywhere(sourcing)

    def _oms_is_going(self):
        """Whether something of one order is with a warehouse already, or a person let go what is there."""
        self.ensure_one()
        return bool(
            self.oms_allocation_ids.filtered(lambda row: row.state != "cancelled")
            or self.oms_hold_ids.filtered(lambda hold: hold.state == "released" and hold._oms_is_let_go())
        )

    def _oms_describe_shortages(self, sourcing):
        """Return what of one order is missing, in one line. Of what is left behind because the rest is missing, only
        the rest is named."""
        self.ensure_one()
        products = {line.product_id.id: line.product_id.display_name for line in self.order_line}
        short = {}
        for shortage in sourcing.plans[self].shortages:
            short[shortage.product_id] = short.get(shortage.product_id, 0) + shortage.quantity
        there = {
            product_id: sum(
                max(sourcing.stock.get((warehouse.id, product_id), 0), 0) for warehouse in sourcing.places[self]
            )
            for product_id in short
        }
        is_held_back = sourcing.strategies[self].on_shortage in HOLDING
        missing = {id_: quantity - there[id_] for id_, quantity in short.items() if quantity > there[id_]}
        named = missing if is_held_back and missing else short
        return self.env._(
            "Missing: %(products)s",
            products=", ".join(f"{float(quantity):g} {products[id_]}" for id_, quantity in named.items()),
        )

    def _oms_filter_held_back(self):
        """Return those of these orders that nothing but their missing goods holds before the gate "allocate"."""
        held = self._oms_get_blocking_holds("allocate")
        others = held.filtered(lambda hold: hold.type_id.code not in HOLD_CODES).order_id
        return (self & held.order_id - others).filtered("oms_is_launch_pending")

    def _oms_retry_held_back(self):
        """Let those of these held back orders go whose goods are there now, or whose wait is over. Return them."""
        lines = self.order_line.filtered(
            lambda line: line.oms_is_launch_pending or line._oms_get_waiting_quantity(for_others=True)
        )._oms_filter_allocatable()
        missing, _surplus = lines._oms_compare_with_procured(False, with_late=True)
        going = self - self.env["sale.order.line"].union(*missing).order_id  # nothing is asked for any more
        sourcing = self._oms_plan(missing)
        going |= self.browse(
            order.id
            for order, plan in sourcing.plans.items()
            if not plan.shortages
            or (
                sourcing.strategies[order].on_shortage not in HOLDING and not order._oms_is_refused_everywhere(sourcing)
            )
        )
        self._oms_hold_back(sourcing)
        outdated = self.oms_hold_ids.filtered(
            lambda hold: (
                hold.state == "active"
                and hold.type_id.code in HOLD_CODES
                and (
                    hold.order_id in going
                    or hold.type_id.code != HOLDING.get(sourcing.strategies[hold.order_id].on_shortage, "unfilled")
                )
            )
        )
        outdated._settle_own_reasons(self.env._("Its goods are there, or it has waited long enough."))
        going._oms_launch_pending()
        return going

    # === NOTE === #

    @api.model
    def _oms_note_unfilled(self, sourcing):
        """Note on the orders what is missing of them and when the next thing is done about it; clear it of the
        others."""
        now = fields.Datetime.now()
        noted = {}
        for order, plan in sourcing.plans.items():
            if plan.shortages:
                values = order._oms_prepare_unfilled_values(sourcing, now)
            elif order.oms_unfilled_date:
                values = self._get_filled_values()
            else:
                continue
            noted[values] = noted.get(values, self.browse()) | order
        for values, orders in noted.items():
            orders.sudo().write(dict(values))  # sudo: sale.order - marks of the suite
        dates = {date for values in noted for name, date in values if date and name in DUE_FIELDS}
        if dates:
            self.env.ref("oms_allocation.ir_cron_settle_unfilled")._trigger(sorted(dates))

    @api.model
    def _get_filled_values(self):
        names = ("reason", "cause", "strategy_id", "policy", "date", "due")
        return (*((f"oms_unfilled_{name}", False) for name in names), ("oms_cancel_date", False))

    def _oms_prepare_unfilled_values(self, sourcing, now):
        """Return the values that say what of one order is missing, as a tuple of pairs."""
        self.ensure_one()
        strategy = sourcing.strategies[self]
        causes = [sourcing.get_cause(self, shortage) for shortage in sourcing.plans[self].shortages]
        values = {
            "oms_unfilled_reason": self._oms_describe_shortages(sourcing),
            # What waits for the rest of the order says nothing of its own.
            "oms_unfilled_cause": min(causes, key=lambda cause: cause == "incomplete"),
            "oms_unfilled_strategy_id": strategy.id,
            "oms_unfilled_policy": self._oms_get_current_strategies()[self].on_shortage,
        }
        if not self.oms_unfilled_date:
            values["oms_unfilled_date"] = now
            if strategy.cancel_days and not self.oms_cancel_date:
                values["oms_cancel_date"] = now + timedelta(days=strategy.cancel_days)
        due = self._oms_get_due(now)
        if due and not self.oms_unfilled_due and not self._oms_waits_for_capacity(sourcing):
            values["oms_unfilled_due"] = due
        return tuple(values.items())

    def _oms_get_due(self, now):
        """Return when the strategy of one order does the next thing about what is missing, None for never: once for
        all that is missing, and again when more is."""
        self.ensure_one()
        strategy = self._oms_get_current_strategies()[self]
        if self.oms_unfilled_date and not any(line._oms_is_unsettled() for line in self.order_line):
            return None
        if strategy.on_shortage == "wait":
            return strategy.get_wait_end(now)
        return None if strategy.on_shortage in ("ship", *HOLDING) else now

    def _oms_clear_filled(self):
        """Clear the note of those of these orders that wait for nothing any more."""
        filled = self.filtered(
            lambda order: (
                order.oms_unfilled_date
                and not order.oms_is_launch_pending
                and not any(row.shortage_quantity > 0 for row in order.oms_allocation_ids)
            )
        )
        if filled:
            filled.sudo().write(dict(self._get_filled_values()))  # sudo: sale.order - marks of the suite

    # === QUEUE === #

    @api.model
    def _get_reallocation_queue_domain(self):
        """Override: those that are held back until their goods are there wait for stock too."""
        held = Domain("oms_is_launch_pending", "=", True) & Domain("oms_unfilled_date", "!=", False)
        return super()._get_reallocation_queue_domain() | (
            Domain("state", "=", "sale") & Domain("locked", "=", False) & held
        )

    @api.model
    def _oms_is_waited_for(self, products):
        """Override: by who is held back, too."""
        domain = Domain("oms_is_launch_pending", "=", True) & Domain("oms_unfilled_date", "!=", False)
        # sudo: sale.order - whoever brings the goods, those who wait for them are asked
        held = self.sudo().search_count(domain & Domain("order_line.product_id", "in", products.ids), limit=1)
        return bool(held) or super()._oms_is_waited_for(products)

    def _oms_reallocate_open(self):
        """Override: who was held back goes as soon as all is there."""
        held = self._oms_filter_held_back()
        if held:
            self._oms_take_turns()
        going = held._oms_retry_held_back() if held else held
        rest = self - held
        return going | super(SaleOrder, rest)._oms_reallocate_open()


class OmsHold(models.Model):
    _inherit = "oms.hold"

    def _oms_is_let_go(self):
        """Whether this hold for missing goods was released though they are missing: what is there is to be sent."""
        self.ensure_one()
        return self.type_id.code in HOLD_CODES and self.resolution not in ("cancelled", "settled")
