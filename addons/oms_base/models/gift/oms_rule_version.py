from odoo import api, models


class OmsRuleVersion(models.Model):
    _inherit = "oms.rule.version"

    @api.model
    def _prepare_content(self, rule):
        """Override of the review: what a gift was, not only which one, belongs to what the rule did."""
        content = super()._prepare_content(rule)
        for action, values in zip(rule.action_ids, content["actions"], strict=True):
            if action.type == "gift" and action.gift_id:
                values["gift_terms"] = self._prepare_gift_content(action.gift_id)
        return content

    @api.model
    def _prepare_gift_content(self, gift):
        names = [name for name in gift._get_terms_fields() if name not in ("name", "tier_ids")]
        values = {name: self._to_json(gift, name) for name in names}
        values["tiers"] = [
            {"threshold": tier.threshold, "items": [[line.product_id.id, line.quantity] for line in tier.line_ids]}
            for tier in gift.tier_ids
        ]
        return values
