from odoo import models


class StockMove(models.Model):
    """What happens to the transfers of an order shows in its allocations; those who wait are offered what comes in."""

    _inherit = "stock.move"

    def _oms_get_warehouse(self):
        """Return the warehouse that one outgoing move takes its goods from."""
        self.ensure_one()
        return self.warehouse_id or self.location_id.warehouse_id

    def _action_done(self, cancel_backorder=False):
        """Override of `stock` to note what left, and to wake those who wait for what came in."""
        moves = super()._action_done(cancel_backorder=cancel_backorder)
        done = moves.filtered(lambda move: move.state == "done")
        done._oms_sync_order_allocations()
        arrived = done.filtered(
            lambda move: (
                (warehouse := move.location_dest_id._oms_get_selling_warehouse())
                and warehouse != move.location_id._oms_get_selling_warehouse()
            )
        )
        if arrived:
            self.env["sale.order"]._oms_trigger_reallocation(arrived.product_id)
        return moves

    def _action_cancel(self):
        """Override of `stock` to note what will not leave after all."""
        res = super()._action_cancel()
        self._oms_sync_order_allocations()
        return res

    def _oms_sync_order_allocations(self):
        # sudo: sale.order.line - whoever moves the goods, the allocation of the order follows
        lines = self.sudo().sale_line_id.filtered(lambda line: line.order_id.channel_id)
        known = lines.filtered("oms_allocation_ids")
        # Dropshipped and made to order goods have none, and get none.
        (known | (lines - known)._oms_filter_allocatable())._oms_sync_allocations()
