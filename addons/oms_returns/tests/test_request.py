from datetime import datetime, timedelta

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import OmsReturnsCommon


@tagged("post_install", "-at_install")
class TestRequest(OmsReturnsCommon):
    def _age_delivery(self, order, days):
        for move in order.order_line.move_ids:
            move.date -= timedelta(days=days)

    def test_request_takes_the_quantity(self):
        order = self._sell([(self.mouse, 3)])
        oms_return = self._ask(order, {self.mouse: 2})
        self.assertTrue(oms_return.name.startswith("RMA"))
        oms_return.action_request()
        self.assertEqual(oms_return.state, "requested")
        self.assertEqual(order.order_line._oms_get_returnable_quantities(), {order.order_line: 1.0})
        self.assertIn("return_requested", order.oms_event_ids.mapped("code"))

    def test_buttons_open_the_only_document_or_all_of_them(self):
        first, second = self._sell([(self.mouse, 1)]), self._sell([(self.mouse, 1)])
        oms_return = self._ask(first, {self.mouse: 1})
        action = oms_return.action_view_orders()
        self.assertEqual((oms_return.order_count, action["res_id"]), (1, first.id))
        self.assertEqual([view_type for _id, view_type in action["views"]], ["form"])
        oms_return.line_ids.copy({"sale_line_id": second.order_line.id})
        action = oms_return.action_view_orders()
        self.assertEqual((oms_return.order_count, action.get("res_id")), (2, False))
        self.assertEqual(self.env["sale.order"].search(action["domain"]), first | second)
        self.assertIn("list", [view_type for _id, view_type in action["views"]])

    def test_more_than_delivered_is_refused(self):
        order = self._sell([(self.mouse, 2)])
        with self.assertRaisesRegex(UserError, "only 2.0 can still be returned"):
            self._ask(order, {self.mouse: 3}).action_request()

    def test_two_lines_of_one_product_are_counted_together(self):
        order = self._sell([(self.mouse, 2)])
        oms_return = self._ask(order, {self.mouse: 2})
        oms_return.line_ids.copy({"quantity": 1})
        with self.assertRaises(UserError):
            oms_return.action_request()

    def test_undelivered_goods_are_refused(self):
        order = self._create_order([(self.mouse, 2)])
        order.action_confirm()
        with self.assertRaises(UserError):
            self._ask(order, {self.mouse: 1}).action_request()

    def test_second_request_gets_only_the_rest(self):
        order = self._sell([(self.mouse, 3)])
        self._ask(order, {self.mouse: 2}).action_request()
        with self.assertRaises(UserError):
            self._ask(order, {self.mouse: 2}).action_request()
        self._ask(order, {self.mouse: 1}).action_request()

    def test_returns_by_odoos_own_wizard_count(self):
        order = self._sell([(self.mouse, 3)])
        wizard = self.env["stock.return.picking"].create({"picking_id": order.picking_ids.id})
        wizard.product_return_moves.quantity = 2
        wizard._create_return()
        self.assertEqual(order.order_line._oms_get_returnable_quantities()[order.order_line], 1.0)
        with self.assertRaises(UserError):
            self._ask(order, {self.mouse: 2}).action_request()

    def test_cancelled_request_gives_the_quantity_back(self):
        order = self._sell([(self.mouse, 2)])
        oms_return = self._ask(order, {self.mouse: 2})
        oms_return.action_request()
        oms_return.action_cancel()
        self.assertEqual(oms_return.state, "cancelled")
        self.assertEqual(order.order_line._oms_get_returnable_quantities()[order.order_line], 2.0)

    def test_cancelling_an_approved_return_cancels_its_transfer(self):
        order = self._sell([(self.mouse, 2)])
        oms_return = self._approve(order)
        oms_return.action_cancel()
        self.assertEqual(oms_return.picking_ids.state, "cancel")
        self.assertEqual(order.order_line._oms_get_returnable_quantities()[order.order_line], 2.0)

    def test_late_return_needs_a_manager(self):
        order = self._sell([(self.mouse, 1)])
        self._age_delivery(order, 31)
        oms_return = self._ask(order)
        self.assertIn("could be returned until", oms_return.policy_errors)
        with self.assertRaisesRegex(UserError, "OMS manager"):
            oms_return.action_approve()
        oms_return.with_user(self.manager).action_approve()
        self.assertEqual(oms_return.state, "approved")

    def test_last_day_of_the_window_is_in_time(self):
        order = self._sell([(self.mouse, 1)])
        self._age_delivery(order, 30)
        self.assertFalse(self._ask(order).policy_errors)

    def test_window_begins_when_the_parcel_arrives(self):
        order = self._sell([(self.mouse, 1)])
        self._age_delivery(order, 40)
        self.assertTrue(self._ask(order).policy_errors)
        arrived = fields.Datetime.now() - timedelta(days=29)
        Picking = type(self.env["stock.picking"])
        self.patch(Picking, "_oms_get_arrival_dates", lambda pickings: dict.fromkeys(pickings, arrived))
        self.assertFalse(self._ask(order).policy_errors)

    def test_days_are_those_of_the_person_or_the_company(self):
        evening = datetime(2026, 1, 1, 20)
        self.policy.company_id.partner_id.tz = "Asia/Shanghai"
        nobody = self.policy.with_context(tz=False).with_user(self.env.ref("base.public_user"))
        nobody.env.user.sudo().tz = False
        self.assertEqual(str(nobody.sudo()._get_day(evening)), "2026-01-02")
        self.assertEqual(str(self.policy.with_context(tz="UTC")._get_day(evening)), "2026-01-01")

    def test_excluded_category_and_its_children(self):
        parent = self.env["product.category"].create({"name": "Hygiene"})
        self.mouse.categ_id = self.env["product.category"].create({"name": "Razors", "parent_id": parent.id})
        self.policy.excluded_category_ids = parent
        order = self._sell([(self.mouse, 1), (self.keyboard, 1)])
        self.assertEqual(self._ask(order).policy_errors, "[OMS-MOUSE] Mouse can't be returned.")

    def test_reason_that_needs_a_photo(self):
        self.reason.needs_photo = True
        oms_return = self._ask(self._sell([(self.mouse, 1)]))
        self.assertIn("Add a photo", oms_return.policy_errors)
        oms_return.line_ids.photo_ids = self.env["ir.attachment"].create(
            {"name": "photo.png", "res_model": "oms.return.line", "res_id": oms_return.line_ids.id}
        )
        self.assertFalse(oms_return.policy_errors)

    def test_policy_of_the_channel_comes_first(self):
        other = self.env["oms.channel"].create({"name": "Other", "code": "other"})
        special = self.policy.copy({"sequence": 1, "channel_ids": other.ids})
        order, other_order = self._sell([(self.mouse, 1)]), self._sell([(self.mouse, 1)], channel_id=other.id)
        self.assertEqual(self._ask(order).policy_id, self.policy)
        self.assertEqual(self._ask(other_order).policy_id, special)

    def test_small_requests_approve_themselves(self):
        self.policy.auto_approve_amount = 25.0
        order = self._sell([(self.mouse, 2)])
        small, large = self._ask(order, {self.mouse: 1}), self._ask(order, {self.mouse: 1})
        small.action_request()
        self.assertEqual(small.state, "approved")
        self.policy.auto_approve_amount = 15.0
        large.action_request()
        self.assertEqual(large.state, "requested")

    def test_requests_against_the_policy_wait_for_a_person(self):
        self.policy.auto_approve_amount = 1000.0
        order = self._sell([(self.mouse, 1)])
        self._age_delivery(order, 40)
        oms_return = self._ask(order)
        oms_return.action_request()
        self.assertEqual(oms_return.state, "requested")

    def test_refusal_says_why(self):
        oms_return = self._ask(self._sell([(self.mouse, 1)]))
        oms_return.action_request()
        with self.assertRaisesRegex(UserError, "why you refuse"):
            oms_return.action_refuse()
        action = oms_return.action_open_refusal()
        view = self.env["ir.ui.view"].browse(action["views"][0][0])
        with Form(oms_return.browse(action["res_id"]), view) as dialog:
            dialog.refusal_reason = "Worn out."
        oms_return.action_refuse()
        self.assertEqual(oms_return.state, "refused")
        mail = self.env["mail.mail"].search([("model", "=", "oms.return"), ("res_id", "=", oms_return.id)])
        self.assertIn("Worn out.", mail.body_html)

    def test_orders_of_one_buyer_in_one_return(self):
        first, second = self._sell([(self.mouse, 1)]), self._sell([(self.mouse, 2)])
        oms_return = self._ask(first)
        oms_return.line_ids = [Command.create({"sale_line_id": second.order_line.id, "quantity": 1})]
        oms_return.action_approve()
        self.assertEqual(oms_return.order_ids, first | second)
        self.assertEqual(len(oms_return.picking_ids), 2)

    def test_orders_of_two_buyers_are_refused(self):
        other = self._create_buyer("李四")
        first, second = self._sell([(self.mouse, 1)]), self._sell([(self.mouse, 1)], partner_id=other.id)
        oms_return = self._ask(first)
        with self.assertRaises(ValidationError):
            oms_return.line_ids = [Command.create({"sale_line_id": second.order_line.id, "quantity": 1})]

    def test_buttons_pressed_twice_do_nothing_more(self):
        oms_return = self._approve(self._sell([(self.mouse, 1)]))
        oms_return.action_approve()
        oms_return.action_request()
        self.assertEqual((oms_return.state, len(oms_return.picking_ids)), ("approved", 1))

    def test_approval_mail_has_the_instructions(self):
        self.policy.instructions = "<p>Use the old box.</p>"
        oms_return = self._approve(self._sell([(self.mouse, 1)]))
        mail = self.env["mail.mail"].search([("model", "=", "oms.return"), ("res_id", "=", oms_return.id)])
        self.assertIn("Use the old box.", mail.body_html)
        self.assertIn(f"/my/returns/{oms_return.id}", mail.body_html)

    def test_return_prepared_from_the_order(self):
        order = self._sell([(self.mouse, 2), (self.keyboard, 1)])
        self._ask(order, {self.mouse: 1}).action_request()
        action = order.with_user(self.user).action_create_return()
        oms_return = self.env["oms.return"].browse(action["res_id"])
        self.assertEqual(
            {line.product_id: line.quantity for line in oms_return.line_ids}, {self.mouse: 1, self.keyboard: 1}
        )

    def test_quantities_cost_the_same_for_many_lines(self):
        few = self._sell([(self.mouse, 1)] * 2, invoice=False).order_line
        many = self._sell([(self.keyboard, 1)] * 10, invoice=False).order_line
        counts = []
        for lines in (few, many):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            lines._oms_get_returnable_quantities()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0])
