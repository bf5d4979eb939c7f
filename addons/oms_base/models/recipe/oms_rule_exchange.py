import ast

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain

from ..review import domain_words
from ..review.const import DOMAIN_ERRORS

FORMAT = "oms-rules-1"

# By what a record is found in another database, where that is neither its code, its external id nor its name.
KEYS = {"res.users": "login", "res.country": "code", "res.currency": "name"}
BASE_LANG = "en_US"


class OmsRuleExchange(models.AbstractModel):
    """Rules as plain data: what packs and recipes are written in, and what is exported and imported.

    A rule is an object of its fields, with its actions under "actions". A reference is an object that says how to find
    the record: {"code"}, {"xmlid"}, {"login"} or {"name"}. A translated text is an object by language. In a recipe
    {"param": name} stands for a number that the user chooses.
    """

    _name = "oms.rule.exchange"
    _description = "Rules as Data"

    # === OUT === #

    @api.model
    def _export_rules(self, rules):
        """Return ``rules`` as JSON-able data. Secrets are in none of their fields: a webhook is only named."""
        return {"format": FORMAT, "rules": [self._export_rule(rule) for rule in rules]}

    @api.model
    def _export_rule(self, rule):
        names = ["sequence", *(name for name in rule._get_content_fields() if name != "action_ids")]
        data = self._export_record(rule, names)
        data["actions"] = [self._export_record(action, action._get_content_fields()) for action in rule.action_ids]
        return data

    @api.model
    def _export_record(self, record, names):
        values = {name: self._export_value(record, name) for name in names}
        return {name: value for name, value in values.items() if value not in (None, "", [])}

    @api.model
    def _export_value(self, record, name):
        field, value = record._fields[name], record[name]
        if field.type == "many2one":
            return self._export_reference(value) if value else None
        if field.relational:
            return [self._export_reference(other) for other in value]
        if name == "domain":
            return self._export_domain(ast.literal_eval(value), self.env["sale.order"])
        if field.translate:
            languages = [code for code, _name in self.env["res.lang"].get_installed()]
            texts = {code: record.with_context(lang=code)[name] for code in languages}
            return {code: text for code, text in texts.items() if text} or None
        if field.type in ("datetime", "date"):
            return field.to_string(value) if value else None
        return value if value is not False or field.type == "boolean" else None

    @api.model
    def _export_reference(self, record):
        # sudo: any model - who may read a rule may know what its parts are called
        record = record.sudo()
        key = KEYS.get(record._name) or ("code" if "code" in record._fields else None)
        if key and record[key]:
            return {key: record[key]}
        xmlid = record.get_external_id().get(record.id, "")
        if xmlid and not xmlid.startswith(("__export__", "__import__")):
            return {"xmlid": xmlid}
        return {"name": record.with_context(lang=BASE_LANG).display_name}

    @api.model
    def _export_domain(self, data, model):
        """Return the nested lists of a domain, with references in place of ids."""
        conditions = []
        for item in data:
            if isinstance(item, str):
                conditions.append(item)
                continue
            path, operator, value = item
            target = self._get_target(path, model)
            if operator in ("any", "not any"):
                value = self._export_domain(value, target)
            elif isinstance(value, list | tuple):
                value = [self._export_domain_value(one, target) for one in value]
            else:
                value = self._export_domain_value(value, target)
            conditions.append([path, operator, value])
        return conditions

    @api.model
    def _export_domain_value(self, value, target):
        if target is None or isinstance(value, bool) or not isinstance(value, int):
            return value
        record = target.sudo().browse(value).exists()  # sudo: any model - as above
        return {"ref": self._export_reference(record)} if record else value

    @api.model
    def _get_target(self, path, model):
        """Return the model a dotted path names records of, or None when it ends at a plain value.

        :raise KeyError: when there is no such field
        """
        for name in path.split("."):
            if model is None or name not in model._fields:
                raise KeyError(path)
            if name == "id":
                return model
            field = model._fields[name]
            model = self.env[field.comodel_name] if field.relational else None
        return model

    # === IN === #

    @api.model
    def _prepare_rule_values(self, data, parameters=None):
        """Return the values that ``data`` says, and what could not be understood.

        :param parameters: dict {name: number} for the places that ask for one
        :return: (values to create a rule with, list of sentences); no values when its conditions can't be read
        """
        data = self._fill(data, parameters or {})
        Rule, Action = self.env["oms.rule"], self.env["oms.rule.action"]
        problems = []
        domain = self._prepare_domain(data.get("domain", []), problems, self.env["sale.order"])
        if domain is None:
            return None, problems
        names = {"sequence", *Rule._get_content_fields()} - {"domain", "action_ids"}
        values = self._prepare_record_values(data, Rule, names, {"domain", "actions"}, problems)
        values["domain"] = domain
        commands = []
        for action in data.get("actions", []):
            own_problems = []
            action_values = self._prepare_record_values(action, Action, Action._get_content_fields(), (), own_problems)
            if own_problems:
                problems += own_problems  # half an action is none
            else:
                commands.append(Command.create(action_values))
        return {**values, "action_ids": commands}, problems

    @api.model
    def _prepare_record_values(self, data, model, names, other_names, problems):
        values = {}
        for name, value in data.items():
            if name in other_names or name.startswith("_"):
                continue
            if name not in names:
                problems.append(self.env._("“%(name)s” is not known here.", name=name))
                continue
            field = model._fields[name]
            if field.relational:
                found = self._find_references(self.env[field.comodel_name], value, problems)
                if found:
                    values[name] = found.id if field.type == "many2one" else [Command.set(found.ids)]
            elif field.type == "selection" and value not in dict(field._description_selection(self.env)):
                problems.append(
                    self.env._(
                        "“%(value)s” is no choice for %(name)s.", value=value, name=field._description_string(self.env)
                    )
                )
            else:
                values[name] = self._get_text(value) if isinstance(value, dict) else value
        return values

    @api.model
    def _find_references(self, model, references, problems):
        found = model.browse()
        for reference in references if isinstance(references, list) else [references]:
            record = self._find_reference(model, reference)
            if not record:
                words = " / ".join(map(str, reference.values())) if isinstance(reference, dict) else reference
                problems.append(self.env._("there is no %(model)s “%(name)s”.", model=model._description, name=words))
            found |= record
        return found

    @api.model
    def _find_reference(self, model, reference):
        """Return the record that ``reference`` says; empty when there is none that the user may use."""
        if not isinstance(reference, dict) or len(reference) != 1:
            return model.browse()
        ((key, value),) = reference.items()
        if key == "xmlid":
            record = self.env.ref(value, raise_if_not_found=False) if isinstance(value, str) else None
            return record if record is not None and record._name == model._name else model.browse()
        domain = Domain("display_name" if key == "name" else key, "=", value)
        if key not in ("name", "code", "login") or (key != "name" and key not in model._fields):
            return model.browse()
        if "company_id" in model._fields and model._name != "res.users":
            domain &= Domain("company_id", "in", [False, *self.env.companies.ids])
        return model.with_context(active_test=False, lang=BASE_LANG).search(domain, limit=1).with_env(self.env)

    @api.model
    def _prepare_domain(self, data, problems, model):
        """Return a domain over ``model`` as text from nested lists, or None when it can't be read here."""
        try:
            text = repr(self._import_domain(data, model, problems))
            domain_words.parse(text).validate(model)
        except KeyError as error:
            problems.append(self.env._("there is no field %(field)s.", field=error.args[0]))
            return None
        except DOMAIN_ERRORS as error:
            problems.append(self.env._("its conditions can't be read: %(error)s.", error=error))
            return None
        return text if not problems else None

    @api.model
    def _import_domain(self, data, model, problems):
        if not isinstance(data, list):
            raise TypeError(data)
        conditions = []
        for item in data:
            if isinstance(item, str):
                conditions.append(item)
                continue
            path, operator, value = item
            target = self._get_target(path, model)
            if operator in ("any", "not any"):
                value = self._import_domain(value, target, problems)
            elif isinstance(value, list):
                value = [self._import_domain_value(one, target, problems) for one in value]
            else:
                value = self._import_domain_value(value, target, problems)
            conditions.append((path, operator, value))
        return conditions

    @api.model
    def _import_domain_value(self, value, target, problems):
        if isinstance(value, dict):
            if target is None or "ref" not in value:
                raise ValueError(value)
            return self._find_references(target, value["ref"], problems).id
        return value

    @api.model
    def _fill(self, data, parameters):
        """Return ``data`` with numbers in place of {"param": name}."""
        if isinstance(data, dict):
            if set(data) == {"param"}:
                return parameters[data["param"]]
            return {key: self._fill(value, parameters) for key, value in data.items()}
        if isinstance(data, list):
            return [self._fill(value, parameters) for value in data]
        return data

    # === MAKING RULES === #

    @api.model
    def _create_rule(self, data, parameters=None, **values):
        """Create a draft of what ``data`` says, in all installed languages.

        :return: (the rule, or None; list of sentences about what could not be understood)
        """
        rule_values, problems = self._prepare_rule_values(data, parameters)
        if rule_values is None:
            return None, problems
        rule = self.env["oms.rule"].with_context(lang=BASE_LANG).create({**rule_values, **values})
        rule = rule.with_env(self.env)
        self._translate(rule, data)
        if len(rule.action_ids) == len(data.get("actions", [])):
            for action, action_data in zip(rule.action_ids, data["actions"] if rule.action_ids else [], strict=True):
                self._translate(action, action_data)
        return rule, problems

    @api.model
    def _translate(self, record, data):
        for code, _name in self.env["res.lang"].get_installed():
            texts = {
                name: value[code]
                for name, value in data.items()
                if isinstance(value, dict) and code in value and record._fields[name].translate
            }
            if texts and code != BASE_LANG:
                record.with_context(lang=code).write(texts)

    @api.model
    def _get_text(self, texts):
        """Return a translated text in the base language, in which records are made."""
        return texts.get(BASE_LANG) or next(iter(texts.values()), "")

    @api.model
    def _get_own_text(self, texts):
        """Return a translated text in the user's language."""
        return texts.get(self.env.lang or BASE_LANG) or self._get_text(texts)

    @api.model
    def _describe(self, data, parameters=None):
        """Return what a rule of ``data`` would say, and what it lacks here.

        :return: (sentence, list of sentences)
        """
        values, problems = self._prepare_rule_values(data, parameters)
        if problems or values is None:
            return "", problems
        return self.env["oms.rule"].new(values)._get_sentence(), []

    @api.model
    def _check_format(self, data):
        """Return the rules in ``data``.

        :raise UserError: when it is no export of rules
        """
        if not isinstance(data, dict) or data.get("format") != FORMAT or not isinstance(data.get("rules"), list):
            raise UserError(
                self.env._("This file has no rules in it. Choose one that was exported from a list of rules.")
            )
        return [rule for rule in data["rules"] if isinstance(rule, dict)]
