from odoo import api, fields, models
from odoo.fields import Domain


class OmsSubstitute(models.Model):
    """While somebody is away, another person may release and approve by that person's groups."""

    _name = "oms.substitute"
    _description = "Substitute"
    _order = "date_from desc, id desc"
    _check_company_auto = True

    user_id = fields.Many2one(
        "res.users", string="Who Is Away", required=True, index=True, default=lambda self: self.env.user
    )
    substitute_id = fields.Many2one("res.users", required=True, index=True)
    date_from = fields.Date(string="From", required=True, default=fields.Date.context_today)
    date_to = fields.Date(string="To", required=True, default=fields.Date.context_today)
    company_id = fields.Many2one("res.company", required=True, index=True, default=lambda self: self.env.company)

    _dates = models.Constraint("CHECK(date_from <= date_to)", "A substitution ends after it begins.")
    _persons = models.Constraint("CHECK(user_id <> substitute_id)", "Nobody is their own substitute.")

    @api.depends("user_id.name", "substitute_id.name")
    def _compute_display_name(self):
        for record in self:
            record.display_name = self.env._(
                "%(substitute)s for %(user)s", substitute=record.substitute_id.name, user=record.user_id.name
            )

    def write(self, vals):
        """Check the right after the change too: nobody lends the right of another by renaming who is away."""
        res = super().write(vals)
        self.check_access("write")
        return res

    @api.model
    def _get_represented_users(self):
        """Return {company id: the users this user stands in for today}."""
        today = fields.Date.context_today(self)
        domain = Domain("substitute_id", "=", self.env.uid)
        domain &= (
            Domain("date_from", "<=", today) & Domain("date_to", ">=", today) & Domain("user_id.active", "=", True)
        )
        # sudo: oms.substitute - what a person may do does not depend on what of the list they may read
        groups = self.sudo()._read_group(domain, ["company_id"], ["user_id:recordset"])
        return {company.id: users.sudo(False) for company, users in groups}
