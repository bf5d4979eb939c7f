from psycopg2 import IntegrityError

from odoo.fields import Domain
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ChannelsCommon


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

    def _publish(self):
        self.channel.action_publish_stock()
        self._run_cron("oms_channels.ir_cron_publish_stock")
        self._work("push")

    def _levels(self):
        return {row["inventory_item_id"]: row["stocked_quantity"] for row in self.shop.levels}

    def test_sellable_quantities_are_published(self):
        self._publish()
        self.assertEqual(self._levels(), {"iitem_OMS-MOUSE": 10, "iitem_OMS-KEYB": 10})
        self.assertEqual(self.listings.mapped("published_quantity"), [10.0, 10.0])

    def test_only_what_changed_is_told_again(self):
        self._publish()
        self.shop.levels.clear()
        self._set_stock(self.mouse, 4)
        self._publish()
        self.assertEqual(self._levels(), {"iitem_OMS-MOUSE": 4})

    def test_nothing_changed_nothing_told(self):
        self._publish()
        pushes = self.env["oms.channel.push"].search_count([("channel_id", "=", self.channel.id)])
        self._publish()
        self.assertEqual(self.env["oms.channel.push"].search_count([("channel_id", "=", self.channel.id)]), pushes)

    def test_orders_not_confirmed_yet_are_taken_off_and_zero_goes_first(self):
        self._create_order([(self.keyboard, 12), (self.mouse, 3)])
        levels = self.channel._get_stock_levels()
        self.assertEqual(levels, [[self.listings[1].id, 0.0], [self.listings[0].id, 7.0]])

    def test_publishing_waits_for_the_inbox(self):
        self.env["oms.channel.message"]._store(self.channel, [("order_9", "1", {"id": "order_9"})], "push")
        self.channel.action_publish_stock()
        self._run_cron("oms_channels.ir_cron_publish_stock")
        self.assertFalse(self.env["oms.channel.push"].search([("channel_id", "=", self.channel.id)]))

    def test_refused_level_is_visible_on_its_listing(self):
        self.shop.variants = self.shop.variants[:1]
        self._publish()
        self.assertTrue(self.listings[1].publish_error)
        self.assertFalse(self.listings[0].publish_error)
        self.assertEqual(self.listings[0].published_quantity, 10.0)

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
        self.patch(self.registry["product.product"], "_oms_explode", explode)
        self.assertEqual(self.channel._get_listing_quantities(listing), {listing: 3})
        self._create_order([(bundle, 1)])
        self.assertEqual(self.channel._get_listing_quantities(listing), {listing: 2})
        self.assertEqual(self._told(), {"OMS-MOUSE": 7, "OMS-KEYB": 9})

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
        self.channel._get_stock_levels()  # fills the registry's cache
        counts = []
        for some in (listings[:5], listings):
            (listings - some).is_publishing = False
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.assertEqual(len(self.channel._get_stock_levels()), len(some) + 2)
            counts.append(self.env.cr.sql_log_count - start)
            listings.is_publishing = True
        self.assertEqual(counts[0], counts[1])

    # === AT ONCE === #

    def _woken(self, work):
        """Return whether the publishing is woken by what ``work`` does, when its transaction ends."""
        triggers = Domain("cron_id", "=", self.env.ref("oms_channels.ir_cron_publish_stock").id)
        before = self.env["ir.cron.trigger"].search_count(triggers)
        self.env.cr.precommit.clear()
        work()
        self.env.cr.precommit.run()
        return self.env["ir.cron.trigger"].search_count(triggers) - before

    def test_changes_wake_the_publishing_once(self):
        def change():
            self._set_stock(self.mouse, 4)
            self._set_stock(self.keyboard, 2)
            self._create_order([(self.mouse, 1)])

        self.assertEqual(self._woken(change), 1)
        order = self.env["sale.order"].search([("channel_id", "=", self.channel.id)], limit=1)
        for name, work in (
            ("line", lambda: order.order_line[0].write({"product_uom_qty": 2})),
            ("cancel", order._action_cancel),
        ):
            with self.subTest(name):
                order.oms_review_date = "2020-01-01"
                self.assertEqual(self._woken(work), 1)

    def test_who_publishes_now_and_then_is_not_woken(self):
        self.channel.is_stock_instant = False
        self.assertEqual(self._woken(lambda: self._set_stock(self.mouse, 4)), 0)
        self._publish()
        self.shop.levels.clear()
        self._set_stock(self.mouse, 5)
        self._run_cron("oms_channels.ir_cron_publish_stock")
        self._work("push")
        self.assertFalse(self._levels(), "before its next date")

    def test_while_orders_wait_only_less_is_told(self):
        self._publish()
        self.shop.levels.clear()
        self.env["oms.channel.message"]._store(self.channel, [("order_9", "1", {"id": "order_9"})], "push")
        self._set_stock(self.mouse, 40)
        self._set_stock(self.keyboard, 4)
        self._run_cron("oms_channels.ir_cron_publish_stock")
        self._work("push")
        self.assertEqual(self._levels(), {"iitem_OMS-KEYB": 4})
