from odoo.tests import tagged

from odoo.addons.oms_base.const import STAGE_NUMBERS, STAGES
from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestStage(OmsBaseCommon):
    def test_way_of_an_order(self):
        order = self._create_order()
        self.assertEqual(order.oms_stage, "new")
        order.action_confirm()
        self.assertEqual((order.oms_stage, order.oms_stage_number), ("ready", 40))

    def test_shortage_waits(self):
        self.env["oms.rule"].search([]).active = False
        order = self._create_order([(self.mouse, 99)])
        order.action_confirm()
        order.picking_ids.do_unreserve()
        self.assertEqual(order.oms_stage, "waiting")

    def test_cancelled(self):
        order = self._create_order()
        order._action_cancel()
        self.assertEqual((order.oms_stage, order.oms_stage_number), ("cancel", 100))

    def test_numbers_follow_the_order_of_the_stages(self):
        numbers = [STAGE_NUMBERS[stage] for stage, _label in STAGES]
        self.assertEqual(numbers, sorted(numbers))

    def test_confirming_keeps_the_time_the_buyer_ordered(self):
        order = self._create_order(date_order="2026-11-11 00:00:01")
        order.action_confirm()
        self.assertEqual(str(order.date_order), "2026-11-11 00:00:01")
        plain = self._create_order(channel_id=False, date_order="2026-11-11 00:00:01")
        plain.action_confirm()
        self.assertNotEqual(str(plain.date_order), "2026-11-11 00:00:01")

    def test_the_board_shows_the_stages_in_their_order(self):
        self._create_order()
        Order = self.env["sale.order"].with_context(read_group_expand=True)
        groups = Order.web_read_group([("channel_id", "=", self.channel.id)], ["oms_stage"], ["__count"])
        stages = [group["oms_stage"] for group in groups["groups"]]
        self.assertEqual(stages[:2], ["new", "held"])

    # === DONE === #

    def _invoice(self, order):
        invoice = order._create_invoices()
        invoice.action_post()
        return invoice

    def _get_stage(self, order):
        self.env.flush_all()  # the stage follows the invoice status when that is computed
        return order.oms_stage

    def _pay(self, invoice):
        wizard = self.env["account.payment.register"].with_context(active_model="account.move", active_ids=invoice.ids)
        wizard.create({})._create_payments()

    def _create_service(self, **values):
        values = {"type": "service", "list_price": 30.0, "taxes_id": False, **values}
        return self.env["product.product"].create({"name": "Gift Card", **values})

    def test_services_are_delivered_by_their_invoice(self):
        order = self._create_order([(self._create_service(invoice_policy="order"), 1)])
        order.action_confirm()
        self.assertEqual(self._get_stage(order), "shipped")
        invoice = self._invoice(order)
        self.assertEqual(self._get_stage(order), "done")
        invoice.button_draft()
        invoice.button_cancel()
        self.assertEqual(self._get_stage(order), "shipped")

    def test_services_are_delivered_by_what_is_noted(self):
        service = self._create_service(invoice_policy="delivery", service_type="manual")
        order = self._create_order([(service, 2)])
        order.action_confirm()
        order.order_line.qty_delivered = 1
        self.assertEqual(self._get_stage(order), "shipped")
        order.order_line.qty_delivered = 2
        self.assertEqual(self._get_stage(order), "delivered")
        self._invoice(order)
        self.assertEqual(self._get_stage(order), "done")

    def test_goods_that_nobody_follows_are_done_once_paid(self):
        """Odoo alone does not tell when goods arrive."""
        self.patch(type(self.env["sale.order"]), "_oms_filter_unfollowed", lambda orders: orders)
        (self.mouse | self.keyboard).invoice_policy = "order"
        paid_later, paid_before = self._create_order(), self._create_order()
        (paid_later | paid_before).action_confirm()
        self._pay(self._invoice(paid_before))
        self.assertEqual(self._get_stage(paid_before), "ready")
        for order in (paid_later, paid_before):
            self._deliver(order)
        self.assertEqual([self._get_stage(order) for order in (paid_later, paid_before)], ["shipped", "done"])
        invoice = self._invoice(paid_later)
        self.assertEqual(self._get_stage(paid_later), "shipped")
        self._pay(invoice)
        self.assertEqual(self._get_stage(paid_later), "done")
