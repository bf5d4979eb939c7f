from collections import defaultdict

from odoo import api, models
from odoo.tools import float_repr


class StockPicking(models.Model):
    _inherit = "stock.picking"

    def _action_done(self):
        """Override of `stock`: the shop is told of what left, and what is invoiced when shipped is invoiced."""
        res = super()._action_done()
        # sudo: sale.order - a picker who may not read orders still ships for their channel
        deliveries = self.sudo()._oms_filter_deliveries().filtered(lambda picking: picking.state == "done")
        orders = deliveries._oms_get_channel_orders()
        if orders:
            deliveries._enqueue_channel_push("shipment")
            orders.channel_id._wake_invoicing("shipped")
        return res

    def _enqueue_channel_push(self, kind):
        """Queue a push of ``kind`` for every channel order whose goods are in these transfers."""
        pairs, payloads = [], []
        for picking in self:
            for order, lines in picking._get_channel_quantities().items():
                pairs.append((order, picking))
                payloads.append({"lines": lines, "picking": picking.name})
        return self.env["oms.channel.push"]._enqueue(kind, pairs, payloads)

    def _get_channel_request_ref(self):
        """Return the shop's id of the buyer's request by which these goods came back, "" where nobody knows. To be
        extended by who keeps it."""
        self.ensure_one()
        return ""

    def _get_channel_quantities(self):
        """Return what this transfer moved, in the shop's terms. Goods that came back and go to the buyer once more, as
        those of a rejected return do, are left out: the shop was told of them when they were sent first.

        :return: dict {sale.order: [[line id in the shop, quantity as text], ...]}, quantities in the order line's unit
        """
        self.ensure_one()
        moves = self.move_ids.filtered(
            lambda move: (
                move.quantity and not (move.origin_returned_move_id and move.location_dest_id.usage == "customer")
            )
        )
        moved = moves.grouped(lambda move: move.sale_line_id or move.origin_returned_move_id.sale_line_id)
        result = defaultdict(dict)
        for line, moves in moved.items():
            if not line.order_id.channel_id:
                continue
            shop_quantities, quantity = result[line.order_id], line._oms_count_transfer(moves)
            if quantity and (line_id := line._oms_get_channel_line_id()):
                shop_quantities[line_id] = shop_quantities.get(line_id, 0.0) + quantity
        digits = self._get_unit_digits()
        return {
            order: [[line_id, float_repr(quantity, digits)] for line_id, quantity in shop_quantities.items()]
            for order, shop_quantities in result.items()
        }

    def _get_channel_parcels(self, order):
        """Return the boxes of one transfer with what of an order is in each, in the shop's terms.

        :return: list of (tracking number, link, [[line id in the shop, quantity as text], ...]); [] where it is not
            known what is in which box
        """
        self.ensure_one()
        parcels = []
        for number, url, content in self._oms_get_parcels():
            quantities = defaultdict(float)
            for move, quantity in content.items():
                line = move.sale_line_id
                if line.order_id == order and line.channel_line_id:
                    if move.product_id != line.product_id:
                        return []  # parts of a kit: how many kits a box holds is not known
                    unit = line.product_uom_id
                    quantities[line.channel_line_id] += move.product_id.uom_id._compute_quantity(quantity, unit)
            if quantities:
                digits = self._get_unit_digits()
                parcels.append((number, url, [[key, float_repr(value, digits)] for key, value in quantities.items()]))
        return parcels

    @api.model
    def _get_unit_digits(self):
        return self.env["decimal.precision"].precision_get("Product Unit")
