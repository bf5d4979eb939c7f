from odoo.tests import tagged

from .test_gifts import GiftCommon


@tagged("post_install", "-at_install")
class TestGiftParcel(GiftCommon):
    """A gift for what travels together follows merging and taking apart."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["oms.rule"].search([]).state = "draft"
        cls.channel.merge_window_hours = 24
        cls.gift = cls._create_gift(counts_parcel=True)
        cls._create_gift_rule(cls.gift)
        cls.first, cls.second = (
            cls._create_order([(cls.keyboard, 1), (cls.mouse, 1)]),
            cls._create_order([(cls.keyboard, 1)]),
        )
        (cls.first | cls.second)._oms_review()

    def test_merged_orders_earn_together_and_apart_they_do_not(self):
        orders = self.first | self.second
        self.assertEqual([self._get_given(order) for order in orders], [{}, {}])
        group = orders._oms_merge()
        self.assertEqual(self.second.oms_pending_parts, "parcel")
        orders._oms_judge_changes()
        self.assertEqual([self._get_given(order) for order in orders], [{"Mug": 1}, {}])
        self.assertIn(self.first._get_gift_lines(), group.line_ids.line_id)
        group.action_undo()
        orders._oms_judge_changes()
        self.assertEqual([self._get_given(order) for order in orders], [{}, {}])

    def test_change_of_one_order_counts_for_the_parcel(self):
        orders = self.first | self.second
        orders._oms_merge()
        orders._oms_judge_changes()
        self.second.order_line.product_uom_qty = 0
        self.assertEqual(self.first.oms_pending_parts, "parcel")
        orders._oms_judge_changes()
        self.assertEqual(self._get_given(self.first), {})

    def test_orders_merged_by_a_rule_on_arrival_earn_together(self):
        self._create_rule("[]", sequence=1, actions=[{"type": "merge"}])
        third = self._create_order([(self.mouse, 1)])
        third._oms_review()
        orders = self.first | self.second | third
        orders._oms_judge_changes()
        self.assertEqual([self._get_given(order) for order in orders], [{"Mug": 1}, {}, {}])

    def test_without_the_option_each_order_counts_alone(self):
        self.gift.counts_parcel = False
        orders = self.first | self.second
        orders._oms_merge()
        self.assertFalse(self.second.oms_pending_parts)
        orders._oms_review()
        self.assertEqual([self._get_given(order) for order in orders], [{}, {}])
