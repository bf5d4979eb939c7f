import json
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

    def _get_moves_by_line(self):
        """Return {sale.order.line: its moves of this transfer that moved something}. Goods that came back and go to the
        buyer once more, as those of a rejected return do, are left out: the shop was told of them when they were sent
        first."""
        moves = self.move_ids.filtered(
            lambda move: (
                move.quantity and not (move.origin_returned_move_id and move.location_dest_id.usage == "customer")
            )
        )
        return moves.grouped(lambda move: move.sale_line_id or move.origin_returned_move_id.sale_line_id)

    def _get_channel_tracking(self):
        """Return (number, link) of a transfer for a shop, which takes one of each: of several boxes the first."""
        self.ensure_one()
        number, link = (self.carrier_tracking_ref or "").split(",")[0].strip(), self.carrier_tracking_url or ""
        if link.startswith("["):  # Odoo's own form of several
            link = next((url for _number, url in json.loads(link)), "")
        return number, link

    def _get_channel_quantities(self):
        """Return what this transfer moved, in the shop's terms.

        :return: dict {sale.order: [[line id in the shop, quantity as text], ...]}, quantities in the order line's unit
        """
        self.ensure_one()
        moved = self._get_moves_by_line()
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
        """Return the boxes of one transfer with what of an order is in each, in the shop's terms. A kit is in the box
        that completes it, and a box that completes nothing is left out.

        :return: list of (tracking number, link, [[line id in the shop, quantity as text], ...]); [] where it is not
            known what is in which box
        """
        self.ensure_one()
        lines = {line: moves for line, moves in self._get_moves_by_line().items() if line.order_id == order}
        parcels, boxed, told, digits = [], defaultdict(float), {}, self._get_unit_digits()

        def get_boxed(move):
            return move.product_id.uom_id._compute_quantity(boxed[move], move.product_uom, round=False)

        for number, url, content in self._oms_get_parcels():
            for move, quantity in content.items():
                boxed[move] += quantity
            quantities = defaultdict(float)
            for line, moves in lines.items():
                before, count = told.get(line, 0.0), line._oms_count_transfer(moves, get_boxed)
                told[line] = count
                if line.product_uom_id.compare(count, before) > 0 and (line_id := line._oms_get_channel_line_id()):
                    quantities[line_id] += count - before
            if quantities:
                parcels.append((number, url, [[key, float_repr(value, digits)] for key, value in quantities.items()]))
        return parcels

    @api.model
    def _get_unit_digits(self):
        return self.env["decimal.precision"].precision_get("Product Unit")
