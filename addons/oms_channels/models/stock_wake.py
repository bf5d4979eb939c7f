from odoo import api, models

STOCK_FIELDS = frozenset(("quantity", "reserved_quantity"))


class StockQuant(models.Model):
    """Changed stock is told to the shops at once; see `oms.channel._wake_stock_publishing`."""

    _inherit = "stock.quant"

    @api.model_create_multi
    def create(self, vals_list):
        quants = super().create(vals_list)
        self.env["oms.channel"]._wake_stock_publishing()
        return quants

    def write(self, vals):
        res = super().write(vals)
        if not STOCK_FIELDS.isdisjoint(vals):
            self.env["oms.channel"]._wake_stock_publishing()
        return res


class SaleOrder(models.Model):
    """What orders that are not confirmed yet want is not free: it is told like changed stock."""

    _inherit = "sale.order"

    @api.model_create_multi
    def create(self, vals_list):
        orders = super().create(vals_list)
        if orders.channel_id:
            self.env["oms.channel"]._wake_stock_publishing()
        return orders

    def _oms_after_change(self, parts):
        """Override of `oms_base`: other lines want other goods."""
        if "lines" in parts and self.channel_id:
            self.env["oms.channel"]._wake_stock_publishing()
        return super()._oms_after_change(parts)

    def _action_cancel(self):
        """Override of `sale`."""
        res = super()._action_cancel()
        if self.channel_id:
            self.env["oms.channel"]._wake_stock_publishing()
        return res
