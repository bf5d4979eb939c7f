from odoo import api, models

from ..const import MOVING_PARCEL_STATES


class OmsOverview(models.AbstractModel):
    _inherit = "oms.overview"

    @api.model
    def _get_sections(self):
        """Override of `oms_base` to add the parcels, for those who may see them."""
        sections = super()._get_sections()
        if self.env["oms.parcel"].has_access("read"):
            sections.append(self._get_parcel_section())
        return sections

    @api.model
    def _get_today_event_codes(self):
        """Override of `oms_base` to count what arrived."""
        return [*super()._get_today_event_codes(), "delivered"]

    @api.model
    def _get_came_back_domain(self):
        """Return the domain of the parcels that came back to the sender and whose goods still count as delivered."""
        return [("state", "=", "returned"), ("line_ids.move_id.sale_line_id.qty_delivered", ">", 0)]

    @api.model
    def _get_parcel_section(self):
        own = [("company_id", "in", self.env.companies.ids)]
        tiles = [
            (self.env._("To Label"), "", [("state", "=", "packed")]),
            (self.env._("To Ship"), "", [("state", "=", "labelled")]),
            (self.env._("With the Carrier"), "", [("state", "in", MOVING_PARCEL_STATES)]),
            (self.env._("Not Moving"), "warning", [("alarm", "!=", False)]),
            (self.env._("Delivery Problems"), "error", [("state", "=", "exception")]),
            (self.env._("Came Back"), "error", self._get_came_back_domain()),
            (self.env._("Labels to Destroy"), "warning", [("waybill_state", "=", "to_recycle")]),
        ]
        Parcel = self.env["oms.parcel"]
        counted = [(label, level, own + domain, Parcel.search_count(own + domain)) for label, level, domain in tiles]
        return {
            "key": "parcels",
            "title": self.env._("Parcels"),
            "kind": "tiles",
            "tiles": [
                {
                    "label": label,
                    "value": count,
                    "level": level if count else "",
                    "model": "oms.parcel",
                    "domain": domain,
                }
                for label, level, domain, count in counted
            ],
        }
