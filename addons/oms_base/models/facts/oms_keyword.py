from odoo import fields, models


class OmsKeyword(models.Model):
    """A word or phrase in a buyer's remark that means something to who handles the order."""

    _name = "oms.keyword"
    _description = "Remark Keyword"
    _order = "kind, name, id"

    name = fields.Char(
        string="Word or Phrase", required=True, help="Found anywhere in a remark; of Latin letters: as a whole word."
    )
    kind = fields.Char(required=True, help="What it means, e.g. urgent, refund, invoice, change address.")
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", index=True, help="Empty: all companies.")

    _name_uniq = models.UniqueIndex(
        "(lower(name), kind, COALESCE(company_id, 0)) WHERE active", "This word is there already."
    )
