from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .adapter_common import read_data
from .test_platforms import FakeWooWire, PlatformCommon


class OrderWire(FakeWooWire):
    """Lists its orders as well; ``failing`` are those whose refunds the shop can't show."""

    def __init__(self):
        super().__init__()
        self.failing = set()

    def __call__(self, request):
        path = request.url.removeprefix("http://shop.test/wp-json/wc/v3")
        if path == "/orders":
            self.calls.append((request.method, path, None))
            return self._answer(200, list(self.orders.values()))
        if path.endswith("/refunds"):
            self.calls.append((request.method, path, None))
            if path.split("/")[2] in self.failing:
                return self._answer(500, {"code": "internal_server_error", "message": "A critical error."})
            return self._answer(200, read_data("woocommerce/refunds"))
        return super().__call__(request)


@tagged("post_install", "-at_install")
class TestIncompleteOrders(PlatformCommon):
    """An order whose details the shop does not show: the others come, it is told of and comes later, once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.wire = OrderWire()
        cls.classPatch(type(cls.env["oms.channel"]), "_get_transport", lambda channel: cls.wire)
        raw = {**read_data("woocommerce/order_placed"), "status": "processing", "date_completed_gmt": None}
        raw["meta_data"] = []
        cls.wire.orders["22"] = {**raw, "refunds": [{"id": 25, "total": "-21.59"}]}
        cls.wire.orders["23"] = {**raw, "id": 23, "number": "23"}

    def setUp(self):
        super().setUp()
        self.wire.failing = {"22"}

    def _pull(self):
        self.channel.write({"next_pull_date": "2026-01-01 00:00:00"})
        self._run_cron(f"oms_channels.ir_cron_pull_lane_{self.channel.id % 2}")
        self._work()

    def _work(self):
        for lane in range(4):
            self._run_cron(f"oms_channels.ir_cron_message_lane_{lane}")

    def _messages(self, external_id):
        return self.env["oms.channel.message"].search(
            [("channel_id", "=", self.channel.id), ("external_id", "=", external_id)]
        )

    def test_it_is_told_of_repeated_and_imported_once(self):
        self._pull()
        self.assertEqual(self._messages("23").state, "done")
        message = self._messages("22")
        self.assertEqual((message.state, bool(message.order_id)), ("pending", False))
        self.assertIn("/orders/22/refunds", message.last_error)
        self.assertFalse(self.channel.rest_until or self.channel.pull_error, "the shop is well")
        self._pull()
        self.assertEqual(self._messages("22"), message, "met again it is the same")
        self.wire.failing = set()
        message.action_retry()
        self._work()
        self.assertEqual((message.state, message.last_error), ("done", False))
        self.assertNotIn("omsIncomplete", message.payload)
        line = message.order_id.order_line.filtered(lambda line: line.product_id.default_code == "TEE-S")
        self.assertEqual(line.product_uom_qty, 1, "what was refunded is not sent")
        self._pull()
        self.assertEqual(self._messages("22").order_id, message.order_id)
        self.assertEqual(self._messages("22").mapped("state"), ["skipped", "done"])

    def test_it_waits_while_the_shop_rests(self):
        self.wire.failing = set()
        payload = {**self.wire.orders["22"], "omsIncomplete": True}
        message = self.env["oms.channel.message"]._store(self.channel, [("22", "", payload)], "poll")
        self.channel.rest_until = fields.Datetime.now() + timedelta(minutes=5)
        calls = len(self.wire.calls)
        self._work()
        self.assertEqual((message.state, message.attempts, len(self.wire.calls)), ("pending", 0, calls))
        self.channel.rest_until = False
        message.next_try = fields.Datetime.now()
        self._work()
        self.assertEqual(message.state, "done")

    def test_what_is_broken_in_the_shop_is_read_again_when_it_is_mended(self):
        self.wire.failing = set()
        mended = self.wire.orders["22"]
        self.wire.orders["22"] = {**mended, "meta_data": [{"key": "_oms_shipments", "value": "no list"}]}
        self._pull()
        message = self._messages("22")
        self.assertEqual(message.state, "failed")
        self.assertIn("_oms_shipments", message.last_error)
        self.assertEqual(self._messages("23").state, "done")
        self.wire.orders["22"] = mended
        message.action_retry()
        self._work()
        self.assertEqual(message.state, "done", message.last_error)
