from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.oms_base.models.gift.terms import Terms, Tier, trim
from odoo.addons.oms_base.tests.common import OmsBaseCommon


class GiftCommon(OmsBaseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mug, cls.pen = cls.env["product.product"].create(
            [
                {"name": "Mug", "is_storable": True, "list_price": 8.0, "standard_price": 3.0},
                {"name": "Pen", "is_storable": True, "list_price": 2.0, "standard_price": 0.5},
            ]
        )
        cls._set_stock(cls.mug, 100)
        cls._set_stock(cls.pen, 100)

    @classmethod
    def _create_gift(cls, tiers=None, **values):
        """Create a gift; ``tiers`` is {threshold: [(product, quantity)]}."""
        tiers = tiers or {100: [(cls.mug, 1)]}
        return cls.env["oms.gift"].create(
            {
                "name": "Gift",
                "tier_ids": [
                    Command.create(
                        {
                            "threshold": threshold,
                            "line_ids": [
                                Command.create({"product_id": product.id, "quantity": quantity})
                                for product, quantity in items
                            ],
                        }
                    )
                    for threshold, items in tiers.items()
                ],
                **values,
            }
        )

    @classmethod
    def _create_gift_rule(cls, gift, domain="[]", **values):
        return cls._create_rule(domain, actions=[{"type": "gift", "gift_id": gift.id}], name="Gift rule", **values)

    def _get_given(self, order):
        """Return {product name: quantity} of the gifts of an order."""
        return {line.product_id.name: line.product_uom_qty for line in order._get_gift_lines() if line.product_uom_qty}

    def _review(self, *orders):
        self.env["sale.order"].concat(*orders)._oms_review()

    def _spend(self, keyboards, **values):
        """Create an order of so many keyboards at 50."""
        return self._create_order([(self.keyboard, keyboards)], **values)


@tagged("post_install", "-at_install")
class TestGiftTerms(GiftCommon):
    """What is earned."""

    def test_terms(self):
        terms = Terms((Tier(100, ((1, 1),)), Tier(200, ((1, 1), (2, 3)))))
        self.assertEqual(terms.count(99.99), {})
        self.assertEqual(terms.count(100 - 1e-9), {1: 1})
        self.assertEqual(terms.count(200), {1: 1, 2: 3})
        self.assertEqual(Terms(terms.tiers, is_highest_only=False).count(200), {1: 2, 2: 3})
        self.assertEqual(Terms(terms.tiers[:1], is_multiple=True).count(350), {1: 3})
        self.assertEqual(Terms(terms.tiers[:1], is_multiple=True, max_times=2).count(350), {1: 2})
        self.assertEqual(Terms((Tier(0, ((1, 1),)),), is_multiple=True).count(5), {1: 1})
        self.assertEqual(trim({1: 2, 2: 2}, 3), {1: 2, 2: 1})
        self.assertEqual(trim({1: 2}, -1), {})

    def test_tiers_are_named_by_what_they_give(self):
        self.assertIn("Mug", self._create_gift().tier_ids.display_name)

    def test_highest_tier_or_all(self):
        tiers = {100: [(self.pen, 1)], 200: [(self.mug, 1)]}
        highest, every = self._create_gift(tiers), self._create_gift(tiers, mode="all")
        rule = self._create_gift_rule(highest)
        small, middle, large = self._spend(1), self._spend(2), self._spend(4)
        self._review(small, middle, large)
        self.assertEqual([self._get_given(order) for order in (small, middle, large)], [{}, {"Pen": 1}, {"Mug": 1}])
        rule.action_ids.gift_id = every
        self._review(large)
        self.assertEqual(self._get_given(large), {"Mug": 1, "Pen": 1})

    def test_multiples_by_pieces_of_chosen_goods(self):
        gift = self._create_gift(
            {2: [(self.pen, 1)]},
            basis="quantity",
            is_multiple=True,
            max_times=3,
            scope="products",
            product_ids=[Command.set(self.mouse.ids)],
        )
        self._create_gift_rule(gift)
        some = self._create_order([(self.mouse, 5), (self.keyboard, 9)])
        many = self._create_order([(self.mouse, 9)])
        none = self._create_order([(self.keyboard, 9)])
        self._review(some, many, none)
        self.assertEqual([self._get_given(order) for order in (some, many, none)], [{"Pen": 2}, {"Pen": 3}, {}])
        self.assertEqual(some._get_gift_lines().oms_gift_parent_ids, some.order_line[0])

    def test_categories_and_conditions(self):
        category = self.env["product.category"].create({"name": "Keyboards"})
        self.keyboard.categ_id = self.env["product.category"].create({"name": "Flat", "parent_id": category.id})
        gift = self._create_gift(scope="categories", categ_ids=[Command.set(category.ids)])
        self._create_gift_rule(gift)
        order, other = self._spend(2), self._create_order([(self.mouse, 6)])
        self._review(order, other)
        self.assertEqual((self._get_given(order), self._get_given(other)), ({"Mug": 1}, {}))
        gift.write({"scope": "domain", "product_domain": "[('default_code', '=', 'OMS-MOUSE')]"})
        self._review(order, other)
        self.assertEqual((self._get_given(order), self._get_given(other)), ({}, {"Mug": 1}))
        with self.assertRaises(ValidationError):
            gift.product_domain = "[('no_such_field', '=', 1)]"

    def test_what_does_not_count(self):
        """Discounts are taken off; services, lines without a price and gifts themselves earn nothing."""
        self._create_gift_rule(self._create_gift())
        service = self.env["product.product"].create({"name": "Shipping", "type": "service", "list_price": 500.0})
        order = self._spend(2)
        order.order_line.discount = 1
        shipping = self._create_order([(service, 1), (self.mouse, 1)])
        less = self._spend(2)
        less.order_line = [Command.create({"product_id": service.id, "name": "Discount", "price_unit": -5})]
        free = self._spend(2)
        free.order_line.price_unit = 0
        self._review(order, shipping, less, free)
        for other in (order, shipping, less, free):
            self.assertEqual(self._get_given(other), {})

    def test_only_gifts_is_no_order(self):
        self._create_gift_rule(self._create_gift({0: [(self.pen, 1)]}))
        empty, order = self._create_order([(self.mug, 1)]), self._spend(1)
        empty.order_line.price_unit = 0
        self._review(empty, order)
        self.assertEqual((self._get_given(empty), self._get_given(order)), ({}, {"Pen": 1}))

    def test_period_channel_and_company(self):
        now = fields.Datetime.now()
        gift = self._create_gift(date_from=now - timedelta(days=2), date_to=now + timedelta(days=1))
        self._create_gift_rule(gift)
        shop = self.env["oms.channel"].create({"name": "Distributors", "code": "distributors"})
        order, old = self._spend(2), self._spend(2, date_order=now - timedelta(days=3))
        distributed = self._spend(2, channel_id=shop.id)
        gift.excluded_channel_ids = shop
        self._review(order, old, distributed)
        self.assertEqual([bool(self._get_given(o)) for o in (order, old, distributed)], [True, False, False])
        gift.active = False
        self._review(order)
        self.assertEqual(self._get_given(order), {})

    def test_other_currency_is_converted(self):
        currency = self.env["res.currency"].create({"name": "OMX", "symbol": "x", "rounding": 0.01})
        self.env["res.currency.rate"].create({"currency_id": currency.id, "rate": 10.0, "name": "2020-01-01"})
        self._create_gift_rule(self._create_gift(currency_id=currency.id))
        order = self._create_order([(self.mouse, 1)])
        self._review(order)
        self.assertEqual(self._get_given(order), {"Mug": 1})

    def test_unusable_gifts_are_refused(self):
        with self.assertRaises(ValidationError):
            self._create_gift(date_from="2030-01-02", date_to="2030-01-01")
        with self.assertRaises(ValidationError):
            self._create_gift(max_quantity=-1)
        with self.assertRaises(ValidationError):
            self._create_rule("[]", actions=[{"type": "gift"}])


@tagged("post_install", "-at_install")
class TestGiftLines(GiftCommon):
    """What becomes of it in the order."""

    def test_total_stays_and_the_line_says_why(self):
        tax = self.env["account.tax"].create({"name": "A cent a piece", "amount_type": "fixed", "amount": 0.01})
        self.mug.taxes_id = tax
        rule = self._create_gift_rule(self._create_gift())
        order = self._spend(3, channel_amount_total=150.0)
        self._review(order)
        line = order._get_gift_lines()
        self.assertEqual((order.amount_total, order.channel_amount_difference), (150.0, 0.0))
        self.assertEqual(line.name, "Gift: Mug")
        self.assertEqual(line, order.order_line.sorted("sequence")[-1])
        self.assertEqual((line.oms_gift_action_id, line.oms_gift_rule_version_id), (rule.action_ids, rule.version_id))
        self.assertEqual(line.oms_gift_parent_ids, order.order_line - line)
        self.assertEqual(order._get_gift_cost(), {order.id: 3.0})
        self.assertEqual(order.oms_event_ids.filtered(lambda e: e.code == "gift").message, "add 1 × Mug")

    def test_price_stays_zero(self):
        self._create_gift_rule(self._create_gift())
        order = self._spend(2)
        self._review(order)
        line = order._get_gift_lines()
        order._recompute_prices()
        order._recompute_taxes()
        line.product_uom_qty = 5
        self.assertEqual((line.price_unit, line.tax_ids, order.amount_total), (0.0, self.env["account.tax"], 100.0))
        with self.assertRaisesRegex(ValidationError, "is a gift"):
            line.price_unit = 1

    def test_judged_twice_gives_once(self):
        self._create_gift_rule(self._create_gift())
        order = self._spend(2)
        self._review(order)
        self._review(order)
        self.assertEqual(self._get_given(order), {"Mug": 1})
        self.assertEqual(len(order.oms_event_ids.filtered(lambda event: event.code == "gift")), 1)
        self.assertFalse(order.oms_pending_parts)

    def test_edit_raises_and_lowers(self):
        self._create_gift_rule(self._create_gift(is_multiple=True))
        order = self._spend(2)
        self._review(order)
        order.order_line[0].product_uom_qty = 6
        self.assertEqual(order.oms_pending_parts, "lines")
        order._oms_judge_changes()
        self.assertEqual(self._get_given(order), {"Mug": 3})
        order.order_line[0].product_uom_qty = 2
        order._oms_judge_changes()
        self.assertEqual(self._get_given(order), {"Mug": 1})
        order.order_line[0].product_uom_qty = 1
        order._oms_judge_changes()
        self.assertFalse(order._get_gift_lines())

    def test_change_of_the_rule_gives_nothing_twice(self):
        rule = self._create_gift_rule(self._create_gift(is_multiple=True, max_per_buyer=3))
        order = self._spend(2)
        self._review(order)
        draft = rule.browse(rule.action_draft_change()["res_id"])
        draft.action_ids = [Command.create({"type": "seal"})]
        draft.action_go_live()
        self._review(order)
        self.assertEqual(self._get_given(order), {"Mug": 1})
        # One that takes the place of another in the rule has what that one gave.
        rule.action_ids = [Command.clear(), Command.create({"type": "gift", "gift_id": rule.action_ids.gift_id.id})]
        self.assertFalse(order._get_gift_lines().oms_gift_action_id)
        order.order_line[0].product_uom_qty = 4
        order._oms_judge_changes()
        self.assertEqual(self._get_given(order), {"Mug": 2})
        self.assertEqual(order._get_gift_lines().oms_gift_action_id, rule.action_ids)
        rule.domain = "[('id', '=', 0)]"
        self._review(order)
        self.assertEqual(self._get_given(order), {})

    def test_edit_counts_whatever_the_rule_looks_at(self):
        self._create_gift_rule(self._create_gift(), domain="[('partner_shipping_id.city', '=', '杭州市')]")
        order = self._spend(1)
        self._review(order)
        order.order_line[0].product_uom_qty = 2
        order._oms_judge_changes()
        self.assertEqual(self._get_given(order), {"Mug": 1})

    def test_confirmed_order_follows_into_its_transfer(self):
        self._create_gift_rule(self._create_gift(is_multiple=True))
        order = self._spend(4)
        order.action_confirm()
        self.assertEqual(order.picking_ids.move_ids.filtered(lambda m: m.product_id == self.mug).product_uom_qty, 2)
        order.order_line[0].product_uom_qty = 2
        order._oms_judge_changes()
        self.assertEqual(order.picking_ids.move_ids.filtered(lambda m: m.product_id == self.mug).product_uom_qty, 1)
        order.order_line[0].product_uom_qty = 1
        order._oms_judge_changes()
        moves = order.picking_ids.move_ids.filtered(lambda m: m.product_id == self.mug and m.state != "cancel")
        self.assertFalse(sum(moves.mapped("product_uom_qty")))
        self.assertEqual(self._get_given(order), {})

    def test_no_longer_matching_takes_the_gift_out(self):
        rule = self._create_gift_rule(self._create_gift(), domain="[('partner_shipping_id.city', '=', '杭州市')]")
        other = self._create_gift_rule(self._create_gift({100: [(self.pen, 1)]}))
        order = self._spend(2)
        self._review(order)
        self.assertEqual(self._get_given(order), {"Mug": 1, "Pen": 1})
        order.partner_shipping_id.city = "上海市"
        order._oms_judge_changes()
        self.assertEqual(self._get_given(order), {"Pen": 1})
        self.assertEqual(order._get_gift_lines().oms_gift_action_id, other.action_ids)
        self.assertNotIn(rule.action_ids, order.order_line.oms_gift_action_id)

    def test_gift_is_not_sold_below_its_cost(self):
        self._create_gift_rule(self._create_gift())
        order = self._spend(2)
        self._review(order)
        self.assertFalse(order.oms_has_line_below_cost)
        self.assertFalse(order.oms_price_below_list_rate)
        self.assertEqual(order.oms_margin, 97.0)

    def test_copy_earns_its_own(self):
        self._create_gift_rule(self._create_gift())
        order = self._spend(2)
        self._review(order)
        self.assertEqual(len(order.copy().order_line), 1)

    def test_order_without_a_channel_gets_nothing(self):
        self._create_gift_rule(self._create_gift({0: [(self.pen, 1)]}))
        order = self._spend(2, channel_id=False)
        order.action_confirm()
        self.assertFalse(order._get_gift_lines())
        self.assertFalse(order.oms_event_ids)

    def test_gift_stays_with_what_earned_it(self):
        self._create_gift_rule(self._create_gift())
        order = self._create_order([(self.keyboard, 2), (self.mouse, 1)])
        self._review(order)
        first, second, gift = order.order_line.sorted("sequence")
        self.assertEqual(first._get_keep_together_key(), gift._get_keep_together_key())
        self.assertTrue(first._get_keep_together_key())
        self.assertFalse(second._get_keep_together_key())

    def test_queries_do_not_grow_with_the_batch(self):
        self._create_gift_rule(self._create_gift({0: [(self.pen, 1)]}, max_quantity=10000, max_per_buyer=10000))

        def count(size):
            orders = self.env["sale.order"].create(
                [self._prepare_order_values([(self.keyboard, 1)]) for _index in range(size)]
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            orders._oms_review()
            self.env.flush_all()
            queries = self.env.cr.sql_log_count - before
            self.assertTrue(orders._get_gift_lines())
            before = self.env.cr.sql_log_count
            orders._oms_review()
            self.env.flush_all()
            return queries, self.env.cr.sql_log_count - before

        count(2)  # warm the caches
        few, many = count(5), count(50)
        self.assertLess(many[0], few[0] + 15)
        self.assertLess(many[1], few[1] + 15)


@tagged("post_install", "-at_install")
class TestGiftLimits(GiftCommon):
    def test_total_is_kept_and_the_older_order_comes_first(self):
        self._create_gift_rule(self._create_gift(max_quantity=2))
        orders = [self._spend(2) for _index in range(3)]
        self._review(*reversed(orders))
        self.assertEqual([self._get_given(order) for order in orders], [{"Mug": 1}, {"Mug": 1}, {}])
        late = self._spend(2)
        self._review(late, orders[2])
        self.assertEqual((self._get_given(late), self._get_given(orders[2])), ({}, {}))
        orders[0]._action_cancel()
        self._review(late)
        self.assertEqual(self._get_given(late), {"Mug": 1})
        self._review(*orders[1:], late)
        self.assertEqual([self._get_given(order) for order in (*orders[1:], late)], [{"Mug": 1}, {}, {"Mug": 1}])

    def test_what_is_left_is_given(self):
        self._create_gift_rule(self._create_gift({100: [(self.mug, 2), (self.pen, 2)]}, max_quantity=3))
        order = self._spend(2)
        self._review(order)
        self.assertEqual(self._get_given(order), {"Mug": 2, "Pen": 1})

    def test_buyer_is_the_company_behind_the_contact(self):
        self._create_gift_rule(self._create_gift(max_per_buyer=1))
        contact = self._create_buyer("Contact", parent_id=self.buyer.id)
        other = self._create_buyer("李四")
        first = self._spend(2)
        self._review(first)
        again, elsewhere = self._spend(2, partner_id=contact.id), self._spend(2, partner_id=other.id)
        self._review(again, elsewhere)
        self.assertEqual([bool(self._get_given(o)) for o in (first, again, elsewhere)], [True, False, True])

    def test_while_stock_lasts(self):
        gift = self._create_gift()
        self._create_gift_rule(gift)
        self._set_stock(self.mug, 3)
        buying = self._create_order([(self.keyboard, 2), (self.mug, 1)])
        orders = [self._spend(2) for _index in range(3)]
        self._review(buying, orders[0])
        self._review(*orders[1:])
        self.assertEqual([self._get_given(o) for o in (buying, *orders)], [{"Mug": 1}, {"Mug": 1}, {"Mug": 1}, {}])
        gift.is_while_stock_lasts = False
        self._review(orders[2])
        self.assertEqual(self._get_given(orders[2]), {"Mug": 1})

    def test_reserved_gift_is_not_taken_for_stock_that_is_gone(self):
        self._create_gift_rule(self._create_gift())
        self._set_stock(self.mug, 1)
        order = self._spend(2)
        order.action_confirm()
        order.order_line[0].product_uom_qty = 3
        order._oms_judge_changes()
        self.assertEqual(self._get_given(order), {"Mug": 1})

    def test_limited_gift_makes_others_count_again(self):
        """Who gives one of a limited gift changes its row: PostgreSQL refuses who counted before."""
        gift = self._create_gift(max_quantity=5)
        self._create_gift_rule(gift)
        order = self._spend(2)
        self._review(order)
        self.assertEqual(gift.serial, 1)
        self._review(order)
        self.assertEqual(gift.serial, 1)


@tagged("post_install", "-at_install")
class TestGiftTooLate(GiftCommon):
    """The goods are with the warehouse, or gone."""

    def _release(self, keyboards=4):
        rule = self._create_gift_rule(self._create_gift(is_multiple=True))
        order = self._spend(keyboards)
        order.action_confirm()
        order.picking_ids.printed = True
        return rule, order

    def test_picked_order_is_stopped(self):
        _rule, order = self._release()
        order.order_line[0].product_uom_qty = 2
        order._oms_judge_changes()
        self.assertEqual(self._get_given(order), {"Mug": 2})
        hold = order.oms_hold_ids
        self.assertEqual((hold.type_id.code, hold.gate, hold.reason), ("gift", "ship", "take out 1 × Mug"))
        with self.assertRaisesRegex(UserError, "take out 1 × Mug"):
            self._deliver(order)
        order.order_line[0].product_uom_qty = 4
        order._oms_judge_changes()
        self.assertEqual((hold.state, hold.resolution), ("released", "settled"))

    def test_released_hold_does_not_come_back(self):
        _rule, order = self._release()
        order.order_line[0].product_uom_qty = 2
        order._oms_judge_changes()
        order.oms_hold_ids.with_user(self.user).action_release()
        self._review(order)
        self.assertEqual(order.oms_hold_ids.mapped("state"), ["released"])
        order.order_line[0].product_uom_qty = 1
        order._oms_judge_changes()
        active = order.oms_hold_ids.filtered(lambda hold: hold.state == "active")
        self.assertEqual(active.reason, "take out 2 × Mug")

    def test_no_longer_matching_is_stopped_too(self):
        rule, order = self._release()
        rule.domain = "[('amount_total', '>', 5000)]"
        self._review(order)
        self.assertEqual(order.oms_hold_ids.reason, "take out 2 × Mug")

    def _refund(self, order, keyboards):
        invoice = order._create_invoices()
        invoice.action_post()
        refund = invoice._reverse_moves([{}])
        line = refund.invoice_line_ids.filtered(lambda row: row.product_id == self.keyboard)
        (refund.invoice_line_ids - line).unlink()
        line.quantity = keyboards
        refund.action_post()
        return refund

    def test_refund_shows_that_a_sent_gift_was_not_earned(self):
        rule = self._create_gift_rule(self._create_gift())
        order = self._spend(3)
        order.action_confirm()
        self._deliver(order)
        self._refund(order, 1)
        self.assertFalse(order.activity_ids)
        self._refund(order, 1)
        event = order.oms_event_ids.filtered(lambda event: event.code == "gift").sorted("id")[-1]
        self.assertIn("To be claimed back", event.message)
        self.assertIn("Mug", order.activity_ids.note)
        self.assertEqual(order.activity_ids.user_id, self.channel.user_id)
        self.assertEqual(self._get_given(order), {"Mug": 1})
        order._oms_rejudge_gifts()
        self.assertEqual(len(order.activity_ids), 1)
        self.assertTrue(rule)

    def test_refund_before_shipping_takes_the_gift_out(self):
        self.keyboard.invoice_policy = "order"
        self._create_gift_rule(self._create_gift())
        order = self._spend(2)
        order.action_confirm()
        self._refund(order, 1)
        self.assertEqual(self._get_given(order), {})
        self.assertFalse(order.activity_ids)


@tagged("post_install", "-at_install")
class TestGiftWords(GiftCommon):
    def test_sentence_and_versions(self):
        tiers = {100: [(self.mug, 1)], 200: [(self.mug, 1), (self.pen, 2)]}
        gift = self._create_gift(tiers, is_while_stock_lasts=False)
        rule = self._create_gift_rule(gift)
        self.assertEqual(
            rule.sentence,
            "When an order arrives: give 1 × Mug from 100.00; 1 × Mug and 2 × Pen from 200.00 (only the highest tier).",
        )
        self.assertEqual(rule.version, 1)
        gift.tier_ids[0].line_ids.quantity = 3
        self.assertEqual(rule.version, 2)
        self.assertIn("3 × Mug from 100.00", rule.version_id.sentence)
        gift.tier_ids[0].line_ids.quantity = 3
        gift.sequence = 5
        self.assertEqual(rule.version, 2)

    def test_endless(self):
        gift = self._create_gift()
        rule = self._create_gift_rule(gift)
        self.assertTrue(rule.action_ids._is_endless())
        gift.max_quantity = 10
        self.assertFalse(rule.action_ids._is_endless())
        gift.max_quantity = 0
        rule.date_to = "2040-01-01"
        self.assertFalse(rule.action_ids._is_endless())

    def test_given_count_and_cost(self):
        gift = self._create_gift()
        self._create_gift_rule(gift)
        orders = [self._spend(2), self._spend(2)]
        self._review(*orders)
        orders[1]._action_cancel()
        gift.invalidate_recordset()
        self.assertEqual((gift.given_quantity, gift.given_cost), (1, 3.0))
        lines = self.env["sale.order.line"].search(gift.action_view_given()["domain"])
        self.assertIn(orders[0], lines.order_id)
        self.assertEqual(gift.rule_count, 1)

    def test_used_gift_is_archived_not_deleted(self):
        gift = self._create_gift()
        self._create_gift_rule(gift)
        with self.assertRaisesRegex(UserError, "archive it"):
            gift.unlink()

    def test_only_a_manager_writes_gifts(self):
        gift = self._create_gift()
        gift.with_user(self.manager).name = "Mine"
        self.assertEqual(gift.with_user(self.user).name, "Mine")
        with self.assertRaisesRegex(Exception, "oms.gift"):
            gift.with_user(self.user).name = "Yours"
