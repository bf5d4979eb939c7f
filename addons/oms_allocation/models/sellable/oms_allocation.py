from odoo import api, fields, models


class OmsAllocation(models.Model):
    """What goods that are short wait for."""

    _inherit = "oms.allocation"

    next_date = fields.Datetime(
        string="Next Receipt", compute="_compute_next_receipt", help="When goods come to its warehouse that are short."
    )
    next_picking_id = fields.Many2one("stock.picking", string="Comes With", compute="_compute_next_receipt")

    @api.depends("product_id", "warehouse_id", "shortage_quantity", "state")
    def _compute_next_receipt(self):
        short = self.filtered(lambda row: row.shortage_quantity > 0 and row.state in ("planned", "procured"))
        # sudo: stock.move - who sees what is short may know when it comes
        rows = short.product_id.sudo()._query_next_receipts(short.warehouse_id)
        receipts = {(product_id, warehouse_id): (date, id_) for product_id, warehouse_id, date, id_ in rows}
        for row in self:
            key = (row.product_id.id, row.warehouse_id.id)
            row.next_date, row.next_picking_id = receipts.get(key, (False, False)) if row in short else (False, False)
