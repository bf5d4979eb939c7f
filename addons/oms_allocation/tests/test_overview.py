from odoo.tests import tagged

from .common import OmsAllocationCommon


@tagged("post_install", "-at_install")
class TestShortageOverview(OmsAllocationCommon):
    def test_shortages_are_counted_by_the_domain_they_open(self):
        self._set_stocks(self.lamp, shanghai=1)
        self._confirm([(self.lamp, 3)])
        self._confirm([(self.desk, 1)])
        sections = self.env["oms.overview"].with_user(self.user).get_overview()
        tiles = next(section["tiles"] for section in sections if section["key"] == "shortages")
        tile = next(tile for tile in tiles if tile["label"] == "Shanghai")
        self.assertEqual(tile["value"], 2)
        self.assertEqual(self.env["oms.allocation"].search_count(tile["domain"]), 2)
        tiles = next(section["tiles"] for section in sections if section["key"] == "unfilled")
        tile = next(tile for tile in tiles if tile["key"] == "no_stock")
        self.assertEqual(self.env["sale.order"].search_count(tile["domain"]), tile["value"])
        self.assertGreaterEqual(tile["value"], 2)
