from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from odoo.tests import tagged

from odoo.addons.oms_channels.adapters.medusa.adapter import MedusaAdapter
from odoo.addons.oms_channels.adapters.types import ChannelPayment

from .common import ADDRESS, ChannelsCommon


@tagged("post_install", "-at_install")
class TestImport(ChannelsCommon):
    def _parse(self, *raws):
        adapter = self.channel._get_adapter()
        self.assertIsInstance(adapter, MedusaAdapter)
        return [adapter.parse_order(raw) for raw in raws]

    def _create(self, *raws):
        return self.env["sale.order"]._oms_create_from_channel(self.channel, self._parse(*raws))

    def test_lines_shipping_and_total(self):
        order = self._import(1)
        self._assert_totals(order, 99.48)
        self.assertRecordValues(
            order.order_line,
            [
                {
                    "product_id": self.mouse.id,
                    "product_uom_qty": 2,
                    "price_unit": 19.99,
                    "channel_line_id": "ordli_1_0",
                },
                {
                    "product_id": self.keyboard.id,
                    "product_uom_qty": 1,
                    "price_unit": 49.5,
                    "channel_line_id": "ordli_1_1",
                },
                {
                    "product_id": self.channel.shipping_product_id.id,
                    "product_uom_qty": 1,
                    "price_unit": 10.0,
                    "channel_line_id": "shipping:ordsm_1",
                },
            ],
        )
        self.assertEqual(order.channel_order_ref, "1")
        self.assertEqual(order.warehouse_id, self.warehouse)
        self.assertIn("received", order.oms_event_ids.mapped("code"))

    def test_discount_and_tax_to_the_cent(self):
        self._create_tax(13.0)
        # 3 x 9.99 less 1.00, 13 % tax: a discount that is no round percentage
        order = self._import(1, [("OMS-MOUSE", 3, 9.99, 13.0, 1.0), ("OMS-KEYB", 1, 200.0, 13.0, 50.0)])
        self.assertEqual(order.order_line[1].discount, 25.0)
        self._assert_totals(order, round((29.97 - 1) * 1.13 + 150 * 1.13 + 10, 2))

    def test_tax_that_counts_otherwise_than_the_shop(self):
        self._create_tax(13.0, price_include_override="tax_included")
        order = self._import(1, [("OMS-MOUSE", 3, 9.99, 13.0)], shipping=0)
        self._assert_totals(order, round(29.97 * 1.13, 2))

    def test_cents_of_rounding_go_to_a_line_of_their_own(self):
        raw = self.shop.place(1, [("OMS-MOUSE", 2, 19.99)])
        raw["total"] += 0.02
        [order] = self._create(raw)
        self._assert_totals(order, 50.0)
        self.assertEqual(order.order_line[-1].product_id, self.channel.rounding_product_id)

    def test_larger_difference_is_held(self):
        raw = self.shop.place(1, [("OMS-MOUSE", 2, 19.99)])
        raw["total"] += 1.0
        [order] = self._create(raw)
        self.assertEqual(order.channel_amount_difference, -1.0)
        order._oms_review()
        self.assertIn("total", order.oms_hold_ids.type_id.mapped("code"))
        self.assertEqual(order.oms_stage, "held")

    def test_one_buyer_is_one_contact(self):
        first = self._import(1)
        again = self._import(2, customer_id="cus_1")
        moved = self._import(3, customer_id="cus_1", shipping_address={**ADDRESS, "address_1": "解放路 1 号"})
        spaced = self._import(4, customer_id="cus_1", shipping_address={**ADDRESS, "address_1": "解放路1号 "})
        orders = first | again | moved | spaced
        self.assertEqual(len(orders.partner_id), 1)
        self.assertEqual(first.partner_shipping_id, again.partner_shipping_id)
        self.assertEqual(moved.partner_shipping_id.parent_id, first.partner_id)
        self.assertEqual(moved.partner_shipping_id.type, "delivery")
        self.assertEqual(moved.partner_shipping_id, spaced.partner_shipping_id)

    def test_guests_with_the_same_email_are_one_contact(self):
        first = self._import(1, customer_id=None, email="Guest@Example.com")
        again = self._import(2, customer_id=None, email="guest@example.com")
        self.assertEqual(first.partner_id, again.partner_id)

    def test_email_never_leads_to_a_contact_of_another_source(self):
        own = self.env["res.partner"].create({"name": "Director", "email": "buyer1@example.com"})
        self.assertNotEqual(self._import(1).partner_id, own)

    def test_province_is_found_by_its_short_name(self):
        order = self._import(1, shipping_address={**ADDRESS, "province": "浙江"})
        self.assertEqual(order.partner_shipping_id.state_id, self.env.ref("base.state_cn_ZJ"))

    def test_unknown_province_stays_readable(self):
        order = self._import(1, shipping_address={**ADDRESS, "province": "云中省"})
        self.assertFalse(order.partner_shipping_id.state_id)
        self.assertEqual(order.partner_shipping_id.city, "云中省 杭州市")

    def test_foreign_currency(self):
        currency = self.env.ref("base.CHF")
        currency.active = True
        order = self._import(1, currency="chf")
        self.assertEqual(order.currency_id, currency)
        self._assert_totals(order, 99.48)

    def test_inactive_currency_is_explained(self):
        self.env.ref("base.CHF").active = False
        self._import(1, currency="chf")
        self.assertIn("CHF is not active", self._message("order_1").last_error)

    def test_payment_in_an_inactive_currency_is_no_money_of_another(self):
        self.env.ref("base.CHF").active = False
        raw = self.shop.place(1, [("OMS-MOUSE", 2, 20.0)], captured=True)
        raw["payment_collections"][0]["payments"][0]["currency_code"] = "chf"
        self._pull()
        message = self._message("order_1")
        self.assertEqual(message.state, "failed")
        self.assertIn("CHF is not active", message.last_error)
        self.assertFalse(self._order("order_1"))
        self.env.ref("base.CHF").active = True
        message.action_retry()
        self._work("message")
        self.assertEqual(self._order("order_1").channel_payment_ids.currency_id.name, "CHF")

    def test_many_new_orders_are_created_in_one_go(self):
        for number in range(1, 8):
            self.shop.place(number, [("OMS-MOUSE", 1, 20.0)])
        self.shop.place(8, [("UNKNOWN", 1, 20.0)])
        sizes = []
        Order = type(self.env["sale.order"])
        original = Order._oms_create_from_channel

        def create(orders, channel, channel_orders):
            sizes.append(len(channel_orders))
            return original(orders, channel, channel_orders)

        self.classPatch(Order, "_oms_create_from_channel", create)
        self._pull()
        self.assertEqual(len(self.channel.order_ids), 7)
        self.assertGreater(max(sizes), 1)

    def test_queries_do_not_grow_with_the_batch(self):
        raws = [self.shop.place(number, [("OMS-MOUSE", 1, 20.0), ("OMS-KEYB", 2, 9.9)]) for number in range(1, 62)]
        self._create(raws[0])
        counts = {}
        for name, batch in (("few", raws[1:6]), ("many", raws[6:56])):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self._create(*batch)
            self.env.flush_all()
            counts[name] = self.env.cr.sql_log_count - start
        self.assertLess(counts["many"] / 50, counts["few"] / 5)
        self.assertLess(counts["many"] / 50, 14, counts)

    def test_what_rules_may_ask_comes_along_and_follows_the_shop(self):
        raw = self.shop.place(1, [("OMS-MOUSE", 1, 20.0)])
        [shop_order] = self._parse(raw)
        told = replace(
            shop_order,
            buyer_ip="203.0.113.7",
            coupon_codes=("SPRING", "VIP"),
            risk_score=Decimal(140),
            is_presale=True,
            ship_from=date(2030, 1, 2),
            ship_by=datetime(2030, 1, 9, 12, tzinfo=UTC),
            is_masked=True,
        )
        order = self.env["sale.order"]._oms_create_from_channel(self.channel, [told])
        self.assertRecordValues(
            order,
            [
                {
                    "oms_buyer_ip": "203.0.113.7",
                    "oms_coupon_codes": "SPRING,VIP",
                    "oms_channel_risk": 100.0,
                    "oms_is_presale": True,
                    "oms_presale_ship_date": date(2030, 1, 2),
                    "commitment_date": datetime(2030, 1, 9, 12),
                    "channel_is_masked": True,
                    "oms_amount_paid": 0.0,
                }
            ],
        )
        order.commitment_date = datetime(2030, 1, 5)  # a person's word stays until the shop changes its own
        payment = ChannelPayment("pay_9", "test", Decimal(30), "USD", "captured", captured_amount=Decimal(30))
        order._oms_apply_channel_order(replace(told, version=f"{told.version}|1", payments=(payment,)))
        self.assertEqual(order.oms_amount_paid, 30.0)
        self.assertEqual(order.commitment_date, datetime(2030, 1, 5))
