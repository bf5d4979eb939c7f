from odoo import api, fields, models
from odoo.tools import SQL

from .address import ADDRESS_FIELDS
from .sale_order_keys import KEY_FIELDS
from .sql_fact import SqlFact, by_sql


class SaleOrder(models.Model):
    """Facts that others say about the order: our blacklist, and the channel's own score."""

    _inherit = "sale.order"

    oms_blacklist_hit = fields.Char(
        string="On the Blacklist",
        compute="_compute_oms_blacklist_hit",
        search=by_sql("_get_blacklist_facts", "oms_blacklist_hit"),
        help="Why the buyer, phone, address, IP address or email is on the blacklist.",
    )
    oms_channel_risk = fields.Float(
        string="Risk Score of the Channel",
        digits=(5, 2),
        copy=False,
        aggregator="avg",
        help="0 to 100, as the channel says; 0 where it says nothing.",
    )

    _oms_channel_risk_range = models.Constraint(
        "CHECK(oms_channel_risk IS NULL OR oms_channel_risk BETWEEN 0 AND 100)", "A risk score is between 0 and 100."
    )

    @api.depends(
        "oms_buyer_ip",
        "oms_phone_key",
        "oms_address_key",
        "oms_buyer_key",
        "company_id",
        "date_order",
        "partner_id.email",
        "partner_id.phone",
        "partner_shipping_id.phone",
        *(f"partner_shipping_id.{name}" for name in ADDRESS_FIELDS),
    )
    def _compute_oms_blacklist_hit(self):
        self._assign_sql_facts(self._get_blacklist_facts())

    def action_oms_add_to_blacklist(self):
        """Open a new blacklist entry that knows this order."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Add to Blacklist"),
            "res_model": "oms.blacklist",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_order_id": self.id,
                "default_partner_id": self.partner_shipping_id.id,
                "default_company_id": self.company_id.id,
            },
        }

    def _get_blacklist_facts(self):
        join = SQL(
            """
            LEFT JOIN LATERAL (
                SELECT string_agg(DISTINCT b.reason, '; ') AS reasons
                  FROM res_partner buyer
                  JOIN oms_blacklist b
                    ON (b.kind, b.key) IN (
                        ('buyer', o.oms_buyer_key), ('phone', o.oms_phone_key), ('address', o.oms_address_key),
                        ('ip', o.oms_buyer_ip), ('email', buyer.email_normalized)
                    )
                 WHERE buyer.id = o.partner_id AND o.channel_id IS NOT NULL
                   AND b.active AND (b.company_id IS NULL OR b.company_id = o.company_id)
                   AND (b.date_to IS NULL OR b.date_to >= o.date_order::date)
            ) blacklist ON TRUE
            """,
            to_flush=(
                *self._get_source_fields("sale.order", "oms_buyer_ip", "partner_id", "company_id", "date_order"),
                *self._get_source_fields("sale.order", *KEY_FIELDS),
                *self._get_source_fields("res.partner", "email_normalized"),
                *self._get_source_fields("oms.blacklist", "kind", "key", "reason", "active", "company_id", "date_to"),
            ),
        )
        return {"oms_blacklist_hit": SqlFact(SQL("blacklist.reasons"), (join,))}
