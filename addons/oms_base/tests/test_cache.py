from odoo.tests import tagged

from .common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestCache(OmsBaseCommon):
    """What is kept in the registry's cache is as fresh as the records it is made of."""

    def test_warehouses_of_a_channel(self):
        self.channel.warehouse_ids = False
        before = self.channel._get_warehouses()
        new = self.env["stock.warehouse"].create({"name": "North", "code": "NRTH", "sequence": 1})
        self.assertEqual(self.channel._get_warehouses(), new | before)
        self.channel.warehouse_ids = new
        self.assertEqual(self.channel._get_warehouses(), new)
        self.channel.warehouse_ids = False
        new.active = False
        self.assertEqual(self.channel._get_warehouses(), before)

    def test_reading_them_again_asks_nothing(self):
        self.channel._get_warehouses()
        with self.assertQueryCount(0):
            self.channel._get_warehouses()

    def test_other_changes_keep_the_cache(self):
        self.channel._get_warehouses()
        self.channel.name = "Renamed"
        self.channel.flush_recordset()
        with self.assertQueryCount(0):
            self.channel._get_warehouses()

    def test_first_area_counts_at_once(self):
        self.env["oms.area"].search([]).active = False
        order = self._create_order()
        self.assertFalse(order.oms_is_undeliverable)
        self.env["oms.area"].create({"kind": "undeliverable", "country_id": order.partner_shipping_id.country_id.id})
        order.invalidate_recordset(["oms_is_undeliverable"])
        self.assertTrue(order.oms_is_undeliverable)
