from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from ... import solver
from ..sellable.sale_order_stock import prepare_supplies

# How far ahead it is looked for goods that come in.
HINT_HOURS = 72


class SaleOrder(models.Model):
    """What would get better if an order waited: for goods that are on their way, or for another parcel to the buyer."""

    _inherit = "sale.order"

    oms_sourcing_hint = fields.Text(
        string="If It Waited",
        compute="_compute_oms_sourcing_hint",
        help="What waiting would save, worked out just now.",
    )

    @api.depends("state", "oms_allocation_ids.quantity", "oms_allocation_ids.done_quantity")
    def _compute_oms_sourcing_hint(self):
        for order in self:
            # sudo: stock, other orders of the buyer - who sees the order may know what waiting would save
            hints = order.sudo()._oms_find_hints() if order._oms_may_wait() else ()
            order.oms_sourcing_hint = "\n".join(order._oms_describe_hint(hint) for hint in hints) or False

    def _oms_may_wait(self):
        """Whether one order could be better off by waiting: it is split or short, or its parcel could go with
        another."""
        self.ensure_one()
        return bool(
            self.channel_id
            and self.state in ("draft", "sent", "sale")
            and self.ids
            and not self.locked
            and (self.state != "sale" or not self._oms_get_resourcing_problem())
        )

    def _oms_find_hints(self):
        """Return the `solver.Hint`s of one order, the shortest wait first."""
        self.ensure_one()
        given = {line: quantities for line in self.order_line if (quantities := line._oms_get_unpicked_quantities())}
        demands = {line: sum(quantities.values()) for line, quantities in given.items()}
        if self.state != "sale":
            demands = self.env["oms.sourcing.trial"]._prepare_demands(self)
        if not demands or any(line.oms_lot_id for line in demands):
            return ()
        sourcing = self._oms_plan(demands, given, is_binding=False)
        strategy, access = sourcing.strategies[self], self._oms_get_accesses()[self]
        tasks = self._oms_prepare_demands(demands, sourcing, {self: access.min_life_days})[self]
        kind = self._oms_get_age_kind(strategy, access)
        ages = self._oms_read_ages(self._oms_get_storable(demands), sourcing.places, [kind])[kind]
        fresh_from = self._oms_get_fresh_day(access.min_life_days)
        return solver.find_hints(
            self._oms_prepare_solver_order(tasks, sourcing.get_candidates(self), sourcing),
            prepare_supplies(self._oms_read_stock(demands, sourcing.places, given).view(access), ages, fresh_from),
            self._oms_get_receipts(demands, sourcing.places[self]),
            self._oms_get_open_orders(),
            sourcing.solved[self],
        )

    def _oms_get_receipts(self, demands, warehouses):
        """Return what is on its way to ``warehouses`` of the products of ``demands``, as `solver.Receipt`s."""
        now = fields.Datetime.now()
        products = self._oms_get_storable(demands)
        places = self.env["stock.warehouse"].union(*warehouses)
        receipts = []
        for product_id, warehouse_id, date, quantity in products._query_arrivals(
            places, now + timedelta(hours=HINT_HOURS)
        ):
            minutes = max(0, round((date - now).total_seconds() / 60))
            quantity = self._oms_to_decimal(products.browse(product_id).uom_id, quantity)
            receipts.append(solver.Receipt(warehouse_id, product_id, quantity, minutes))
        return receipts

    def _oms_get_open_orders(self):
        """Return the parcels that are prepared for the same address by other orders, as `solver.OpenOrder`s."""
        others = self.search(
            Domain("partner_shipping_id", "=", self.partner_shipping_id.id)
            & Domain("id", "!=", self.id)
            & Domain("channel_id", "!=", False)
            & Domain("state", "=", "sale")
            & Domain("oms_allocation_ids", "any", [("state", "in", ("planned", "procured"))])
        )
        return [
            solver.OpenOrder(order.id, warehouse.id, weight_g=grams)
            for order in others._oms_filter_unreleased()
            for warehouse, grams in order._oms_get_open_parcels().items()
        ]

    def _oms_describe_hint(self, hint):
        """Return one hint in words."""
        self.ensure_one()
        saved = []
        if hint.saved_parcels:
            saved.append(self.env._("%(count)s parcel(s) saved", count=hint.saved_parcels))
        if hint.saved_money:
            money = self.company_id.currency_id.format(self._oms_from_cents(hint.saved_money))
            saved.append(self.env._("%(money)s saved", money=money))
        if hint.saved_missing:
            saved.append(self.env._("%(quantity)g more can be sent", quantity=float(hint.saved_missing)))
        parts = {"saved": ", ".join(saved)}
        if hint.kind == "order":
            # sudo: sale.order - the name of another order of the same buyer
            other_sudo = self.browse(hint.order_id).sudo()
            return self.env._("In one parcel with %(order)s: %(saved)s", order=other_sudo.name, **parts)
        # sudo: product.product - the names of what the order itself is about
        products = self.env["product.product"].sudo().browse(hint.product_ids)
        return self.env._(
            "Wait %(hours)g hours for %(products)s: %(saved)s",
            hours=round(hint.minutes / 60, 1),
            products=", ".join(products.mapped("display_name")),
            **parts,
        )
