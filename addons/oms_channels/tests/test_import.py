from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from psycopg2.errors import UniqueViolation

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

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

    def test_rates_of_three_decimals_find_their_tax(self):
        for rate in (8.875, 14.975, 6.625):
            self._create_tax(rate)
        self._create_tax(8.88)
        order = self._import(1, [("OMS-MOUSE", 1, 1000.0, 8.875), ("OMS-KEYB", 1, 1000.0, 14.975)])
        self.assertEqual(order.order_line[:2].tax_ids.mapped("amount"), [8.875, 14.975])
        self._assert_totals(order, 2248.5)

    def test_rate_is_as_exact_as_the_shop_tells_it(self):
        exact, rounded = self._create_tax(8.875), self.env["account.tax"]
        [order] = self._parse(self.shop.place(1, [("OMS-MOUSE", 1, 1000.0, 8.875)]))
        found = {}
        for told in ("8.875", "8.8750", "8.88", "8.9", "9", "8.87", "8.876", None):
            line = replace(order.lines[0], tax_rate=told and Decimal(told))
            try:
                found[told] = self.channel._get_part_taxes([(line, "USD")])[line]
            except UserError:
                found[told] = rounded
        fits = {told for told, tax in found.items() if tax}
        self.assertEqual(fits, {"8.875", "8.8750", "8.88", "8.87", None})
        self.assertEqual(found["8.875"], exact)

    def test_rate_that_is_not_told_is_the_nearest_the_amounts_allow(self):
        """Of 5.00 it takes 0.44: 8.8 %, by rounding anything from 8.6 to 9 %."""
        self._create_tax(8.875)
        self._create_tax(8.0)
        [order] = self._parse(self.shop.place(1, [("OMS-MOUSE", 1, 5.0, 8.0)]))
        line = replace(order.lines[0], tax_rate=None, tax_amount=Decimal("0.44"), total=Decimal("5.44"))
        self.assertEqual(self.channel._get_part_taxes([(line, "USD")])[line].amount, 8.875)
        # 39 yen of 499: whole yen only
        line = replace(line, tax_amount=Decimal(39), total=Decimal(538))
        self.assertEqual(self.channel._get_part_taxes([(line, "JPY")])[line].amount, 8.0)

    def test_any_rate_takes_the_amount_of_tax_from_the_shop(self):
        local = self._create_tax(10.0)
        self._map_any_rate(name="Sales tax of all places", amount=1.0)
        self._create_tax(8.875)
        self.channel.tax_ids = [Command.create({"rate": 10.0, "tax_id": local.id})]
        order = self._import(1, [("OMS-MOUSE", 3, 9.99, 8.875, 1.0), ("OMS-KEYB", 1, 49.5, 10.0)], captured=True)
        self.assertEqual(order.order_line[0].tax_ids.name, "Sales tax of all places")
        self.assertEqual(order.order_line[1].tax_ids, local)
        self.assertEqual(round(order.order_line[0].price_tax, 2), 2.57)  # 28.97 at 8.875 %
        self._assert_totals(order, round(28.97 + 2.57 + 49.5 * 1.1 + 10, 2))
        # What is taken off, is invoiced in parts or credited goes at the same rate.
        order.action_confirm()
        order.order_line[0].product_uom_qty = 2
        self.assertEqual(round(order.order_line[0].price_tax, 2), 1.71)  # 19.3133 at 8.875 %
        for line in order.order_line:
            line.product_id.invoice_policy = "delivery"
        order.order_line.qty_delivered = 1
        invoice = order._create_invoices()
        line = invoice.invoice_line_ids.filtered(lambda line: line.product_id == self.mouse)
        self.assertEqual((line.quantity, line.price_subtotal, line.price_total), (1.0, 9.66, 10.52))
        invoice.action_post()
        self.assertEqual(invoice.amount_tax, round(0.86 + 4.95, 2))
        credit = invoice._reverse_moves()
        self.assertEqual(credit.amount_tax, invoice.amount_tax)
        values = line._oms_prepare_credit_values(1.0)
        price = line.tax_ids._oms_get_price(5.44, self.mouse, order.currency_id, values["extra_tax_data"])
        self.assertEqual(price, 5.0)

    def test_any_rate_where_prices_include_the_tax(self):
        for included in ("tax_included", "tax_excluded"):
            with self.subTest(included):
                self.channel.tax_ids.unlink()
                tax = self._map_any_rate(name=included, price_include_override=included)
                number = 20 + (included == "tax_included")
                raw = self.shop.place(number, [("OMS-MOUSE", 2, 19.99)], shipping=0)
                item = {"is_tax_inclusive": True, "tax_lines": [{"rate": 8.875}], "tax_total": 3.26, "total": 39.98}
                raw["items"][0].update(item)
                [order] = self._create(raw)
                line = order.order_line
                self.assertEqual((line.tax_ids, line.price_subtotal, round(line.price_tax, 2)), (tax, 36.72, 3.26))
                self._assert_totals(order, 39.98)

    def test_any_rate_follows_a_tax_that_the_shop_changes(self):
        self._map_any_rate()
        self.channel.edit_policy_ids.filtered(lambda row: row.part == "lines").ready = "apply"
        order = self._import(1, [("OMS-MOUSE", 1, 100.0, 8.875)], shipping=0)
        self._assert_totals(order, 108.88)
        order.action_confirm()
        raw = self.shop.orders["order_1"]
        raw["items"][0].update(tax_lines=[{"rate": 6.625}], tax_total=6.625, total=106.625)
        self.shop.change("order_1", total=106.63)
        self._pull()
        self._assert_totals(order, 106.63)

    def test_any_rate_takes_one_tax_in_percent(self):
        fixed = self._create_tax(1.0, amount_type="fixed")
        with self.assertRaises(ValidationError):
            self.channel.tax_ids = [Command.create({"is_any_rate": True, "tax_id": fixed.id})]
        self._map_any_rate()
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            self._map_any_rate()

    def _map_any_rate(self, **values):
        name = f"Any rate {len(self.channel.tax_ids)}"
        tax = self._create_tax(0.0, **{"name": name, **values})
        self.channel.tax_ids = [Command.create({"is_any_rate": True, "tax_id": tax.id})]
        return tax

    def test_whole_yen_of_rounding_are_tolerated(self):
        yen = self.env.ref("base.JPY")
        yen.active = True
        raw = self.shop.place(1, [("OMS-MOUSE", 1, 1000)], shipping=0, currency="jpy")
        raw["total"] += 2
        [order] = self._create(raw)
        self.assertEqual(order.currency_id, yen)
        self._assert_totals(order, 1002.0)
        raw = self.shop.place(2, [("OMS-MOUSE", 1, 1000)], shipping=0, currency="jpy")
        raw["total"] += 6
        [order] = self._create(raw)
        self.assertEqual(order.channel_amount_difference, -6.0)

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

    def test_member_and_guest_of_one_email_are_one_contact(self):
        """In one batch, in either order, and where the channel has met the address before."""
        for number, ids in enumerate((["cus_5", None], [None, "cus_6"], [None, "cus_7", "cus_8"])):
            email = f"both{number}@example.com"
            places = [
                self.shop.place(number * 10 + index, [("OMS-MOUSE", 1, 20.0)], customer_id=customer, email=email)
                for index, customer in enumerate(ids, 1)
            ]
            orders = self.env["sale.order"].union(*self._create(*places))
            self.assertEqual(len(orders.partner_id), 1, ids)
            again = self._create(
                *(
                    self.shop.place(number * 10 + index, [("OMS-MOUSE", 1, 20.0)], customer_id=customer, email=email)
                    for index, customer in enumerate(["cus_late", None, "cus_later"], 5)
                )
            )
            self.assertEqual(self.env["sale.order"].union(*again).partner_id, orders.partner_id, ids)

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
