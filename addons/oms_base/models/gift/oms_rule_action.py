from odoo import api, fields, models
from odoo.tools import ormcache


class OmsRuleAction(models.Model):
    """Action "gift": the goods an order gets for nothing. Taken back from orders that no longer match."""

    _inherit = "oms.rule.action"

    type = fields.Selection(selection_add=[("gift", "Give a gift")], ondelete={"gift": "cascade"})
    gift_id = fields.Many2one("oms.gift", ondelete="restrict", index="btree_not_null")

    @api.depends(lambda self: self._get_gift_depends())
    def _compute_sentence(self):
        return super()._compute_sentence()

    @api.model
    def _get_gift_depends(self):
        terms = [f"gift_id.{name}" for name in self.env["oms.gift"]._get_terms_fields()]
        tiers = ["gift_id.tier_ids.threshold", "gift_id.tier_ids.line_ids"]
        return [*terms, *tiers, *(f"gift_id.tier_ids.line_ids.{name}" for name in ("product_id", "quantity"))]

    @api.model
    def _get_needed_fields(self):
        return super()._get_needed_fields() | {"gift": ["gift_id"]}

    @api.model
    def _get_content_fields(self):
        return [*super()._get_content_fields(), "gift_id"]

    def _run_gift(self, orders):
        orders._oms_apply_gifts(self, orders._oms_get_target_gifts(self))

    def _settle_gift(self, orders):
        """Take the gift back from orders that have it, or are held for it, and no longer match."""
        domain = [("oms_gift_action_id", "in", (False, self.id)), ("oms_gift_id", "!=", False)]
        given = self.env["sale.order.line"].search([*domain, ("order_id", "in", orders.ids)])
        having = given.filtered(lambda line: line._oms_get_gift_action() == self)
        held = orders.oms_hold_ids.filtered(lambda hold: hold._is_of_gift_action(self))
        todo = orders & (having.order_id | held.order_id)
        if todo:
            todo._oms_apply_gifts(self, {})

    def _describe_gift(self):
        return self.env._("give %(gift)s", gift=self.gift_id._get_words() if self.gift_id else "…")

    @api.model
    def _get_written_fields(self):
        return super()._get_written_fields() | {"gift": ["order_line.product_id", "order_line.product_uom_qty"]}

    def _get_references(self):
        return [self.gift_id] if self.type == "gift" else super()._get_references()

    def _is_endless(self):
        """Override of the check of rules: neither the rule nor the gift ends, and nothing limits it."""
        rule, gift = self.rule_id, self.gift_id
        if self.type != "gift" or not gift:
            return super()._is_endless()
        return not (rule.date_to or rule.set_id or gift.date_to or gift.max_quantity)

    @api.model
    @ormcache()
    def _get_gift_rule_ids(self):
        """Return the ids of the rules that give gifts: what an order gets depends on its lines, whatever their
        conditions look at."""
        # sudo: oms.rule.action - rules judge every order, whoever works on it
        return frozenset(self.sudo().search([("type", "=", "gift")]).rule_id.ids)


class OmsHold(models.Model):
    _inherit = "oms.hold"

    def _is_of_gift_action(self, action):
        """Whether this is an active hold because of what ``action`` gives."""
        self.ensure_one()
        is_active = self.state == "active" and self.type_id.code == "gift"
        return is_active and str(action.id) in (self.data or {}).get("differences", {})
