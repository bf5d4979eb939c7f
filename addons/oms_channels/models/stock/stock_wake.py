from odoo import api, models

QUANT_FIELDS = frozenset(("quantity", "reserved_quantity", "location_id"))
MOVE_FIELDS = frozenset(("state", "product_uom_qty", "location_id", "location_dest_id"))
LINE_FIELDS = frozenset(("product_id", "product_uom_qty", "product_uom_id"))


class ProductProduct(models.Model):
    """Changed stock is told to the shops at once; see `oms.stock.change`."""

    _inherit = "product.product"

    def _oms_note_stock_change(self):
        """Override of `oms_base`: the channels that are told at once learn of it."""
        res = super()._oms_note_stock_change()
        self.env["oms.stock.change"]._note(self)
        return res


class StockQuant(models.Model):
    _inherit = "stock.quant"

    @api.model_create_multi
    def create(self, vals_list):
        quants = super().create(vals_list)
        quants.product_id._oms_note_stock_change()
        return quants

    def write(self, vals):
        res = super().write(vals)
        if not QUANT_FIELDS.isdisjoint(vals):
            self.product_id._oms_note_stock_change()
        return res


class StockMove(models.Model):
    """What transfers wait for is not free: a move that is confirmed, changed or cancelled may touch no quant."""

    _inherit = "stock.move"

    def write(self, vals):
        res = super().write(vals)
        if not MOVE_FIELDS.isdisjoint(vals):
            self.product_id._oms_note_stock_change()
        return res


class SaleOrderLine(models.Model):
    """What orders that are not confirmed yet want is not free."""

    _inherit = "sale.order.line"

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._oms_note_wanted()
        return lines

    def write(self, vals):
        if LINE_FIELDS.isdisjoint(vals):
            return super().write(vals)
        before = self._oms_note_wanted()
        res = super().write(vals)
        if self.product_id - before:
            self._oms_note_wanted()
        return res

    @api.ondelete(at_uninstall=True)
    def _unlink_note_wanted(self):
        self._oms_note_wanted()

    def _oms_note_wanted(self):
        """Note the products that these lines of channels' orders want, and return them."""
        products = self.filtered(lambda line: line.order_id.channel_id).product_id
        products._oms_note_stock_change()
        return products


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def write(self, vals):
        res = super().write(vals)
        if "state" in vals:
            self.order_line._oms_note_wanted()
        return res
