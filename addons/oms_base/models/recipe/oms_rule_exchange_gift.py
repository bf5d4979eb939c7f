import ast

from odoo import api, models
from odoo.fields import Command, Domain

from .oms_rule_exchange import BASE_LANG

# By what a product is found in another database, the surest first.
PRODUCT_KEYS = ("barcode", "default_code", "name")


class OmsRuleExchange(models.AbstractModel):
    """A rule that gives a gift takes the gift along, under "gift" of its action: its terms, its tiers and what each
    gives. Where an equal gift of that name is there already, the rule gives that one."""

    _inherit = "oms.rule.exchange"

    # === OUT === #

    @api.model
    def _export_rule(self, rule):
        data = super()._export_rule(rule)
        for action, values in zip(rule.action_ids, data["actions"], strict=True):
            if action.type == "gift" and action.gift_id:
                del values["gift_id"]
                values["gift"] = self._export_gift(action.gift_id)
        return data

    @api.model
    def _export_gift(self, gift):
        data = self._export_record(gift, self._get_gift_fields() - {"product_domain"})
        if gift.scope == "domain":
            conditions = ast.literal_eval(gift.product_domain or "[]")
            data["product_domain"] = self._export_domain(conditions, self.env["product.product"])
        data["tiers"] = [
            {
                "threshold": tier.threshold,
                "lines": [
                    {"product_id": self._export_reference(line.product_id), "quantity": line.quantity}
                    for line in tier.line_ids
                ],
            }
            for tier in gift.tier_ids
        ]
        return data

    @api.model
    def _get_gift_fields(self):
        return set(self.env["oms.gift"]._get_terms_fields()) - {"tier_ids"}

    @api.model
    def _export_reference(self, record):
        """Override: a product is named by all that may tell it in another database."""
        if record._name != "product.product":
            return super()._export_reference(record)
        product = record.sudo().with_context(lang=BASE_LANG)  # sudo: as in the method this overrides
        return {key: product[key] for key in PRODUCT_KEYS if product[key]}

    # === IN === #

    @api.model
    def _find_reference(self, model, reference):
        """Override: a product is found by the first of its keys that just one product has."""
        if isinstance(reference, models.BaseModel):
            return reference
        if model._name != "product.product" or not isinstance(reference, dict) or "xmlid" in reference:
            return super()._find_reference(model, reference)
        domain = Domain("company_id", "in", [False, *self.env.companies.ids])
        for key in PRODUCT_KEYS:
            if reference.get(key):
                found = model.with_context(lang=BASE_LANG).search(domain & Domain(key, "=", reference[key]), limit=2)
                if len(found) == 1:
                    return found.with_env(self.env)
        return model.browse()

    @api.model
    def _create_rule(self, data, parameters=None, **values):
        data, problems, gifts = self._bring_gifts(data, create=True)
        rule, others = super()._create_rule(data, parameters, **values)
        if not rule:
            gifts.unlink()
        return rule, problems + others

    @api.model
    def _prepare_rule_values(self, data, parameters=None):
        data, problems, _gifts = self._bring_gifts(data)
        values, others = super()._prepare_rule_values(data, parameters)
        return values, problems + others

    @api.model
    def _bring_gifts(self, data, create=False):
        """Return ``data`` with gifts in place of what it says of them; an action whose gift can't be had is left out.

        :param create: whether gifts that are not there are created; else they are new records, to be talked of
        :return: (data, list of sentences, the gifts that were created)
        """
        actions, problems, created = [], [], self.env["oms.gift"]
        for action in data.get("actions", []):
            if "gift" not in action:
                actions.append(action)
                continue
            values = self._prepare_gift_values(action["gift"], problems)
            if values is None:
                continue
            gift = self._find_equal_gift(values)
            if not gift and create:
                created |= (gift := self._create_gift(values, action["gift"]))
            others = {name: value for name, value in action.items() if name != "gift"}
            actions.append({**others, "gift_id": gift or gift.new(values)})
        return ({**data, "actions": actions} if "actions" in data else data), problems, created

    @api.model
    def _prepare_gift_values(self, data, problems):
        """Return the values of the gift that ``data`` says, or None when something of it is not to be had here."""
        lacking = []
        Gift, names = self.env["oms.gift"], self._get_gift_fields() - {"product_domain"}
        values = self._prepare_record_values(data, Gift, names, {"product_domain", "tiers"}, lacking)
        if conditions := data.get("product_domain"):
            values["product_domain"] = self._prepare_domain(conditions, lacking, self.env["product.product"])
        values["tier_ids"] = [
            Command.create(self._prepare_tier_values(tier, lacking)) for tier in data.get("tiers", [])
        ]
        if not lacking:
            return values
        name = self._get_own_text(data["name"]) if isinstance(data.get("name"), dict) else data.get("name", "?")
        problem = self.env._("The gift “%(gift)s” can't be made: %(problem)s", gift=name, problem=" ".join(lacking))
        problems.append(problem)
        return None

    @api.model
    def _prepare_tier_values(self, data, problems):
        lines = [
            Command.create(
                {
                    "product_id": self._find_references(
                        self.env["product.product"], line.get("product_id"), problems
                    ).id,
                    "quantity": line.get("quantity", 1.0),
                }
            )
            for line in data.get("lines", [])
        ]
        return {"threshold": data.get("threshold", 0.0), "line_ids": lines}

    @api.model
    def _find_equal_gift(self, values):
        """Return the gift of the same name that gives just the same, empty when there is none: importing twice makes
        one gift, and rules that shared a gift share it again."""
        Gift, Version = self.env["oms.gift"].with_context(lang=BASE_LANG), self.env["oms.rule.version"]
        wanted = Version._prepare_gift_content(Gift.new(values))
        domain = Domain("name", "=", values.get("name")) & Domain("company_id", "in", [False, *self.env.companies.ids])
        equal = Gift.search(domain).filtered(lambda gift: Version._prepare_gift_content(gift) == wanted)
        return equal[:1].with_env(self.env)

    @api.model
    def _create_gift(self, values, data):
        gift = self.env["oms.gift"].with_context(lang=BASE_LANG).create(values).with_env(self.env)
        self._translate(gift, data)
        return gift
