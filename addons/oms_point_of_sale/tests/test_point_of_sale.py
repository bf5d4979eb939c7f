from odoo.tests import tagged

from odoo.addons.point_of_sale.tests.common import TestPoSCommon


@tagged("post_install", "-at_install")
class TestPointOfSale(TestPoSCommon):
    def setUp(self):
        super().setUp()
        self.config = self.basic_config
        self.company = self.config.company_id
        self.company.point_of_sale_update_stock_quantities = "closing"
        self.warehouse = self.config.picking_type_id.warehouse_id
        # The till's own manager sells; the channel is another's.
        self.channel = (
            self.env["oms.channel"]
            .sudo()
            .create(
                {
                    "name": "Till",
                    "code": "till",
                    "company_id": self.company.id,
                    "warehouse_ids": [(6, 0, self.warehouse.ids)],
                }
            )
        )
        self.product = self.create_product("Mug", self.categ_basic, 10.0, 5.0)
        self.product.is_storable = True
        self.env["stock.quant"].sudo()._update_available_quantity(self.product, self.warehouse.lot_stock_id, 10)

    def _sell(self, quantity=3):
        return self._create_orders([{"pos_order_lines_ui_args": [(self.product, quantity)], "uuid": "00100-010-0001"}])

    def _get_sellable(self):
        return sum(self.product._oms_get_sellable_quantities(self.warehouse).values())

    def test_what_the_till_sold_is_gone_for_all_at_once(self):
        self.config.oms_channel_id = self.channel
        self.open_new_session(0)
        self._sell()
        self.assertEqual(self._get_sellable(), 7)
        session = self.pos_session
        session.post_closing_cash_details(30)
        session.close_session_from_ui()
        self.assertEqual(session.state, "closed")
        self.assertEqual(self._get_sellable(), 7)

    def test_it_counts_in_the_figures_of_the_channel(self):
        self.config.oms_channel_id = self.channel
        self.open_new_session(0)
        self._sell()
        self.assertEqual((self.channel.order_count, self.channel.pos_order_count), (1, 1))
        action = self.channel.action_view_pos_orders()
        self.assertEqual(len(self.env["pos.order"].sudo().search(action["domain"])), 1)
        # The channel of a sale stays when the till is given another.
        self.config.oms_channel_id = False
        self.channel.invalidate_recordset()
        self.assertEqual(self.channel.order_count, 1)

    def test_till_without_a_channel_follows_the_company(self):
        self.open_new_session(0)
        self._sell()
        self.assertEqual(self._get_sellable(), 10)
        self.assertEqual(self.channel.order_count, 0)
