from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.oms_base.tests.fact_common import FactCommon


@tagged("post_install", "-at_install")
class TestFactMoney(FactCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mouse.standard_price = 12
        cls.keyboard.standard_price = 30

    def _order_with(self, *lines, **values):
        commands = [
            Command.create({"product_id": product.id, "product_uom_qty": quantity, "price_unit": price, **more})
            for product, quantity, price, more in lines
        ]
        return self._create_order(order_line=commands, **values)

    def test_margin_and_line_below_cost(self):
        good = self._order_with((self.mouse, 2, 20, {}), (self.keyboard, 1, 50, {}))
        bad = self._order_with((self.mouse, 2, 10, {}), (self.keyboard, 1, 50, {}))
        loss = self._order_with((self.mouse, 1, 0, {}))
        self.assertEqual((good.oms_margin, good.oms_margin_rate), (36.0, 40.0))
        self.assertEqual((loss.oms_margin, loss.oms_margin_rate), (-12.0, -100.0))
        self.assertEqual(self._assert_found(good | bad | loss, "oms_has_line_below_cost"), bad | loss)
        self.assertEqual(self.env["sale.order"].search([("oms_margin", "<", 0), ("id", ">=", good.id)]), loss)

    def test_margin_is_in_the_unit_of_the_line(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        order = self._order_with((self.mouse, 1, 240, {"product_uom_id": dozen.id}))
        self.assertEqual((order.oms_margin, order.oms_has_line_below_cost), (96.0, False))
        self.assertEqual(order.oms_discount_rate, 0)

    def test_amount_in_the_company_currency(self):
        order = self._create_order()
        self.assertEqual(order.oms_amount_company, 90.0)
        self.env.flush_all()
        order.currency_rate = 0.5
        self.assertEqual(order.oms_amount_company, 180.0)
        self.assertIn(order, self.env["sale.order"].search([("oms_amount_company", "=", 180)]))

    def test_discount_and_price_below_list(self):
        full = self._create_order()
        cheap = self._order_with((self.mouse, 1, 20, {"discount": 50}), (self.keyboard, 1, 50, {}))
        self.assertEqual((full.oms_discount_rate, full.oms_price_below_list_rate), (0, 0))
        self.assertEqual((cheap.oms_discount_rate, cheap.oms_price_below_list_rate), (14.29, 50.0))
        voucher = self.env["product.product"].create({"name": "Voucher", "type": "service", "list_price": 0})
        whole = self._order_with((self.mouse, 2, 20, {}), (voucher, 1, -10, {}))
        self.assertEqual((whole.oms_discount_rate, whole.oms_price_below_list_rate), (25.0, 0))
        found = self.env["sale.order"].search([("oms_discount_rate", ">", 10), ("id", ">=", full.id)])
        self.assertEqual(found, whole | cheap)

    def test_list_price_is_in_the_currency_of_the_product(self):
        """A shared product has its price in the main company's currency, wherever it is sold."""
        main = self.env["res.company"]._get_main_company()
        euro, yuan = self.env.ref("base.EUR"), self.env.ref("base.CNY")
        (euro | yuan).active = True
        other = yuan if main.currency_id == euro else euro
        company = self.env["res.company"].create({"name": "B", "currency_id": other.id})
        self.env["res.currency.rate"].search([("currency_id", "in", (main.currency_id | other).ids)]).unlink()
        self.env["res.currency.rate"].create(
            [
                {"currency_id": currency.id, "company_id": company.id, "name": name, "rate": rate}
                for currency, name, rate in (
                    (main.currency_id, "2026-01-01", 8.0),
                    (main.currency_id, "2026-06-01", 4.0),
                    (other, "2026-01-01", 1.0),
                )
            ]
        )
        product = self.env["product.product"].create({"name": "Lamp", "list_price": 800.0, "taxes_id": False})
        own = self.env["product.product"].create(
            {"name": "Own", "list_price": 100.0, "taxes_id": False, "company_id": company.id}
        )
        env = self.env(context={**self.env.context, "allowed_company_ids": company.ids})
        channel = env["oms.channel"].create({"name": "B", "code": "b", "company_id": company.id})
        values = {"partner_id": self.buyer.id, "channel_id": channel.id, "company_id": company.id}
        orders = env["sale.order"].create(
            [
                {
                    **values,
                    "date_order": date,
                    "order_line": [Command.create({"product_id": sold.id, "product_uom_qty": 1, "price_unit": 90.0})],
                }
                for sold, date in ((product, "2026-03-01"), (product, "2026-07-01"), (own, "2026-03-01"))
            ]
        )
        self.assertEqual(orders.currency_id, other)
        self.assertEqual(orders.mapped("oms_discount_rate"), [10.0, 55.0, 10.0])
        self.assertEqual(orders.mapped("oms_price_below_list_rate"), [10.0, 55.0, 10.0])
        found = env["sale.order"].search([("oms_discount_rate", ">", 20), ("id", "in", orders.ids)])
        self.assertEqual(found, orders[1])

    def test_changed_line_changes_the_facts(self):
        order = self._order_with((self.mouse, 2, 20, {}))
        self.assertFalse(order.oms_has_line_below_cost)
        order.order_line.price_unit = 1
        self.assertTrue(order.oms_has_line_below_cost)

    def test_shortage_counts_what_a_bundle_is_made_of(self):
        self._set_stock(self.mouse, 3)
        bundle = self.keyboard

        def explode(product, quantity):
            return {self.mouse: 2 * quantity} if product == bundle else {product: quantity}

        self.patch(self.registry["product.product"], "_oms_explode", explode)
        short, enough = self._create_order([(self.mouse, 2), (bundle, 1)]), self._create_order([(self.mouse, 3)])
        self.assertEqual(short._get_component_demands(), {short.id: {self.mouse.id: 4}})
        self.assertEqual(self._assert_found(short | enough, "oms_has_shortage"), short)
        self.assertEqual(short.oms_shortage[0]["ordered"], 4)


@tagged("post_install", "-at_install")
class TestFactCredit(FactCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.company.account_use_credit_limit = True
        cls.buyer.credit_limit = 100

    def _bill(self, amount, due):
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.buyer.id,
                "invoice_date": due,
                "invoice_date_due": due,
                "invoice_line_ids": [
                    Command.create({"name": "Before", "quantity": 1, "price_unit": amount, "tax_ids": False})
                ],
            }
        )
        invoice.action_post()
        return invoice

    def test_order_above_the_limit(self):
        small = self._create_order([(self.mouse, 1)])
        large = self._create_order([(self.mouse, 6)])
        other = self._create_order([(self.mouse, 6)], partner_id=self._create_buyer("李四").id)
        self.assertEqual((small.oms_credit_limit, small.oms_credit_exceeded), (100, 0))
        self.assertEqual(self._assert_found(small | large | other, "oms_credit_exceeded"), large)
        self.assertEqual((large.oms_credit_exceeded, other.oms_credit_limit), (20, 0))

    def test_open_orders_and_invoices_count(self):
        confirmed = self._create_order([(self.mouse, 2)])
        confirmed.action_confirm()
        self.assertEqual(confirmed.state, "sale")
        today = fields.Date.context_today(confirmed)
        self._bill(30, today - timedelta(days=12))
        self._bill(25, today + timedelta(days=12))
        order = self._create_order([(self.mouse, 1)])
        self.assertEqual((order.oms_open_orders_amount, order.oms_open_invoices_amount), (40, 55))
        self.assertEqual((order.oms_overdue_amount, order.oms_overdue_days), (30, 12))
        self.assertEqual(order.oms_credit_exceeded, 15)
        self.assertEqual((confirmed.oms_open_orders_amount, confirmed.oms_credit_exceeded), (0, 0))
        self.assertIn(order, self.env["sale.order"].search([("oms_overdue_days", ">", 10)]))
        for name in ("oms_open_orders_amount", "oms_overdue_amount", "oms_overdue_days"):
            self._assert_found(order | confirmed, name)

    def test_closed_orders_and_companies_without_limits_have_none(self):
        order = self._create_order([(self.mouse, 6)])
        self.assertTrue(order.with_user(self.user).oms_credit_exceeded)
        order._action_cancel()
        self.assertFalse(order.oms_credit_exceeded)
        self.env.company.account_use_credit_limit = False
        self.assertFalse(self._create_order([(self.mouse, 6)]).oms_credit_limit)

    def test_default_limit_of_the_company(self):
        self.env["ir.default"].set("res.partner", "credit_limit", 50, company_id=self.env.company.id)
        order = self._create_order([(self.mouse, 3)], partner_id=self._create_buyer("李四").id)
        self.assertEqual((order.oms_credit_limit, order.oms_credit_exceeded), (50, 10))
