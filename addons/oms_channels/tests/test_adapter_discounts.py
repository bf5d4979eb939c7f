from decimal import Decimal

from odoo.addons.oms_channels.adapters.api import mapper as api
from odoo.addons.oms_channels.adapters.custom import mapper as custom
from odoo.addons.oms_channels.adapters.errors import BadResponse
from odoo.addons.oms_channels.adapters.jd import mapper as jd
from odoo.addons.oms_channels.adapters.shopify import mapper as shopify
from odoo.addons.oms_channels.adapters.taobao import mapper as taobao
from odoo.addons.oms_channels.adapters.types import ChannelDiscount, complete_discounts
from odoo.addons.oms_channels.adapters.vendure import mapper as vendure
from odoo.addons.oms_channels.adapters.wechat import mapper as wechat
from odoo.addons.oms_channels.adapters.woocommerce import mapper as woocommerce

from .adapter_common import AdapterCase, read_data


def tell(line):
    """[(source, code, amount to the cent)] of a line's discounts."""
    return [(row.source, row.code, round(row.amount, 2)) for row in line.discounts]


class TestDiscountSources(AdapterCase):
    """What each platform tells of who gives a discount; together they are always the line's."""

    def _check(self, order):
        for part in (*order.lines, *order.shippings):
            self.assertEqual(sum(row.amount for row in part.discounts), part.discount_amount)
        return [tell(line) for line in order.lines]

    def test_completed_to_what_the_line_says(self):
        ten, four = ChannelDiscount("coupon", Decimal(10), "TEN"), ChannelDiscount("seller", Decimal(4))
        self.assertEqual(complete_discounts((ten, four), Decimal(14)), (ten, four))
        self.assertEqual(complete_discounts((ten,), Decimal(12)), (ten, ChannelDiscount("other", Decimal(2))))
        halved = complete_discounts((ten, four), Decimal(7))
        self.assertEqual([row.amount for row in halved], [5, 2])
        self.assertEqual(complete_discounts((ten,), Decimal("10.001"))[0].amount, Decimal("10.001"))
        self.assertEqual(complete_discounts((ten,), Decimal(0)), ())
        self.assertEqual(complete_discounts((), Decimal(-3)), (ChannelDiscount("other", Decimal(-3)),))
        third = complete_discounts((ten, ten._replace(code="B"), ten), Decimal(10))
        self.assertEqual(sum(row.amount for row in third), 10)

    def test_taobao_promotions_are_shared_and_its_own_discount_is_the_sellers(self):
        mouse, pad = self._check(taobao.map_order(read_data("taobao/trade")))
        self.assertEqual(
            mouse,
            [
                ("seller", "", Decimal("5.00")),
                ("seller", "满减", Decimal("8.50")),
                ("coupon", "shopbonus-51_886", Decimal("2.83")),
            ],
        )
        self.assertEqual(pad, [])

    def test_jd_names_the_promotions_of_an_item(self):
        soap, towel, _gift = self._check(jd.map_order(read_data("jd/order")))
        self.assertEqual(soap, [("seller", "单品促销优惠", Decimal("5.00")), ("seller", "", Decimal("2.91"))])
        self.assertEqual(towel, [("seller", "", Decimal("2.10"))])

    def test_wechat_coupons_of_the_seller_are_told_apart(self):
        raw = read_data("wechat/order")
        product = raw["order_detail"]["product_infos"][0]
        product["order_product_coupon_info_list"] = [
            {"coupon_type": 1, "coupon_id": "C9", "discounted_price": 150},
            {"coupon_type": 3, "coupon_id": "P1", "discounted_price": 700},
        ]
        first, *_others = self._check(wechat.map_order(raw))
        self.assertEqual(first, [("coupon", "C9", Decimal("1.50")), ("seller", "", Decimal("2.50"))])

    def test_woocommerce_coupons_are_shared_and_the_rest_was_by_hand(self):
        raw = read_data("woocommerce/order_placed")
        item = raw["line_items"][0]
        raw.update(line_items=[item], fee_lines=[], shipping_lines=[], prices_include_tax=False)
        item.update(quantity=2, subtotal="40.00", total="30.00", total_tax="0.00", subtotal_tax="0.00", taxes=[])
        raw["coupon_lines"] = [{"code": "a", "discount": "6.00"}, {"code": "b", "discount": "2.00"}]
        [line] = self._check(woocommerce.map_order(raw))
        wanted = [("coupon", "a", Decimal(6)), ("coupon", "b", Decimal(2)), ("manual", "", Decimal(2))]
        self.assertEqual(line, wanted)

    def test_shopify_tells_the_kind_of_each(self):
        raw = read_data("shopify/order_placed")
        line = raw["lineItems"]["nodes"][0]
        bag = line["discountAllocations"][0]["allocatedAmountSet"]
        kinds = ("AutomaticDiscountApplication", "ManualDiscountApplication", "FutureDiscountApplication")
        line["discountAllocations"] = [
            {
                "allocatedAmountSet": bag,
                "discountApplication": {"__typename": "DiscountCodeApplication", "code": "TEN"},
            },
            *({"allocatedAmountSet": bag, "discountApplication": {"__typename": kind, "title": "T"}} for kind in kinds),
        ]
        first, *_others = self._check(shopify.map_order(raw))
        self.assertEqual(
            [row[:2] for row in first], [("coupon", "TEN"), ("seller", "T"), ("manual", "T"), ("other", "T")]
        )

    def test_vendure_promotions_with_and_without_a_code(self):
        raw = read_data("vendure/order_placed")
        line = next(row for row in vendure.map_order(raw).lines if row.discount_amount)
        cents = int(line.discount_amount * 100)
        row = next(one for one in raw["lines"] if one["id"] == line.external_id)
        raw["promotions"] = [{"id": "7", "couponCode": "TEN"}, {"id": "8", "couponCode": None}]
        row["discounts"] = [
            {"adjustmentSource": "PROMOTION:7", "type": "PROMOTION", "description": "a", "amountWithTax": 100 - cents},
            {"adjustmentSource": "PROMOTION:8", "type": "PROMOTION", "description": "b", "amountWithTax": -60},
            {"adjustmentSource": "x:1", "type": "OTHER", "description": "c", "amountWithTax": -40},
        ]
        self._check(vendure.map_order(raw))
        now = next(one for one in vendure.map_order(raw).lines if one.external_id == line.external_id)
        self.assertEqual([one[:2] for one in tell(now)], [("coupon", "TEN"), ("seller", "b"), ("manual", "c")])

    def test_ours_must_add_up(self):
        line = {"sku": "M", "quantity": 1, "price_unit": "20"}
        order = {"external_id": "A1", "currency": "EUR", "placed_at": "2026-01-01T00:00:00Z", "lines": [line]}
        line["discounts"] = [{"source": "platform", "amount": "2"}, {"source": "coupon", "code": "X", "amount": "1.5"}]
        [found] = api.map_order(order).lines
        self.assertEqual((found.discount_amount, found.total), (Decimal("3.5"), Decimal("16.5")))
        self.assertEqual(tell(found), [("platform", "", 2), ("coupon", "X", Decimal("1.5"))])
        with self.assertRaises(BadResponse):
            api.map_order({**order, "lines": [{**line, "discount_amount": "4"}]})
        with self.assertRaises(BadResponse):
            api.map_order({**order, "lines": [{**line, "discounts": [{"source": "gods", "amount": "1"}]}]})

    def test_connector_reads_lists(self):
        read = custom._read_discounts
        self.assertEqual(
            read([["coupon", "1.50", "A"], ["moon", 2]]),
            (ChannelDiscount("coupon", Decimal("1.50"), "A"), ChannelDiscount("other", Decimal(2))),
        )
        self.assertEqual(read(None), ())
        for nonsense in ([["coupon"]], [3], [["coupon", "much", "A"]]):
            with self.assertRaises(BadResponse):
                read(nonsense)
