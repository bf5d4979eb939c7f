from odoo import api, fields, models
from odoo.fields import Domain

from odoo.addons.oms_base.const import CLOSED_STAGES
from odoo.addons.oms_base.tools import notification, work_undisturbed

BATCH_SIZE = 200
POSITION = "oms_allocation.drift_position"


class OmsStockDrift(models.Model):
    """Where plan, transfers and stock say different things: found by a check every night, repaired where that is safe.

    A kind of drift of orders is found by `_find_<kind>(line, facts)` and of stock by `_find_stock_<kind>()`, in the
    files beside this one. What is found again is the same finding; what is not found any more is settled.
    """

    _name = "oms.stock.drift"
    _description = "Stock Drift"
    _order = "id desc"
    _rec_name = "kind"

    kind = fields.Selection(
        [
            ("procured", "Plan and Transfers Differ"),
            ("done", "Shipped Quantity Differs"),
            ("planned", "Planned but Not in Transfers"),
            ("shortage", "Short on Paper Only"),
            ("reserved", "Reservation Differs from Transfers"),
            ("oversold", "More Reserved than on Hand"),
            ("sum", "Order Does Not Add Up"),
        ],
        required=True,
        readonly=True,
        index=True,
    )
    cause = fields.Char(compute="_compute_cause")
    key = fields.Char(required=True, readonly=True)
    order_id = fields.Many2one("sale.order", readonly=True, index="btree_not_null", ondelete="cascade")
    line_id = fields.Many2one(
        "sale.order.line", string="Order Line", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    channel_id = fields.Many2one(related="order_id.channel_id", store=True, index="btree_not_null")
    product_id = fields.Many2one("product.product", readonly=True, index="btree_not_null", ondelete="cascade")
    warehouse_id = fields.Many2one("stock.warehouse", readonly=True, index="btree_not_null", ondelete="cascade")
    location_id = fields.Many2one("stock.location", readonly=True, index="btree_not_null", ondelete="cascade")
    company_id = fields.Many2one("res.company", readonly=True, index=True)
    expected = fields.Float(digits="Product Unit", readonly=True)
    found = fields.Float(digits="Product Unit", readonly=True)
    state = fields.Selection(
        [("open", "Open"), ("repaired", "Repaired"), ("settled", "Settled")],
        default="open",
        required=True,
        readonly=True,
        index=True,
        help="Settled: a later check did not find it any more.",
    )
    check_date = fields.Datetime(string="Last Seen", readonly=True)

    _open_uniq = models.UniqueIndex("(key) WHERE state = 'open'", "This drift is known.")

    @api.depends("kind")
    def _compute_cause(self):
        causes = {
            "procured": self.env._("Somebody changed the transfers, or the plan, without the other following."),
            "done": self.env._("The plan did not hear what left the warehouse."),
            "planned": self.env._("It was decided where the goods come from, and no transfer was made."),
            "shortage": self.env._("The goods are reserved, and the order is still said to wait for them."),
            "reserved": self.env._("The stock remembers a reservation that no transfer has, or misses one."),
            "oversold": self.env._("More is reserved here than there is: count it, or undo a reservation."),
            "sum": self.env._("What was ordered is not what is cancelled, open and shipped; see the order's sums."),
        }
        for drift in self:
            drift.cause = causes.get(drift.kind)

    # === ACTIONS === #

    def action_check_now(self):
        """Have everything checked in the background, at once."""
        self.check_access("write")
        self.env.ref("oms_allocation.ir_cron_check_drift").sudo()._trigger()  # sudo: ir.cron - nothing but waking it
        return notification(self.env._("The check runs in the background; look again in a minute."), "info")

    def action_check(self):
        """Check the orders and goods of these findings again, now, and repair what is safe."""
        self.check_access("write")
        # sudo: oms.stock.drift - findings are written by checks only; repairing follows what transfers say
        drifts_sudo = self.sudo()
        drifts_sudo._check_orders(drifts_sudo.order_id)
        if drifts_sudo.filtered(lambda drift: not drift.order_id or drift.kind == "oversold"):
            drifts_sudo._check_stock()
        return True

    def action_open(self):
        """Open what is to be looked at: the order, or else the stock."""
        self.ensure_one()
        if self.order_id:
            return {
                "type": "ir.actions.act_window",
                "res_model": "sale.order",
                "res_id": self.order_id.id,
                "views": [(False, "form")],
            }
        action = self.env["ir.actions.act_window"]._for_xml_id("stock.dashboard_open_quants")
        domain = Domain("product_id", "=", self.product_id.id) & Domain("location_id", "=", self.location_id.id)
        return {**action, "domain": list(domain), "context": {}}

    # === THE CHECK === #

    @api.model
    def _cron_check_drift(self):
        """Check the stock, then the orders that are not over, batch by batch; it goes on where its time ran out."""
        cron = self.env["ir.cron"]
        Parameter = self.env["ir.config_parameter"]
        position = int(Parameter.get_param(POSITION, "0"))
        if not position:
            work_undisturbed(self.env, self._check_stock)
        order_ids = self.env["sale.order"].search(self._get_order_domain(position), order="id").ids
        cron._commit_progress(remaining=len(order_ids))
        for start in range(0, len(order_ids), BATCH_SIZE):
            orders = self.env["sale.order"].browse(order_ids[start : start + BATCH_SIZE])
            work_undisturbed(self.env, lambda orders=orders: self._check_orders(orders.exists()))
            if not cron._commit_progress(len(orders)):
                Parameter.set_param(POSITION, str(orders.ids[-1]))
                return
        if position:
            Parameter.set_param(POSITION, "0")

    @api.model
    def _get_order_domain(self, position=0):
        """Return the domain of the orders to check: those that are not over, those with something open, and those a
        finding is open about."""
        return (
            Domain("channel_id", "!=", False)
            & Domain("id", ">", position)
            & Domain("state", "in", ("sale", "cancel"))
            & (
                Domain("oms_stage", "not in", CLOSED_STAGES)
                | Domain("oms_allocation_ids.state", "in", ("planned", "procured"))
                | Domain("id", "in", self.search([("state", "=", "open")]).order_id.ids)
            )
        )

    @api.model
    def _settle(self, found, domain, is_repairing):
        """Write down what was found, and settle what ``domain`` says was open and is not found any more.

        :param found: {key: values}
        :param is_repairing: what was found was repaired: it is not found any more now
        :return: the findings that are open now
        """
        now = fields.Datetime.now()
        known = {drift.key: drift for drift in self.search(domain & Domain("state", "=", "open"))}
        for key, drift in known.items():
            if key in found:
                values = {name: found[key][name] for name in ("expected", "found")}
                drift.write({**values, "check_date": now})
            else:
                drift.write({"state": "repaired" if is_repairing else "settled", "check_date": now})
        new = self.create(
            [{**values, "key": key, "check_date": now} for key, values in found.items() if key not in known]
        )
        return new | self.browse().union(*(drift for key, drift in known.items() if key in found))
