from odoo.tests import tagged

from odoo.addons.oms_base.tests.fact_common import FactCommon


@tagged("post_install", "-at_install")
class TestFactHistory(FactCommon):
    def test_first_order_looks_back_only(self):
        later, first = self._order_at(1), self._order_at(0)
        cancelled = self._order_at(-5)
        cancelled._action_cancel()
        orders = later | first | cancelled
        self.assertEqual(self._assert_found(orders, "oms_is_first_order"), first | cancelled)

    def test_orders_of_one_moment_are_told_apart_by_their_id(self):
        one, two = self._order_at(0), self._order_at(0)
        self.assertEqual((one | two).filtered("oms_is_first_order"), one)

    def test_new_address_is_new_for_its_buyer(self):
        first = self._order_at(0)
        known = self._order_at(1)
        elsewhere = self.env["res.partner"].create(
            {**self.buyer.copy_data()[0], "parent_id": self.buyer.id, "type": "delivery", "street": "龙井路 1 号"}
        )
        new = self._order_at(2, partner_shipping_id=elsewhere.id)
        again = self._order_at(3, partner_shipping_id=elsewhere.id)
        stranger = self._order_at(4, partner_id=self._create_buyer("王五").id)
        orders = first | known | new | again | stranger
        self.assertEqual(self._assert_found(orders, "oms_is_new_address"), first | new | stranger)

    def test_counts_by_key_and_window(self):
        same = {"oms_buyer_ip": "203.0.113.9"}
        self._order_at(-24 * 40, **same)
        self._order_at(-24 * 10, **same)
        cancelled = self._order_at(-10, **same)
        cancelled._action_cancel()
        self._order_at(-0.5, **same)
        order, other = self._order_at(0, **same), self._order_at(0, oms_buyer_ip="203.0.113.10")
        for kind in ("ip", "phone", "address", "buyer"):
            counts = [order[f"oms_{kind}_count_{window}"] for window in ("hour", "day", "month")]
            self.assertEqual(counts, [1, 2, 3], kind)
        self.assertEqual(other.oms_ip_count_month, 0)
        found = self.env["sale.order"].search([("oms_ip_count_month", ">=", 3)])
        self.assertEqual(found, order)
        self.assertEqual(order.filtered_domain([("oms_ip_count_month", ">=", 3)]), order)
        self._assert_found(order | other | cancelled, "oms_ip_count_day")

    def test_orders_of_another_company_or_without_key_are_not_counted(self):
        plain = self._order_at(-0.5, channel_id=False)
        order = self._order_at(0)
        self.assertEqual((order.oms_buyer_count_hour, plain.oms_buyer_count_hour, order.oms_ip_count_hour), (0, 0, 0))
        self.assertFalse(plain.oms_is_first_order)

    def test_amount_against_the_average(self):
        first = self._order_at(0, [(self.mouse, 1)])
        self._order_at(1, [(self.mouse, 3)])
        order = self._order_at(2, [(self.mouse, 6)])
        self.assertEqual((first.oms_amount_to_average, order.oms_amount_to_average), (0, 3.0))
        self.assertIn(order, self.env["sale.order"].search([("oms_amount_to_average", ">", 2.5)]))
        self.assertNotIn(order, self.env["sale.order"].search([("oms_amount_to_average", "<", 3)]))
