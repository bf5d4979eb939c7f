from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Command

from ...const import GATES


class OmsRuleAction(models.Model):
    """What a rule does with the orders that match it.

    A type of action is a key of ``type`` (extended by `selection_add`), a batch method `_run_<type>(orders)` and one
    `_describe_<type>()` that returns its part of the rule's sentence. Where an action has to be taken back once the
    orders no longer match, it has `_settle_<type>(orders)` too. Whatever runs twice must do it once.
    """

    _name = "oms.rule.action"
    _description = "Rule Action"
    _order = "sequence, id"
    _rec_name = "sentence"

    rule_id = fields.Many2one("oms.rule", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="rule_id.company_id")
    sequence = fields.Integer(default=10)
    type = fields.Selection(
        [
            ("hold", "Put on hold"),
            ("approve", "Pass over holds"),
            ("tag", "Tag"),
            ("priority", "Set the priority"),
            ("assign", "Assign to a person"),
            ("activity", "Schedule an activity"),
            ("warehouse", "Set the warehouse"),
            ("route", "Set the route"),
            ("planned_date", "Set the ship date"),
            ("seal", "Never merge"),
            ("note", "Leave a note"),
            ("cancel", "Cancel"),
            ("notify", "Notify people"),
            ("webhook", "Call a webhook"),
        ],
        default="hold",
        required=True,
    )
    sentence = fields.Char(compute="_compute_sentence")

    # hold
    hold_type_id = fields.Many2one("oms.hold.type", string="Hold", ondelete="restrict", index="btree_not_null")
    gate = fields.Selection(GATES, string="Blocks", help="The step that is blocked. Empty: that of the hold type.")
    group_id = fields.Many2one(
        "res.groups", string="Released By", help="Who may release it. Empty: who may release this type of hold."
    )
    release_hours = fields.Float(
        string="Released After (hours)", help="The hold releases itself after this time. 0: as its type says."
    )
    reason = fields.Char(
        translate=True, help="What the person who looks at the hold reads first. Empty: the rule in one sentence."
    )
    # approve
    severity = fields.Selection(
        [("1", "low"), ("2", "low or medium"), ("3", "any")],
        default="1",
        help="Holds that rules put, up to this severity, are not put or are released for orders that match. Those that"
        " need approval steps are not passed.",
    )
    # others
    tag_ids = fields.Many2many("crm.tag", string="Tags")
    priority = fields.Selection([("0", "Normal"), ("1", "High"), ("2", "Urgent")], default="1")
    user_id = fields.Many2one("res.users", string="Person", domain=[("share", "=", False)])
    user_ids = fields.Many2many("res.users", string="People", domain=[("share", "=", False)])
    activity_type_id = fields.Many2one("mail.activity.type", string="Activity", ondelete="set null")
    days = fields.Integer(help="Days from now until the activity is due, or until the order may leave.")
    warehouse_id = fields.Many2one("stock.warehouse")
    route_ids = fields.Many2many("stock.route", string="Routes", domain=[("sale_selectable", "=", True)])
    note_target = fields.Selection([("warehouse", "to the warehouse"), ("buyer", "to the buyer")], default="warehouse")
    note = fields.Text(string="Text", translate=True)
    webhook_id = fields.Many2one("oms.webhook", ondelete="restrict")

    # === COMPUTE METHODS === #

    @api.depends_context("lang")
    @api.depends(lambda self: self._get_content_fields())
    def _compute_sentence(self):
        for action in self:
            action.sentence = getattr(action, f"_describe_{action.type}")() if action.type else ""

    @api.constrains(lambda self: self._get_content_fields())
    def _check_complete(self):
        for action in self:
            missing = [name for name in self._get_needed_fields().get(action.type, []) if not action[name]]
            if missing:
                raise ValidationError(
                    self.env._(
                        "The action “%(action)s” of the rule %(rule)s needs: %(fields)s.",
                        action=dict(self._fields["type"]._description_selection(self.env))[action.type],
                        rule=action.rule_id.name,
                        fields=", ".join(self._fields[name]._description_string(self.env) for name in missing),
                    )
                )

    @api.model
    def _get_needed_fields(self):
        """Return {type: fields that must be filled}. To be extended with a new type's own."""
        return {
            "hold": ["hold_type_id"],
            "approve": ["severity"],
            "tag": ["tag_ids"],
            "assign": ["user_id"],
            "activity": ["activity_type_id"],
            "warehouse": ["warehouse_id"],
            "route": ["route_ids"],
            "note": ["note"],
            "cancel": ["note"],
            "notify": ["user_ids", "note"],
            "webhook": ["webhook_id"],
        }

    @api.model
    def _get_content_fields(self):
        """Return the fields that make up what an action does; each is kept in the rule's versions. To be extended."""
        return [
            *("sequence", "type", "hold_type_id", "gate", "group_id", "release_hours", "reason", "severity", "tag_ids"),
            *("priority", "user_id", "user_ids", "activity_type_id", "days", "warehouse_id", "route_ids"),
            *("note_target", "note", "webhook_id"),
        ]

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        actions = super().create(vals_list)
        actions._after_content_change(actions.rule_id)
        return actions

    def write(self, vals):
        res = super().write(vals)
        self._after_content_change(self.rule_id)
        return res

    def unlink(self):
        rules = self.rule_id
        res = super().unlink()
        self._after_content_change(rules.exists())
        return res

    @api.model
    def _after_content_change(self, rules):
        """Keep a version of the rules whose actions changed; one that is saved itself keeps its own."""
        if not self.env.context.get("oms_in_rule"):
            rules._keep_version()
        self.env.registry.clear_cache()

    # === RUN === #

    def _filter_to_run(self, orders, approvals):
        """Return those of ``orders``, which matched, with which this action is done. An order that a rule before it has
        cancelled is nobody's to look at any more.

        :param approvals: dict {order id: highest severity of holds that the order may pass}
        """
        self.ensure_one()
        if self.type != "hold":
            return orders
        hold_type = self.hold_type_id
        todo = orders.filtered(
            lambda order: order.state != "cancel" and not hold_type._is_passable(approvals.get(order.id, "0"))
        ).with_prefetch(orders._prefetch_ids)
        return (todo - todo._oms_get_passed_orders(self.rule_id)).with_prefetch(orders._prefetch_ids)

    def _run(self, orders):
        """Do this action with ``orders``, all that matched its rule, with the rights of the system."""
        self.ensure_one()
        getattr(self, f"_run_{self.type}")(orders)

    def _settle(self, orders):
        """Take this action back from ``orders``, which its rule judged and did not match."""
        self.ensure_one()
        if settle := getattr(self, f"_settle_{self.type}", None):
            settle(orders)

    def _run_hold(self, orders):
        rule = self.rule_id
        values = {"gate": self.gate} if self.gate else {}
        if self.group_id:
            values["group_id"] = self.group_id.id
        if self.release_hours:
            values["auto_release_date"] = fields.Datetime.now() + timedelta(hours=self.release_hours)
        evidence = orders._get_rule_evidence(rule)
        orders._oms_place_hold(
            self.hold_type_id,
            self.reason or rule.name,
            rule=rule,
            data={"by_order": evidence},
            values={"version_id": rule.version_id.id, **values},
        )

    def _describe_hold(self):
        words = self.env._("put it on hold for “%(type)s”", type=self.hold_type_id.name)
        if self.gate:
            words += " " + self.env._("(blocks: %(gate)s)", gate=self._get_label("gate"))
        if self.group_id:
            words += " " + self.env._("(released by %(group)s)", group=self.group_id.full_name)
        if self.release_hours:
            words += " " + self.env._("(for %(hours)g hours)", hours=self.release_hours)
        return words

    def _run_approve(self, orders):
        """Let orders pass holds up to a severity: those they have are released, later rules put none."""
        orders._oms_approve(self.severity, self.rule_id)

    def _describe_approve(self):
        return self.env._("let it pass holds of %(severity)s severity", severity=self._get_label("severity"))

    def _run_tag(self, orders):
        for tag in self.tag_ids:
            untagged = orders.filtered(lambda order, tag=tag: tag not in order.tag_ids)
            if untagged:
                untagged.write({"tag_ids": [Command.link(tag.id)]})

    def _describe_tag(self):
        return self.env._("tag it “%(tags)s”", tags=", ".join(self.tag_ids.mapped("name")))

    def _run_priority(self, orders):
        orders.filtered(lambda order: order.oms_priority != self.priority).oms_priority = self.priority

    def _describe_priority(self):
        return self.env._("set its priority to “%(priority)s”", priority=self._get_label("priority"))

    def _run_assign(self, orders):
        orders.filtered(lambda order: order.oms_reviewer_id != self.user_id).oms_reviewer_id = self.user_id

    def _describe_assign(self):
        return self.env._("assign it to %(user)s", user=self.user_id.name)

    def _filter_untold(self, orders):
        """Return those of ``orders`` that this version of the rule had not matched before: nobody is told twice, and
        what a person has done does not come back."""
        if self.env.context.get("oms_rehearsal"):  # what it would tell is compared, whoever was told already
            return orders
        version_id = self.rule_id.version_id.id
        known = self.env["oms.rule.hit"]._get_known({version_id: orders._ids})
        return orders.filtered(lambda order: (version_id, order.id) not in known)

    def _run_activity(self, orders):
        orders = self._filter_untold(orders)
        summary = self.note or self.rule_id.name
        known = [action.note or action.rule_id.name for action in self._in_all_languages()]
        open_activities = self.env["mail.activity"]._read_group(
            [("res_model", "=", "sale.order"), ("res_id", "in", orders.ids), ("summary", "in", known)], ["res_id"]
        )
        done = {res_id for (res_id,) in open_activities}
        for order in orders.filtered(lambda order: order.id not in done):
            order.activity_schedule(
                activity_type_id=self.activity_type_id.id,
                summary=summary,
                user_id=(self.user_id or order.oms_reviewer_id or order.channel_id.user_id or self.env.user).id,
                date_deadline=fields.Date.context_today(self) + timedelta(days=self.days),
            )

    def _describe_activity(self):
        return self.env._(
            "schedule “%(activity)s” in %(days)s days", activity=self.activity_type_id.name, days=self.days
        )

    def _run_warehouse(self, orders):
        warehouse = self.warehouse_id
        todo = orders._oms_filter_unreleased().filtered(
            lambda order: order.oms_warehouse_id != warehouse and order.company_id == warehouse.company_id
        )
        if todo:
            todo._oms_ship_from(warehouse)

    def _describe_warehouse(self):
        return self.env._("ship it from %(warehouse)s", warehouse=self.warehouse_id.name)

    def _run_route(self, orders):
        lines = orders._oms_filter_unreleased().order_line.filtered(lambda line: not line.display_type)
        lines.filtered(lambda line: line.route_ids != self.route_ids).route_ids = self.route_ids

    def _describe_route(self):
        return self.env._("send it by the route %(routes)s", routes=", ".join(self.route_ids.mapped("name")))

    def _run_planned_date(self, orders):
        for order in orders._oms_filter_unreleased():
            date = order.date_order + timedelta(days=self.days)
            if order.commitment_date != date:
                order.commitment_date = date

    def _describe_planned_date(self):
        return self.env._("plan to ship it %(days)s days after the order", days=self.days)

    def _run_seal(self, orders):
        orders.filtered(lambda order: not order.oms_is_sealed).oms_is_sealed = True

    def _describe_seal(self):
        return self.env._("never merge it with another order")

    def _run_note(self, orders):
        field = "oms_warehouse_note" if self.note_target == "warehouse" else "note"
        known = [action.note for action in self._in_all_languages()]
        for order in orders:
            if not any(note in (order[field] or "") for note in known):
                order[field] = f"{order[field]}\n{self.note}" if order[field] else self.note

    def _describe_note(self):
        return self.env._(
            "leave a note %(target)s: “%(note)s”", target=self._get_label("note_target"), note=self.note or ""
        )

    def _run_cancel(self, orders):
        """Cancel orders with the reason; what is on its way already is put on hold instead."""
        orders = orders.filtered(lambda order: order.state != "cancel")
        free = orders._oms_filter_unreleased()
        for order in free:
            order._oms_cancel(self.note)
        (orders - free)._oms_place_hold("edited", self.note, rule=self.rule_id)

    def _describe_cancel(self):
        return self.env._("cancel it: “%(reason)s”", reason=self.note or "")

    def _run_notify(self, orders):
        orders = self._filter_untold(orders)
        if not orders:
            return
        document = orders if len(orders) == 1 else self.rule_id
        links = Markup(", ").join(order._get_html_link() for order in orders)
        document.message_notify(
            partner_ids=self.user_ids.partner_id.ids,
            subject=self.rule_id.name,
            body=Markup("%s: %s") % (self.note, links),
        )

    def _describe_notify(self):
        return self.env._("notify %(people)s", people=", ".join(self.user_ids.mapped("name")))

    def _run_webhook(self, orders):
        self.webhook_id._queue_calls(self.rule_id, orders)

    def _describe_webhook(self):
        return self.env._("call the webhook “%(webhook)s”", webhook=self.webhook_id.name)

    def _in_all_languages(self):
        """Return this action once in each language: what it once wrote is known again, whoever's language it was."""
        return [self.with_context(lang=code) for code, _name in self.env["res.lang"].get_installed()]

    def _get_label(self, name):
        """Return the label of the value of a selection field."""
        return dict(self._fields[name]._description_selection(self.env)).get(self[name], "")
