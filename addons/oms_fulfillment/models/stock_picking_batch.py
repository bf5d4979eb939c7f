from odoo import models


class StockPickingBatch(models.Model):
    _inherit = "stock.picking.batch"

    def action_confirm(self):
        """Override of `stock_picking_batch`: a batch that is started is picked, so the gate "release" is kept."""
        self.picking_ids._oms_check_release()
        return super().action_confirm()


class StockPicking(models.Model):
    """Held orders and batches: they join none by themselves, and none that is under way by hand."""

    _inherit = "stock.picking"

    def write(self, vals):
        """Override: what is put into a batch under way is picked with it."""
        if vals.get("batch_id"):
            batch = self.env["stock.picking.batch"].browse(vals["batch_id"])
            if batch.state == "in_progress":
                (self - batch.picking_ids)._oms_check_release()
        return super().write(vals)

    def _is_auto_batchable(self, picking=None):
        """Override of `stock_picking_batch`: a batch made by itself takes no order on hold."""
        # sudo: sale.order - a picker who may not read holds must still be stopped by them
        orders = (self | (picking or self)).sudo()._oms_get_channel_orders()
        return super()._is_auto_batchable(picking) and not orders._oms_get_blocking_holds("release")
