from odoo import fields, models


class StockPickingType(models.Model):
    _inherit = "stock.picking.type"

    oms_scan_location = fields.Boolean(
        string="Scan Locations", help="In the scanning app, the shelf must be scanned before anything is taken from it."
    )
    oms_scan_check = fields.Boolean(
        string="Check Every Piece",
        default=True,
        help="In the scanning app, every piece of a delivery is scanned a second time into its parcel.",
    )
    oms_scan_weigh = fields.Boolean(
        string="Weigh Parcels", default=True, help="In the scanning app, parcels are weighed before they get a waybill."
    )
