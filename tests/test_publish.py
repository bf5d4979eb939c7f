"""Stock that changes is in the shop without waiting for any interval: a committed transaction wakes the scheduler."""

import os
import unittest

from servers.fake_shop import ShopServer
from servers.odoo_server import OdooServer, wait_until

SKU = "PUBLISH-NOW"
NEVER = "2099-01-01 00:00:00"
# The scheduler looks around by itself once a minute: what comes before was woken.
SECONDS = 45


class TestPublish(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(OdooServer(f"oms_publish_{os.getpid()}"))
        cls.http = cls.enterClassContext(ShopServer())
        cls.http.shop.variants = [{"id": "variant_1", "sku": SKU, "title": SKU, "product": {"title": SKU}}]
        cls.admin = cls.server.login("admin", "admin")
        cls.product = cls.admin.create(
            "product.product", {"name": SKU, "default_code": SKU, "is_storable": True, "taxes_id": [(5,)]}
        )
        cls.location = cls.admin.read("stock.warehouse", [], ["lot_stock_id"], limit=1)[0]["lot_stock_id"][0]
        cls.channel = cls._connect()

    @classmethod
    def _connect(cls):
        """A channel that has nothing to do of its own accord, and no scheduled action of stock that is ever due."""
        for lane in (4, 5):  # by SQL: while an action runs Odoo lets nobody change it, SQL waits for its end
            cron = cls.admin.ref(f"oms_channels.ir_cron_push_lane_{lane}")
            cls.server.execute("UPDATE ir_cron SET nextcall = %s WHERE id = %s", NEVER, cron)
        channel = cls.admin.create(
            "oms.channel",
            {
                "name": "Shop",
                "code": "publish",
                "provider": "medusa",
                "base_url": cls.http.url,
                "api_key": "sk_test",
                "is_pulling": False,
                "is_publishing_stock": True,
                "next_stock_date": NEVER,
            },
        )
        cls.admin.create(
            "oms.channel.listing",
            {
                "channel_id": channel,
                "external_id": "variant_1",
                "inventory_external_id": "iitem_1",
                "sku": SKU,
                "product_id": cls.product,
            },
        )
        return channel

    def test_a_committed_change_is_in_the_shop_at_once(self):
        for quantity in (7, 0, 12):
            with self.subTest(quantity):
                quant = {"product_id": self.product, "location_id": self.location}
                quant["inventory_quantity_auto_apply"] = quantity
                self.admin.call("stock.quant", "create", [quant], context={"inventory_mode": True})
                wait_until(
                    lambda quantity=quantity: self._get_told() == quantity, f"the shop has {quantity}", SECONDS, 0.1
                )
        domain = [["channel_id", "=", self.channel], ["sent_quantity", "=", 12], ["published_quantity", "=", 12]]
        # The shop knows of it before we have committed that it does.
        wait_until(lambda: self.admin.read("oms.channel.listing", domain, ["id"]), "it is noted that the shop has 12")

    def _get_told(self):
        levels = self.http.shop.levels
        return levels[-1]["stocked_quantity"] if levels else None
