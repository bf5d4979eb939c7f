from odoo import api, fields, models
from odoo.tools import SQL

from .sql_fact import SqlFact, by_sql


class SaleOrder(models.Model):
    """Facts about what the buyer wrote."""

    _inherit = "sale.order"

    channel_note = fields.Text(string="Buyer's Note", copy=False)
    oms_remark_keywords = fields.Char(
        string="Words in the Remark",
        compute="_compute_oms_remark_keywords",
        search=by_sql("_get_remark_facts", "oms_remark_keywords"),
        help="The kept keywords that the buyer's note has.",
    )
    oms_remark_kinds = fields.Char(
        string="Meaning of the Remark",
        compute="_compute_oms_remark_keywords",
        search=by_sql("_get_remark_facts", "oms_remark_kinds"),
        help="What the keywords in the buyer's note mean.",
    )

    @api.depends("channel_note", "note", "company_id")
    def _compute_oms_remark_keywords(self):
        self._assign_sql_facts(self._get_remark_facts())

    def _get_remark_facts(self):
        """The order's own note is read too, unless Odoo fills it with the company's terms of sale."""
        # sudo: ir.config_parameter - whether notes are terms is for the system to know, whoever asks
        has_terms = self.env["ir.config_parameter"].sudo().get_param("account.use_invoice_terms")
        note = SQL("NULL") if has_terms else SQL("regexp_replace(o.note, '<[^>]*>', ' ', 'g')")
        join = SQL(
            r"""
            LEFT JOIN LATERAL (
                SELECT string_agg(DISTINCT k.name, ', ') AS words, string_agg(DISTINCT k.kind, ', ') AS kinds
                  FROM (SELECT concat_ws(' ', o.channel_note, %s) AS text) remark
                  JOIN oms_keyword k
                    ON strpos(lower(remark.text), lower(k.name)) > 0
                   AND (k.name !~ '^[A-Za-z0-9 ]+$' OR remark.text ~* ('\m' || k.name || '\M'))
                 WHERE remark.text != '' AND o.channel_id IS NOT NULL
                   AND k.active AND (k.company_id IS NULL OR k.company_id = o.company_id)
            ) remark ON TRUE
            """,
            note,
            to_flush=(
                *self._get_source_fields("sale.order", "channel_note", "note", "channel_id", "company_id"),
                *self._get_source_fields("oms.keyword", "name", "kind", "active", "company_id"),
            ),
        )
        return {
            "oms_remark_keywords": SqlFact(SQL("remark.words"), (join,)),
            "oms_remark_kinds": SqlFact(SQL("remark.kinds"), (join,)),
        }
