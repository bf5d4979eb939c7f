from odoo.tests import tagged

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
