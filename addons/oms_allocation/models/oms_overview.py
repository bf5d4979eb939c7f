from odoo import api, fields, models


class OmsOverview(models.AbstractModel):
    _inherit = "oms.overview"

    @api.model
    def _get_sections(self):
        """Override of `oms_base` to add what waits for stock, by warehouse."""
        sections = super()._get_sections()
        position = next((n for n, section in enumerate(sections, 1) if section["key"] == "holds"), len(sections))
        return [*sections[:position], self._get_shortage_section(), *sections[position:]]

    @api.model
    def _get_shortage_section(self):
        domain = [*self.env["sale.order"]._get_short_domain(), ("company_id", "in", self.env.companies.ids)]
        groups = self.env["oms.allocation"]._read_group(
            domain, ["warehouse_id"], ["__count", "create_date:min"], order="__count DESC, warehouse_id"
        )
        tiles = [
            {
                "key": warehouse.code,
                "label": warehouse.name,
                "value": count,
                "oldest": fields.Datetime.to_string(oldest),
                "level": "warning",
                "model": "oms.allocation",
                "domain": [*domain, ("warehouse_id", "=", warehouse.id)],
            }
            for warehouse, count, oldest in groups
        ]
        return {"key": "shortages", "title": self.env._("Lines Short of Stock"), "kind": "bars", "tiles": tiles}
