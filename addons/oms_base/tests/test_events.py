from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestEvents(OmsBaseCommon):
    def test_timeline_is_append_only(self):
        order = self._create_order()
        event = order.oms_event_ids
        with self.assertRaises(AccessError):
            event.with_user(self.manager).write({"message": "never happened"})
        with self.assertRaises(AccessError):
            event.with_user(self.manager).unlink()

    def test_one_event_for_each_order_of_a_batch(self):
        orders = self._create_order() | self._create_order()
        events = orders._oms_log_event("changed", message="address", data={"street": "x"})
        self.assertEqual(events.order_id, orders)
        self.assertEqual(set(events.mapped("message")), {"address"})

    def test_event_opens_its_document(self):
        order = self._create_order()
        event = order._oms_log_event("changed", document=self.buyer)
        self.assertEqual(event.action_open_document()["res_id"], self.buyer.id)
        self.assertFalse(order._oms_log_event("changed").action_open_document())
