from odoo import api, fields, models


class OmsOverview(models.AbstractModel):
    _inherit = "oms.overview"

    @api.model
    def _get_sections(self):
        """Override of `oms_base` to add which orders lack something, and what waits for stock, by warehouse."""
        sections = super()._get_sections()
        position = next((n for n, section in enumerate(sections, 1) if section["key"] == "holds"), len(sections))
        own = [self._get_unfilled_section(), self._get_shortage_section()]
        return [*sections[:position], *own, *sections[position:]]

    @api.model
    def _get_unfilled_section(self):
        Order = self.env["sale.order"]
        domain = [
            *(("oms_unfilled_date", "!=", False), ("state", "=", "sale")),
            ("company_id", "in", self.env.companies.ids),
        ]
        labels = dict(Order._fields["oms_unfilled_cause"]._description_selection(self.env))
        groups = Order._read_group(
            domain,
            ["oms_unfilled_cause"],
            ["__count", "oms_unfilled_date:min"],
            order="__count DESC, oms_unfilled_cause",
        )
        tiles = [
            {
                "key": cause or "other",
                "label": labels.get(cause, self.env._("Other")),
                "value": count,
                "oldest": fields.Datetime.to_string(oldest),
                "level": "warning",
                "model": "sale.order",
                "domain": [*domain, ("oms_unfilled_cause", "=", cause)],
            }
            for cause, count, oldest in groups
        ]
        return {
            "key": "unfilled",
            "title": self.env._("Unfilled Orders"),
            "kind": "bars",
            "tiles": tiles,
            "nothing": self.env._("Every order has its goods."),
        }

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
        return {
            "key": "shortages",
            "title": self.env._("Lines Short of Stock"),
            "kind": "bars",
            "tiles": tiles,
            "nothing": self.env._("Nothing is short."),
        }
