from odoo import api, fields, models
from odoo.tools import ormcache


class ResPartner(models.Model):
    _inherit = "res.partner"

    oms_min_shelf_life_days = fields.Integer(
        string="Minimum Shelf Life (days)",
        help="Lots that expire earlier than so many days after they leave are not reserved for this customer's orders.",
    )

    @api.model
    def _commercial_fields(self):
        """Override of `base`: asked of the company that buys."""
        return [*super()._commercial_fields(), "oms_min_shelf_life_days"]


class ResPartnerCategory(models.Model):
    _name = "res.partner.category"
    _inherit = ["res.partner.category", "oms.cached.mixin"]
    _oms_cached_fields = frozenset(("oms_min_shelf_life_days", "active"))

    oms_min_shelf_life_days = fields.Integer(
        string="Minimum Shelf Life (days)", help="The same for all customers with this tag."
    )

    @api.model
    @ormcache()
    def _oms_get_lives(self):
        """Return {tag id: days} of the tags that demand anything: most companies have none, and then none is read."""
        # sudo: res.partner.category - the answer is kept for all users
        tags_sudo = self.sudo().search([("oms_min_shelf_life_days", ">", 0)])
        return {tag.id: tag.oms_min_shelf_life_days for tag in tags_sudo}
