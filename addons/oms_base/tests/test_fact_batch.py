from odoo.tests import tagged

from odoo.addons.oms_base.tests.fact_common import FactCommon


@tagged("post_install", "-at_install")
class TestFactBatch(FactCommon):
    def _get_facts(self):
        """Return the names of all facts: the computed, not stored fields of ours that can be searched."""
        return [
            name
            for name, field in self.env["sale.order"]._fields.items()
            if name.startswith("oms_") and field.compute and not field.store and field.search and not field.related
        ]

    def _create_lists(self):
        self.env["oms.area"].create({"kind": "remote", "country_id": self.country.id, "city": "杭州"})
        self.env["oms.coupon"].create({"code": "TEN", "usage_limit": 3})
        self.env["oms.keyword"].create({"name": "急", "kind": "urgent"})
        self.env["oms.blacklist"].create({"kind": "ip", "value": "203.0.113.9", "reason": "Bad"})
        self.env.company.account_use_credit_limit = True

    def test_queries_do_not_grow_with_the_batch(self):
        self._create_lists()
        facts = self._get_facts()
        self.assertGreater(len(facts), 30)

        def count(size):
            buyers = [self._create_buyer(f"Buyer {index}", street=f"文三路 {index} 号") for index in range(size)]
            vals_list = [
                self._prepare_order_values(
                    partner_id=buyer.id, oms_buyer_ip="203.0.113.9", oms_coupon_codes="TEN", channel_note="急"
                )
                for buyer in buyers
            ]
            orders = self.env["sale.order"].create(vals_list)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            for order in orders:
                for name in facts:
                    order[name]
            return self.env.cr.sql_log_count - before

        count(2)  # warm the caches
        few, many = count(5), count(50)
        self.assertLessEqual(many, few + 3)

    def test_keys_are_written_by_one_statement(self):
        orders = self.env["sale.order"].create([self._prepare_order_values() for _index in range(20)])
        self.buyer.street = "龙井路 1 号"
        self.env.flush_all()
        orders.mapped("partner_shipping_id.country_id.code")
        before = self.env.cr.sql_log_count
        self.assertEqual(orders._oms_refresh_keys(), orders)
        self.assertLessEqual(self.env.cr.sql_log_count - before, 10)

    def test_search_agrees_with_compute_for_every_fact(self):
        self._create_lists()
        self.mouse.standard_price = 25
        spoilt = self._create_buyer("李四", street=False, phone="1", city="广州市")
        orders = self._create_order(channel_id=False)
        for values in (
            {"oms_buyer_ip": "203.0.113.9", "channel_note": "急"},
            {"oms_buyer_ip": "203.0.113.9", "oms_coupon_codes": "NOPE"},
            {"partner_id": spoilt.id, "lines": [(self.mouse, 99)]},
        ):
            orders |= self._create_order(**values)
        for name in self._get_facts():
            self._assert_found(orders, name)

    def test_facts_say_what_of_the_order_they_depend_on(self):
        depends = {
            name: self.registry.field_depends[self.env["sale.order"]._fields[name]] for name in self._get_facts()
        }
        for name, paths in depends.items():
            self.assertTrue(paths, name)
        for name, path in (
            ("oms_is_new_address", "partner_shipping_id.street"),
            ("oms_blacklist_hit", "partner_id.email"),
            ("oms_is_remote", "partner_shipping_id.zip"),
            ("oms_discount_rate", "order_line.discount"),
            ("oms_margin", "order_line.price_subtotal"),
            ("oms_has_shortage", "order_line.product_uom_qty"),
            ("oms_coupon_problem", "oms_coupon_codes"),
            ("oms_credit_exceeded", "amount_total"),
        ):
            self.assertIn(path, depends[name], name)
