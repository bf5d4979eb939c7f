from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common import OmsAllocationCommon


@tagged("post_install", "-at_install")
class TestPromises(OmsAllocationCommon):
    """A channel that binds stock for a day for orders that wait."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.channel.write({"promise_hours": 24, "auto_confirm": False})
        cls._set_stocks(cls.lamp, shanghai=3, beijing=2)

    def receive(self, quantity=4, **values):
        """An order comes in and waits for a person."""
        order = self._create_order([(self.lamp, quantity)], **values)
        order._oms_review_and_confirm()
        self.assertEqual(order.state, "draft")
        return order

    def get_sellable(self):
        found = self.channel._get_sellable_quantities(self.lamp)
        return found[self.lamp.id, self.shanghai.id], found[self.lamp.id, self.beijing.id]

    def get_promised(self, orders):
        rows = orders.oms_promise_ids.filtered(lambda promise: promise.state == "active")
        return {row.warehouse_id.name: row.quantity for row in rows}

    def test_order_that_waits_binds_what_it_would_get(self):
        order = self.receive()
        self.assertEqual(self.get_promised(order), {"Shanghai": 3, "Beijing": 1})
        self.assertEqual(self.get_sellable(), (0, 1))
        self.assertAlmostEqual(
            order.oms_promise_date, fields.Datetime.now() + timedelta(hours=24), delta=timedelta(minutes=5)
        )

    def test_channel_that_does_not_ask_binds_nothing(self):
        self.channel.promise_hours = 0
        self.assertFalse(self.receive().oms_promise_ids)
        self.assertEqual(self.get_sellable(), (3, 2))
        with self.assertRaises(UserError):
            self.receive().with_user(self.user).action_oms_promise()

    def test_never_more_than_there_is(self):
        first, second = self.receive(), self.receive()
        self.assertEqual(self.get_promised(first), {"Shanghai": 3, "Beijing": 1})
        self.assertEqual(self.get_promised(second), {"Beijing": 1})
        self.assertEqual((first.oms_has_shortage, second.oms_has_shortage), (False, True))
        self.assertEqual(self.get_sellable(), (0, 0))

    def test_judged_again_it_is_bound_once(self):
        order = self.receive()
        promises = order.oms_promise_ids
        order._oms_review_and_confirm()
        self.assertEqual(order.oms_promise_ids, promises)

    def test_others_do_not_get_it_and_the_order_does(self):
        order = self.receive()
        other = self._confirm([(self.lamp, 3)])
        self.assertEqual(other.oms_short_quantity, 2)
        order.with_user(self.user).action_confirm()
        self.assertAllocated(order, {("Lamp", "Shanghai"): 3, ("Lamp", "Beijing"): 1})
        self.assertEqual(order.oms_short_quantity, 0)
        self.assertEqual(set(order.oms_promise_ids.mapped("state")), {"used"})
        self.assertEqual(sum(order.order_line.move_ids.mapped("quantity")), 4)

    def test_batch_does_not_take_what_is_bound_for_one_of_it(self):
        waiting = self.receive(3)
        urgent = self.channel.copy({"name": "Urgent", "code": "urgent", "sequence": 1, "promise_hours": 0})
        early = self._create_order([(self.lamp, 4)], channel_id=urgent.id)
        orders = waiting | early
        early._oms_review()
        orders.oms_hold_ids.with_user(self.manager).action_release("It may wait.")
        orders.action_confirm()
        self.assertEqual(set(orders.mapped("state")), {"sale"})
        self.assertEqual((early.oms_short_quantity, waiting.oms_short_quantity), (2, 0))

    def test_cancellation_and_change_give_it_back(self):
        order = self.receive()
        order.order_line.product_uom_qty = 2
        self.assertEqual(self.get_promised(order), {})
        order._oms_review_and_confirm()
        self.assertEqual(self.get_promised(order), {"Shanghai": 2})
        order.order_line.product_uom_qty = 2  # the same again changes nothing
        self.assertEqual(self.get_promised(order), {"Shanghai": 2})
        order.with_user(self.user)._action_cancel()
        self.assertEqual(self.get_promised(order), {})
        self.assertEqual(self.get_sellable(), (3, 2))

    def test_it_expires_by_itself_and_can_be_renewed(self):
        order = self.receive()
        order.oms_promise_ids.sudo().expire_date = fields.Datetime.now() - timedelta(seconds=5)
        self.assertEqual(self.get_sellable(), (3, 2))
        self._run_cron("oms_allocation.ir_cron_expire_promises")
        self.assertEqual(set(order.oms_promise_ids.mapped("state")), {"expired"})
        order._oms_review_and_confirm()
        self.assertEqual(self.get_promised(order), {}, "only a person renews it")
        order.with_user(self.user).action_oms_promise()
        self.assertEqual(self.get_promised(order), {"Shanghai": 3, "Beijing": 1})
        order.with_user(self.user).action_oms_promise()
        self.assertEqual(self.get_promised(order), {"Shanghai": 3, "Beijing": 1})

    def test_who_may_not_write_orders_promises_nothing(self):
        order = self.receive()
        with self.assertRaises(AccessError):
            order.with_user(self._create_user("oms_nobody", "base.group_user")).action_oms_promise()

    def test_owner_of_a_quota_uses_it_by_a_promise(self):
        pool = self.env["oms.stock.pool"].create(
            {
                "name": "Quota",
                "mode": "quota",
                "start_date": fields.Datetime.now() - timedelta(hours=1),
                "channel_ids": [Command.set(self.channel.ids)],
                "line_ids": [Command.create({"product_id": self.lamp.id, "quantity": 2})],
            }
        )
        order = self.receive(3)
        self.assertEqual(pool.taken_quantity, 2)
        order.with_user(self.user).action_confirm()
        self.assertEqual(order.oms_short_quantity, 0)

    def test_queries_do_not_grow_with_the_batch(self):
        def count(size):
            orders = self.env["sale.order"].create(
                [self._prepare_order_values([(self.lamp, 1)]) for _number in range(size)]
            )
            orders.oms_review_date = fields.Datetime.now()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            orders._oms_promise_stock()
            self.env.flush_all()
            return self.cr.sql_log_count - before

        self._set_stocks(self.lamp, shanghai=1000)
        count(2)
        self.assertLessEqual(count(20), count(2) + 2)


@tagged("post_install", "-at_install")
class TestShelfLife(OmsAllocationCommon):
    """Milk of three lots: past its removal, for ten days, for a hundred."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.milk = cls.env["product.product"].create(
            {"name": "Milk", "is_storable": True, "tracking": "lot", "use_expiration_date": True, "taxes_id": False}
        )
        cls.milk.categ_id = cls.env["product.category"].create(
            {"name": "Fresh", "removal_strategy_id": cls.env.ref("product_expiry.removal_fefo").id}
        )
        cls.lots = cls.env["stock.lot"]
        for name, days, quantity in (("old", -1, 4), ("soon", 10, 3), ("late", 100, 2)):
            date = fields.Datetime.now() + timedelta(days=days)
            lot = cls.env["stock.lot"].create({"name": name, "product_id": cls.milk.id})
            lot.write({"expiration_date": date, "removal_date": date})
            cls.lots |= lot
            cls.env["stock.quant"]._update_available_quantity(cls.milk, cls.shanghai.lot_stock_id, quantity, lot_id=lot)

    def get_sellable(self):
        return self.channel._get_sellable_quantities(self.milk)[self.milk.id, self.shanghai.id]

    def get_lots(self, order):
        lines = order.order_line.move_ids.move_line_ids
        return {line.lot_id.name: line.quantity for line in lines}

    def test_what_is_past_its_removal_is_not_sold(self):
        self.assertEqual(self.get_sellable(), 5)

    def test_what_has_no_removal_date_is_sold(self):
        """Odoo reserves it, so it is on hand; a condition on an unknown date is neither true nor false."""
        lot = self.env["stock.lot"].create({"name": "dateless", "product_id": self.milk.id})
        lot.write({"expiration_date": False, "removal_date": False})
        self.env["stock.quant"]._update_available_quantity(self.milk, self.shanghai.lot_stock_id, 6, lot_id=lot)
        self.assertEqual(self.get_sellable(), 11)
        self.assertEqual(sum(self.get_lots(self._confirm([(self.milk, 11)])).values()), 11)

    def test_first_expired_goes_first(self):
        self.assertEqual(self.get_lots(self._confirm([(self.milk, 4)])), {"soon": 3, "late": 1})

    def test_channel_that_demands_a_life_gets_only_such_lots(self):
        self.channel.min_shelf_life_days = 30
        self.assertEqual(self.get_sellable(), 2)
        order = self._confirm([(self.milk, 4)])
        self.assertEqual(self.get_lots(order), {"late": 2})
        self.assertEqual(order.oms_short_quantity, 2)
        order.picking_ids.action_assign()
        order._oms_reallocate()
        self.assertEqual(self.get_lots(order), {"late": 2})
        self.channel.min_shelf_life_days = 0
        self.assertEqual(self.get_lots(self._confirm([(self.milk, 1)])), {"soon": 1})

    def test_steps_of_the_way_all_know_it(self):
        self.shanghai.delivery_steps = "pick_ship"
        self.buyer.oms_min_shelf_life_days = 30
        order = self._confirm([(self.milk, 1)])
        self.assertEqual(self.get_lots(order), {"late": 1})
        self.assertTrue(all(order.order_line.move_ids.mapped("oms_min_expiration_date")))

    def test_customers_and_their_groups_may_demand_it(self):
        tag = self.env["res.partner.category"].create({"name": "Hospitals", "oms_min_shelf_life_days": 30})
        self.buyer.category_id = [Command.set(tag.ids)]
        orders = self._create_order([(self.milk, 3)]) | self._create_order(
            [(self.milk, 3)], partner_id=self._create_buyer("李四").id
        )
        self.assertEqual(orders.mapped("oms_has_shortage"), [True, False])

    def test_batch_with_and_without_a_demand(self):
        self.buyer.oms_min_shelf_life_days = 30
        other = self._create_buyer("李四")
        orders = self.env["sale.order"].create(
            [
                self._prepare_order_values([(self.milk, quantity)], partner_id=partner.id)
                for partner, quantity in ((other, 4), (self.buyer, 2), (other, 1))
            ]
        )
        orders.action_confirm()
        self.assertEqual(orders.mapped("oms_short_quantity"), [0, 1, 1])

    def _set_aims(self, *types):
        """Have the channel's orders sourced by these aims, the first that differs decides."""
        self.channel.oms_strategy_id = self.env["oms.sourcing.strategy"].create(
            {"name": "Test", "aim_ids": [Command.create({"type": t, "sequence": n}) for n, t in enumerate(types)]}
        )

    def test_what_expires_first_comes_from_where_it_is(self):
        lot = self.env["stock.lot"].create({"name": "first", "product_id": self.milk.id})
        date = fields.Datetime.now() + timedelta(days=5)
        lot.write({"expiration_date": date, "removal_date": date})
        self.env["stock.quant"]._update_available_quantity(self.milk, self.beijing.lot_stock_id, 4, lot_id=lot)
        self._set_aims("distance")
        self.assertAllocated(self._confirm([(self.milk, 1)]), {("Milk", "Shanghai"): 1})
        self._set_aims("expiry", "distance")
        order = self._confirm([(self.milk, 3)])
        self.assertAllocated(order, {("Milk", "Beijing"): 3})
        self.assertIn("has younger stock", order.oms_allocation_why)
        self.assertAllocated(
            self._confirm([(self.milk, 2)]), {("Milk", "Beijing"): 1, ("Milk", "Shanghai"): 1}
        )  # one of the first lot is left
        self.buyer.oms_min_shelf_life_days = 30
        self.assertAllocated(self._confirm([(self.milk, 1)]), {("Milk", "Shanghai"): 1})

    def test_what_came_in_first_comes_from_where_it_is(self):
        self._set_stocks(self.lamp, shanghai=5, beijing=5)
        quants = self.env["stock.quant"].search(
            [("product_id", "=", self.lamp.id), ("location_id", "=", self.beijing.lot_stock_id.id)]
        )
        quants.in_date = fields.Datetime.now() - timedelta(days=90)
        self._set_aims("fifo", "distance")
        self.assertAllocated(self._confirm([(self.lamp, 2)]), {("Lamp", "Beijing"): 2})
        with self.assertRaises(ValidationError):
            self._set_aims("fifo", "expiry")

    def test_what_expires_too_early_is_said_to(self):
        self.channel.min_shelf_life_days = 30
        order = self._confirm([(self.milk, 4)])
        decision = order.oms_decision_ids.filtered(lambda decision: decision.kind == "allocation")
        self.assertEqual([row["reason"] for row in decision.data["shortages"]], ["lot_life"])
        nothing = self._confirm([(self.milk, 1)])
        self.assertIn("has only lots that expire too early", nothing.oms_allocation_why)

    def test_ages_are_read_where_somebody_asks_for_them(self):
        def count():
            orders = self._create_order([(self.lamp, 1)]) | self._create_order([(self.desk, 1)])
            orders.write({"state": "sale"})
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            orders._oms_allocate(dict.fromkeys(orders.order_line, 1.0))
            self.env.flush_all()
            return self.cr.sql_log_count - before

        for product in (self.lamp, self.desk):
            self._set_stocks(product, shanghai=20)
        self._set_aims("distance")
        count()
        without = count()
        self._set_aims("expiry", "distance")
        count()
        self.assertEqual(count(), without + 1)

    def test_promise_for_who_demands_a_life_binds_what_keeps(self):
        self.channel.write({"min_shelf_life_days": 30, "promise_hours": 24, "auto_confirm": False})
        first, second = self._create_order([(self.milk, 2)]), self._create_order([(self.milk, 2)])
        first._oms_review_and_confirm()
        self.assertEqual(sum(first.oms_promise_ids.mapped("quantity")), 2)
        self.assertEqual((self.get_sellable(), second.oms_has_shortage), (0, True))
        second.action_confirm()
        second.oms_hold_ids.with_user(self.manager).action_release("It may wait.")
        second.action_confirm()
        second.picking_ids.action_assign()
        self.assertEqual((second.oms_short_quantity, self.get_lots(second)), (2, {}))
        first.action_confirm()
        self.assertEqual((first.oms_short_quantity, self.get_lots(first)), (0, {"late": 2}))


@tagged("post_install", "-at_install")
class TestExpected(OmsAllocationCommon):
    """Goods on their way."""

    def receive(self, days, quantity=10, **values):
        picking_type = self.shanghai.in_type_id
        move = self.env["stock.move"].create(
            {
                "product_id": self.lamp.id,
                "product_uom_qty": quantity,
                "picking_type_id": picking_type.id,
                "location_id": self.env.ref("stock.stock_location_suppliers").id,
                "location_dest_id": self.shanghai.lot_stock_id.id,
                "date": fields.Datetime.now() + timedelta(days=days),
                **values,
            }
        )
        move._action_confirm(merge=False)
        return move

    def test_part_of_what_comes_in_time_is_sold_by_who_says_so(self):
        self.receive(3, 11)
        self.receive(9)
        self.shanghai.write({"oms_incoming_days": 5, "oms_incoming_percent": 50})
        order = self._create_order([(self.lamp, 5)])
        self.assertTrue(order.oms_has_shortage)
        self.channel.is_selling_incoming = True
        self.assertEqual(self.channel._get_sellable_quantities(self.lamp)[self.lamp.id, self.shanghai.id], 5)
        order.invalidate_recordset()
        self.assertFalse(order.oms_has_shortage)
        order.action_confirm()
        self.assertEqual(order.oms_short_quantity, 5)
        self.assertEqual(self.channel._get_sellable_quantities(self.lamp)[self.lamp.id, self.shanghai.id], 0)

    def test_receipt_in_two_steps_counts_once(self):
        self.shanghai.reception_steps = "two_steps"
        self.receive(
            1, location_dest_id=self.shanghai.wh_input_stock_loc_id.id, location_final_id=self.shanghai.lot_stock_id.id
        )
        self.shanghai.oms_incoming_days = 5
        self.channel.is_selling_incoming = True
        self.assertEqual(self.channel._get_sellable_quantities(self.lamp)[self.lamp.id, self.shanghai.id], 10)


@tagged("post_install", "-at_install")
class TestBrokenPromises(OmsAllocationCommon):
    """Goods are promised, and somebody who is of no channel takes them: no more is ever promised than is there."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.channel.write({"promise_hours": 24, "auto_confirm": False})
        cls._set_stocks(cls.lamp, shanghai=3, beijing=2)
        cls.orders = cls._create_order([(cls.lamp, 1)]) | cls._create_order([(cls.lamp, 2)])
        for order in cls.orders:
            order._oms_review_and_confirm()

    def get_promised(self, orders, state="active"):
        rows = orders.oms_promise_ids.filtered(lambda promise: promise.state == state)
        return {row.warehouse_id.name: row.quantity for row in rows}

    def end_transaction(self):
        """Do what is done before a commit."""
        self.env.flush_all()
        self.env.cr.precommit.run()

    def take(self, quantity, warehouse):
        """A plain order takes goods."""
        order = self._create_order([(self.lamp, quantity)], channel_id=False, warehouse_id=warehouse.id)
        order.action_confirm()
        self.end_transaction()
        self.assertEqual(order.order_line.move_ids.quantity, quantity)
        return order

    def get_last_event(self, order):
        return order.oms_event_ids.filtered(lambda event: event.code == "shortage").sorted("id")[-1:].message

    def test_the_latest_promise_gives_way_and_is_kept_elsewhere(self):
        first, second = self.orders
        self.assertEqual((self.get_promised(first), self.get_promised(second)), ({"Shanghai": 1}, {"Shanghai": 2}))
        until = second.oms_promise_date
        self.take(1, self.shanghai)
        self.assertEqual((self.get_promised(first), self.get_promised(second)), ({"Shanghai": 1}, {"Shanghai": 1}))
        self.assertEqual(self.get_promised(second, "broken"), {"Shanghai": 1})
        self.assertEqual(self.lamp._oms_get_sellable_quantities(self.shanghai)[self.lamp.id, self.shanghai.id], 0)
        self._run_cron("oms_allocation.ir_cron_expire_promises")
        self.assertEqual(self.get_promised(second), {"Beijing": 2}, "in one parcel again")
        self.assertEqual(second.oms_promise_date, until)
        self.assertIn("bound now from Beijing", self.get_last_event(second))
        self._run_cron("oms_allocation.ir_cron_expire_promises")
        self.assertEqual(len(second.oms_promise_ids.filtered(lambda one: one.state == "active")), 1)

    def test_the_order_says_when_nothing_is_left(self):
        first = self.orders[0]
        self.take(3, self.shanghai)
        self.take(2, self.beijing)
        self.assertFalse(self.get_promised(self.orders))
        self._run_cron("oms_allocation.ir_cron_expire_promises")
        self.assertFalse(self.get_promised(self.orders))
        self.assertIn("not all of it is elsewhere", self.get_last_event(first))
        self.assertFalse(self.orders.oms_promise_ids.filtered("is_sought"))

    def test_who_sells_goods_over_the_counter_and_who_counts_less_break_promises_too(self):
        quant = self.env["stock.quant"].search(
            [("product_id", "=", self.lamp.id), ("location_id", "=", self.shanghai.lot_stock_id.id)]
        )
        quant.with_context(inventory_mode=True).inventory_quantity = 1
        quant.action_apply_inventory()
        self.end_transaction()
        self.assertEqual(self.get_promised(self.orders), {"Shanghai": 1})

    def test_goods_that_only_change_their_shelf_stay_promised(self):
        shelf = self.env["stock.location"].create({"name": "Shelf", "location_id": self.shanghai.lot_stock_id.id})
        move = self.env["stock.move"].create(
            {
                "product_id": self.lamp.id,
                "product_uom_qty": 3,
                "location_id": self.shanghai.lot_stock_id.id,
                "location_dest_id": shelf.id,
                "picking_type_id": self.shanghai.int_type_id.id,
            }
        )
        move._action_confirm()
        move._action_assign()
        self.end_transaction()
        self.assertEqual(move.quantity, 3)
        self.assertFalse(self.get_promised(self.orders, "broken"))

    def test_what_is_bound_stays_the_orders_when_its_channel_binds_no_more(self):
        self.channel.promise_hours = 0
        other = self._confirm([(self.lamp, 5)])
        self.assertEqual(other.oms_short_quantity, 3)
        order = self.orders[1]
        order.with_user(self.user).action_confirm()
        self.assertEqual((order.oms_short_quantity, set(order.oms_promise_ids.mapped("state"))), (0, {"used"}))
