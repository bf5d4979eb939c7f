import json
import runpy

from odoo.tests import Form, tagged
from odoo.tools import file_path

from odoo.addons.oms_base.models.facts.text import parse_phone
from odoo.addons.oms_base.tests.fact_common import FactCommon


@tagged("post_install", "-at_install")
class TestFactKeys(FactCommon):
    def test_same_address_typed_differently_has_one_key(self):
        order = self._create_order()
        other = self._create_buyer("王五", street="文三路９０号", city=" 杭州市")
        self.assertTrue(order.oms_address_key)
        self.assertEqual(self._create_order(partner_id=other.id).oms_address_key, order.oms_address_key)
        moved = self._create_buyer("王五", street="文三路 91 号")
        self.assertNotEqual(self._create_order(partner_id=moved.id).oms_address_key, order.oms_address_key)

    def test_phone_key_is_international(self):
        self.assertEqual(self._create_order().oms_phone_key, "+8613800000000")
        self.assertEqual(parse_phone("138 0000 0000", "CN"), ("+8613800000000", True))
        self.assertEqual(parse_phone("18412345678-1234", "CN"), ("+8618412345678;1234", True))
        self.assertEqual(parse_phone("138****0000", "CN"), (None, None))
        self.assertEqual(parse_phone("1380", "CN"), (None, False))
        self.assertEqual(parse_phone("5551234567", None), ("5551234567", None))

    def test_order_without_a_channel_or_without_an_address_has_no_key(self):
        plain = self._create_order(channel_id=False)
        self.assertFalse(plain.oms_address_key or plain.oms_phone_key or plain.oms_buyer_key)
        order = self._create_order(partner_id=self._create_buyer("李四", street=False).id)
        self.assertFalse(order.oms_address_key)
        self.assertEqual(order.oms_buyer_key, str(order.partner_id.id))

    def test_refresh_writes_only_what_changed_and_never_a_closed_order(self):
        order, closed = self._create_order(), self._create_order()
        closed._action_cancel()
        self.assertFalse((order | closed)._oms_refresh_keys())
        key = order.oms_address_key
        self.buyer.street = "龙井路 1 号"
        self.assertEqual((order | closed)._oms_refresh_keys(), order)
        self.assertNotEqual(order.oms_address_key, key)
        self.assertEqual(closed.oms_address_key, key)

    def test_orders_of_before_the_keys_get_theirs_once(self):
        order = self._create_order()
        order._action_cancel()
        before = order.oms_buyer_key, order.oms_address_key, order.oms_phone_key
        order.write({"oms_buyer_key": False, "oms_address_key": False, "oms_phone_key": False})
        migrate = runpy.run_path(file_path("oms_base/migrations/19.0.2.0.0/post-fact_keys.py"))["migrate"]
        migrate(self.env.cr, "19.0.1.0.0")
        self.assertEqual((order.oms_buyer_key, order.oms_address_key, order.oms_phone_key), before)
        self.assertFalse(order._oms_refresh_keys())

    def test_values_are_evidence(self):
        order = self._create_order()
        values = order._get_fact_values(["oms_is_first_order", "amount_total", "partner_id.name", "no_such_field"])
        self.assertEqual(values, {"oms_is_first_order": True, "amount_total": 90.0, "partner_id.name": "张三"})
        short = self._create_order([(self.mouse, 99)])
        values = short._get_fact_values(["oms_shortage", "date_order", "channel_id", "order_line.product_id.name"])
        self.assertEqual(json.loads(json.dumps(values)), values)
        self.assertEqual(values["oms_shortage"][0]["ordered"], 99)
        self.assertEqual(values["order_line.product_id.name"], "Mouse")

    def test_form_shows_the_facts_to_a_reviewer(self):
        order = self._create_order(oms_buyer_ip="203.0.113.9", channel_note="急")
        with Form(order.with_user(self.user)) as form:
            self.assertTrue(form.oms_is_first_order)
            form.oms_coupon_codes = "ten"
        order._oms_refresh_keys()
        self.assertEqual(order.oms_coupon_key, "TEN")
