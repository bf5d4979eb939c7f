from odoo import api, fields, models
from odoo.exceptions import UserError


class OmsScanLog(models.Model):
    """Who scanned what, when, in which step, and what came of it. Append-only, written by the scanning app alone."""

    _name = "oms.scan.log"
    _description = "Scan"
    _order = "id desc"
    _rec_name = "picking_id"

    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    user_id = fields.Many2one("res.users", string="By", required=True, readonly=True, index=True)
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    warehouse_id = fields.Many2one("stock.warehouse", readonly=True, index="btree_not_null")
    picking_id = fields.Many2one(
        "stock.picking", string="Transfer", readonly=True, index="btree_not_null", ondelete="set null"
    )
    step = fields.Selection(
        [
            ("choose", "Choose"),
            ("pick", "Pick"),
            ("check", "Check"),
            ("pack", "Pack"),
            ("weigh", "Weigh"),
            ("label", "Label"),
            ("ship", "Ship"),
        ],
        required=True,
        readonly=True,
    )
    result = fields.Selection(
        [("done", "Done"), ("refused", "Refused"), ("problem", "Problem"), ("undone", "Taken Back")],
        required=True,
        readonly=True,
    )
    code = fields.Char(readonly=True, help="What the device was told.")
    barcode = fields.Char(readonly=True)
    product_id = fields.Many2one("product.product", readonly=True, index="btree_not_null", ondelete="set null")
    lot_id = fields.Many2one("stock.lot", string="Lot/Serial Number", readonly=True, ondelete="set null")
    location_id = fields.Many2one("stock.location", readonly=True, ondelete="set null")
    move_id = fields.Many2one("stock.move", readonly=True, ondelete="set null", index="btree_not_null")
    parcel_id = fields.Many2one("oms.parcel", readonly=True, ondelete="set null", index="btree_not_null")
    quantity = fields.Float(readonly=True, digits="Product Unit")
    weight = fields.Float(string="Weight (kg)", readonly=True, digits="Stock Weight")
    note = fields.Char(readonly=True)
    undo_of_id = fields.Many2one("oms.scan.log", string="Takes Back", readonly=True, index="btree_not_null")
    uuid = fields.Char(string="Call", readonly=True)

    _undo_once = models.UniqueIndex("(undo_of_id) WHERE undo_of_id IS NOT NULL", "A scan is taken back only once.")

    def write(self, vals):
        if not self.env.is_superuser():
            raise UserError(self.env._("The scan log can't be changed: scan again or take the scan back in the app."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        if not self.env.is_superuser():
            raise UserError(self.env._("The scan log can't be deleted."))
