from odoo import api, models


class OmsOverview(models.AbstractModel):
    _inherit = "oms.overview"

    @api.model
    def _get_sections(self):
        """Override of `oms_base` to add what waits for somebody in the returns."""
        sections = super()._get_sections()
        if self.env["oms.return"].has_access("read"):
            sections.append(self._get_return_section())
        return sections

    @api.model
    def _get_return_section(self):
        company_domain = [("company_id", "in", self.env.companies.ids)]
        domains = {
            "approve": [("state", "=", "requested")],
            "receive": [("reception_state", "in", ("waiting", "partial"))],
            "stopped": [("reception_state", "=", "stopped"), ("state", "=", "approved")],
            "inspect": [("line_ids.qty_to_inspect", ">", 0)],
            "credit": [("money_state", "=", "due")],
            "refund": [("money_state", "in", ("draft", "posted"))],
        }
        labels = {
            "approve": self.env._("To Approve"),
            "receive": self.env._("To Receive"),
            "stopped": self.env._("Not Coming"),
            "inspect": self.env._("To Inspect"),
            "credit": self.env._("To Credit"),
            "refund": self.env._("To Refund"),
        }
        tiles = [
            {
                "key": key,
                "label": labels[key],
                "value": self.env["oms.return"].search_count([*company_domain, *domain]),
                "model": "oms.return",
                "domain": [*company_domain, *domain],
            }
            for key, domain in domains.items()
        ]
        return {"key": "returns", "title": self.env._("Returns"), "kind": "tiles", "tiles": tiles}
