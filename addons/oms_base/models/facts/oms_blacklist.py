from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import email_normalize

from .text import parse_phone


class OmsBlacklist(models.Model):
    """Somebody, or something by which they are known, that orders are not taken from without a look."""

    _name = "oms.blacklist"
    _description = "Blacklist Entry"
    _order = "create_date desc, id desc"
    _rec_name = "value"

    kind = fields.Selection(
        [
            ("buyer", "Buyer"),
            ("phone", "Phone"),
            ("address", "Address"),
            ("ip", "IP Address"),
            ("email", "Email"),
        ],
        required=True,
        default="phone",
    )
    value = fields.Char(
        compute="_compute_value", store=True, precompute=True, readonly=False, help="The number, address or email."
    )
    partner_id = fields.Many2one(
        "res.partner", string="Contact", index="btree_not_null", help="The buyer, or whose address it is."
    )
    key = fields.Char(
        compute="_compute_key", store=True, precompute=True, help="By what orders are compared with this entry."
    )
    reason = fields.Char(required=True, help="Shown to the person who reviews an order.")
    active = fields.Boolean(default=True)
    date_to = fields.Date(string="Until", help="The last day. Empty: for good.")
    company_id = fields.Many2one("res.company", index=True, help="Empty: all companies.")
    order_id = fields.Many2one(
        "sale.order", string="Found In", index="btree_not_null", readonly=True, ondelete="set null"
    )

    _key_idx = models.Index("(key, kind) WHERE active")
    _key_uniq = models.UniqueIndex(
        "(kind, key, COALESCE(company_id, 0)) WHERE active", "This is on the blacklist already."
    )

    @api.depends("kind", "partner_id", "order_id")
    def _compute_value(self):
        for entry in self:
            order = entry.order_id
            entry.value = {
                "buyer": entry.partner_id.display_name,
                "address": entry.partner_id._display_address(without_company=True).replace("\n", " ").strip()
                if entry.partner_id
                else False,
                "phone": order.partner_shipping_id.phone or order.partner_id.phone,
                "ip": order.oms_buyer_ip,
                "email": order.partner_id.email,
            }.get(entry.kind) or (False if entry.kind in ("buyer", "address") else entry.value)

    @api.depends("kind", "value", "partner_id")
    def _compute_key(self):
        for entry in self:
            entry.key = entry._get_key() or False

    def _get_key(self):
        """Return what an order's own key is compared with, of one entry, or None."""
        self.ensure_one()
        if self.kind == "buyer":
            return str(self.partner_id.commercial_partner_id.id or "")
        if self.kind == "address":
            return self.partner_id._oms_check_address().key if self.partner_id else None
        if self.kind == "phone":
            company = self.company_id or self.env.company
            country = self.partner_id.country_id or self.order_id.partner_shipping_id.country_id or company.country_id
            return parse_phone(self.value, country.code)[0]
        if self.kind == "email":
            return email_normalize(self.value) or None
        return (self.value or "").strip()

    @api.constrains("kind", "value", "partner_id", "key")
    def _check_key(self):
        for entry in self:
            if not entry.key:
                raise ValidationError(
                    self.env._(
                        "The blacklist entry %(value)s has nothing to compare orders with. A buyer and an address need "
                        "a contact, an address a street and a city; a phone and an email must be complete.",
                        value=entry.value or entry.reason,
                    )
                )
