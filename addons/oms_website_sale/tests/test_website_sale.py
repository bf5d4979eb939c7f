from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestWebsiteSale(OmsBaseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.website = cls.env["website"].create({"name": "Own Shop", "company_id": cls.env.company.id})
        cls.website.oms_channel_id = cls.channel
        cls.other = cls.env["stock.warehouse"].create({"name": "Elsewhere", "code": "OMSEL"})
        cls._set_stock(cls.mouse, 5, cls.other)

    def _make_cart(self, quantity=1, website=None, partner=None):
        return self.env["sale.order"].create(
            {
                "partner_id": (partner or self.buyer).id,
                "website_id": (website or self.website).id,
                "warehouse_id": self.warehouse.id,
                "order_line": [Command.create({"product_id": self.mouse.id, "product_uom_qty": quantity})],
            }
        )

    def _pay(self, order):
        method = self.env.ref("payment.payment_method_unknown")
        provider = self.env["payment.provider"].create(
            {"name": "Dummy", "code": "none", "state": "test", "payment_method_ids": [Command.set(method.ids)]}
        )
        return self.env["payment.transaction"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": method.id,
                "reference": f"pay-{order.id}",
                "amount": order.amount_total,
                "currency_id": order.currency_id.id,
                "partner_id": order.partner_id.id,
                "sale_order_ids": [Command.set(order.ids)],
                "state": "done",
            }
        )

    def test_cart_is_no_order_of_the_channel_until_it_is_paid(self):
        order = self._make_cart()
        self.assertFalse(order.channel_id)
        self.assertEqual(self._pay(order)._check_amount_and_confirm_order(), order)
        self.assertEqual((order.channel_id, order.state), (self.channel, "sale"))
        self.assertTrue(order.oms_review_date)
        self.assertEqual((order.oms_amount_paid, order.channel_order_ref), (order.amount_total, order.name))
        self.assertEqual(order.oms_stage, "ready")

    def test_paid_order_that_the_review_holds_waits_without_an_error(self):
        nowhere = self.env["res.partner"].create({"name": "Without address"})
        order = self._make_cart(partner=nowhere)
        self.assertFalse(self._pay(order)._check_amount_and_confirm_order())
        self.assertEqual((order.channel_id, order.oms_stage), (self.channel, "held"))
        self.assertIn(order.state, ("draft", "sent"))

    def test_website_without_a_channel_sells_as_plain_odoo(self):
        website = self.env["website"].create({"name": "Plain", "company_id": self.env.company.id})
        order = self._make_cart(website=website)
        order.action_confirm()
        self.assertFalse(order.channel_id or order.oms_review_date)
        self.assertEqual(website._get_product_available_qty(self.mouse), self.mouse.free_qty)

    def test_visitors_see_what_the_channel_may_sell(self):
        self.assertEqual(self.website._get_product_available_qty(self.mouse), 10)
        self.assertEqual(self._make_cart()._get_free_qty(self.mouse), 10)
        order = self._make_cart(3)
        order.action_confirm()
        order.picking_ids.action_assign()
        self.assertEqual(self.website._get_product_available_qty(self.mouse), 7)
        self.channel.warehouse_ids = self.other
        self.assertEqual(self.website._get_product_available_qty(self.mouse), 5)

    def test_visitors_see_what_the_channel_offers_not_all_that_is_there(self):
        offered = {self.mouse.id: 4.0}
        self.patch(type(self.channel), "_get_offered_quantities", lambda channel, products: offered)
        self.assertEqual(self.website._get_product_available_qty(self.mouse), 4)
        self.assertEqual(self._make_cart()._get_free_qty(self.mouse), 4)

    def test_channel_is_made_from_the_website_once(self):
        website = self.env["website"].create({"name": "New Shop", "company_id": self.env.company.id})
        website.action_oms_make_channel()
        channel = website.oms_channel_id
        self.assertEqual((channel.name, channel.company_id), ("New Shop", self.env.company))
        website.action_oms_make_channel()
        self.assertEqual(website.oms_channel_id, channel)
