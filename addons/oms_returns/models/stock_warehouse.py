from odoo import fields, models


class StockWarehouse(models.Model):
    _inherit = "stock.warehouse"

    oms_inspection_location_id = fields.Many2one(
        "stock.location",
        string="Returns Inspection Location",
        check_company=True,
        copy=False,
        domain=[("usage", "=", "internal")],
        help="Returned goods are received here and wait for their inspection. Keep it outside of the warehouse's own "
        "location, so that nothing in it counts as available.",
    )
    oms_refurbish_location_id = fields.Many2one(
        "stock.location",
        string="Refurbishing Location",
        check_company=True,
        copy=False,
        domain=[("usage", "=", "internal")],
        help="Accepted goods that need work before they can be sold again are moved here.",
    )

    def _oms_get_return_location(self, kind):
        """Return the warehouse's location for returned goods; it is created when first needed.

        It has no parent: a location below the warehouse would be counted in its free quantity, and goods that nobody
        has looked at would be promised to the next buyer. It stays internal, so the goods keep their value.

        :param kind: "inspection" or "refurbish"
        """
        self.ensure_one()
        field = f"oms_{kind}_location_id"
        if not self[field]:
            # sudo: stock.warehouse - whoever approves the first return of a warehouse may not configure it
            warehouse_sudo = self.sudo()
            # One transaction creates it, the others fail to serialize and are run again.
            warehouse_sudo.lock_for_update()
            names = {
                "inspection": self.env._("%(code)s Returns Inspection", code=self.code),
                "refurbish": self.env._("%(code)s Refurbishing", code=self.code),
            }
            warehouse_sudo[field] = (
                self.env["stock.location"]
                .sudo()
                .create({"name": names[kind], "usage": "internal", "company_id": self.company_id.id})
            )
        return self[field]
