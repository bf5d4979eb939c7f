from odoo import api, fields, models
from odoo.tools import format_date


class OmsSourcingStrategy(models.Model):
    """A strategy in words, made of its parts, in any language."""

    _inherit = "oms.sourcing.strategy"

    summary = fields.Text(compute="_compute_summary", help="The strategy in words.")

    @api.depends_context("lang")
    @api.depends(lambda self: [*self._get_content_fields(), "aim_ids.type", "aim_ids.weight", "rule_ids.sentence"])
    def _compute_summary(self):
        for strategy in self:
            strategy.summary = "\n".join(f"{label}: {text}" for label, text in strategy._get_parts()[1:])

    def _get_parts(self):
        """Return what this strategy says as a list of [label, text], in the language of the context."""
        self.ensure_one()
        parts = [
            [self.env._("Name"), self.name or ""],
            [self.env._("Aims"), self._get_aim_words()],
            [self.env._("Several parcels"), self._get_split_words()],
            [self.env._("When not all is there"), self._get_shortage_words()],
        ]
        for number, rule in enumerate(self.rule_ids, 1):
            words = f"{rule.name} ({rule.sentence})" if rule.name else rule.sentence
            parts.insert(number, [self.env._("Rule %(number)s", number=number), words])
        if self.company_id:
            parts.append([self.env._("Company"), self.company_id.name])
        return parts

    def _get_label(self, record, name):
        """Return the label of the value of a selection field."""
        return dict(record._fields[name]._description_selection(self.env)).get(record[name], "")

    def _get_aim_words(self):
        labels = [self._get_label(aim, "type") for aim in self.aim_ids]
        if self.aim_mode == "weighted":
            return ", ".join(f"{label} × {aim.weight:g}" for label, aim in zip(labels, self.aim_ids, strict=True))
        return self.env._(", then ").join(labels) or self.env._("none: any warehouse that has the goods")

    def _get_split_words(self):
        words = [self._get_label(self, "split")]
        if self.split == "value":
            words.append(
                self.env._(
                    "orders above %(order)s, each part above %(part)s",
                    order=self.currency_id.format(self.split_order_value),
                    part=self.currency_id.format(self.split_part_value),
                )
            )
        if self.split != "never" and self.max_parcels:
            words.append(self.env._("at most %(count)s parcels", count=self.max_parcels))
        if self.split_cost:
            words.append(self.env._("a split is held to cost %(cost)s", cost=self.currency_id.format(self.split_cost)))
        return ", ".join(words)

    def _get_shortage_words(self):
        words = [self._get_label(self, "on_shortage")]
        if self.on_shortage == "wait" and self.wait_date:
            words.append(self.env._("until %(date)s", date=format_date(self.env, self.wait_date)))
        if self.on_shortage == "wait":
            words.append(
                self.env._(
                    "%(days)s days, then: %(then)s", days=self.wait_days, then=self._get_label(self, "after_wait")
                )
            )
        if self.cancel_days:
            words.append(self.env._("cancelled after %(days)s days", days=self.cancel_days))
        return ", ".join(words)
