from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import ormcache

from .text import normalise_postcode


class OmsArea(models.Model):
    """A part of the world where parcels do not go, or go at a price. Facts of the order ask this table."""

    _name = "oms.area"
    _description = "Delivery Area"
    _inherit = ["oms.cached.mixin"]
    _order = "kind, country_id, state_id, city, id"
    _rec_names_search = ["city", "zip_prefix", "note"]

    kind = fields.Selection(
        [("undeliverable", "Undeliverable"), ("remote", "Remote")], required=True, default="remote", index=True
    )
    active = fields.Boolean(default=True)
    country_id = fields.Many2one("res.country", default=lambda self: self.env.company.country_id)
    state_id = fields.Many2one("res.country.state", domain="[('country_id', '=?', country_id)]")
    city = fields.Char(string="City or District", help="Part of the city's name, or how the street begins.")
    zip_prefix = fields.Char(string="Postcodes Beginning With")
    zip_from = fields.Char(string="Postcodes From")
    zip_to = fields.Char(string="Postcodes To", help="Included, with all that begin with it.")
    channel_ids = fields.Many2many("oms.channel", string="Channels", help="Empty: all channels.")
    company_id = fields.Many2one("res.company", index=True, help="Empty: all companies.")
    note = fields.Char()

    @api.depends("kind", "country_id", "state_id", "city", "zip_prefix", "zip_from", "zip_to")
    def _compute_display_name(self):
        for area in self:
            zips = "-".join(part for part in (area.zip_from, area.zip_to) if part)
            parts = (
                area.country_id.name,
                area.state_id.name,
                area.city,
                area.zip_prefix and f"{area.zip_prefix}…",
                zips,
            )
            area.display_name = " / ".join(part for part in parts if part)

    @api.constrains("country_id", "state_id", "city", "zip_prefix", "zip_from", "zip_to")
    def _check_is_not_the_world(self):
        for area in self:
            if not any(area[name] for name in ("country_id", "state_id", "city", "zip_prefix", "zip_from", "zip_to")):
                raise ValidationError(self.env._("An area needs a country, a state, a city or postcodes."))

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._normalise_zips(vals) for vals in vals_list])

    def write(self, vals):
        return super().write(self._normalise_zips(vals))

    @api.model
    def _normalise_zips(self, vals):
        """Return values with postcodes as the order's are compared."""
        zips = {name: normalise_postcode(vals[name]) for name in ("zip_prefix", "zip_from", "zip_to") if vals.get(name)}
        return {**vals, **zips}

    @ormcache()
    def _get_kinds(self):
        """Return the kinds of areas that are kept at all: of the others no order needs to be asked."""
        # sudo: oms.area - the answer is kept for all users
        return frozenset(kind for (kind,) in self.sudo()._read_group([], ["kind"]))
