from odoo import api, fields, models


class StockPicking(models.Model):
    _inherit = "stock.picking"

    oms_warehouse_note = fields.Text(string="Note from the Review", compute="_compute_oms_warehouse_note")

    @api.depends("move_ids.sale_line_id.order_id.oms_warehouse_note")
    def _compute_oms_warehouse_note(self):
        for picking in self:
            # sudo: sale.order - who picks may not read orders, but has to know what the review asks for
            orders = picking.sudo().move_ids.sale_line_id.order_id
            picking.oms_warehouse_note = "\n".join(orders.filtered("oms_warehouse_note").mapped("oms_warehouse_note"))

    def write(self, vals):
        """Keep the gates where the state of a transfer, which follows from its moves, is written by hand, and where its
        picking list is printed."""
        if vals.get("state") == "done":
            self.move_ids._oms_check_gates(judge=False)
        if vals.get("printed"):
            self.move_ids._oms_check_start()
        return super().write(vals)

    def _oms_get_channel_orders(self):
        """Return the channel orders whose goods are in these transfers."""
        return self.move_ids._oms_get_channel_orders()

    def _oms_filter_deliveries(self):
        """Return the transfers that bring goods to buyers: out of the house, or straight from a supplier (dropship)."""
        return self.filtered(
            lambda picking: picking.picking_type_code == "outgoing" or picking.location_dest_id.usage == "customer"
        )

    def _oms_get_parcels(self):
        """Return the boxes of one delivery. Extended by who packs (`oms_fulfillment`), used by who tells of them.

        :return: list of (tracking number, link, {stock.move: quantity in the product's unit}); [] where nobody knows
            what is in which box: then the transfer's own number and content count
        """
        self.ensure_one()
        return []

    def _oms_get_arrival_dates(self):
        """Return when the goods of deliveries reached the buyer, or were last seen on their way to them, where carriers
        tell it. Extended by who knows parcels (`oms_fulfillment`), used by who counts days from the arrival.

        :return: dict {picking: datetime}, without transfers of which nothing is known
        """
        return {}

    def _oms_check_release(self):
        """Keep the gate "release": to be called before picking starts.

        :raise UserError: naming the orders on hold
        """
        # sudo: sale.order - a picker who may not read holds must still be stopped by them
        self.sudo()._oms_get_channel_orders()._oms_check_gate("release")

    def _action_done(self):
        """Override of `stock` to tell the timeline of what left. The gates are kept by the moves (`stock_move.py`)."""
        res = super()._action_done()
        # sudo: sale.order - who picks may not read orders
        done_sudo = self._oms_filter_deliveries().sudo().filtered(lambda picking: picking.state == "done")
        self.env["oms.event"]._query_insert(
            [
                vals
                for picking in done_sudo
                for vals in picking._oms_get_channel_orders()._prepare_event_vals_list("shipped", picking, picking.name)
            ]
        )
        return res
