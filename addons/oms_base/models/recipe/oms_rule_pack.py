import json
from datetime import datetime, timedelta

import pytz

from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import file_open


class OmsRulePack(models.Model):
    """Rules for a kind of business, ready to be installed and then changed. What is in a pack stands in a data file;
    a record only says where, so that an addon brings a pack of its own with one file and one record."""

    _name = "oms.rule.pack"
    _description = "Rule Pack"
    _order = "sequence, id"

    code = fields.Char(required=True, readonly=True)
    path = fields.Char(required=True, readonly=True, help="Data file of the pack, inside an addon.")
    sequence = fields.Integer(default=10)
    icon = fields.Char(readonly=True)
    name = fields.Char(compute="_compute_content")
    description = fields.Text(compute="_compute_content")
    content = fields.Html(compute="_compute_content", help="What the rules of the pack say.")
    rule_count = fields.Integer(string="Rules", compute="_compute_content")
    installed_count = fields.Integer(string="Installed", compute="_compute_installed_count")

    _code_uniq = models.Constraint("UNIQUE(code)", "There is a rule pack of this code already.")

    # === COMPUTE METHODS === #

    @api.depends_context("lang")
    @api.depends("path")
    def _compute_content(self):
        exchange = self.env["oms.rule.exchange"]
        for pack in self:
            data = pack._get_data()
            pack.name = exchange._get_own_text(data["name"])
            pack.description = exchange._get_own_text(data["description"])
            pack.rule_count = len(data["rules"])
            pack.content = self.env["ir.qweb"]._render("oms_base.rule_pack_content", {"rows": pack._get_rows(data)})

    def _compute_installed_count(self):
        installed = self._get_installed()
        for pack in self:
            pack.installed_count = len(installed.get(pack.code, ()))

    # === ACTION METHODS === #

    def action_install(self):
        """Make drafts of the rules of these packs that are not there yet; what was changed since stays as it is."""
        created, problems = self._install()
        message = self.env._("%(count)s drafts were added: look at them, then put them to work.", count=len(created))
        if not created and not problems:
            message = self.env._("All rules of the pack are there already.")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if problems else "success",
                "sticky": bool(problems),
                "title": ", ".join(self.mapped("name")),
                "message": "\n".join([message, *problems]),
                "next": self.action_view_rules(),
            },
        }

    def action_view_rules(self):
        """Open the rules that came from these packs."""
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_rule_action")
        return {**action, "domain": [("pack_code", "in", self.mapped("code"))], "context": {}}

    # === BUSINESS METHODS === #

    def _get_data(self):
        """Return the content of the data file."""
        self.ensure_one()
        with file_open(self.path, filter_ext=(".json",)) as file:
            return json.load(file)

    def _get_rows(self, data):
        """Return (name, sentence, what it lacks here) of each rule of a pack."""
        exchange = self.env["oms.rule.exchange"]
        rows = []
        for rule in data["rules"]:
            sentence, problems = exchange._describe(rule)
            rows.append((exchange._get_own_text(rule["name"]), sentence, " ".join(problems)))
        return rows

    def _get_installed(self):
        """Return {pack code: set of the codes of its rules that are there, archived ones too}."""
        rules = (
            self.env["oms.rule"]
            .with_context(active_test=False)
            .search([("pack_code", "in", self.mapped("code")), ("pack_rule_code", "!=", False)])
        )
        return {code: set(group.mapped("pack_rule_code")) for code, group in rules.grouped("pack_code").items()}

    def _install(self):
        """Create what is missing of these packs.

        :return: (the new rules, list of sentences about rules that could not be made here)
        """
        exchange = self.env["oms.rule.exchange"]
        created, problems = self.env["oms.rule"], []
        installed = self._get_installed()
        for pack in self:
            data = pack._get_data()
            missing = [rule for rule in data["rules"] if rule["_code"] not in installed.get(pack.code, ())]
            extra = {"pack_code": pack.code}
            for rule in missing:
                _values, lacking = exchange._prepare_rule_values(rule)
                if lacking:
                    name = exchange._get_own_text(rule["name"])
                    problems.append(self.env._("Left out: %(rule)s: %(problem)s", rule=name, problem=" ".join(lacking)))
                    continue
                if data.get("set") and "set_id" not in extra:
                    extra["set_id"] = pack._find_or_create_set(data["set"]).id
                created |= exchange._create_rule(rule, pack_rule_code=rule["_code"], **extra)[0]
        return created, problems

    def _find_or_create_set(self, data):
        """Return the rule set of this pack, made the first time it is asked for."""
        self.ensure_one()
        Set = self.env["oms.rule.set"].with_context(active_test=False)
        rule_set = Set.search([("pack_code", "=", self.code)], limit=1)
        if rule_set:
            return rule_set
        exchange = self.env["oms.rule.exchange"]
        rule_set = Set.with_context(lang="en_US").create(
            {
                "name": exchange._get_text(data["name"]),
                "mode": data["mode"],
                "pack_code": self.code,
                "period_ids": [Command.create(self._prepare_period_values(period)) for period in data["periods"]],
            }
        )
        exchange._translate(rule_set, {"name": data["name"]})
        return rule_set

    @api.model
    def _prepare_period_values(self, period):
        """Return the values of the next time that a day of the year comes: from midnight on, where the user is.

        :param period: {"name", "from": "MM-DD", "days"}
        """
        today, length = fields.Date.context_today(self), timedelta(days=period["days"])
        start = datetime.strptime(f"{today.year}-{period['from']}", "%Y-%m-%d")
        if start.date() + length <= today:
            start = start.replace(year=today.year + 1)
        zone = pytz.timezone(self.env.user.tz or "UTC")
        date_from, date_to = (
            zone.localize(day).astimezone(pytz.utc).replace(tzinfo=None) for day in (start, start + length)
        )
        return {"name": period["name"], "date_from": date_from, "date_to": date_to}
