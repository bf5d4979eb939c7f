from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import ChannelsCommon


@tagged("post_install", "-at_install")
class TestDiscounts(ChannelsCommon):
    """Who gave a discount is kept by source; prices and totals are what they were."""

    def _place(self, number=1, *adjustments, discount=10.0):
        raw = self.shop.place(number, [("OMS-MOUSE", 3, 20.0, 0.0, discount), ("OMS-KEYB", 1, 9.99)])
        raw["items"][0]["adjustments"] = [dict(row) for row in adjustments]
        self._pull()
        return self._order(raw["id"])

    def _rows(self, order):
        return [(row.source, row.code, row.amount) for row in order.channel_discount_ids.sorted("id")]

    def test_discounts_are_kept_by_source_and_add_up(self):
        order = self._place(1, {"amount": 6.67, "code": "TEN"}, {"amount": 2.0, "description": "Staff"})
        self.assertEqual(self._rows(order), [("coupon", "TEN", 6.67), ("manual", "Staff", 2.0), ("other", False, 1.33)])
        self._assert_totals(order, 69.99)
        line = order.order_line.filtered("channel_discount_ids")
        self.assertEqual(line.product_id, self.mouse)
        self.assertRecordValues(
            order.channel_discount_ids[:1],
            [{"channel_id": self.channel.id, "date": order.date_order, "company_id": order.company_id.id}],
        )

    def test_read_again_they_are_the_same(self):
        order = self._place(1, {"amount": 10.0, "code": "TEN"})
        self.shop.change("order_1", metadata={"note": "x"})
        self._pull()
        self.assertEqual(self._rows(order), [("coupon", "TEN", 10.0)])

    def test_changed_order_has_the_discounts_of_now(self):
        self.channel.edit_policy_ids.filtered(lambda row: row.part == "lines").ready = "apply"
        order = self._place(1, {"amount": 10.0, "code": "TEN"})
        order.action_confirm()
        items = self.shop.orders["order_1"]["items"]
        items[0] = {**self.shop._prepare_item("ordli_1_0", "OMS-MOUSE", 2, 20.0, 0.0, 5.0)}
        items[0]["adjustments"] = [{"amount": 5.0, "code": "FIVE"}]
        self.shop.change("order_1", items=items, total=54.99)
        self._pull()
        self.assertEqual(self._rows(order), [("coupon", "FIVE", 5.0)])
        self._assert_totals(order, 54.99)

    def test_order_without_a_discount_has_none(self):
        order = self._import(1)
        self.assertFalse(order.channel_discount_ids)

    def test_accountants_read_and_nobody_writes_them(self):
        order = self._place(1, {"amount": 10.0, "code": "TEN"})
        accountant = self.env["res.users"].create(
            {
                "name": "Discount Reader",
                "login": "discount-reader",
                "group_ids": [(6, 0, [self.env.ref("oms_base.oms_base_group_accountant").id])],
            }
        )
        Discount = self.env["oms.channel.discount"].with_user(accountant)
        groups = Discount._read_group([("order_id", "=", order.id)], ["source"], ["amount:sum"])
        self.assertEqual(groups, [("coupon", 10.0)])
        with self.assertRaises(AccessError):
            Discount.browse(order.channel_discount_ids.ids).amount = 1.0

    def test_queries_do_not_grow_with_the_batch(self):
        counts = []
        for size in (3, 12):
            first = len(self.shop.orders) + 1
            for number in range(first, first + size):
                raw = self.shop.place(number, [("OMS-MOUSE", 3, 20.0, 0.0, 10.0)])
                raw["items"][0]["adjustments"] = [{"amount": 6.0, "code": "SIX"}]
            self.channel.next_pull_date = "2026-01-01 00:00:00"
            self._run_cron(f"oms_channels.ir_cron_pull_lane_{self.channel.id % 2}")
            self.env.flush_all()
            start = self.env.cr.sql_log_count
            self._work("message")
            self.env.flush_all()
            counts.append((self.env.cr.sql_log_count - start) / size)
        self.assertLess(counts[1], counts[0])
