from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import ormcache


class OmsWarehouseRejection(models.Model):
    """A warehouse does not send a product of an order: it is no candidate for it any more, and what it says of its
    stock counts until somebody counted the goods."""

    _name = "oms.warehouse.rejection"
    _description = "Warehouse Rejection"
    _order = "id desc"
    _check_company_auto = True

    order_id = fields.Many2one("sale.order", required=True, index=True, ondelete="cascade", readonly=True)
    line_id = fields.Many2one("sale.order.line", required=True, index=True, ondelete="cascade", readonly=True)
    product_id = fields.Many2one(
        "product.product",
        required=True,
        index=True,
        ondelete="cascade",
        readonly=True,
        help="What is not sent: of a kit its parts.",
    )
    warehouse_id = fields.Many2one(
        "stock.warehouse", required=True, index=True, ondelete="cascade", readonly=True, check_company=True
    )
    company_id = fields.Many2one(related="order_id.company_id", store=True, index=True)
    channel_id = fields.Many2one(related="order_id.channel_id", store=True, index="btree_not_null")
    reason_id = fields.Many2one("oms.reject.reason", required=True, index=True, ondelete="restrict", readonly=True)
    effect = fields.Selection(related="reason_id.effect", store=True)
    note = fields.Char(readonly=True)
    uom_id = fields.Many2one(related="product_id.uom_id", string="Unit")
    quantity = fields.Float(string="Rejected", digits="Product Unit", readonly=True)
    blocked_quantity = fields.Float(
        string="Not Sold Until Counted",
        digits="Product Unit",
        readonly=True,
        help="What the warehouse's stock is taken to lack until somebody counts it.",
    )
    user_id = fields.Many2one("res.users", string="By", default=lambda self: self.env.user, readonly=True)

    _blocked_idx = models.Index("(product_id, warehouse_id) WHERE blocked_quantity > 0")

    def action_set_counted(self):
        """Trust the stock again: what was blocked can be sold."""
        self.check_access("read")
        if not self.env.su and not self.env.user.has_group("oms_base.oms_base_group_warehouse"):
            raise AccessError(self.env._("Only who works in the warehouse says that the goods were counted."))
        # sudo: oms.warehouse.rejection - nobody writes them by hand, this is all that can be said of one
        self.sudo()._release_blocked()
        return True

    @api.model
    @ormcache()
    def _is_any_blocked(self):
        """Whether any stock is not trusted: if none is, nothing is asked for it at a reservation."""
        # sudo: oms.warehouse.rejection - the answer is kept for all users
        return bool(self.sudo().search_count([("blocked_quantity", ">", 0)], limit=1))

    @api.model
    def _forget_blocked(self, is_any):
        """Forget the answer of `_is_any_blocked` where it is not ``is_any`` any more: seldom, so not at each change."""
        if self._is_any_blocked() != is_any:
            self.env.registry.clear_cache()

    def _release_blocked(self):
        """Give back what these rejections keep from being sold, and wake who waits for it."""
        blocked = self.filtered(lambda row: row.blocked_quantity > 0)
        if blocked:
            blocked.blocked_quantity = 0.0
            if not self.search_count([("blocked_quantity", ">", 0)], limit=1):
                self._forget_blocked(False)
            self.env["sale.order"]._oms_trigger_reallocation(blocked.product_id)

    @api.model
    def _release_counted(self, counted):
        """Give back what is kept of goods in warehouses where somebody counted all of them.

        :param counted: dict {(product, warehouse): the quants that were counted now}
        """
        # sudo: oms.warehouse.rejection - whoever counts the stock ends what a rejection said of it
        rows_sudo = self.sudo().search(
            Domain("blocked_quantity", ">", 0)
            & Domain("product_id", "in", [product.id for product, _warehouse in counted])
            & Domain("warehouse_id", "in", [warehouse.id for _product, warehouse in counted])
        )
        rows_sudo = rows_sudo.filtered(lambda row: (row.product_id, row.warehouse_id) in counted)
        if not rows_sudo:
            return
        quants_sudo = rows_sudo.env["stock.quant"].search(
            Domain("product_id", "in", rows_sudo.product_id.ids)
            & Domain("location_id", "child_of", rows_sudo.warehouse_id.lot_stock_id.ids)
            & Domain("quantity", "!=", 0)
        )
        others = quants_sudo.grouped(lambda quant: (quant.product_id, quant.location_id.warehouse_id))
        rows_sudo.filtered(
            lambda row: all(
                quant in counted[row.product_id, row.warehouse_id]
                or (quant.last_count_date and quant.last_count_date > row.create_date.date())
                for quant in others.get((row.product_id, row.warehouse_id), ())
            )
        )._release_blocked()

    @api.model
    def _reject(self, moves, reason, note=None):
        """Have the warehouses not send what stands open in ``moves``; their orders are sourced again.

        :param moves: open stock.move of channel orders, the first step of their way
        :param reason: oms.reject.reason
        :raise UserError: naming the transfers that somebody has begun to pick
        :return: the rejections
        """
        begun = moves.filtered(lambda move: move.state == "done" or move.picked)
        if begun:
            raise UserError(
                self.env._(
                    "%(transfers)s: picking has begun. Undo it there first, or finish it.",
                    transfers=", ".join(begun.picking_id.mapped("name")),
                )
            )
        quantities = {}
        for move in moves.filtered(lambda move: move.state != "cancel" and move.sale_line_id.order_id.channel_id):
            key = (move.sale_line_id, move.product_id, move._oms_get_warehouse())
            quantities[key] = quantities.get(key, 0.0) + move.product_qty
        if not quantities:
            raise UserError(self.env._("Nothing of a channel's order is open here, so there is nothing to reject."))
        return self._apply(quantities, reason, note)

    @api.model
    def _apply(self, quantities, reason, note):
        """Write the rejections of ``quantities`` {(order line, product, warehouse): quantity in the product's unit}."""
        # sudo: oms.warehouse.rejection - written by rejecting only, by whoever may work on the transfer
        rejections = self.sudo().create(
            [
                {
                    "order_id": line.order_id.id,
                    "line_id": line.id,
                    "product_id": product.id,
                    "warehouse_id": warehouse.id,
                    "reason_id": reason.id,
                    "quantity": quantity,
                    "note": note,
                }
                for (line, product, warehouse), quantity in quantities.items()
            ]
        )
        orders = rejections.order_id
        for order in orders:
            rows = rejections.filtered(lambda row, order=order: row.order_id == order)
            names = ", ".join(f"{row.quantity:g} {row.product_id.display_name}" for row in rows)
            message = self.env._(
                "%(warehouse)s rejected %(products)s: %(reason)s",
                warehouse=", ".join(rows.warehouse_id.mapped("name")),
                products=names,
                reason=reason.name,
            )
            order._oms_log_event("shortage", message=message)
        orders._oms_source_again()
        rejections._set_blocked()
        return rejections

    def _set_blocked(self):
        """Note what the stock is taken to lack. The orders have let go of it by now, so it would be free."""
        products = self.product_id
        free = products._oms_get_sellable_quantities(self.warehouse_id)
        for row in self:
            available = max(0.0, free[row.product_id.id, row.warehouse_id.id])
            blocked = {"none": 0.0, "quantity": min(row.quantity, available), "all": available}[row.effect]
            row.blocked_quantity = blocked
            free[row.product_id.id, row.warehouse_id.id] -= blocked
        if any(row.blocked_quantity > 0 for row in self):
            self._forget_blocked(True)


class StockQuant(models.Model):
    _inherit = "stock.quant"

    def _apply_inventory(self, date=None):
        """Override of `stock`: what was counted is trusted again."""
        # sudo: product.product, stock.warehouse - the rejections that name them are looked for with these rights
        counted = self.grouped(lambda quant: (quant.product_id.sudo(), quant.location_id.warehouse_id.sudo()))
        res = super()._apply_inventory(date=date)
        self.env["oms.warehouse.rejection"]._release_counted(counted)
        return res
