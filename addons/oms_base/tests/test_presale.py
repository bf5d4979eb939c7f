from odoo import fields
from odoo.tests import tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestPresale(OmsBaseCommon):
    """The order of the tests costs 90."""

    def _order(self, paid=0.0, days=None, **values):
        today = fields.Date.context_today(self.env.user)
        return self._create_order(
            oms_is_presale=True,
            oms_amount_paid=paid,
            oms_presale_ship_date=fields.Date.add(today, days=days) if days is not None else False,
            **values,
        )

    def test_the_balance_is_what_the_channel_asks_less_what_is_paid(self):
        self.assertEqual(self._order(paid=20).oms_balance_due, 70)
        self.assertEqual(self._order(paid=20, channel_amount_total=80).oms_balance_due, 60)
        self.assertEqual(self._order(paid=95).oms_balance_due, 0)
        self.assertEqual(self._create_order().oms_balance_due, 0)

    def test_facts_are_searchable_both_ways(self):
        unpaid, early, ready = self._order(), self._order(90, days=3), self._order(90)
        plain = self._create_order()
        orders = unpaid | early | ready | plain
        for fact, matching in (("oms_awaits_balance", unpaid), ("oms_awaits_ship_date", early)):
            for value in (True, False):
                domain = [(fact, "=", value)]
                found = self.env["sale.order"].search([("id", "in", orders.ids), *domain])
                self.assertEqual(found, orders.filtered_domain(domain), (fact, value))
                self.assertEqual(found & matching, matching if value else self.env["sale.order"])

    def test_the_hold_goes_when_balance_and_day_have_come(self):
        orders = self._order(days=0), self._order(90, days=2), self._order(90, days=0), self._order(90)
        unpaid, early, due, undated = (order._oms_place_hold("presale", "Pre-sale") for order in orders)
        self._run_cron("oms_base.ir_cron_release_holds")
        self.assertEqual([hold.state for hold in (unpaid, early)], ["active", "active"])
        self.assertEqual([hold.resolution for hold in (due, undated)], ["settled", "settled"])
        unpaid.order_id.oms_amount_paid = 90
        self._run_cron("oms_base.ir_cron_release_holds")
        self.assertEqual((unpaid.state, early.state), ("released", "active"))

    def test_a_presale_is_confirmed_and_waits_before_the_warehouse(self):
        order = self._order(days=5)
        order._oms_place_hold("presale", "Pre-sale")
        order.action_confirm()
        self.assertEqual((order.state, order.oms_stage), ("sale", "held"))
        self.assertFalse(order._oms_filter_open("release"))

    def test_the_delay_window_lets_the_buyer_cancel(self):
        order = self._create_order()
        hold = order._oms_place_hold("delay", "Half an hour")
        self.assertTrue(hold.auto_release_date)
        self.assertFalse(order._oms_filter_open("confirm"))
        order._action_cancel()
        self.assertEqual(hold.resolution, "cancelled")
