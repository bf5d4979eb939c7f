from odoo import api, models


class OmsOverview(models.AbstractModel):
    _inherit = "oms.overview"

    @api.model
    def _get_sections(self):
        """Override of `oms_base` to add what the nightly check found and could not repair; nothing when all is well."""
        sections = super()._get_sections()
        drift = self._get_drift_section()
        return [*sections, drift] if drift["tiles"] else sections

    @api.model
    def _get_drift_section(self):
        Drift = self.env["oms.stock.drift"]
        domain = [("state", "=", "open"), ("company_id", "in", self.env.companies.ids)]
        labels = dict(Drift._fields["kind"]._description_selection(self.env))
        tiles = [
            {
                "key": kind,
                "label": labels[kind],
                "value": count,
                "level": "error",
                "model": "oms.stock.drift",
                "domain": [*domain, ("kind", "=", kind)],
            }
            for kind, count in Drift._read_group(domain, ["kind"], ["__count"], order="__count DESC, kind")
        ]
        return {"key": "drift", "title": self.env._("What Does Not Add Up"), "kind": "bars", "tiles": tiles}
