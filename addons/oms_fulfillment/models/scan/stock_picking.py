from odoo import fields, models


class StockPicking(models.Model):
    _inherit = "stock.picking"

    oms_scan_log_ids = fields.One2many(
        "oms.scan.log", "picking_id", string="Scans", groups="oms_base.oms_base_group_warehouse"
    )

    def _oms_is_packed_by_scanning(self):
        """Return whether the goods of this transfer leave in parcels."""
        self.ensure_one()
        return self.picking_type_code == "outgoing"

    def _oms_get_parcels_to_label(self):
        """Return the packed parcels that wait for a waybill."""
        return self._oms_get_live_parcels().filtered(
            lambda parcel: parcel.state == "packed" and parcel.waybill_state != "none"
        )

    def action_view_oms_scans(self):
        """Open what was scanned for these transfers."""
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_fulfillment.oms_scan_log_action")
        return {**action, "domain": [("picking_id", "in", self.ids)], "context": {}}
