from datetime import timedelta

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .test_delivery_group import DeliveryGroupCommon


@tagged("post_install", "-at_install")
class TestDeliveryGroupMerge(DeliveryGroupCommon):
    """Which orders can go in one parcel, and what keeps them apart."""

    def _assert_refused(self, orders, reason):
        with self.assertRaisesRegex(UserError, reason):
            orders._oms_merge()
        for found in orders._oms_find_merge_candidates().values():
            self.assertTrue(orders - found, "what is refused is not proposed")

    def test_same_address_however_it_is_written(self):
        first = self._create_order()
        second = self._create_order(
            partner_shipping_id=self._create_buyer(
                "张三", street="文三路９０号", phone="138-0000-0000", parent_id=self.buyer.id, type="delivery"
            ).id
        )
        [(_key, orders)] = first._oms_find_merge_candidates().items()
        self.assertEqual(orders, first | second)
        self.assertEqual(first.oms_merge_candidate_ids, second)
        group = first.with_user(self.user)._oms_merge_with_candidates()
        self.assertEqual(group.order_ids, first | second)
        self._confirm(first | second)
        self.assertEqual(group.picking_ids.partner_id, self.buyer, "one address, though there are two contacts")

    def test_other_buyer_address_or_channel(self):
        first = self._create_order()
        shop = self.channel.copy({"code": "other", "warehouse_ids": self.channel.warehouse_ids.ids})
        for values in (
            {"partner_id": self._create_buyer("李四").id},
            {"partner_shipping_id": self._create_buyer("张三", street="延安路 1 号").id},
            {"channel_id": shop.id},
        ):
            other = self._create_order(**values)
            self._assert_refused(first | other, f"{other.name}: it is for another buyer")

    def test_across_channels_where_both_allow_it(self):
        shop = self.channel.copy({"code": "other", "warehouse_ids": self.channel.warehouse_ids.ids})
        (self.channel | shop).merge_across_channels = True
        first = self._create_order()
        second = self._create_order(channel_id=shop.id, partner_id=self._create_buyer("张三").id)
        self.assertEqual(list(first._oms_find_merge_candidates().values()), [first | second])
        self.assertEqual((first | second)._oms_merge().order_ids, first | second)

    def test_held_sealed_cancelled_and_released_orders_are_named_with_the_reason(self):
        first, sealed, held, refund, cancelled = (self._create_order() for _number in range(5))
        sealed.oms_is_sealed = True
        held._oms_place_hold("address", "x")
        refund._oms_place_hold("refund", "x")
        cancelled._action_cancel()
        for order, reason in (
            (sealed, "is sealed"),
            (held, "on hold"),
            (refund, "on hold"),
            (cancelled, "is cancelled"),
        ):
            self._assert_refused(first | order, f"{order.name}: it {'is ' if reason == 'on hold' else ''}{reason}")
        released = self._confirm(self._create_order())
        released.picking_ids.move_ids[0].picked = True
        self._assert_refused(first | released, f"{released.name}: .*{released.picking_ids.name}")

    def test_a_window_of_delay_does_not_keep_orders_apart(self):
        orders = self._create_pair()
        orders._oms_place_hold("address", "cooling off")
        self._assert_refused(orders, "on hold")
        orders.oms_hold_ids.type_id.allows_merge = True
        self.assertTrue(orders._oms_merge())

    def test_weight_and_time_limits(self):
        orders = self._create_pair()
        self.mouse.weight = 1.0
        self.channel.merge_weight_limit = 4.5
        self._assert_refused(orders, "together they weigh 5, the limit is 4.5")
        self.channel.merge_weight_limit = 5
        orders[1].date_order += timedelta(hours=73)
        self._assert_refused(orders, "more than 72 hours apart")
        self.channel.merge_window_hours = 80
        self.assertTrue(orders._oms_merge())

    def test_only_who_may_write_the_orders_merges_them(self):
        orders = self._create_pair()
        visitor = self._create_user("visitor", "base.group_user")
        with self.assertRaises(AccessError):
            orders.with_user(visitor)._oms_merge()

    def test_search_costs_the_same_for_many_orders(self):
        def count_queries(orders):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.assertEqual(sum(map(len, orders._oms_find_merge_candidates().values())), len(orders))
            return self.cr.sql_log_count - before

        few = self._create_pair()
        few_queries = count_queries(few)
        many = few | self.env["sale.order"].create([self._prepare_order_values() for _number in range(28)])
        self.assertLessEqual(count_queries(many), few_queries + 1)

    def test_changed_address_leaves_the_parcel(self):
        orders = self._confirm(self._create_pair())
        orders._oms_merge()
        elsewhere = self._create_buyer("张三", street="延安路 1 号")
        orders[1].partner_shipping_id = elsewhere
        self.assertFalse(any(orders.mapped("oms_is_grouped")))
        self.assertEqual(orders[0].picking_ids.partner_id, self.buyer)
        self.assertEqual(orders[1].picking_ids.filtered(lambda p: p.state != "cancel").partner_id, elsewhere)

    def test_what_a_transfer_has_one_of_stays_the_same(self):
        orders = self._create_pair()
        orders._oms_merge()
        currency = (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search([("id", "!=", orders.currency_id.id)], limit=1)
        )
        pricelist = self.env["product.pricelist"].create({"name": "Other", "currency_id": currency.id})
        with self.assertRaisesRegex(ValidationError, orders[0].name):
            orders[1].pricelist_id = pricelist
            self.env.flush_all()

    def test_cancelled_order_leaves_and_the_other_goes(self):
        orders = self._confirm(self._create_pair())
        orders._oms_merge()
        first, second = orders
        first._action_cancel()
        self.assertEqual(second.picking_ids.state, "assigned")
        self.assertEqual(sum(second.picking_ids.move_ids.mapped("product_uom_qty")), 3)
        self.assertFalse(any(orders.mapped("oms_is_grouped")))
        self.assertEqual(orders.mapped("oms_stage"), ["cancel", "ready"])
        self._deliver(second)
        self.assertEqual(second.oms_stage, "shipped")

    def test_hold_of_one_order_stops_the_parcel_of_both(self):
        orders = self._confirm(self._create_pair())
        orders._oms_merge()
        orders[1]._oms_place_hold("manual", "wait for me")
        with self.assertRaisesRegex(UserError, "wait for me"):
            self._deliver(orders[0])

    def test_proposals_screen(self):
        orders = self._create_pair()
        Wizard = self.env["oms.merge.proposals"].with_user(self.user)
        wizard = Wizard.browse(Wizard.action_open()["res_id"])
        proposal = wizard.proposal_ids.filtered(lambda row: row.order_ids == orders)
        self.assertEqual((proposal.order_count, proposal.partner_id), (2, self.buyer))
        self.assertEqual(proposal.amount_total, sum(orders.mapped("amount_total")))
        proposal.action_merge()
        self.assertEqual(proposal.group_id.order_ids, orders)
        again = Wizard.browse(Wizard.action_open()["res_id"])
        self.assertFalse(again.proposal_ids.order_ids & orders)

    def test_pre_sale_that_is_not_paid_is_not_merged(self):
        first, second = self._create_order(), self._create_order(oms_is_presale=True, oms_amount_paid=5)
        self._assert_refused(first | second, f"{second.name}: its balance is not paid")
        second.oms_amount_paid = second.amount_total
        self.assertTrue((first | second)._oms_merge())

    def test_who_may_not_change_orders_merges_no_groups(self):
        group = self._confirm(self._create_pair())._oms_merge()
        with self.assertRaises(AccessError):
            group.with_user(self._create_user("oms_plain", "base.group_user")).action_merge()
