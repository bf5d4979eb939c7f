from odoo import fields, models
from odoo.fields import Command


class StockMove(models.Model):
    _inherit = "stock.move"

    oms_return_line_id = fields.Many2one(
        "oms.return.line", string="Return Line", index="btree_not_null", ondelete="set null", readonly=True
    )

    def _prepare_merge_moves_distinct_fields(self):
        """Override of `stock` to keep the goods of two return lines apart."""
        return [*super()._prepare_merge_moves_distinct_fields(), "oms_return_line_id"]

    def _oms_reserve_pieces(self, pieces):
        """Reserve exactly these goods for one move: of what came in with the same receipt Odoo would take any.

        :param pieces: [(receipt's stock move line, quantity in the product's unit), ...]
        """
        self.ensure_one()
        self._do_unreserve()
        self.move_line_ids = [
            Command.create(
                {
                    "picking_id": self.picking_id.id,
                    "product_id": piece.product_id.id,
                    "product_uom_id": piece.product_id.uom_id.id,
                    "quantity": quantity,
                    "lot_id": piece.lot_id.id,
                    "location_id": piece.location_dest_id.id,
                    "location_dest_id": self.location_dest_id.id,
                }
            )
            for piece, quantity in pieces
        ]

    def _oms_get_words(self):
        """Return what these moves move, as a buyer reads it."""
        return ", ".join(
            f"{unit._oms_format(move.product_uom_qty)} {unit.name} {move.product_id.display_name}"
            for move in self
            for unit in move.product_uom
        )
