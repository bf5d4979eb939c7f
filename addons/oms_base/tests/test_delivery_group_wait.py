from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .test_delivery_group import DeliveryGroupCommon


@tagged("post_install", "-at_install")
class TestDeliveryGroupWait(DeliveryGroupCommon):
    """A parcel of several orders goes to the warehouse when all of them are confirmed, or when time is up."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.orders = cls._create_order() | cls._create_order([(cls.mouse, 3)])
        cls.first, cls.second = cls.orders

    def _get_open_quantity(self):
        moves = self.orders.order_line.move_ids.filtered(lambda move: move.state not in ("done", "cancel"))
        return sum(moves.mapped("product_uom_qty"))

    def _confirm_first(self):
        group = self.orders.with_user(self.user)._oms_merge()
        self._confirm(self.first)
        return group

    def test_confirmed_order_waits_for_the_other(self):
        group = self._confirm_first()
        self.assertEqual((group.state, group.late_order_ids), ("waiting", self.second))
        self.assertFalse(self._get_open_quantity())
        self.assertEqual(self.first.oms_stage, "waiting")
        self._confirm(self.second)
        self.assertEqual((group.state, self._get_open_quantity()), ("open", 6))
        self.assertEqual(len(self.orders.order_line.move_ids.picking_id), 1)
        self.assertEqual(self.orders.mapped("oms_stage"), ["ready", "ready"])

    def test_goods_that_were_asked_for_are_called_back(self):
        self._confirm(self.first)
        group = self.orders._oms_merge()
        self.assertEqual((group.state, self._get_open_quantity()), ("waiting", 0))
        self._confirm(self.second)
        self.assertEqual((group.state, self._get_open_quantity()), ("open", 6))

    def test_after_the_deadline_the_others_go(self):
        self.channel.merge_wait_hours = 5
        group = self._confirm_first()
        self.assertAlmostEqual(group.wait_until, fields.Datetime.now() + timedelta(hours=5), delta=timedelta(minutes=5))
        self._run_cron("oms_base.ir_cron_launch_groups")
        self.assertTrue(group.is_waiting)
        group.wait_until = "2020-01-01"
        self._run_cron("oms_base.ir_cron_launch_groups")
        self.assertEqual((group.is_waiting, self._get_open_quantity()), (False, 3))
        self._confirm(self.second)
        self.assertEqual(self._get_open_quantity(), 6)
        self.assertEqual(len(self.orders.order_line.move_ids.picking_id), 1, "it still gets in")

    def test_who_comes_after_the_parcel_left_goes_alone(self):
        group = self._confirm_first()
        group.wait_until = "2020-01-01"
        self._run_cron("oms_base.ir_cron_launch_groups")
        self._deliver(self.first)
        self._confirm(self.second)
        self.assertEqual(self.orders.mapped("oms_stage"), ["shipped", "ready"])
        self._deliver(self.second)
        self.assertEqual(self.orders.mapped("oms_stage"), ["shipped", "shipped"])

    def test_what_waits_is_known_to_be_wanted(self):
        """It is in no transfer, so nothing else takes it off what the shops are told."""
        group = self._confirm_first()
        goods = self.mouse | self.keyboard
        wanted = self.env["sale.order"]._query_unasked(self.first.company_id, goods)
        self.assertEqual(sum(quantity for _product_id, quantity in wanted), 6)
        group.with_user(self.user).action_launch()
        wanted = self.env["sale.order"]._query_unasked(self.first.company_id, goods)
        self.assertEqual(sum(quantity for _product_id, quantity in wanted), 3, "the late order alone")

    def test_a_channel_that_does_not_wait(self):
        self.channel.merge_wait_hours = 0
        group = self._confirm_first()
        self.assertEqual((group.state, self._get_open_quantity()), ("open", 3))

    def test_a_person_launches_it_now(self):
        group = self._confirm_first()
        group.with_user(self.user).action_launch()
        self.assertEqual((group.is_waiting, self._get_open_quantity()), (False, 3))
        self.first.order_line[0].product_uom_qty = 4
        self.assertEqual((group.is_waiting, self._get_open_quantity()), (False, 5), "and it stays so")

    def test_nobody_is_waited_for_who_is_cancelled_or_taken_out(self):
        self._confirm_first()
        self.second._action_cancel()
        self.assertEqual(self._get_open_quantity(), 3)
        self.assertFalse(self.first.oms_is_grouped)

    def test_undo_lets_the_confirmed_one_go(self):
        group = self._confirm_first()
        group.with_user(self.user).action_undo()
        self.assertFalse(group.exists())
        self.assertEqual(self.orders.mapped("oms_stage"), ["ready", "new"])

    def test_changed_address_of_the_late_one_lets_the_other_go(self):
        self._confirm_first()
        self.second.partner_shipping_id = self._create_buyer("张三", street="延安路 1 号")
        self.assertEqual(self._get_open_quantity(), 3)

    def test_order_held_before_allocation_is_waited_for(self):
        group = self.orders._oms_merge()
        self.second._oms_place_hold("manual", "look").gate = "allocate"
        self._confirm(self.orders)
        self.assertEqual((group.late_order_ids, self._get_open_quantity()), (self.second, 0))
        self.second.oms_hold_ids.with_user(self.user).action_release()
        self.second._oms_launch_pending()
        self.assertEqual(self._get_open_quantity(), 6)

    def test_a_part_split_off_does_not_wait_for_ever(self):
        group = self._confirm_first()
        self.first._oms_split([{self.first.order_line[1]: 1}], group=group)
        self.assertEqual(self._get_open_quantity(), 1, "the part of the confirmed order alone")
        self._confirm(self.second)
        self.assertEqual(self._get_open_quantity(), 6)
