from psycopg2.errors import CheckViolation

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import OmsAllocationCommon


@tagged("post_install", "-at_install")
class TestPools(OmsAllocationCommon):
    """Two channels; one of them has a pool of lamps in Shanghai."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.channel.warehouse_ids = [Command.set(cls.shanghai.ids)]
        cls.other = cls.channel.copy({"name": "Other Shop", "code": "other_shop", "sequence": 5})
        cls._set_stocks(cls.lamp, shanghai=10)

    def create_pool(self, quantity=4.0, **values):
        line = {"product_id": self.lamp.id, "warehouse_id": self.shanghai.id, "quantity": quantity}
        return self.env["oms.stock.pool"].create(
            {
                "name": "Ours",
                "channel_ids": [Command.set(self.channel.ids)],
                "line_ids": [Command.create(values.pop("line", line))],
                **values,
            }
        )

    def get_sellable(self, channel):
        return channel._get_sellable_quantities(self.lamp)[self.lamp.id, self.shanghai.id]

    def assertSellable(self, ours, others):
        self.assertEqual((self.get_sellable(self.channel), self.get_sellable(self.other)), (ours, others))

    def buy(self, quantity, channel=None, **values):
        return self._confirm([(self.lamp, quantity)], channel_id=(channel or self.channel).id, **values)

    def get_reserved(self, orders):
        return sum(orders.order_line.move_ids.mapped("quantity"))

    # === WHO SEES WHAT === #

    def test_others_do_not_see_the_pool(self):
        self.assertSellable(10, 10)
        self.create_pool()
        self.assertSellable(10, 6)

    def test_kept_pool_refills_and_a_quota_does_not(self):
        pool = self.create_pool()
        self.buy(3)
        self.assertSellable(7, 3)
        pool.mode = "quota"
        pool.start_date = fields.Datetime.subtract(fields.Datetime.now(), hours=1)
        self.assertSellable(7, 6)
        self.assertEqual((pool.wanted_quantity, pool.held_quantity, pool.taken_quantity), (1, 1, 3))

    def test_cancellation_gives_the_quota_back(self):
        pool = self.create_pool(
            mode="quota", start_date=fields.Datetime.subtract(fields.Datetime.now(), hours=1), quantity=4
        )
        order = self.buy(3)
        self.assertEqual(pool.taken_quantity, 3)
        order._action_cancel()
        self.env.invalidate_all()
        self.assertEqual((pool.taken_quantity, pool.held_quantity), (0, 4))
        self.assertSellable(10, 6)

    def test_pool_counts_from_its_start_to_its_release(self):
        now = fields.Datetime.now()
        pool = self.create_pool(start_date=fields.Datetime.add(now, hours=1))
        self.assertSellable(10, 10)
        pool.write(
            {"start_date": fields.Datetime.subtract(now, days=2), "release_date": fields.Datetime.add(now, days=2)}
        )
        self.assertSellable(10, 6)
        pool.release_date = fields.Datetime.subtract(now, hours=1)
        self.assertSellable(10, 10)
        self.assertFalse(pool.is_live)
        self.assertNotIn(pool, self.env["oms.stock.pool"].search([("is_live", "=", True)]))

    def test_others_may_borrow_before_the_release(self):
        now = fields.Datetime.now()
        pool = self.create_pool(borrow_percent=50, borrow_days=3, release_date=fields.Datetime.add(now, days=5))
        self.assertSellable(10, 6)
        pool.borrow_days = 6
        self.assertSellable(10, 8)
        pool.borrow_days = 0
        self.assertSellable(10, 8)

    def test_category_share_and_each_warehouse(self):
        category = self.env["product.category"].create({"name": "Lamps", "parent_id": self.lamp.categ_id.id})
        self.create_pool(line={"categ_id": self.lamp.categ_id.id, "share": 35})
        self.assertSellable(10, 7)
        self.lamp.categ_id = category
        self.assertSellable(10, 7)

    def test_customer_group_is_an_owner_in_any_channel(self):
        tag = self.env["res.partner.category"].create({"name": "VIP"})
        self.create_pool(channel_ids=False, partner_category_ids=[Command.set(tag.ids)], quantity=10)
        self.assertSellable(0, 0)
        orders = self._create_order([(self.lamp, 2)]) | self._create_order(
            [(self.lamp, 2)], partner_id=self._create_buyer("李四", category_id=[Command.set(tag.ids)]).id
        )
        self.assertEqual(orders.mapped("oms_has_shortage"), [True, False])

    def test_pool_needs_an_owner(self):
        with self.assertRaises(ValidationError):
            self.create_pool(channel_ids=False)

    @mute_logger("odoo.sql_db")
    def test_quantity_and_share_exclude_each_other(self):
        with self.assertRaises(CheckViolation), self.cr.savepoint():
            self.create_pool(line={"product_id": self.lamp.id, "quantity": 1, "share": 5})

    def test_pool_of_another_company_changes_nothing(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        channel = self.env["oms.channel"].create({"name": "Far", "code": "far", "company_id": company.id})
        self.create_pool(company_id=company.id, channel_ids=[Command.set(channel.ids)], line={"quantity": 4})
        self.assertSellable(10, 10)

    # === WHO GETS WHAT === #

    def test_others_are_not_given_the_pool(self):
        self.create_pool()
        theirs = self.buy(8, self.other)
        self.assertEqual(theirs.oms_short_quantity, 2)
        self.assertEqual(self.get_reserved(theirs), 6)
        ours = self.buy(4)
        self.assertEqual(ours.oms_short_quantity, 0)
        self.assertEqual(self.get_reserved(ours), 4)

    def test_a_later_check_of_availability_does_not_take_it_either(self):
        self.create_pool()
        theirs = self.buy(8, self.other)
        theirs.picking_ids.action_assign()
        theirs._oms_reallocate()
        self.assertEqual(self.get_reserved(theirs), 6)
        self._set_stocks(self.lamp, shanghai=11)
        theirs.picking_ids.action_assign()
        self.assertEqual(self.get_reserved(theirs), 7)

    def test_batch_keeps_its_order_and_each_takes_what_it_may(self):
        self.create_pool()
        orders = self.env["sale.order"].create(
            [
                self._prepare_order_values([(self.lamp, quantity)], channel_id=channel.id)
                for channel, quantity in ((self.other, 5), (self.channel, 3), (self.other, 3))
            ]
        )
        orders.with_context(oms_no_review=True).action_confirm()
        self.assertEqual(orders.mapped("oms_short_quantity"), [0, 0, 2])

    def test_order_without_channel_is_plain_odoo(self):
        self.create_pool(quantity=10)
        order = self._create_order([(self.lamp, 8)], channel_id=False, warehouse_id=self.shanghai.id)
        order.action_confirm()
        self.assertEqual(self.get_reserved(order), 8)

    def test_safety_stock_is_promised_to_nobody(self):
        self.env["oms.stock.safety"].create({"quantity": 2})
        self.env["oms.stock.safety"].create({"quantity": 3, "product_id": self.lamp.id})
        self.assertSellable(7, 7)
        order = self.buy(9)
        self.assertEqual((order.oms_short_quantity, self.get_reserved(order)), (2, 7))

    def test_safety_stock_keeps_nothing_where_nothing_is(self):
        """It would lower what the channel has elsewhere; neither does it add to what others wait for."""
        self.channel.warehouse_ids |= self.beijing
        self.env["oms.stock.safety"].create({"quantity": 2})
        found = self.channel._get_sellable_quantities(self.lamp)
        self.assertEqual((found[self.lamp.id, self.shanghai.id], found[self.lamp.id, self.beijing.id]), (8, 0))
        self._set_stocks(self.lamp, beijing=1)
        self.assertEqual(self.channel._get_sellable_quantities(self.lamp)[self.lamp.id, self.beijing.id], 0)
        rows = self.env["oms.sellable"].search([("product_id", "=", self.lamp.id)])
        self.assertEqual({row.warehouse_id: row.safety_quantity for row in rows}, {self.shanghai: 2, self.beijing: 1})
        order = self._create_order([(self.lamp, 5)], channel_id=False, warehouse_id=self.beijing.id)
        order.action_confirm()
        self.assertEqual(self.channel._get_sellable_quantities(self.lamp)[self.lamp.id, self.beijing.id], -4)

    def test_safety_stock_said_more_precisely_wakes_who_waits(self):
        cron = self.env.ref("oms_allocation.ir_cron_reallocate")
        self.env["oms.stock.safety"].create({"quantity": 5})
        order = self.buy(10)
        self.assertEqual(order.oms_short_quantity, 5)
        self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]).unlink()
        self.env["oms.stock.safety"].create({"quantity": 1, "product_id": self.lamp.id})
        self.assertTrue(self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]))
        self._run_cron("oms_allocation.ir_cron_reallocate")
        self.assertEqual(order.oms_short_quantity, 1)

    def test_history_says_what_was_taken_and_what_came_in(self):
        def note():
            self._run_cron("oms_allocation.ir_cron_note_pool_levels")
            rows = self.env["oms.stock.pool.level"].with_user(self.user).search([("pool_id", "=", pool.id)], order="id")
            names = ("held_quantity", "consumed_quantity", "refilled_quantity")
            return [tuple(row[name] for name in names) for row in rows]

        pool = self.create_pool(start_date=fields.Datetime.subtract(fields.Datetime.now(), hours=1))
        self.assertEqual(note(), [(4, 0, 4)])
        self.assertEqual(note(), [(4, 0, 4)], "nothing changed")
        order = self.buy(3)
        self.assertEqual(note()[1:], [(4, 3, 3)])
        order._action_cancel()
        self.assertEqual(note()[2:], [(4, -3, -3)], "given back")
        pool.mode = "quota"
        self.buy(3)
        self.assertEqual(note()[3:], [(1, 3, 0)], "a quota does not fill again")
        self.assertEqual(pool.action_view_levels()["domain"], [("pool_id", "in", pool.ids)])

    def test_corner_for_damaged_goods_is_not_sold(self):
        corner = self.env["stock.location"].create(
            {
                "name": "Damaged",
                "location_id": self.shanghai.lot_stock_id.id,
                "usage": "internal",
                "oms_is_not_for_sale": True,
            }
        )
        shelf = self.env["stock.location"].create({"name": "Shelf", "location_id": corner.id, "usage": "internal"})
        self.env["stock.quant"]._update_available_quantity(self.lamp, shelf, 5)
        self.assertSellable(10, 10)
        order = self.buy(12)
        self.assertEqual((order.oms_short_quantity, self.get_reserved(order)), (2, 10))

    # === MOVES BETWEEN POOLS === #

    def test_stock_moves_between_pools(self):
        source = self.create_pool()
        target = self.create_pool(quantity=1, name="Theirs", channel_ids=[Command.set(self.other.ids)])
        wizard = self.env["oms.stock.pool.move"].with_user(self.manager)
        wizard = wizard.with_context(active_model="oms.stock.pool", active_id=source.id).create(
            {"target_id": target.id, "quantity": 3, "reason": "Live show"}
        )
        self.assertEqual((wizard.line_id, wizard.movable_quantity), (source.line_ids, 4))
        wizard.action_move()
        self.assertEqual((source.line_ids.quantity, target.line_ids.quantity), (1, 4))
        for pool in (source, target):
            self.assertIn("Live show", pool.message_ids[0].body)
        self.assertSellable(6, 9)
        wizard.quantity = 2
        with self.assertRaises(UserError):
            wizard.action_move()

    def test_taken_part_of_a_quota_does_not_move(self):
        source = self.create_pool(mode="quota", start_date=fields.Datetime.subtract(fields.Datetime.now(), hours=1))
        self.buy(3)
        self.assertEqual(source.line_ids._get_movable_quantity(), 1)

    # === COST === #

    def test_queries_do_not_depend_on_the_number_of_products_and_pools(self):
        def count(products):
            self.env.flush_all()
            self.env.invalidate_all()
            self.channel._get_sellable_quantities(products)  # fills the registry's cache
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.channel._get_sellable_quantities(products)
            return self.cr.sql_log_count - before

        self.create_pool(mode="quota", line={"categ_id": self.lamp.categ_id.id, "quantity": 1})
        products = self.env["product.product"].create([{"name": f"P{n}", "is_storable": True} for n in range(40)])
        few = count(products[:2])
        for _number in range(3):
            self.create_pool(line={"categ_id": self.lamp.categ_id.id, "share": 5})
        self.assertLessEqual(count(products), few)
