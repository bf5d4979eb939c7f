from odoo import api, fields, models
from odoo.exceptions import UserError

# The language that a text is in where it is not translated.
BASE_LANG = "en_US"


class OmsRuleVersion(models.Model):
    """The content of a rule as it once was: what decisions are stamped with. Written once, never changed."""

    _name = "oms.rule.version"
    _description = "Rule Version"
    _order = "rule_id, number desc"
    _rec_name = "sentence"

    rule_id = fields.Many2one("oms.rule", required=True, index=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="rule_id.company_id", store=True, index="btree_not_null")
    number = fields.Integer(required=True, readonly=True)
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    user_id = fields.Many2one("res.users", string="By", readonly=True, default=lambda self: self.env.user)
    content = fields.Json(required=True, readonly=True, help="The values of the rule and of its actions.")
    words = fields.Json(
        required=True,
        readonly=True,
        help="By language: the sentence, and the parts of the rule as [label, text] pairs, names as they were.",
    )
    sentence = fields.Text(compute="_compute_sentence")
    compared_id = fields.Many2one("oms.rule.version", string="Compared With", compute="_compute_changes")
    changes = fields.Html(string="What Changed", compute="_compute_changes")

    _number_uniq = models.UniqueIndex("(rule_id, number)", "The rule already has a version of this number.")

    @api.depends_context("lang")
    @api.depends("words")
    def _compute_sentence(self):
        for version in self:
            version.sentence = version._get_words()["sentence"]

    @api.depends_context("lang", "oms_compared_with")
    @api.depends("words")
    def _compute_changes(self):
        chosen = self.browse(self.env.context.get("oms_compared_with")).exists()
        for version in self:
            before = version.rule_id.version_ids.filtered(lambda other, version=version: other.number < version.number)
            version.compared_id = (chosen & version.rule_id.version_ids) or before.sorted("number", reverse=True)[:1]
            rows = version._compare(version.compared_id)
            version.changes = self.env["ir.qweb"]._render("oms_base.rule_version_changes", {"rows": rows})

    def action_compare(self):
        """Open the later of two chosen versions of a rule, with what it says otherwise than the earlier one."""
        if len(self) != 2 or len(self.rule_id) != 1:
            raise UserError(self.env._("Choose two versions of one rule to compare them."))
        earlier, later = self.sorted("number")
        return {
            "name": self.env._(
                "%(rule)s: version %(later)s beside %(earlier)s",
                rule=self.rule_id.name,
                later=later.number,
                earlier=earlier.number,
            ),
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": later.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {"oms_compared_with": earlier.id, "dialog_size": "extra-large"},
        }

    def _get_words(self):
        """Return {"sentence", "parts"} in the language of the context, else in the first one there is."""
        self.ensure_one()
        words = self.words or {}
        return words.get(self.env.lang or "en_US") or next(iter(words.values()), {"sentence": "", "parts": []})

    def _compare(self, other):
        """Return in words what this version says otherwise than ``other``, which may be empty.

        :return: list of (label, what ``other`` says, what this version says)
        """
        self.ensure_one()
        before = dict(other._get_words()["parts"]) if other else {}
        after = dict(self._get_words()["parts"])
        labels = [*after, *(label for label in before if label not in after)]
        return [
            (label, before.get(label, ""), after.get(label, ""))
            for label in labels
            if before.get(label, "") != after.get(label, "")
        ]

    @api.model
    def _keep(self, rule):
        """Make a version of what ``rule`` says now, unless that is what its last version says."""
        content = self._prepare_content(rule)
        if rule.version_id and rule.version_id.content == content:
            return
        languages = [code for code, _name in self.env["res.lang"].get_installed()]
        # sudo: oms.rule.version - nobody writes versions by hand; who may change the rule makes one by doing so
        rule.version_id = self.sudo().create(
            {
                "rule_id": rule.id,
                "number": rule.version_id.number + 1,
                "content": content,
                "words": {code: self._prepare_words(rule.with_context(lang=code)) for code in languages},
            }
        )

    @api.model
    def _prepare_content(self, rule):
        """Return the values of a rule and its actions as JSON-able values."""
        content = {name: self._to_json(rule, name) for name in rule._get_content_fields() if name != "action_ids"}
        if rule_set := rule.set_id:
            periods = [
                [self._to_json(period, name) for name in ("date_from", "date_to")] for period in rule_set.period_ids
            ]
            content["calendar"] = {"mode": rule_set.mode, "active": rule_set.active, "periods": periods}
        content["actions"] = [
            {name: self._to_json(action, name) for name in action._get_content_fields()} for action in rule.action_ids
        ]
        return content

    @api.model
    def _to_json(self, record, name):
        """Return the value of a field as JSON-able. A text that is translated is all its languages together, whoever's
        language it is: the same rule says the same to everybody."""
        field, value = record._fields[name], record[name]
        if field.translate:
            languages = [code for code, _name in self.env["res.lang"].get_installed()]
            base = record.with_context(lang=BASE_LANG)[name]
            texts = {code: record.with_context(lang=code)[name] for code in languages}
            others = {code: text for code, text in texts.items() if text != base}
            return [base, others] if others else base
        if field.relational:
            return sorted(value.ids) if field.type != "many2one" else value.id
        return field.convert_to_read(value, record) if field.type != "datetime" else fields.Datetime.to_string(value)

    @api.model
    def _prepare_words(self, rule):
        """Return the sentence and the parts of a rule in the language of its context."""
        parts = [
            (rule.env._("Name"), rule.name),
            (rule.env._("When"), rule._get_trigger_words()),
            (rule.env._("Orders"), rule._get_condition_words() or rule.env._("all orders")),
            *(
                (rule.env._("Action %(number)s", number=index), action.sentence)
                for index, action in enumerate(rule.action_ids, 1)
            ),
            (rule.env._("Runs"), rule._get_window_words() or rule.env._("always")),
            *([(rule.env._("Calendar of the set"), rule._get_calendar_words())] if rule.set_id else []),
            (rule.env._("Company"), rule.company_id.name or rule.env._("all companies")),
            (rule.env._("Later rules"), rule.env._("stop") if rule.is_stop else rule.env._("go on")),
            (rule.env._("While a set takes over"), rule.env._("goes on") if rule.is_always else rule.env._("rests")),
        ]
        return {"sentence": rule._get_sentence(), "parts": parts}
