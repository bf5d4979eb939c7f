from datetime import timedelta
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.oms_channels.adapters.notices import StockResult

from .common import ChannelsCommon, patch_method


@tagged("post_install", "-at_install")
class TestStock(ChannelsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.listings = cls.env["oms.channel.listing"].create(
            [
                {
                    "channel_id": cls.channel.id,
                    "external_id": f"variant_{product.default_code}",
                    "inventory_external_id": f"iitem_{product.default_code}",
                    "sku": product.default_code,
                    "product_id": product.id,
                }
                for product in (cls.mouse, cls.keyboard)
            ]
        )
        cls.channel.is_publishing_stock = True

    def setUp(self):
        super().setUp()
        self.shop.variants = [
            {"id": row.external_id, "sku": row.sku, "title": row.sku, "product": {"title": row.sku}}
            for row in self.listings
        ]

    def _publish_all(self):
        self.channel.action_publish_stock()
        self._publish()

    def _levels(self):
        return {row["inventory_item_id"]: row["stocked_quantity"] for row in self.shop.levels}

    def test_sellable_quantities_are_published(self):
        self._publish_all()
        self.assertEqual(self._levels(), {"iitem_OMS-MOUSE": 10, "iitem_OMS-KEYB": 10})
        self.assertEqual(self.listings.mapped("published_quantity"), [10.0, 10.0])

    def test_outbox_shows_the_stock_before_and_after(self):
        self._publish_all()
        self._set_stock(self.mouse, 4)
        self._publish_all()
        first, second = self.env["oms.channel.push"].search([("channel_id", "=", self.channel.id)], order="id")
        self.assertIn("[OMS-MOUSE] variant_OMS-MOUSE: ? \u2192 10", first.content_text)
        self.assertEqual(second.content_text, "[OMS-MOUSE] variant_OMS-MOUSE: 10 \u2192 4")

    def test_only_what_changed_is_told_again(self):
        self._publish_all()
        self.shop.levels.clear()
        self._set_stock(self.mouse, 4)
        self._publish_all()
        self.assertEqual(self._levels(), {"iitem_OMS-MOUSE": 4})

    def test_nothing_changed_nothing_told(self):
        self._publish_all()
        pushes = self.env["oms.channel.push"].search_count([("channel_id", "=", self.channel.id)])
        self._publish_all()
        self.assertEqual(self.env["oms.channel.push"].search_count([("channel_id", "=", self.channel.id)]), pushes)

    def test_orders_not_confirmed_yet_are_taken_off_and_zero_goes_first(self):
        self._create_order([(self.keyboard, 12), (self.mouse, 3)])
        levels, withheld = self.channel._get_stock_levels(self.listings, set(self.listings.product_id.ids))
        self.assertEqual(levels, [[self.listings[1].id, 0.0], [self.listings[0].id, 7.0]])
        self.assertFalse(withheld)

    def test_confirmed_orders_on_hold_and_waiting_groups_are_taken_off(self):
        hold_type = self.env["oms.hold.type"].create({"name": "Wait", "code": "test_wait", "gate": "allocate"})
        order = self._create_order([(self.mouse, 3)])
        order._oms_place_hold(hold_type, "Wait")
        order.action_confirm()
        self.assertEqual((order.state, order.picking_ids.ids), ("sale", []))
        self.assertEqual(self._told()["OMS-MOUSE"], 7)
        order.oms_hold_ids._release("Test")
        order._oms_launch_pending()
        self.assertEqual((len(order.picking_ids), self._told()["OMS-MOUSE"]), (1, 7))

    def test_publishing_waits_for_the_inbox(self):
        self.env["oms.channel.message"]._store(self.channel, [("order_9", "1", {"id": "order_9"})], "push")
        self._publish_all()
        self.assertFalse(self.env["oms.channel.push"].search([("channel_id", "=", self.channel.id)]))

    def test_refused_level_is_visible_on_its_listing(self):
        self.shop.variants = self.shop.variants[:1]
        self._publish_all()
        self.assertTrue(self.listings[1].publish_error)
        self.assertFalse(self.listings[0].publish_error)
        self.assertEqual(self.listings[0].published_quantity, 10.0)

    @mute_logger("odoo.addons.oms_channels.models.oms_channel")
    def test_odd_answer_to_the_comparison_stays_with_its_channel(self):
        self.channel.next_compare_date = "2026-01-01 00:00:00"
        adapter = type(self.channel._get_adapter())
        with patch.object(adapter, "fetch_stock", side_effect=KeyError("odd")):
            self._run_cron("oms_channels.ir_cron_compare_stock")
        self.assertIn("odd", self.channel.compare_error)
        self.assertGreater(self.channel.next_compare_date, fields.Datetime.now())

    def test_refused_level_is_sent_again_after_growing_pauses(self):
        self.shop.variants = self.shop.variants[:1]
        self._publish_all()
        keyboard = self.listings[1]

        def is_told():
            levels, _withheld = self.channel._get_stock_levels(self.listings, set(self.listings.product_id.ids))
            return keyboard.id in dict(levels)

        self.assertEqual(keyboard.refused_count, 1)
        self.assertFalse(is_told())
        keyboard.sent_date -= timedelta(minutes=21)
        self.assertTrue(is_told())
        keyboard.refused_count = 2
        self.assertFalse(is_told())
        keyboard.write({"refused_count": 30, "sent_date": fields.Datetime.now() - timedelta(hours=25)})
        self.assertTrue(is_told(), "once a day at the least")
        keyboard.sent_date = fields.Datetime.now()
        self._set_stock(self.keyboard, 4)
        self.assertTrue(is_told(), "another quantity is told at once")
        self._set_stock(self.keyboard, 10)
        self.channel.action_publish_stock()
        self.assertEqual(keyboard.refused_count, 0, "who asks for it is not put off")

    # === HOW MUCH IS TOLD === #

    def _told(self):
        return {
            listing.sku: quantity for listing, quantity in self.channel._get_listing_quantities(self.listings).items()
        }

    def test_rule_of_the_channel_and_of_a_listing(self):
        self.channel.write({"stock_safety": 2, "stock_percent": 50, "stock_plus": 1})
        self.assertEqual(self._told(), {"OMS-MOUSE": 5, "OMS-KEYB": 5})
        self.listings[0].write({"has_own_stock_rule": True, "stock_maximum": 3})
        self.listings[1].write({"has_own_stock_rule": True, "stock_safety": 20, "stock_minimum": 1})
        self.assertEqual(self._told(), {"OMS-MOUSE": 3, "OMS-KEYB": 1})
        self.assertEqual(self.channel._get_publishable_quantities(self.mouse), {self.mouse.id: 5})

    def test_a_shop_of_our_own_offers_no_more_than_others_are_told(self):
        own = self.env["oms.channel"].create({"name": "Own", "code": "own", "warehouse_ids": self.warehouse.ids})
        service = self.env["product.product"].create({"name": "Advice", "type": "service"})
        products = self.mouse | self.keyboard | service
        self._create_order([(self.mouse, 4)])
        ids = products.ids
        self.assertEqual(own._get_offered_quantities(products), dict(zip(ids, [6, 10, 0], strict=True)))
        own.write({"stock_safety": 2, "stock_percent": 50})
        self.assertEqual(own._get_offered_quantities(products), dict(zip(ids, [2, 4, 0], strict=True)))

    def test_limits_that_make_no_sense_are_refused(self):
        for values in ({"stock_percent": -1}, {"stock_minimum": 5, "stock_maximum": 3}, {"stock_maximum": -1}):
            with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                self.channel.write(values)
                self.channel.flush_recordset()

    def test_oversold_is_told_as_nothing(self):
        self._create_order([(self.mouse, 99)])
        self.assertEqual(self._told()["OMS-MOUSE"], 0)

    def test_bundle_is_as_many_as_its_scarcest_part(self):
        bundle = self.env["product.product"].create({"name": "Set", "default_code": "OMS-SET", "type": "consu"})
        listing = self.env["oms.channel.listing"].create(
            {"channel_id": self.channel.id, "external_id": "set", "sku": "OMS-SET", "product_id": bundle.id}
        )
        original = type(bundle)._oms_explode

        def explode(product, quantity):
            if product == bundle:
                return {self.mouse: 3 * quantity, self.keyboard: quantity}
            return original(product, quantity)

        self.assertFalse(self.channel._get_listing_quantities(listing), "what is not kept in stock is not told")
        self.patch(
            self.registry["product.product"],
            "_oms_find_bundles",
            lambda products: bundle if products & (self.mouse | self.keyboard) else bundle.browse(),
        )
        self.patch(self.registry["product.product"], "_oms_explode", explode)
        self.assertEqual(self.channel._get_listing_quantities(listing), {listing: 3})
        self._create_order([(bundle, 1)])
        self.assertEqual(self.channel._get_listing_quantities(listing), {listing: 2})
        self.assertEqual(self._told(), {"OMS-MOUSE": 7, "OMS-KEYB": 9})
        self._create_order([(self.mouse, 2)])
        self.assertEqual(
            self.channel._get_listing_quantities(listing), {listing: 1}, "what all want of a part is summed"
        )
        self.assertIn(listing, self.channel._get_told_listings(self.mouse.ids), "told when a part changes")
        self.assertIn(self.listings[0], self.channel._get_told_listings(bundle.ids), "and the parts, when it is sold")

    def test_queries_do_not_depend_on_the_number_of_products(self):
        products = self.env["product.product"].create(
            [{"name": f"P{i}", "default_code": f"P{i}", "is_storable": True} for i in range(60)]
        )
        listings = self.env["oms.channel.listing"].create(
            [
                {
                    "channel_id": self.channel.id,
                    "external_id": p.default_code,
                    "sku": p.default_code,
                    "product_id": p.id,
                }
                for p in products
            ]
        )
        self.channel._queue_stock(is_full=True)  # fills the registry's cache
        self.env["oms.channel.push"].search([("channel_id", "=", self.channel.id)]).state = "skipped"
        for is_full in (True, False):
            counts = []
            for some in (listings[:5], listings):
                (listings - some).is_publishing = False
                listings.product_id._oms_note_stock_change()
                self.env.cr.flush()
                self.env.invalidate_all()
                start = self.env.cr.sql_log_count
                told = self.channel._get_told_listings(None if is_full else some.product_id.ids)
                levels, _withheld = self.channel._get_stock_levels(told, set(told.product_id.ids))
                self.assertEqual(len(levels), len(some) + 2 * is_full)
                # Each has a quantity of its own.
                levels = [[row[0], index + 100.0] for index, row in enumerate(levels[:50])]
                [push] = self.channel._create_stock_pushes(levels, is_full, False)
                push._apply_stock_result(StockResult(("",) * len(levels)))
                push.state = "done"
                self.env.flush_all()
                counts.append(self.env.cr.sql_log_count - start)
                listings.is_publishing = True
            # One more at the most, where other rows are flushed along.
            self.assertLessEqual(counts[1], counts[0] + 1)

    # === AT ONCE === #

    def _changed(self, work):
        """Return the names of the products that are noted, and how often the lane is woken, by what ``work`` does."""
        Change, Trigger = self.env["oms.stock.change"], self.env["ir.cron.trigger"]
        lane = self.env.ref(f"oms_channels.ir_cron_push_lane_{self.channel._get_stock_lane()}")
        self.env.cr.flush()
        Change.search([]).unlink()
        before = Trigger.search_count([("cron_id", "=", lane.id)])
        work()
        self.env.cr.flush()
        names = set(Change.search([("channel_id", "=", self.channel.id)]).product_id.mapped("default_code"))
        return names, Trigger.search_count([("cron_id", "=", lane.id)]) - before

    def test_changes_wake_the_lane_once_and_say_of_what(self):
        def change():
            self._set_stock(self.mouse, 4)
            self._set_stock(self.mouse, 3)
            self._create_order([(self.keyboard, 1)])

        self.assertEqual(self._changed(change), ({"OMS-MOUSE", "OMS-KEYB"}, 1))
        order = self.env["sale.order"].search([("channel_id", "=", self.channel.id)], limit=1)
        for name, work, expected in (
            ("line", lambda: order.order_line[0].write({"product_uom_qty": 2}), {"OMS-KEYB"}),
            ("product", lambda: order.order_line[0].write({"product_id": self.mouse.id}), {"OMS-KEYB", "OMS-MOUSE"}),
            ("cancel", order._action_cancel, {"OMS-MOUSE"}),
            ("rule", lambda: self.listings[1].write({"stock_safety": 1}), {"OMS-KEYB"}),
        ):
            with self.subTest(name):
                self.assertEqual(self._changed(work), (expected, 1))

    def test_a_waiting_transfer_that_is_cancelled_frees_what_it_wanted(self):
        self._set_stock(self.mouse, 0)
        warehouse = self.env["stock.warehouse"].search([("company_id", "=", self.env.company.id)], limit=1)
        move = self.env["stock.move"].create(
            {
                "product_id": self.mouse.id,
                "product_uom_qty": 5,
                "location_id": warehouse.lot_stock_id.id,
                "location_dest_id": self.env.ref("stock.stock_location_customers").id,
            }
        )
        self.assertEqual(self._changed(move._action_confirm)[0], {"OMS-MOUSE"})
        self.assertFalse(move.quantity, "nothing is reserved")
        self.assertEqual(self._changed(move._action_cancel)[0], {"OMS-MOUSE"})

    def test_another_rule_of_the_channel_has_all_told_again(self):
        self._publish_all()
        self.shop.levels.clear()
        self.channel.stock_safety = 4
        self._publish()
        self.assertEqual(self._levels(), {"iitem_OMS-MOUSE": 6, "iitem_OMS-KEYB": 6})

    def test_who_publishes_now_and_then_is_not_woken(self):
        self.channel.is_stock_instant = False
        self._publish_all()
        self.shop.levels.clear()
        self.assertEqual(self._changed(lambda: self._set_stock(self.mouse, 4)), (set(), 0))
        self._publish()
        self.assertFalse(self._levels(), "before its next date")

    def test_while_orders_wait_only_less_is_told_and_more_when_they_are_counted(self):
        self._publish_all()
        self.shop.levels.clear()
        [message] = self.env["oms.channel.message"]._store(self.channel, [("order_9", "1", {"id": "order_9"})], "push")
        self._set_stock(self.mouse, 40)
        self._set_stock(self.keyboard, 4)
        self._publish()
        self.assertEqual(self._levels(), {"iitem_OMS-KEYB": 4})
        # Orders that come later do not put it off any more: each is counted when it is imported.
        self.env["oms.channel.message"]._store(self.channel, [("order_10", "1", {"id": "order_10"})], "push")
        message.action_skip()
        self._publish()
        self.assertEqual(self._levels(), {"iitem_OMS-KEYB": 4, "iitem_OMS-MOUSE": 40})

    def test_news_of_what_is_here_put_nothing_off(self):
        self._publish_all()
        self.shop.levels.clear()
        order = self._create_order([(self.keyboard, 1)])
        order.channel_order_id = "order_7"
        self.env["oms.channel.message"]._store(
            self.channel, [("order_7", "2", {"id": "order_7"}), ("payment:pay_8", "1", {"id": "pay_8"})], "push"
        )
        self._set_stock(self.mouse, 40)
        self._publish()
        self.assertEqual(self._levels(), {"iitem_OMS-MOUSE": 40, "iitem_OMS-KEYB": 9})

    def test_one_waiting_push_for_each_listing_tells_the_newest(self):
        Push = self.env["oms.channel.push"]
        pushes = [("channel_id", "=", self.channel.id), ("kind", "=", "stock")]
        self.shop.failure = 503, {}
        self._publish_all()
        self.shop.failure = None
        [push] = Push.search(pushes)
        self.assertEqual((push.state, push.attempts), ("pending", 1))
        self._set_stock(self.mouse, 4)
        self._publish()
        self.assertEqual(Push.search(pushes), push, "the mouse waits to be told already")
        self.channel.rest_until = False
        push.next_try = "2026-01-01 00:00:00"
        self._publish()
        self.assertEqual(self._levels(), {"iitem_OMS-MOUSE": 4, "iitem_OMS-KEYB": 10})
        self.assertEqual(self.listings.mapped("published_quantity"), [4.0, 10.0])

    def test_a_change_overtakes_a_comparison_of_all(self):
        self._publish_all()
        first = self.channel._create_stock_pushes([[self.listings[0].id, 1.0]], True, False)
        second = self.channel._create_stock_pushes([[self.listings[1].id, 2.0]], False, False)
        lane = self.channel._get_stock_lane()
        Push = self.env["oms.channel.push"]
        self.assertEqual(Push._find_queue_rows(Push._get_queue_domain(lane), 10), second + first)

    # === LAST SENT, ACKNOWLEDGED, SEEN === #

    def _note(self, **seen):
        """The shop says by itself how many it has. :return: the mouse's listing"""
        self.channel._note_told_stock({f"variant_OMS-{sku}": quantity for sku, quantity in seen.items()})
        return self.listings[0]

    def test_our_own_number_is_an_echo(self):
        self._publish_all()
        self._set_stock(self.mouse, 4)
        self._publish()
        listing = self._note(MOUSE=4)
        self.assertEqual((listing.sent_quantity, listing.published_quantity, listing.seen_quantity), (4, 4, 4))
        self.assertEqual((listing.stock_drift, listing.drift_count, listing.is_stock_check_due), (0, 0, False))

    def test_another_number_is_read_back_recorded_and_corrected(self):
        self._publish_all()
        self.shop.stock = {"iitem_OMS-MOUSE": 25, "iitem_OMS-KEYB": 10}
        self.shop.levels.clear()
        listing = self._note(MOUSE=25)
        self.assertTrue(listing.is_stock_check_due)
        self.channel.next_compare_date = "2099-01-01 00:00:00"
        self.assertFalse(listing.stock_drift, "a webhook may be old: it is read back first")
        self.env["oms.channel.listing"].search([]).sent_date = "2026-01-01 00:00:00"
        self._run_cron("oms_channels.ir_cron_compare_stock")
        self.assertEqual((listing.seen_quantity, listing.stock_drift, listing.drift_count), (25, 15, 1))
        self.assertFalse(listing.is_stock_check_due)
        self._publish()
        self.assertEqual(self._levels(), {"iitem_OMS-MOUSE": 10})
        self.assertEqual((listing.stock_drift, listing.drift_count), (0, 1))

    def test_what_was_told_since_the_shop_was_asked_is_not_a_drift(self):
        self._publish_all()
        self._set_stock(self.mouse, 4)
        asked = self.listings[0].sent_date
        self._publish()
        self.env["oms.channel.listing"]._note_seen({self.listings[0]: 10.0}, started=asked)
        self.assertEqual((self.listings[0].drift_count, self.listings[0].seen_date), (0, False))

    def test_daily_comparison_reads_all_corrects_and_reports(self):
        self._publish_all()
        self.listings.sent_date = "2026-01-01 00:00:00"
        self.shop.stock = {"iitem_OMS-MOUSE": 7}
        self.shop.levels.clear()
        self.channel.write({"alert_stock_count": 1, "next_compare_date": "2026-01-01 00:00:00"})
        self._run_cron("oms_channels.ir_cron_compare_stock")
        channel = self.channel
        self.assertEqual(
            (channel.compare_count, channel.compare_differ_count, channel.compare_missing_count), (2, 1, 1)
        )
        self.assertGreater(channel.next_compare_date, channel.compare_date)
        self.env["oms.channel"]._cron_watch()
        self.assertEqual(channel.alert_ids.mapped("kind"), ["stock"])
        self.assertIn(("warning", channel.alert_ids.message), channel._get_health_issues()[channel])
        self._publish()
        self.assertEqual(self._levels(), {"iitem_OMS-MOUSE": 10})
        calls = len(self.shop.calls)
        self._run_cron("oms_channels.ir_cron_compare_stock")
        self.assertEqual(len(self.shop.calls), calls, "once a day")

    def test_comparison_goes_on_where_it_was_and_reads_only_what_it_asks_for(self):
        self._publish_all()
        self.shop.stock = {"iitem_OMS-MOUSE": 10, "iitem_OMS-KEYB": 10}
        module = "odoo.addons.oms_channels.models.stock.oms_channel_stock_compare"
        self.channel.next_compare_date = "2026-01-01 00:00:00"
        with (
            patch(f"{module}.BATCH", 1),
            patch_method(self.env["ir.cron"], "_commit_progress", lambda *_args, **_kwargs: 0),
        ):
            for count in (1, 2):
                self.env["oms.channel"]._cron_compare_stock()
                self.assertEqual(self.channel.compare_state["count"], count)
            self.env["oms.channel"]._cron_compare_stock()
        self.assertEqual((self.channel.compare_state, self.channel.compare_count), (False, 2))
        # Of a channel of which nothing is due, nothing is read, not even its adapter made.
        with patch_method(self.channel, "_get_adapter", lambda *_args, **_kwargs: self.fail("asked for nothing")):
            self._run_cron("oms_channels.ir_cron_compare_stock")

    def test_a_shop_that_is_down_is_compared_later(self):
        self._publish_all()
        self.shop.failure = 503, {}
        self.channel.action_compare_stock()
        self._run_cron("oms_channels.ir_cron_compare_stock")
        self.assertTrue(self.channel.compare_error)
        self.assertTrue(self.channel.rest_until)
        self.assertFalse(self.channel.compare_date)

    def test_a_platform_that_cannot_be_asked_says_so_and_is_not_compared(self):
        self.channel.provider = "taobao"
        self.assertTrue(self.channel.can_compare_stock)
        self.patch(type(self.env["oms.channel"]), "_get_capabilities", lambda channel: frozenset({"stock"}))
        self.channel.invalidate_recordset()
        self.assertFalse(self.channel.can_compare_stock)
        self.assertIn("read back", self.channel.platform_cannot)
        self.channel.action_compare_stock()
        self._run_cron("oms_channels.ir_cron_compare_stock")
        self.assertFalse(self.channel.compare_date)
