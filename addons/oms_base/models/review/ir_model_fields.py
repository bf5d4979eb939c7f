from odoo import api, models
from odoo.exceptions import UserError

from . import domain_words
from .const import DOMAIN_ERRORS


class IrModelFields(models.Model):
    _inherit = "ir.model.fields"

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used_by_rules(self):
        """Tell who deletes a custom field which review rules ask for it: they would be left out from now on."""
        names = set(self.mapped("name"))
        # sudo: oms.rule - who may delete fields need not be one who writes rules
        rules = self.env["oms.rule"].sudo().search([("state", "=", "live")])
        used = rules.filtered(lambda rule: names & rule._get_used_field_names())
        if used:
            raise UserError(
                self.env._(
                    "These review rules ask for %(fields)s: %(rules)s. Change or stop them first.",
                    fields=", ".join(sorted(set().union(*(rule._get_used_field_names() & names for rule in used)))),
                    rules=", ".join(used.mapped("name")),
                )
            )


class OmsRule(models.Model):
    _inherit = "oms.rule"

    def _get_used_field_names(self):
        """Return the names of the fields that this rule's conditions read, those of other models too."""
        self.ensure_one()
        try:
            paths = domain_words.get_field_paths(self._get_own_domain())
        except DOMAIN_ERRORS:
            return set()
        return {name for path in paths for name in path.split(".")}
