from datetime import timedelta

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.oms_base.tests.fact_common import NOON, FactCommon


@tagged("post_install", "-at_install")
class TestFactCoupons(FactCommon):
    def test_without_any_coupon_kept_there_is_no_verdict(self):
        self.assertFalse(self._create_order(oms_coupon_codes="ANY").oms_coupon_problem)

    def test_unknown_and_expired(self):
        Coupon = self.env["oms.coupon"]
        Coupon.create([{"code": "may 10"}, {"code": "OLD", "date_to": NOON - timedelta(days=1)}])
        Coupon.create({"code": "SOON", "date_from": NOON + timedelta(days=1)})
        good = self._order_at(oms_coupon_codes="MAY10")
        bad = {code: self._order_at(oms_coupon_codes=code) for code in ("old", "soon", "may10, nope", "may10，old")}
        none = self._order_at()
        orders = good.union(none, *bad.values())
        self.assertEqual(self._assert_found(orders, "oms_coupon_problem"), orders - good - none)
        self.assertIn("NOPE", bad["may10, nope"].oms_coupon_problem)
        self.assertNotIn("MAY10", bad["may10, nope"].oms_coupon_problem)

    def test_used_beyond_its_limits(self):
        self.env["oms.coupon"].create(
            [{"code": "TWICE", "usage_limit": 2}, {"code": "ONCE", "usage_limit_per_buyer": 1}]
        )
        cancelled = self._order_at(-1, oms_coupon_codes="TWICE,ONCE")
        cancelled._action_cancel()
        other = self._create_buyer("李四")
        orders = [
            self._order_at(hour, oms_coupon_codes="TWICE,ONCE", partner_id=partner.id)
            for hour, partner in ((0, self.buyer), (1, other), (2, other))
        ]
        self.assertEqual([bool(order.oms_coupon_problem) for order in orders], [False, False, True])
        self.assertIn("TWICE", orders[2].oms_coupon_problem)
        self.assertIn("ONCE", orders[2].oms_coupon_problem)

    def test_too_large_a_discount(self):
        self.env["oms.coupon"].create({"code": "TEN", "max_discount": 10})
        order = self._create_order(oms_coupon_codes="TEN")
        self.assertFalse(order.oms_coupon_problem)
        order.order_line.discount = 20
        self.assertIn("20", order.oms_coupon_problem)

    def test_coupon_of_another_channel_is_unknown(self):
        other = self.env["oms.channel"].create({"name": "Other", "code": "other"})
        self.env["oms.coupon"].create([{"code": "THERE", "channel_ids": other.ids}, {"code": "HERE"}])
        self.assertTrue(self._create_order(oms_coupon_codes="THERE").oms_coupon_problem)
        self.assertFalse(self._create_order(oms_coupon_codes="THERE", channel_id=other.id).oms_coupon_problem)

    def test_code_is_unique_however_it_is_typed(self):
        self.env["oms.coupon"].create({"code": "A 1"})
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self.env["oms.coupon"].create({"code": "a1"})


@tagged("post_install", "-at_install")
class TestFactBlacklist(FactCommon):
    def test_each_kind_hits(self):
        self.buyer.email = "zhang@example.com"
        order = self._create_order(oms_buyer_ip="203.0.113.9")
        other = self._create_order(
            partner_id=self._create_buyer("李四", street="龙井路 1 号", phone="13900000000", email="li@example.com").id,
            oms_buyer_ip="203.0.113.1",
        )
        for kind, value in (
            ("buyer", {"partner_id": self.buyer.id}),
            ("phone", {"value": "138-0000-0000"}),
            ("address", {"partner_id": self.buyer.id}),
            ("ip", {"value": "203.0.113.9"}),
            ("email", {"value": "Zhang <ZHANG@example.com>"}),
        ):
            self.env.company.country_id = self.country
            entry = self.env["oms.blacklist"].create({"kind": kind, "reason": f"Bad {kind}", **value})
            self.assertEqual(self._assert_found(order | other, "oms_blacklist_hit"), order, kind)
            self.assertEqual(order.oms_blacklist_hit, f"Bad {kind}")
            self.assertIn(order, self.env["sale.order"].search([("oms_blacklist_hit", "ilike", kind)]))
            entry.active = False
            self.env.invalidate_all()
            self.assertFalse(order.oms_blacklist_hit)

    def test_entry_that_ended_or_is_of_another_company_does_not_hit(self):
        company = self.env["res.company"].create({"name": "Other"})
        self.env["oms.blacklist"].create(
            [
                {"kind": "ip", "value": "203.0.113.9", "reason": "Over", "date_to": NOON.date() - timedelta(days=1)},
                {"kind": "ip", "value": "203.0.113.9", "reason": "Theirs", "company_id": company.id},
            ]
        )
        self.assertFalse(self._order_at(oms_buyer_ip="203.0.113.9").oms_blacklist_hit)
        self.assertTrue(self._order_at(-24, oms_buyer_ip="203.0.113.9").oms_blacklist_hit)

    def test_what_can_not_be_compared_is_refused(self):
        for values in ({"kind": "phone", "value": "12"}, {"kind": "address"}, {"kind": "email", "value": "no"}):
            with self.assertRaises(ValidationError):
                self.env["oms.blacklist"].create({"reason": "Bad", **values})

    def test_twice_is_refused(self):
        values = {"kind": "ip", "value": "203.0.113.9", "reason": "Bad"}
        self.env["oms.blacklist"].create(values)
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self.env["oms.blacklist"].create(values)

    def test_reviewer_adds_from_the_order_and_only_a_manager_takes_off(self):
        order = self._create_order(oms_buyer_ip="203.0.113.9").with_user(self.user)
        action = order.action_oms_add_to_blacklist()
        form = Form(self.env["oms.blacklist"].with_user(self.user).with_context(**action["context"]))
        form.reason = "Refused three parcels"
        self.assertEqual(form.value, self.buyer.phone)
        form.kind = "ip"
        self.assertEqual(form.value, "203.0.113.9")
        entry = form.save()
        self.assertEqual(order.oms_blacklist_hit, "Refused three parcels")
        with self.assertRaises(AccessError):
            entry.active = False
        entry.with_user(self.manager).active = False


@tagged("post_install", "-at_install")
class TestFactRemarks(FactCommon):
    def test_keywords_of_the_note(self):
        self.env["oms.keyword"].create(
            [{"name": "急", "kind": "urgent"}, {"name": "hat", "kind": "hat"}, {"name": "退款", "kind": "refund"}]
        )
        urgent = self._create_order(channel_note="请尽快，急！要退款")
        hat = self._create_order(note="<p>send the <b>Hat</b></p>")
        none = self._create_order(channel_note="that is all")
        orders = urgent | hat | none
        self.assertEqual(self._assert_found(orders, "oms_remark_keywords"), urgent | hat)
        self.assertEqual(urgent.oms_remark_kinds, "refund, urgent")
        self.assertEqual(self.env["sale.order"].search([("oms_remark_kinds", "ilike", "refund")]), urgent)

    def test_terms_of_sale_are_no_remark(self):
        self.env["oms.keyword"].create({"name": "refund", "kind": "refund"})
        self.env["ir.config_parameter"].set_param("account.use_invoice_terms", True)
        self.assertFalse(self._create_order(note="No refund").oms_remark_keywords)

    def test_channel_risk_is_a_percentage(self):
        order = self._create_order(oms_channel_risk=88)
        self.assertIn(order, self.env["sale.order"].search([("oms_channel_risk", ">", 80)]))
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self._create_order(oms_channel_risk=101)
            self.env.flush_all()
