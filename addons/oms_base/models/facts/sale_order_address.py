from odoo import api, fields, models
from odoo.tools import SQL

from .address import ADDRESS_PARTS, TEXT_PARTS
from .sql_fact import SqlFact, by_compute, by_sql

ISSUE_FIELDS = (
    "oms_is_address_incomplete",
    "oms_has_forbidden_characters",
    "oms_is_address_mismatch",
    "oms_is_phone_invalid",
)


class SaleOrder(models.Model):
    """Facts about where the parcel goes."""

    _inherit = "sale.order"

    oms_address_problem = fields.Char(
        string="Address Problem",
        compute="_compute_oms_address_problem",
        search=by_compute("oms_address_problem"),
        help="What is missing or wrong in the delivery address.",
    )
    oms_is_address_incomplete = fields.Boolean(
        string="Address Incomplete",
        compute="_compute_oms_address_issues",
        search=by_compute("oms_is_address_incomplete"),
        help="Receiver, street, city, country, phone or, where the country needs it, state is missing.",
    )
    oms_has_forbidden_characters = fields.Boolean(
        string="Forbidden Characters in the Address",
        compute="_compute_oms_address_issues",
        search=by_compute("oms_has_forbidden_characters"),
    )
    oms_is_address_mismatch = fields.Boolean(
        string="Places Do Not Belong Together",
        compute="_compute_oms_address_issues",
        search=by_compute("oms_is_address_mismatch"),
        help="The city is not in the state, or the district not in the city. Known for China.",
    )
    oms_is_phone_invalid = fields.Boolean(
        string="Phone Invalid",
        compute="_compute_oms_address_issues",
        search=by_compute("oms_is_phone_invalid"),
        help="The receiver's phone is not a number of the country. A masked number is not judged.",
    )
    oms_is_undeliverable = fields.Boolean(
        string="Undeliverable Area",
        compute="_compute_oms_areas",
        search=by_sql("_get_area_facts", "oms_is_undeliverable"),
        help="The delivery address is in an area kept as undeliverable.",
    )
    oms_is_remote = fields.Boolean(
        string="Remote Area",
        compute="_compute_oms_areas",
        search=by_sql("_get_area_facts", "oms_is_remote"),
        help="The delivery address is in an area kept as remote.",
    )

    @api.depends(
        "oms_is_undeliverable",
        "partner_shipping_id.state_id",
        *(f"partner_shipping_id.{part}" for part in {*ADDRESS_PARTS, *TEXT_PARTS}),
    )
    def _compute_oms_address_problem(self):
        self.oms_address_problem = False
        for order in self:
            if problems := order._get_address_problems():
                order.oms_address_problem = "; ".join(problems)

    @api.depends("partner_shipping_id.state_id", *(f"partner_shipping_id.{p}" for p in {*ADDRESS_PARTS, *TEXT_PARTS}))
    def _compute_oms_address_issues(self):
        unaddressed = self.filtered(lambda order: not order.partner_shipping_id)  # a form that was just opened
        for name in ISSUE_FIELDS:
            unaddressed[name] = False
        for order in self - unaddressed:
            check = order.partner_shipping_id._oms_check_address()
            order.oms_is_address_incomplete = bool(check.missing)
            order.oms_has_forbidden_characters = bool(check.forbidden)
            order.oms_is_address_mismatch = bool(check.mismatch)
            order.oms_is_phone_invalid = check.is_phone_invalid

    @api.depends(
        "company_id",
        "channel_id",
        *(f"partner_shipping_id.{part}" for part in ("country_id", "state_id", "city", "street", "zip")),
    )
    def _compute_oms_areas(self):
        self.oms_is_undeliverable = self.oms_is_remote = False
        if self.env["oms.area"]._get_kinds():
            self._assign_sql_facts(self._get_area_facts())

    def _get_address_problems(self):
        """Return the sentences that say what is wrong with the delivery address of one order. Can be extended."""
        self.ensure_one()
        contact = self.partner_shipping_id
        if not contact:  # a form that was just opened
            return []
        check = contact._oms_check_address()
        problems = [
            self.env._("%(part)s is missing", part=contact._fields[part]._description_string(self.env))
            for part in check.missing
        ]
        if check.forbidden:
            problems.append(self.env._("characters that no label prints: %(characters)s", characters=check.forbidden))
        if check.mismatch:
            outer, inner = check.mismatch
            problems.append(self.env._("%(inner)s is not in %(outer)s", outer=outer, inner=inner))
        if check.is_phone_invalid:
            problems.append(self.env._("%(phone)s is not a phone number of the country", phone=contact.phone))
        if self.oms_is_undeliverable:
            problems.append(self.env._("nobody delivers to this area"))
        return problems

    def _get_area_facts(self):
        """Return whether a kept area covers the delivery address. Empty parts of an area cover everything."""
        contact = SQL(
            "LEFT JOIN res_partner contact ON contact.id = o.partner_shipping_id",
            to_flush=self._get_source_fields("sale.order", "partner_shipping_id", "channel_id", "company_id"),
        )
        return {
            "oms_is_undeliverable": SqlFact(self._get_area_sql("undeliverable"), (contact,)),
            "oms_is_remote": SqlFact(self._get_area_sql("remote"), (contact,)),
        }

    def _get_area_sql(self, kind):
        return SQL(
            """
            o.channel_id IS NOT NULL AND EXISTS (
                SELECT 1
                  FROM oms_area a
                 WHERE a.active AND a.kind = %(kind)s
                   AND (a.company_id IS NULL OR a.company_id = o.company_id)
                   AND (a.country_id IS NULL OR a.country_id = contact.country_id)
                   AND (a.state_id IS NULL OR a.state_id = contact.state_id)
                   AND (COALESCE(a.city, '') = '' OR strpos(lower(contact.city), lower(a.city)) > 0
                        OR starts_with(lower(contact.street), lower(a.city)))
                   AND (COALESCE(a.zip_prefix, '') = '' OR starts_with(%(zip)s, a.zip_prefix))
                   AND (COALESCE(a.zip_from, '') = '' OR %(zip)s >= a.zip_from)
                   AND (COALESCE(a.zip_to, '') = '' OR left(%(zip)s, length(a.zip_to)) <= a.zip_to)
                   AND (NOT EXISTS (SELECT 1 FROM oms_area_oms_channel_rel r WHERE r.oms_area_id = a.id)
                        OR EXISTS (SELECT 1 FROM oms_area_oms_channel_rel r
                                    WHERE r.oms_area_id = a.id AND r.oms_channel_id = o.channel_id))
            )
            """,
            kind=kind,
            zip=SQL("upper(replace(contact.zip, ' ', ''))"),
            to_flush=(
                *self._get_source_fields(
                    "oms.area", "active", "kind", "company_id", "country_id", "state_id", "city", "channel_ids"
                ),
                *self._get_source_fields("oms.area", "zip_prefix", "zip_from", "zip_to"),
                *self._get_source_fields("res.partner", "country_id", "state_id", "city", "street", "zip"),
            ),
        )
