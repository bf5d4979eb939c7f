from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestSecurity(OmsBaseCommon):
    def test_other_companies_are_not_seen(self):
        company = self.env["res.company"].create({"name": "Other"})
        channel = self.env["oms.channel"].create({"name": "Theirs", "code": "theirs", "company_id": company.id})
        self.assertFalse(self.env["oms.channel"].with_user(self.manager).search([("id", "=", channel.id)]))

    def test_only_managers_set_up(self):
        for user in (self.user, self.operator, self.accountant):
            with self.assertRaises(AccessError):
                self.env["oms.channel"].with_user(user).create({"name": "x", "code": "x"})
            with self.assertRaises(AccessError):
                self.env["oms.hold.type"].with_user(user).create({"name": "x", "code": "x"})
        self.env["oms.channel"].with_user(self.manager).create({"name": "x", "code": "x"})

    def test_warehouse_operator_reads_holds_but_settles_none(self):
        order = self._create_order()
        hold = order._oms_place_hold("manual", "x")
        self.assertTrue(hold.with_user(self.operator).reason)
        with self.assertRaises(AccessError):
            hold.with_user(self.operator).action_release()

    def test_no_hold_by_hand_around_the_rules(self):
        with self.assertRaises(AccessError):
            self.env["oms.hold"].with_user(self.user).create(
                {"order_id": self._create_order().id, "type_id": 1, "gate": "ship", "reason": "x"}
            )

    # === WHO READS WHAT BECAME OF ORDERS === #

    def _get_histories(self, order):
        """Return {model: the records of an order} of what the suite keeps of it."""
        rows = order.oms_group_line_ids
        records = (order.oms_hold_ids, order.oms_hold_ids.reason_ids, order.oms_event_ids, order.oms_decision_ids)
        return {found._name: found for found in (*records, rows.group_id, rows)}

    def _create_eventful_order(self, **values):
        order = self._create_order(**values)
        order._oms_review()
        order._oms_place_hold("manual", "Looks like fraud")
        rows = [Command.create({"line_id": line.id, "quantity": line.product_uom_qty}) for line in order.order_line]
        self.env["oms.delivery.group"].create({**order._prepare_delivery_group_values(), "line_ids": rows})
        histories = self._get_histories(order)
        self.assertTrue(all(histories.values()), histories)
        return order, histories

    def test_employees_do_not_read_what_became_of_orders(self):
        employee = self._create_user("employee", "base.group_user")
        _order, histories = self._create_eventful_order()
        for model, records in histories.items():
            with self.assertRaises(AccessError, msg=model):
                self.env[model].with_user(employee).search([("id", "in", records.ids)])
            with self.assertRaises(AccessError, msg=model):
                records.with_user(employee).read([])

    def test_sales_people_read_what_became_of_the_orders_they_may_read(self):
        own = self._create_user("salesman", "sales_team.group_sale_salesman")
        leader = self._create_user("sales_leader", "sales_team.group_sale_salesman_all_leads")
        others = [
            self._create_user("stock_worker", "stock.group_stock_user"),
            self._create_user("invoicer", "account.group_account_invoice"),
            *(self.user, self.operator, self.accountant, self.manager),
        ]
        mine, my_histories = self._create_eventful_order(user_id=own.id)
        theirs, their_histories = self._create_eventful_order(user_id=leader.id)
        for model, records in my_histories.items():
            both = records | their_histories[model]
            domain = [("id", "in", both.ids)]
            self.assertEqual(self.env[model].with_user(own).search(domain), records, model)
            for user in (leader, *others):
                self.assertEqual(self.env[model].with_user(user).search(domain), both.sorted(), (model, user.login))
        self.assertEqual(mine.with_user(own).oms_hold_count, 1)
        self.assertEqual(theirs.with_user(leader).oms_hold_summary, "Set by hand")

    def test_who_only_reads_orders_opens_them_and_is_stopped_by_holds(self):
        """A group of another addon's, as of projects or manufacturing, that may read and write orders."""
        group = self.env["res.groups"].create({"name": "Reads orders"})
        for model in ("sale.order", "sale.order.line", "stock.picking"):
            self.env["ir.model.access"].create(
                {
                    "name": model,
                    "model_id": self.env["ir.model"]._get_id(model),
                    "group_id": group.id,
                    "perm_read": True,
                    "perm_write": True,
                }
            )
        employee = self._create_user("project_user", "base.group_user")
        employee.group_ids = [Command.link(group.id)]
        order, _histories = self._create_eventful_order()
        self.env.flush_all()
        self.env.invalidate_all()
        order = order.with_user(employee)
        views = order.get_views([(self.env.ref("sale.view_order_form").id, "form")])
        self.assertNotIn("oms_event_ids", views["views"]["form"]["arch"])
        self.assertIn("oms_hold_summary", views["views"]["form"]["arch"])
        names = [name for name in order._fields if f'name="{name}"' in views["views"]["form"]["arch"]]
        own = [name for name in names if order._fields[name]._module in ("oms_base", "oms_allocation")]
        self.env.invalidate_all()
        self.assertEqual(order.read(own)[0]["oms_hold_summary"], "Set by hand")
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "on hold"):
            order._oms_check_gate("ship")
        self.env.invalidate_all()
        order._action_cancel()
        self.assertEqual(order.sudo().oms_hold_ids.mapped("state"), ["released"])
