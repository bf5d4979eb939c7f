import math
from collections import defaultdict

from odoo import models


class SaleOrderLine(models.Model):
    """A line of a kit is moved as its parts, and counted in whole kits: as many as its scarcest part makes."""

    _inherit = "sale.order.line"

    def _oms_get_parts(self):
        """Return {product: quantity in one kit} of one line that is moved as parts; empty for other lines, also for one
        whose product became a kit after it was asked for."""
        self.ensure_one()
        product = self.product_id.with_company(self.company_id)
        if not product or not product._oms_get_kit_parts():
            return {}
        own = self.move_ids.filtered(lambda move: move.product_id == self.product_id and move.state != "cancel")
        return {} if own else product._oms_explode(1.0)

    def _oms_get_moves(self, strict=False):
        """Override of `oms_base`: the moves of the parts."""
        if not self._oms_get_parts():
            return super()._oms_get_moves(strict=strict)
        filters = self._get_incoming_outgoing_moves_filter()  # named as a stock of kits would see them
        outgoing = self.move_ids.filtered(filters["incoming_moves"])
        if strict:
            outgoing = outgoing.filtered(lambda move: move.location_dest_id._is_outgoing())
        else:
            outgoing = outgoing.filtered(lambda move: not move.move_orig_ids & outgoing)
        return outgoing, self.move_ids.filtered(filters["outgoing_moves"])

    def _oms_count_moves(self, moves, get_quantity):
        """Override of `oms_base`: the whole kits that these moves of parts make."""
        parts = self._oms_get_parts()
        if not parts:
            return super()._oms_count_moves(moves, get_quantity)
        moved = defaultdict(float)
        for move in moves:
            quantity = move.product_uom._compute_quantity(get_quantity(move), move.product_id.uom_id, round=False)
            moved[move.product_id] += quantity
        return float(math.floor(min(moved[part] / needed for part, needed in parts.items()) + 1e-6))

    def _oms_count_transfer(self, moves, get_quantity=None):
        """Override of `oms_base`: the kits that this transfer has completed, be some of their parts in earlier ones."""
        if not self._oms_get_parts():
            return super()._oms_count_transfer(moves, get_quantity)

        def get_moved(move):
            return get_quantity(move) if get_quantity and move in moves else move.quantity

        def get_turn(move):
            # Of two in the same second the one whose transaction began later saw the other.
            return (move.picking_id.date_done or move.date, move.write_date, move.picking_id.id)

        outgoing, incoming = self._oms_get_moves(strict=True)
        turn = max(map(get_turn, moves))
        earlier = (outgoing if moves & outgoing else incoming).filtered(
            lambda move: move not in moves and move.state == "done" and get_turn(move) < turn
        )
        before, after = (self._oms_count_moves(part, get_moved) for part in (earlier, earlier | moves))
        return self.product_id.uom_id._compute_quantity(after - before, self.product_uom_id)

    def _get_qty_procurement(self, previous_product_uom_qty=False):
        """Override of `sale_mrp`, which knows nothing of delivery groups: what waits in one counts as taken care of."""
        if not self.order_id.oms_is_grouped or not self._oms_get_parts():
            return super()._get_qty_procurement(previous_product_uom_qty=previous_product_uom_qty)
        return sum(self._oms_get_procured_by_group().values()) + self._oms_get_waiting_quantity()
