from dataclasses import replace

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from odoo.addons.oms_base.tools import notification


class SaleOrder(models.Model):
    """Orders that wait have their goods bound, if their channel says so."""

    _inherit = "sale.order"

    oms_promise_ids = fields.One2many("oms.stock.promise", "order_id", string="Promised Stock", copy=False)
    oms_promise_date = fields.Datetime(
        string="Stock Promised Until", compute="_compute_oms_promise_date", help="So long its goods are bound for it."
    )

    oms_is_promisable = fields.Boolean(compute="_compute_oms_is_promisable")

    @api.depends("state", "channel_id", "oms_is_launch_pending")
    def _compute_oms_is_promisable(self):
        for order in self:
            order.oms_is_promisable = order.channel_id.promise_hours > 0 and order._oms_waits_for_allocation()

    def _compute_oms_promise_date(self):
        groups = self.env["oms.stock.promise"]._read_group(
            self.env["oms.stock.promise"]._get_active_domain() & Domain("order_id", "in", self.ids),
            ["order_id"],
            ["expire_date:min"],
        )
        dates = {order.id: date for order, date in groups}
        for order in self:
            order.oms_promise_date = dates.get(order.id, False)

    def action_oms_promise(self):
        """Bind stock for these orders, or bind it for longer."""
        self.check_access("write")
        orders = self.filtered(lambda order: order.channel_id.promise_hours)
        if not orders:
            raise UserError(
                self.env._("No channel of these orders says for how long stock may be promised. Set it there.")
            )
        promises = orders._oms_promise_stock(is_renewed=True)
        return notification(
            self.env._("Stock is bound for %(count)s of %(all)s orders.", count=len(promises.order_id), all=len(self)),
            "success" if promises else "info",
        )

    def _oms_get_promises(self):
        """Return what is bound for these orders now; no query where no channel promises anything."""
        Promise_sudo = self.env["oms.stock.promise"].sudo()  # sudo: oms.stock.promise - it is the orders' own
        if not self.env["oms.channel"]._oms_is_any_promising():
            return Promise_sudo
        return Promise_sudo.search(Promise_sudo._get_active_domain() & Domain("order_id", "in", self.ids), order="id")

    def _oms_get_promised_quantities(self):
        """Override of `oms_base`: what is bound for these orders is theirs."""
        promised = super()._oms_get_promised_quantities()
        for promise in self._origin._oms_get_promises():
            quantities = promised.setdefault(promise.order_id.id, {})
            key = (promise.product_id.id, promise.warehouse_id.id)
            quantities[key] = quantities.get(key, 0.0) + promise.quantity
        return promised

    # === BIND === #

    def _oms_promise_stock(self, is_renewed=False):
        """Bind stock for those of these orders that wait and whose channel says so: never more than they may take, and
        from where they would be served now. The stock is locked and touched, so of two who go for the last unit at
        the same time one is sent back and counts again.

        :param is_renewed: bind again what is bound or was, for the full time from now on
        :return: the new promises
        """
        orders = self.sudo().filtered(  # sudo: sale.order - what is bound does not depend on who reviews
            lambda order: order.channel_id.promise_hours > 0 and order._oms_waits_for_allocation()
        )
        return orders._oms_bind(orders.order_line._oms_get_promise_demands(is_renewed))

    @api.model
    def _oms_bind(self, demands, until=None):
        """Bind stock for order lines, instead of what is bound for them.

        :param demands: dict {order line: quantity in the product's unit}
        :param until: dict {line id: until when}; of other lines, for as long as their channel says
        :return: the new promises
        """
        Promise_sudo = self.env["oms.stock.promise"].sudo()  # sudo: oms.stock.promise - nobody writes them by hand
        if not demands:
            return Promise_sudo
        orders = self.browse().sudo().union(*(line.order_id for line in demands))  # sudo: sale.order - as above
        # What is there is promised, also where the strategy would send nothing before all is.
        strategies = orders._oms_get_strategies()
        strategies = {order: replace(strategy, on_shortage="ship") for order, strategy in strategies.items()}
        plans = self._oms_plan(demands, strategies=strategies, is_sending=False).plans
        lines = self.env["sale.order.line"].sudo().union(*demands)  # sudo: sale.order.line - as above
        lines.oms_promise_ids.filtered(lambda promise: promise.state in ("active", "expired")).state = "dropped"
        Promise_sudo.flush_model(["state"])  # before the new ones come, for the unique index
        promises_sudo = Promise_sudo.create(orders._oms_prepare_promises(plans, until or {}))
        if promises_sudo:
            quants = self.env["stock.quant"]._oms_lock(
                promises_sudo.product_id, promises_sudo.warehouse_id.lot_stock_id
            )
            quants.get_locked()._oms_touch()
        return promises_sudo

    def _oms_waits_for_allocation(self):
        """Whether one order is neither allocated nor gone: in review, or confirmed and kept from its launch."""
        self.ensure_one()
        return self.state in ("draft", "sent") or (self.state == "sale" and self.oms_is_launch_pending)

    def _oms_prepare_promises(self, plans, until):
        """Return the values of the promises that bind what ``plans`` found.

        :param until: see `_oms_bind`
        """
        now = fields.Datetime.now()
        lines = {line.id: line for line in self.order_line}
        return [
            {
                "order_id": lines[line_id].order_id.id,
                "line_id": line_id,
                "product_id": part.id,
                "warehouse_id": warehouse_id,
                "quantity": float(quantity) * needed,
                "expire_date": until.get(line_id)
                or fields.Datetime.add(now, hours=lines[line_id].order_id.channel_id.promise_hours),
            }
            for plan in plans.values()
            for line_id, quantities in plan.get_quantities().items()
            for warehouse_id, quantity in quantities.items()
            for part, needed in lines[line_id]._oms_get_counted_parts().items()
        ]

    # === WHEN === #

    def _oms_review_and_confirm(self):
        """Override of `oms_base`: who was judged and still waits has its goods bound."""
        res = super()._oms_review_and_confirm()
        if self.env["oms.channel"]._oms_is_any_promising():
            self._oms_promise_stock()
        return res

    @api.model
    def _oms_allocate(self, missing):
        """Override: what is allocated needs no promise any more; who is held back keeps it."""
        waiting = super()._oms_allocate(missing)
        if missing and self.env["oms.channel"]._oms_is_any_promising():
            lines = self.env["sale.order.line"].union(*missing).filtered(lambda line: line.order_id not in waiting)
            lines.sudo().oms_promise_ids._end("used")  # sudo: oms.stock.promise - nobody writes them by hand
        return waiting

    def _action_cancel(self):
        """Override of `sale`: nothing is bound for a cancelled order."""
        res = super()._action_cancel()
        self._oms_get_promises()._end("dropped")
        return res


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    oms_promise_ids = fields.One2many("oms.stock.promise", "line_id", string="Promised Stock", copy=False)

    def write(self, vals):
        """Override: what was bound for other goods or another quantity is given back; the review binds anew."""
        changed = self.browse()
        names = {"product_id", "product_uom_qty", "product_uom_id"} & vals.keys()
        if names and self.env["oms.channel"]._oms_is_any_promising():
            changed = self.filtered(
                lambda line: any(
                    line[name] != (vals[name] or 0.0) if name == "product_uom_qty" else line[name].id != vals[name]
                    for name in names
                )
            )
        res = super().write(vals)
        # sudo: oms.stock.promise - nobody writes them by hand
        changed.sudo().oms_promise_ids._end("dropped")
        return res

    def _oms_get_promise_demands(self, is_renewed):
        """Return {line: quantity in the product's unit} of the goods of these lines that stock is to be bound for: what
        never was, as a promise that is over is renewed by a person only."""
        demands = {}
        for line in self._oms_filter_from_stock().filtered(lambda line: line._oms_get_counted_parts()):
            unit = line.product_id.uom_id
            known = line.oms_promise_ids.filtered(lambda promise: promise.state in ("active", "expired"))
            if known and not is_renewed:
                continue
            quantity = line.product_uom_id._compute_quantity(line.product_uom_qty, unit, rounding_method="HALF-UP")
            if unit.compare(quantity, 0) > 0:
                demands[line] = quantity
        return demands
