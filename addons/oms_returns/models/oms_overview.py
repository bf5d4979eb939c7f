from odoo import api, models


class OmsOverview(models.AbstractModel):
    _inherit = "oms.overview"

    @api.model
    def _get_sections(self):
        """Override of `oms_base` to add what waits for somebody in the returns."""
        return [*super()._get_sections(), self._get_return_section()]

    @api.model
    def _get_return_section(self):
        company_domain = [("company_id", "in", self.env.companies.ids)]
        waiting = [
            ("approve", self.env._("To Approve"), [("state", "=", "requested")]),
            ("receive", self.env._("To Receive"), [("reception_state", "in", ("waiting", "partial"))]),
            ("inspect", self.env._("To Inspect"), [("line_ids.qty_to_inspect", ">", 0)]),
            ("credit", self.env._("To Credit"), [("money_state", "=", "due")]),
            ("refund", self.env._("To Refund"), [("money_state", "in", ("draft", "posted"))]),
        ]
        tiles = [
            {
                "key": key,
                "label": label,
                "value": self.env["oms.return"].search_count([*company_domain, *domain]),
                "model": "oms.return",
                "domain": [*company_domain, *domain],
            }
            for key, label, domain in waiting
        ]
        return {"key": "returns", "title": self.env._("Returns"), "kind": "tiles", "tiles": tiles}
