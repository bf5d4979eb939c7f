from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import ormcache

from odoo.addons.oms_base.models.facts.text import normalise_postcode


class OmsZone(models.Model):
    """Where buyers are, for saying which warehouses serve them: provinces or postcodes."""

    _name = "oms.zone"
    _description = "Delivery Zone"
    _inherit = ["oms.cached.mixin"]
    _order = "sequence, name, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one("res.company", index=True, help="Leave empty for all companies.")
    country_ids = fields.Many2many("res.country", string="Countries", help="Leave empty for any country.")
    state_ids = fields.Many2many("res.country.state", string="Provinces", help="Leave empty for any province.")
    zip_prefixes = fields.Char(
        string="Postcodes Beginning With", help="Separated by commas, e.g. 20, 21, 310. Leave empty for any postcode."
    )
    warehouse_ids = fields.Many2many("stock.warehouse", string="Served From")

    @api.constrains("country_ids", "state_ids", "zip_prefixes")
    def _check_is_not_the_world(self):
        for zone in self:
            if not (zone.country_ids or zone.state_ids or zone._get_prefixes()):
                raise ValidationError(
                    self.env._("The zone %(zone)s needs countries, provinces or postcodes.", zone=zone.name)
                )

    def _get_prefixes(self):
        """Return the postcode prefixes as they are compared."""
        self.ensure_one()
        return tuple(filter(None, map(normalise_postcode, (self.zip_prefixes or "").split(","))))

    @api.model
    @ormcache("company_id")
    def _get_terms(self, company_id):
        """Return the zones of a company as plain values: ((country ids, state ids, prefixes, warehouse ids), ...)."""
        # sudo: oms.zone, stock.warehouse - the answer is kept for all users
        zones = self.sudo().search([("company_id", "in", (company_id, False))])
        return tuple(
            (
                frozenset(zone.country_ids.ids),
                frozenset(zone.state_ids.ids),
                zone._get_prefixes(),
                frozenset(zone.warehouse_ids.ids),
            )
            for zone in zones
        )

    @api.model
    def _get_warehouse_ids(self, partner, company):
        """Return the ids of the warehouses that serve the zones an address is in."""
        postcode = normalise_postcode(partner.zip)
        return frozenset().union(
            *(
                warehouse_ids
                for country_ids, state_ids, prefixes, warehouse_ids in self._get_terms(company.id)
                if (not country_ids or partner.country_id.id in country_ids)
                and (not state_ids or partner.state_id.id in state_ids)
                and (not prefixes or postcode.startswith(prefixes))
            )
        )
