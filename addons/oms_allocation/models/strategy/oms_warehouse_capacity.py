from odoo import fields, models


class OmsWarehouseCapacity(models.Model):
    """How many parcels a warehouse can make on the days of a period, where that is not what it can on others."""

    _name = "oms.warehouse.capacity"
    _description = "Warehouse Capacity"
    _order = "date_from, id"

    warehouse_id = fields.Many2one("stock.warehouse", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="warehouse_id.company_id", store=True, index=True)
    name = fields.Char(string="Occasion", help="e.g. Singles' Day, New Year")
    date_from = fields.Date(string="From", required=True)
    date_to = fields.Date(string="To", required=True)
    parcels = fields.Integer(string="Parcels a Day", required=True, help="0: closed.")

    _dates = models.Constraint("CHECK(date_from <= date_to)", "A period ends on or after the day it begins.")
    _parcels = models.Constraint("CHECK(parcels >= 0)", "The parcels of a day are not negative.")
