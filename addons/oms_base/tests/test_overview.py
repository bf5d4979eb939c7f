from odoo.tests import tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestOverview(OmsBaseCommon):
    def test_each_figure_counts_the_records_behind_it(self):
        self._create_order().action_confirm()
        self._create_order(channel_amount_total=1)._oms_review()
        self._create_order()
        for user in (self.user, self.operator, self.accountant):
            sections = self.env["oms.overview"].with_user(user).get_overview()
            self.assertLessEqual({"today", "stages", "holds", "channels"}, {section["key"] for section in sections})
            for section in sections:
                self.assertTrue(section["tiles"] or section["nothing"], "an empty section says what that means")
                for tile in section["tiles"]:
                    count = self.env[tile["model"]].with_user(user).search_count(tile["domain"])
                    self.assertEqual(count, tile["value"], (section["key"], tile["label"]))

    def test_a_channel_opens_its_orders_by_its_number_and_itself_by_its_name(self):
        closed, opened = self._create_order(), self._create_order()
        closed._action_cancel()
        sections = {one["key"]: one for one in self.env["oms.overview"].with_user(self.user).get_overview()}
        [tile] = [tile for tile in sections["channels"]["tiles"] if tile["key"] == self.channel.code]
        self.assertEqual((tile["record_model"], tile["record_id"]), ("oms.channel", self.channel.id))
        self.assertEqual(self.env[tile["model"]].search(tile["domain"]), opened)
