"""What the web client asks of the server when people open screens and press buttons, without a browser: for the tests
that try all there are."""

import inspect
import traceback
import uuid

from lxml import etree

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tools import DotDict
from odoo.tools.safe_eval import datetime, dateutil, safe_eval, time

from odoo.addons.oms_base.tests.common import OmsBaseCommon

RECORD_VIEWS = ("list", "kanban", "form", "activity")
GROUP_VIEWS = ("pivot", "graph")
DATES = ("date", "datetime")
STATES = ("oms_stage", "state", "kind")  # the first one that a model has
GROUPS = {
    "user": "oms_base.oms_base_group_user",
    "warehouse": "oms_base.oms_base_group_warehouse",
    "accountant": "oms_base.oms_base_group_accountant",
    "manager": "oms_base.oms_base_group_manager",
    "administrator": "oms_base.oms_base_group_manager,base.group_system",
}


class Screens:
    """The menus of one user, and what the web client asks of the server when they are opened."""

    def __init__(self, user):
        self.env = user.with_user(user).env
        self.problems = []
        self.opened = []
        self.pressed = set()

    def open_menus(self, root):
        """Open every menu below ``root`` that the user sees."""
        menus = self.env["ir.ui.menu"].load_menus(False)
        waiting = [root.id] if root.id in menus else []
        while waiting:
            menu = menus[waiting.pop()]
            waiting += menu["children"]
            if menu["action_model"]:
                self.opened.append(menu["xmlid"])
                self._try(menu["xmlid"], self._open_action, menu["action_model"], menu["action_id"])

    def _try(self, where, method, *args):
        try:
            with self.env.cr.savepoint():
                method(*args)
        except Exception as error:  # noqa: BLE001  all broken screens are told at once
            self.problems.append(f"{self.env.user.login}: {where}: {type(error).__name__} {error}")

    def open_bound(self):
        """Open what the suite puts into the Actions menu of lists and forms, each over one record."""
        # sudo: the web client's route reads actions with the rights of the system too
        for action in self.env["ir.actions.act_window"].sudo().search([("binding_model_id", "!=", False)]):
            allowed = not action.group_ids or action.group_ids & self.env.user.all_group_ids
            if allowed and (action.xml_id or "").startswith("oms_"):
                record = self.env[action.binding_model_id.model].search([], limit=1)
                context = {"active_model": record._name, "active_id": record.id, "active_ids": record.ids}
                self.opened.append(action.xml_id)
                self._try(action.xml_id, self._open_action, action._name, action.id, context)

    def _open_action(self, action_model, action_id, context=None):
        # sudo: the web client's route reads actions with the rights of the system too
        action = self.env[action_model].sudo().browse(action_id)._get_action_dict()
        if action_model == "ir.actions.client":
            return getattr(self, f"_open_{action['tag']}")()
        if action_model == "ir.actions.server":
            action = self.env[action_model].with_context(**(context or {})).browse(action_id).run()
        return self._follow(action, context)

    def _follow(self, action, context=None):
        """Ask for what the web client asks for to show the window of ``action``: views, records, filters."""
        context = {**(context or {}), **self._eval(action.get("context") or "{}")}
        model = self.env[action["res_model"]].with_context(**context)
        domain = self._eval(action.get("domain") or "[]")
        search_view = action.get("search_view_id")
        views = [*action["views"], (search_view and search_view[0], "search")]
        screens = model.get_views(views, {"toolbar": True, "action_id": action.get("id")})
        for view_type, screen in screens["views"].items():
            arch = etree.fromstring(screen["arch"])
            where = f"{action.get('xml_id') or action.get('name') or model._name} {view_type}"
            if view_type == "search":
                self._use_filters(where, model, domain, arch)
            elif view_type in GROUP_VIEWS:
                self._try(where, self._read_groups, model, domain, arch)
            elif view_type in RECORD_VIEWS:
                self._try(where, self._read_records, model.browse(action.get("res_id")), domain, arch)

    def _read_records(self, model, domain, arch):
        """Read what a view shows: the record that the action opens, a new one of a wizard, or those of the domain."""
        specification = self._get_specification(model, arch)
        if model:
            model.web_read(specification)
        elif model.is_transient():
            model.onchange({}, [], specification)
        else:
            limit = 1 if arch.tag == "form" else 20
            model.web_search_read(domain, specification, limit=limit, order=arch.get("default_order"))
        if arch.get("default_group_by"):
            model.web_read_group(domain, [arch.get("default_group_by")], ["__count"])

    def _read_groups(self, model, domain, arch):
        group_by, aggregates = [], ["__count"]
        for node in arch.iter("field"):
            field = model._fields[node.get("name")]
            if node.get("type") == "measure":
                aggregates.append(f"{field.name}:{field.aggregator or 'sum'}")
            elif not node.get("invisible"):
                group_by.append(
                    f"{field.name}:{node.get('interval', 'month')}"
                    if field.type in ("date", "datetime")
                    else field.name
                )
        model.formatted_read_group(domain, group_by, aggregates)

    def _use_filters(self, where, model, domain, arch):
        strings = [(node.getparent().tag, node.get("string")) for node in arch.iter("filter")]
        if doubles := {string for string in strings if strings.count(string) > 1}:
            self.problems.append(f"{where}: filters that are there twice: {doubles}")
        for node in arch.iter("filter"):
            context = self._eval(node.get("context") or "{}")
            name = f"{where} {node.get('name')}"
            if node.get("domain"):
                self._try(name, lambda node=node: model.search_count([*domain, *self._eval(node.get("domain"))]))
            if group_by := context.get("group_by"):
                groups = [group_by] if isinstance(group_by, str) else group_by
                # Odoo's own views leave the granularity to the web client, and group by properties that nobody defined.
                dates = [group for group in groups if model._fields.get(group, model._fields["id"]).type in DATES]
                groups = [f"{group}:month" if group in dates else group for group in groups]
                if not any(model._fields.get(group, model._fields["id"]).type == "properties" for group in groups):
                    self._try(name, model.formatted_read_group, domain, groups, ["__count"])
        for node in arch.iter("field"):
            if filter_domain := node.get("filter_domain"):
                wanted = safe_eval(filter_domain, {"self": "1", "raw_value": 1, "uid": self.env.uid})
                self._try(f"{where} {node.get('name')}", model.search_count, [*domain, *wanted])

    def _get_specification(self, model, node):
        """Return what `web_read` is asked for a view: its fields, and those of the views inside."""
        specification = {}
        for field_node in node.xpath(".//field[not(ancestor::field)]" if node.tag != "field" else "./*//field"):
            name = field_node.get("name")
            field = model._fields.get(name)
            if not field or (node.tag == "field" and next(field_node.iterancestors("field")) is not node):
                continue
            specification[name] = {}
            if field.relational and field.type != "many2one_reference":
                inner = self.env[field.comodel_name]
                fields_inside = self._get_specification(inner, field_node) if len(field_node) else {}
                specification[name] = {"fields": {"display_name": {}, **fields_inside}}
        return specification

    # === BUTTONS === #

    def press_buttons(self, model_name):
        """Press each button that the form and the lists of a model show the user, on one record in each state there
        is."""
        model = self.env[model_name]
        if model.has_access("read"):
            records = self._get_samples(model)
            self._press_form(records)
            # sudo: ir.ui.view - the web client gets views without the right to read them
            views = self.env["ir.ui.view"].sudo().search([("model", "=", model_name), ("type", "=", "list")])
            for view in views.filtered(lambda view: view.mode == "primary" and (view.xml_id or "").startswith("oms_")):
                self._press_list(records, view.id)

    def _press_list(self, records, view_id):
        """Press the buttons of rows on each record, those above the list on all of them."""
        arch = etree.fromstring(records.get_views([(view_id, "list")])["views"]["list"]["arch"])
        rows = list(zip(records, records.web_read(self._get_specification(records, arch)), strict=True))
        for button in arch.iter("button"):
            if next(button.iterancestors("header"), None) is not None:
                if records or button.get("display") == "always":
                    self._press(records, button)
                continue
            for record, values in rows:
                if not self._is_hidden(button, record, values):
                    self._press(record, button)

    def _press_form(self, records):
        arch = etree.fromstring(records.get_views([(False, "form")])["views"]["form"]["arch"])
        specification = self._get_specification(records, arch)
        for record in records:
            [values] = record.web_read(specification)
            for button in arch.iter("button", "a"):
                field_node = next(button.iterancestors("field"), None)
                if button.get("type") not in ("object", "action") or self._is_hidden(
                    button if field_node is None else field_node, record, values
                ):
                    continue
                if field_node is None:
                    self._press(record, button)
                elif lines := values.get(field_node.get("name")):
                    line = record[field_node.get("name")].browse(lines[0]["id"])
                    if not self._is_hidden(button, line, lines[0], values):
                        self._press(line, button)

    def _get_samples(self, model):
        """Return the newest record in each state, or the newest one of what has no states."""
        state = next((name for name in STATES if name in model._fields and model._fields[name].store), None)
        if not state:
            return model.search([], order="id desc", limit=1)
        groups = model._read_group([], [state], ["id:max"])
        return model.browse([record_id for _state, record_id in groups])

    def _is_hidden(self, node, record, values, parent=None):
        names = {name: self._get_id(value) for name, value in values.items()}
        names |= {"id": record.id, "context": {}, "uid": self.env.uid, "parent": DotDict(parent or {})}
        while node is not None:
            expressions = [node.get("invisible"), node.get("column_invisible")]
            if any(safe_eval(expression, dict(names)) for expression in expressions if expression):
                return True
            node = node.getparent()
            if node is not None and node.tag == "field":
                return False
        return False

    def _get_id(self, value):
        """Return a value of `web_read` as expressions of views know it: ids instead of records."""
        if isinstance(value, dict):
            return value.get("id", value)
        return [self._get_id(line) for line in value] if isinstance(value, list) else value

    def _press(self, records, button):
        """Press a button of one record, or of those chosen in a list, and open what it returns if it is the suite's.

        A refusal in words is an answer; what is shown may not be denied. Of Odoo's buttons it counts what our code does
        wrong when they are pressed.
        """
        where = f"{records._name} {button.get('name')}"
        self.pressed.add(where)
        context = {"active_model": records._name, "active_id": records[:1].id, "active_ids": records.ids}
        is_ours = self._is_ours(records, button)
        savepoint = self.env.cr.savepoint()
        try:
            if button.get("type") == "object":
                self._call(records, button, context, is_ours)
            elif is_ours:
                self._open_action((action := self._get_action(button.get("name"))).type, action.id, context)
        except Exception as error:  # noqa: BLE001  as in `_try`
            files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
            is_our_code = is_ours or any("/addons/oms_" in file for file in files)
            # Odoo says what is denied, the suite why.
            is_denied = isinstance(error, AccessError) and "/addons/oms_" not in files[-1]
            is_refusal = isinstance(error, UserError) and not is_denied
            if is_our_code and not is_refusal:
                self.problems.append(f"{self.env.user.login}: {where}: {type(error).__name__} {error}")
        finally:
            savepoint.close(rollback=True)
            self.env.invalidate_all()

    def _call(self, records, button, context, is_followed):
        expression = button.get("context") or "{}"
        values = {name: records[:1][name] for name in records._fields if name in expression}
        context = {**context, **safe_eval(expression, {**context, **values})}
        action = call_kw(records.browse(), button.get("name"), [records.ids], {"context": context})
        self.env.flush_all()
        if is_followed and isinstance(action, dict) and action.get("type") == "ir.actions.act_window":
            self._follow({"views": [(False, "form")], **action}, context)

    def _get_action(self, name):
        # sudo: as in `_open_action`
        actions = self.env["ir.actions.actions"].sudo()
        return self.env.ref(name).sudo() if "." in name else actions.browse(int(name))

    def _is_ours(self, record, button):
        """Return whether the suite brings what a button calls."""
        name = button.get("name")
        if button.get("type") == "action":
            return (self._get_action(name).xml_id or "").startswith("oms_")
        return "/addons/oms_" in inspect.getfile(inspect.unwrap(getattr(type(record), name)))

    def _eval(self, expression):
        names = {
            "uid": self.env.uid,
            "allowed_company_ids": self.env.companies.ids,
            "context_today": lambda: fields.Date.context_today(self.env.user),
            "current_date": fields.Date.to_string(fields.Date.context_today(self.env.user)),
            "datetime": datetime,
            "relativedelta": dateutil.relativedelta.relativedelta,
            "time": time,
            "active_id": False,
            "active_ids": [],
            "context": {},
        }
        return safe_eval(expression, names) if isinstance(expression, str) else expression

    def _open_oms_overview(self):
        for section in self.env["oms.overview"].get_overview():
            for tile in section["tiles"]:
                model = self.env[tile["model"]]
                where = f"overview {section['key']} {tile['label']}"
                self._try(where, model.web_search_read, tile["domain"], {"display_name": {}})
                if "record_id" in tile:
                    record = self.env[tile["record_model"]].browse(tile["record_id"])
                    self._try(where, record.web_read, {"display_name": {}})

    def _open_oms_review_desk(self):
        desk = self.env["oms.review.desk"]
        self._try("review desk queues", desk.get_queues)
        for case in desk.get_cases()["cases"]:
            self._try(f"review desk {case['type']}", desk.get_case, case["id"])

    def _open_oms_scan_app(self):
        answer = self.env["oms.scan.session"].scan_start(uuid=str(uuid.uuid4()))
        if answer["state"] != "choose":
            raise AccessError(str(answer))


class ScreensCommon(OmsBaseCommon):
    """A company that has something of everything, so that each screen shows a record."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_carrier()
        held, waiting, delivered, cancelled = (
            cls._create_order(lines) for lines in (None, [(cls.mouse, 99)], None, None)
        )
        held._oms_place_hold(cls.env["oms.hold.type"].search([], limit=1), "Somebody must look")
        (waiting | delivered).action_confirm()
        delivered.picking_ids.move_ids.picked = True
        delivered.picking_ids._action_done()
        cancelled.action_cancel()
        cls.delivered = delivered
        cls._make_channel_rows()
        cls._make_return()

    @classmethod
    def _make_channel_rows(cls):
        order = cls.delivered
        channel = {"channel_id": cls.channel.id}
        for model, values in (
            (
                "oms.channel.message",
                {"external_id": "1", "version": "1", "digest": "1", "source": "manual", "payload": {"id": "1"}},
            ),
            ("oms.channel.push", {"kind": "shipment", "order_id": order.id, "idempotency_key": "1"}),
            ("oms.channel.listing", {"external_id": "1", "sku": "NONE", "title": "Unmatched"}),
            (
                "oms.channel.payment",
                {
                    "external_id": "1",
                    "order_id": order.id,
                    "state": "captured",
                    "amount": 1.0,
                    "currency_id": order.currency_id.id,
                },
            ),
        ):
            cls.env[model].create({**channel, **values})

    @classmethod
    def _make_carrier(cls):
        product = cls.env["product.product"].create({"name": "Delivery", "type": "service"})
        carrier = cls.env["delivery.carrier"].create(
            {
                "name": "Express",
                "delivery_type": "oms_waybill",
                "product_id": product.id,
                "oms_code": "menus",
                "oms_tariff_ids": [
                    Command.create({"country_id": cls.country.id, "first_price": 8.0, "step_price": 2.0})
                ],
            }
        )
        cls.env["oms.waybill.range"].create(
            {
                "carrier_id": carrier.id,
                "prefix": "M",
                "digits": 8,
                "first": "1",
                "last": "99",
                "company_id": cls.env.company.id,
            }
        )

    @classmethod
    def _make_return(cls):
        reason = cls.env["oms.return.reason"].search([], limit=1)
        line = {"sale_line_id": cls.delivered.order_line[:1].id, "quantity": 1, "reason_id": reason.id}
        cls.env["oms.return"].create({"partner_id": cls.buyer.id, "line_ids": [Command.create(line)]})
