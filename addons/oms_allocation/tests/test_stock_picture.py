from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL

from .common import OmsAllocationCommon


@tagged("post_install", "-at_install")
class TestStockPicture(OmsAllocationCommon):
    """Something of every kind, and the rows that say so."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.channel.warehouse_ids = [Command.set(cls.shanghai.ids)]
        cls._set_stocks(cls.lamp, shanghai=30, beijing=4)
        corner = cls.env["stock.location"].create(
            {"name": "Damaged", "location_id": cls.shanghai.lot_stock_id.id, "oms_is_not_for_sale": True}
        )
        cls.env["stock.quant"]._update_available_quantity(cls.lamp, corner, 5)
        cls.env["oms.stock.safety"].create({"product_id": cls.lamp.id, "quantity": 2, "warehouse_id": cls.shanghai.id})
        cls.pool = cls.env["oms.stock.pool"].create(
            {
                "name": "Ours",
                "channel_ids": [Command.set(cls.channel.ids)],
                "line_ids": [
                    Command.create({"product_id": cls.lamp.id, "warehouse_id": cls.shanghai.id, "quantity": 4})
                ],
            }
        )
        cls.sold = cls._create_order([(cls.lamp, 3)])
        cls.sold.action_confirm()
        cls.channel.write({"promise_hours": 24, "auto_confirm": False})
        cls.promised = cls._create_order([(cls.lamp, 6)])
        cls.promised._oms_review_and_confirm()
        cls.short = cls._create_order([(cls.desk, 2)])
        cls.short.action_confirm()
        if cls.short.state != "sale":
            cls.short.oms_hold_ids.with_user(cls.manager).action_release("It may wait.")
            cls.short.action_confirm()
        move = cls.env["stock.move"].create(
            {
                "product_id": cls.desk.id,
                "product_uom_qty": 8,
                "picking_type_id": cls.shanghai.in_type_id.id,
                "location_id": cls.env.ref("stock.stock_location_suppliers").id,
                "location_dest_id": cls.shanghai.lot_stock_id.id,
                "date": fields.Datetime.now() + timedelta(days=3),
            }
        )
        move._action_confirm()

    def get_entries(self, product, warehouse):
        entries = (
            self.env["oms.stock.entry"]
            .with_user(self.user)
            .search([("product_id", "=", product.id), ("warehouse_id", "=", warehouse.id)])
        )
        quantities = {}
        for entry in entries:
            quantities[entry.kind] = quantities.get(entry.kind, 0) + entry.quantity
        return entries, quantities

    def test_every_unit_is_somewhere(self):
        entries, quantities = self.get_entries(self.lamp, self.shanghai)
        self.assertEqual(
            quantities,
            {"on_hand": 35, "not_for_sale": -5, "reserved": -3, "promised": -6, "safety": -2, "pool": -4},
        )
        counted = sum(entries.filtered("is_counted").mapped("quantity"))
        self.assertEqual(counted, self.lamp._oms_get_sellable_quantities(self.shanghai)[self.lamp.id, self.shanghai.id])
        self.assertEqual(counted, 19)

    def test_shortage_and_what_it_waits_for(self):
        _entries, quantities = self.get_entries(self.desk, self.shanghai)
        self.assertEqual(quantities, {"waiting": -2, "incoming": 8})
        row = self.env["oms.sellable"].with_user(self.operator).search([("sellable_quantity", "<", 0)], limit=1)
        self.assertEqual((row.product_id, row.sellable_quantity, row.incoming_quantity), (self.desk, -2, 8))
        self.assertTrue(row.next_date)

    def test_summary_adds_up(self):
        row = self.env["oms.sellable"].search(
            [("product_id", "=", self.lamp.id), ("warehouse_id", "=", self.shanghai.id)]
        )
        self.assertRecordValues(
            row,
            [
                {
                    "on_hand_quantity": 35,
                    "unsellable_quantity": 5,
                    "reserved_quantity": 3,
                    "promised_quantity": 6,
                    "safety_quantity": 2,
                    "sellable_quantity": 19,
                    "pooled_quantity": 4,
                    "public_quantity": 15,
                    "waiting_quantity": 0,
                    "unconfirmed_quantity": 0,
                }
            ],
        )

    def test_channels_share_what_is_there_so_there_is_no_total_of_them(self):
        other = self.channel.copy({"name": "Other Shop", "code": "other_shop"})
        Row = self.env["oms.sellable.channel"].with_user(self.user)
        domain = [("product_id", "=", self.lamp.id), ("channel_id", "in", (self.channel | other).ids)]
        groups = Row._read_group(domain, ["channel_id"], ["quantity:sum"])
        self.assertEqual(dict(groups), {self.channel: 19, other: 15})
        self.assertEqual(Row._read_group(domain, [], ["quantity:sum"]), [(False,)])
        self.assertEqual(
            Row._read_group([*domain, ("channel_id", "=", other.id)], ["product_id"], ["quantity:sum"]),
            [(self.lamp, 15)],
        )

    def test_what_is_promised_is_not_wanted_a_second_time(self):
        self.promised.oms_promise_ids.sudo()._end("dropped")
        _entries, quantities = self.get_entries(self.lamp, self.promised.warehouse_id)
        self.assertEqual(quantities, {"unconfirmed": -6})

    def test_confirmed_orders_that_are_held_are_still_wanted(self):
        self.channel.promise_hours = 0
        order = self._create_order([(self.lamp, 5)])
        order._oms_place_hold("unfilled", "Test")
        order.action_confirm()
        self.assertEqual((order.state, order.oms_is_launch_pending), ("sale", True))
        rows = self.env["oms.stock.entry"].search([("order_id", "=", order.id)])
        self.assertEqual([(row.kind, row.quantity) for row in rows], [("unconfirmed", -5)])
        self.assertEqual(
            dict(self.env["sale.order"]._query_unasked(order.company_id, self.lamp)), {self.lamp.id: 6 + 5}
        )
        order.oms_hold_ids._release("Test")
        order._oms_launch_pending()
        rows.invalidate_model()
        kinds = self.env["oms.stock.entry"].search([("order_id", "=", order.id)]).mapped("kind")
        self.assertEqual(kinds, ["reserved"])
        self.assertEqual(dict(self.env["sale.order"]._query_unasked(order.company_id, self.lamp)), {self.lamp.id: 6})

    def test_only_what_was_not_asked_for_is_wanted(self):
        """More is wanted of an order that is with the warehouse already, and that is held now."""
        self.shanghai.delivery_steps = "pick_ship"
        order = self._confirm([(self.lamp, 2)])
        order._oms_place_hold("unfilled", "Test")
        order.order_line.product_uom_qty = 5
        self.assertEqual(dict(self.env["sale.order"]._query_unasked(order.company_id, self.lamp))[self.lamp.id], 6 + 3)

    def test_click_opens_what_binds_it(self):
        entries, _quantities = self.get_entries(self.lamp, self.shanghai)
        opened = {}
        for entry in entries:
            action = entry.action_open()
            opened[entry.kind] = (action["res_model"], action.get("res_id"))
        self.assertEqual(opened["reserved"], ("sale.order", self.sold.id))
        self.assertEqual(opened["promised"], ("sale.order", self.promised.id))
        self.assertEqual(opened["pool"], ("oms.stock.pool", self.pool.id))
        self.assertEqual(opened["on_hand"][0], "stock.quant")
        row = self.env["oms.sellable"].search([("product_id", "=", self.lamp.id)], limit=1)
        self.assertEqual(row.action_view_entries()["res_model"], "oms.stock.entry")
        self.assertEqual(self.lamp.product_tmpl_id.action_view_oms_sellable()["res_model"], "oms.sellable")

    def test_groups_count_what_the_rows_say(self):
        groups = self.env["oms.stock.entry"]._read_group(
            [("product_id", "=", self.lamp.id), ("is_counted", "=", True)], ["warehouse_id"], ["quantity:sum"]
        )
        self.assertEqual({warehouse.name: quantity for warehouse, quantity in groups}, {"Shanghai": 19, "Beijing": 4})

    def test_what_each_channel_may_sell(self):
        other = self.channel.copy({"name": "Other Shop", "code": "other_shop"})  # the pool is not copied
        rows = self.env["oms.sellable.channel"].with_user(self.user)
        domain = [("product_id", "=", self.lamp.id), ("channel_id", "in", (self.channel | other).ids)]
        found = {row.channel_id: row.quantity for row in rows.search(domain)}
        self.assertEqual(found, {self.channel: 19, other: 15}, "four of them are kept")
        self.assertEqual(found[other], other._get_sellable_quantities(self.lamp)[self.lamp.id, self.shanghai.id])
        groups = rows._read_group(domain, ["warehouse_id", "channel_id"], ["quantity:sum"], order="quantity:sum DESC")
        self.assertEqual(
            [(one.name, quantity) for one, _channel, quantity in groups], [("Shanghai", 19), ("Shanghai", 15)]
        )
        action = rows.search(domain, limit=1).action_view_entries()
        self.assertEqual(action["res_model"], "oms.stock.entry")

    def test_only_what_is_asked_about_is_counted(self):
        """Rows are the same whatever else is asked about, and pools are counted of these products only."""
        entries = self.env["oms.stock.entry"]
        pool = entries.search([("kind", "=", "pool"), ("product_id", "=", self.lamp.id)])
        asked = []
        original = type(self.lamp)._oms_get_stock

        def read(products, *args, **kwargs):
            asked.append(set(products.ids))
            return original(products, *args, **kwargs)

        self.patch(type(self.lamp), "_oms_get_stock", read)
        entries.invalidate_model()
        self.assertEqual(pool.mapped("quantity"), [-4])
        self.assertEqual(asked, [{self.lamp.id}])
        quants = entries.search([("kind", "=", "on_hand"), ("product_id", "=", self.desk.id)])
        self.assertEqual(asked[1:], [set()])
        self.assertFalse(quants)
        both = entries.search([("kind", "=", "pool")])
        self.assertLessEqual(set(pool.ids), set(both.ids))

    def _start_ids_at(self, table, number):
        """Have the next record of ``table`` get the id ``number``, for the time of this test."""
        sequence = f"{table}_id_seq"
        before = self.env.execute_query(SQL("SELECT last_value FROM %s", SQL.identifier(sequence)))[0][0]
        self.env.execute_query(SQL("SELECT setval(%s, %s)", sequence, number - 1))
        self.addCleanup(self.env.execute_query, SQL("SELECT setval(%s, %s)", sequence, before))

    def test_rows_of_large_databases_are_told_apart(self):
        """Ids above 4096 whose last bits are those of another channel or pool, in the warehouse before."""
        self.assertEqual(self.beijing.id + 1, self.shanghai.id)
        self.channel.warehouse_ids = [Command.set((self.beijing | self.shanghai).ids)]
        self._start_ids_at("oms_channel", self.channel.id + 4096)
        twin = self.channel.copy({"name": "Twin", "code": "twin"})
        self._start_ids_at("oms_stock_pool", self.pool.id + 4096)
        pool = self.pool.copy({"channel_ids": [Command.set(twin.ids)]})
        pool.line_ids.write({"warehouse_id": self.beijing.id, "quantity": 1})
        self.assertEqual((twin.id, pool.id), (self.channel.id + 4096, self.pool.id + 4096))
        rows = self.env["oms.sellable.channel"].search(
            [("product_id", "=", self.lamp.id), ("channel_id", "in", (self.channel | twin).ids)]
        )
        sellable = {(row.channel_id, row.warehouse_id): row.quantity for row in rows}
        self.assertEqual(
            sellable,
            {
                (self.channel, self.beijing): 3,
                (self.channel, self.shanghai): 19,
                (twin, self.beijing): 4,
                (twin, self.shanghai): 15,
            },
        )
        entries = self.env["oms.stock.entry"].search([("kind", "=", "pool"), ("product_id", "=", self.lamp.id)])
        held = {(entry.pool_id, entry.warehouse_id): entry.quantity for entry in entries}
        self.assertEqual(held, {(self.pool, self.shanghai): -4, (pool, self.beijing): -1})
        for found in (rows, entries):
            found.invalidate_model()
            self.assertEqual(found.product_id, self.lamp, "they are found by their ids too")
            # A browser tells whole numbers apart up to here, and there may be millions of products.
            self.assertLess(max(found.ids) // self.lamp.id * 8 * 10**6, 2**53)

    def test_pool_of_all_products_is_seen(self):
        self.env["oms.stock.pool"].create(
            {
                "name": "A tenth of everything",
                "channel_ids": [Command.set(self.channel.ids)],
                "line_ids": [Command.create({"share": 10})],
            }
        )
        entries = self.env["oms.stock.entry"].search([("kind", "=", "pool"), ("product_id", "=", self.lamp.id)])
        self.assertEqual(sum(entries.mapped("quantity")), -5)

    def test_short_goods_say_when_they_come(self):
        row = self.short.oms_allocation_ids
        self.assertAlmostEqual(row.next_date, fields.Datetime.now() + timedelta(days=3), delta=timedelta(minutes=5))
        self.assertFalse(self.sold.oms_allocation_ids.next_date)

    def test_only_who_works_with_orders_or_stock_sees_it(self):
        with self.assertRaises(AccessError):
            self.env["oms.stock.entry"].with_user(self._create_user("oms_nobody", "base.group_user")).search([])

    def test_other_companies_are_not_seen(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        found = self.env["oms.sellable"].with_company(company).with_context(allowed_company_ids=company.ids)
        self.assertFalse(found.search([("product_id", "=", self.lamp.id)]))

    def test_channel_publishes_a_promised_unit_once(self):
        self.assertEqual(self.channel._get_promised_demand(), {self.lamp.id: 6})
