from odoo import fields, models


class StockMove(models.Model):
    _inherit = "stock.move"

    oms_return_line_id = fields.Many2one(
        "oms.return.line", string="Return Line", index="btree_not_null", ondelete="set null", readonly=True
    )

    def _prepare_merge_moves_distinct_fields(self):
        """Override of `stock` to keep the goods of two return lines apart."""
        return [*super()._prepare_merge_moves_distinct_fields(), "oms_return_line_id"]
