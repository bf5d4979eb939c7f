from odoo.fields import Command
from odoo.tests import Form, tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestPlainOrders(OmsBaseCommon):
    """An order without a channel is none of our business, whatever the rules say."""

    def test_nothing_of_ours_happens(self):
        order = self._create_order(
            [(self.mouse, 99)], channel_id=False, partner_id=self.env["res.partner"].create({"name": "x"}).id
        )
        self.assertIs(order.action_confirm(), True)
        self.assertEqual(order.state, "sale")
        self.assertFalse(order.oms_stage or order.oms_event_ids or order.oms_decision_ids or order.oms_hold_ids)
        self.assertFalse(order.oms_has_shortage)

    def test_a_new_order_is_typed_in_as_ever(self):
        """The form computes every fact of an order that has no buyer yet."""
        for user in (self.user, self.manager):
            with Form(self.env["sale.order"].with_user(user)) as form:
                form.partner_id = self.buyer
                with form.order_line.new() as line:
                    line.product_id = self.mouse
            self.assertEqual(form.record.amount_total, 20.0)
        new = self.env["sale.order"].new({})
        facts = [name for name, field in new._fields.items() if name.startswith("oms_") and field.compute]
        for name in facts:
            with self.subTest(fact=name):
                new[name]  # computing it is the test

    def test_who_sells_without_the_suite_reads_whole_orders(self):
        """Every addon that is installed keeps to it: a field that such a user may not read has ``groups``."""
        order = self._create_order()
        seller = self.env["res.users"].create(
            {
                "name": "Seller",
                "login": "plain_seller",
                "group_ids": [Command.set(self.env.ref("sales_team.group_sale_salesman_all_leads").ids)],
            }
        )
        lines = order.order_line.with_user(seller)
        ours = [name for name, field in lines._fields.items() if str(field._module).startswith("oms_")]
        lines.read([name for name in ours if lines._has_field_access(lines._fields[name], "read")])
        [values] = order.with_user(seller).read()
        self.assertEqual(values["amount_total"], order.amount_total)
