from odoo import models


class StockPicking(models.Model):
    _inherit = "stock.picking"

    def _oms_get_channel_orders(self):
        """Return the channel orders whose goods are in these transfers."""
        return self.move_ids.sale_line_id.order_id.filtered("channel_id")

    def _oms_check_release(self):
        """Keep the gate "release": to be called before picking starts.

        :raise UserError: naming the orders on hold
        """
        # sudo: sale.order - a picker who may not read holds must still be stopped by them
        self.sudo()._oms_get_channel_orders()._oms_check_gate("release")

    def _action_done(self):
        """Override of `stock` to keep the gate "ship" and to tell the timeline of what left."""
        deliveries = self.filtered(lambda picking: picking.picking_type_code == "outgoing")
        # sudo: sale.order - a picker who may not read holds must still be stopped by them
        deliveries.sudo()._oms_get_channel_orders()._oms_check_gate("ship")
        res = super()._action_done()
        # sudo: sale.order, oms.event - as above, and nobody writes the timeline by hand
        done_sudo = deliveries.sudo().filtered(lambda picking: picking.state == "done")
        self.env["oms.event"].sudo().create(
            [
                vals
                for picking in done_sudo
                for vals in picking._oms_get_channel_orders()._prepare_event_vals_list("shipped", picking, picking.name)
            ]
        )
        return res
