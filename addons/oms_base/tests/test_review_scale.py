"""What a review costs does not grow with the orders but for their rows; and its verdict does not depend on the way."""

import random
import threading
from dataclasses import replace
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.fields import Command, Domain
from odoo.tests import tagged

from odoo.addons.oms_base.models.review import sale_order_judge
from odoo.addons.oms_base.tests.common import OmsBaseCommon

# The same examples in every run: a test that fails today fails tomorrow.
PROPERTY = settings(
    max_examples=120, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@tagged("post_install", "-at_install")
class TestReviewScale(OmsBaseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["oms.rule"].search([]).action_to_draft()
        tag = cls.env["crm.tag"].create({"name": "Scale"})
        conditions = [
            "[('client_order_ref', '=like', '%x')]",
            "[('oms_address_problem', '!=', False)]",
            "[('oms_has_shortage', '=', True)]",
            *(f"[('amount_total', '>', {5000 + number})]" for number in range(15)),
            *(f"[('order_line.product_uom_qty', '>', {100 + number})]" for number in range(12)),
            *(f"[('order_line.product_id.default_code', '=like', 'NONE{number}%')]" for number in range(5)),
            *(f"[('partner_shipping_id.city', '=', 'Nowhere {number}')]" for number in range(15)),
        ]
        for number, domain in enumerate(conditions):
            actions = [{"type": "tag", "tag_ids": [Command.set(tag.ids)]}] if number else None
            cls._create_rule(domain, actions=actions, name=f"Scale {number}")

    def _count_queries(self, size):
        refs = ["x" if number % 20 == 0 else "y" for number in range(size)]
        orders = self.env["sale.order"].create(
            [self._prepare_order_values([(self.mouse, 1)], client_order_ref=ref) for ref in refs]
        )
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        orders._oms_review()
        self.env.flush_all()
        count = self.env.cr.sql_log_count - before
        self.assertEqual(len(orders.oms_decision_ids), size)
        self.assertEqual(len(orders.oms_hold_ids), refs.count("x"))
        return count

    def test_queries_of_a_thousand_orders(self):
        self._count_queries(150)  # warms the caches
        few, many = self._count_queries(200), self._count_queries(1000)
        self.assertLess(many, few + 12)

    def _review_alone(self):
        """Judge one order in a transaction that has read what a confirmation reads; return the queries it takes."""
        order = self._create_order()
        self.env.flush_all()
        self.env.invalidate_all()
        order.order_line.product_id.mapped("uom_id.name")
        order.order_line.product_id.mapped("route_ids.name")
        order.order_line.mapped("route_ids.name")
        order.order_line.product_id.categ_id.total_route_ids.mapped("name")
        (order.partner_id | order.partner_shipping_id).mapped("country_id.code")
        order.partner_shipping_id.mapped("state_id.code")  # of China only
        queries = []

        def log(cr, *_args):
            queries.append(cr._obj.query.decode())

        with patch.object(threading.current_thread(), "query_hooks", [log], create=True):
            order._oms_review()
            self.env.flush_all()
        self.assertEqual(order.oms_decision_ids.outcome, "pass")
        return queries

    def test_queries_of_an_order_alone(self):
        """Beside what its confirmation reads anyway: its holds, the stock it asks for, and its decision."""
        self._review_alone()  # warms the caches
        queries = self._review_alone()
        for table, count in (("oms_hold", 1), ("oms_decision", 1), ("sale_order", 1), ("res_partner", 0)):
            named = [query for query in queries if f"{table} " in query.replace('"', "").replace(",", " ")]
            self.assertLessEqual(len(named), count, named)
        self.assertLessEqual(len(queries), 5, queries)

    def test_address_is_read_once(self):
        """Keys and facts ask the same of an address: of a country whose places nobody knows, not even its state."""
        state = self.env.ref("base.state_us_5")
        contact = self._create_buyer("Jo", country_id=state.country_id.id, state_id=state.id)
        self.assertFalse(self._create_order(partner_id=contact.id).oms_is_undeliverable)  # warms the caches
        order = self._create_order(partner_id=contact.id)
        self.env.flush_all()
        self.env.invalidate_all()
        order.partner_shipping_id.mapped("country_id.code")
        with self.assertQueryCount(0):
            self.assertFalse(order._oms_refresh_keys())
            self.assertFalse(order.oms_address_problem)

    def test_getting_the_rules_computes_no_facts(self):
        """The rules are read anew after each change of one: that must not compute a fact for every open order."""
        self._create_order()
        self.env.registry.clear_cache()
        with patch.object(self.env.registry["sale.order"], "_compute_oms_has_shortage", side_effect=AssertionError):
            specs = self.env["oms.rule"]._get_live_specs(("received",))
        self.assertEqual(len(specs), 50)

    def test_queries_in_memory(self):
        self._count_queries(20)
        few, many = self._count_queries(20), self._count_queries(100)
        self.assertLess(many, few + 5)


def conditions():
    """A strategy of conditions over all kinds of fields that a rule may ask for."""
    number = st.sampled_from([0, 20, 50, 70, 120.5, 500])
    text = st.sampled_from(["", "A", "a1", "%1", "b_", "杭州市", "OMS", False])
    compare = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
    contains = st.sampled_from(["like", "ilike", "not like", "not ilike", "=like", "=ilike"])
    date = st.sampled_from(["2026-01-01 00:00:00", "2026-06-15 12:00:00"])
    words = st.sampled_from(["client_order_ref", "partner_shipping_id.city", "order_line.product_id.default_code"])
    numbers = st.sampled_from(["amount_total", "order_line.product_uom_qty", "order_line.price_unit"])
    is_set = st.tuples(
        st.sampled_from(["client_order_ref", "tag_ids", "commitment_date", "partner_shipping_id.street"]),
        st.sampled_from(["=", "!="]),
        st.just(False),
    )
    keys = st.tuples(
        st.just("oms_priority"),
        st.sampled_from(["in", "not in"]),
        st.lists(st.sampled_from(["0", "1", "2"]), max_size=2, unique=True),
    )
    rows = st.tuples(
        st.just("order_line"),
        st.sampled_from(["any", "not any"]),
        st.tuples(
            st.tuples(st.just("product_uom_qty"), st.sampled_from([">", "<="]), st.sampled_from([1, 2, 6])),
            st.tuples(st.just("product_id.default_code"), st.sampled_from(["=", "not ilike"]), st.just("OMS-MOUSE")),
        ).map(list),
    )
    return st.one_of(
        rows,
        st.tuples(numbers, compare, number),
        st.tuples(words, st.sampled_from(["=", "!="]), text),
        st.tuples(words, contains, text.filter(bool)),
        st.tuples(st.just("commitment_date"), st.sampled_from(["<", ">", "<=", ">="]), date),
        st.tuples(st.just("tag_ids.name"), st.sampled_from(["=", "ilike"]), st.sampled_from(["Red", "re", "Blue"])),
        st.tuples(st.just("oms_address_problem"), st.sampled_from(["=", "!="]), st.just(False)),
        st.tuples(st.just("oms_has_shortage"), st.just("="), st.booleans()),
        is_set,
        keys,
    )


def domains():
    """A strategy of domains: conditions joined by and, or, not."""
    return st.recursive(
        conditions().map(lambda condition: Domain(*condition)),
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda pair: pair[0] & pair[1]),
            st.tuples(inner, inner).map(lambda pair: pair[0] | pair[1]),
            inner.map(lambda domain: ~domain),
        ),
        max_leaves=5,
    )


class VerdictCommon(OmsBaseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["oms.rule"].search([]).action_to_draft()
        chance = random.Random(20260615)
        cls.tags = cls.env["crm.tag"].create([{"name": "Red"}, {"name": "Blue"}])
        buyers = [
            cls._create_buyer("甲", city=False, street=False),
            cls._create_buyer("乙", city="A1"),
            cls._create_buyer("丙", zip=False, phone="12"),
            cls.buyer,
        ]
        cls.orders = cls.env["sale.order"].create(
            [
                cls._prepare_order_values(
                    [
                        (chance.choice([cls.mouse, cls.keyboard]), chance.choice([1, 2, 6, 20]))
                        for _line in range(chance.randint(0, 3))
                    ],
                    partner_id=chance.choice(buyers).id,
                    client_order_ref=chance.choice([False, "A1", "a1", "B", "xA"]),
                    oms_priority=chance.choice([False, "0", "1", "2"]),
                    commitment_date=chance.choice([False, "2026-01-01 00:00:00", "2026-07-01 00:00:00"]),
                    tag_ids=[Command.set(chance.sample(cls.tags.ids, chance.randint(0, 2)))],
                )
                for _order in range(30)
            ]
        )
        cls.env.flush_all()

    def _prepare_specs(self, texts):
        rules = self.env["oms.rule"].create(
            [{"name": f"Verdict {number}", "domain": text, "tz": "UTC"} for number, text in enumerate(texts)]
        )
        specs = [rule._prepare_spec() for rule in rules]
        self.assertTrue(all(specs))
        return specs


@tagged("post_install", "-at_install")
class TestVerdictProperties(VerdictCommon):
    @PROPERTY
    @given(st.lists(domains(), min_size=1, max_size=6))
    def test_sql_and_memory_agree(self, drawn):
        specs = self._prepare_specs([str(list(domain)) for domain in drawn])
        by_domain = [replace(spec, predicate=None) for spec in specs]
        verdicts = []
        for limit, judged in ((0, specs), (len(self.orders), specs), (len(self.orders), by_domain)):
            self.env.invalidate_all()
            with patch.object(sale_order_judge, "IN_MEMORY_LIMIT", limit):
                found = self.orders._oms_match(judged)
                verdicts.append([sorted(found[spec]) for spec in judged])
        self.assertEqual(verdicts[0], verdicts[2])
        self.assertEqual(verdicts[1], verdicts[2])

    def test_what_becomes_a_function(self):
        """Plain conditions do; what depends on the day or a hierarchy is left to Odoo."""
        texts = (
            "[('order_line', 'any', [('product_uom_qty', '>', 3), ('price_unit', '<', 5)])]",
            "['!', ('partner_shipping_id.country_id.code', 'in', ['KP', 'IR'])]",
            "[('commitment_date', '>', '2026-01-01 00:00:00')]",
            "[('date_order', '>', 'today -7d')]",
            "[('partner_id', 'child_of', [1])]",
        )
        made = [bool(spec.predicate) for spec in self._prepare_specs(texts)]
        self.assertEqual(made, [True, True, True, False, False])

    @settings(PROPERTY, max_examples=25)
    @given(st.lists(domains(), min_size=5, max_size=5), st.permutations(range(5)))
    def test_independent_rules_commute(self, drawn, sequence):
        person = self.user.id
        actions = [
            {"type": "hold", "hold_type_id": self.env.ref("oms_base.oms_hold_type_address").id},
            {"type": "hold", "hold_type_id": self.env.ref("oms_base.oms_hold_type_manual").id},
            {"type": "tag", "tag_ids": [Command.set(self.tags[0].ids)]},
            {"type": "tag", "tag_ids": [Command.set(self.tags[1].ids)]},
            {"type": "assign", "user_id": person},
        ]
        rules = [
            self._create_rule(str(list(domain)), actions=[action], name=f"Commutes {number}")
            for number, (domain, action) in enumerate(zip(drawn, actions, strict=True))
        ]
        specs = [rule._prepare_spec() for rule in rules]
        self.assertEqual(self._judge(specs), self._judge([specs[number] for number in sequence]))

    def _judge(self, specs):
        """Return all that a review by ``specs`` leaves of it, and undo it."""
        savepoint = self.env.cr.savepoint()
        self.orders._oms_review(specs=specs)
        self.env.flush_all()
        left = {
            order.id: (
                {(hold.type_id.id, hold.rule_id.id, hold.reason) for hold in order.oms_hold_ids},
                set(order.tag_ids.ids),
                order.oms_reviewer_id.id,
                [
                    (decision.outcome, {match["version_id"] for match in decision.data["matched"]})
                    for decision in order.oms_decision_ids
                ],
            )
            for order in self.orders
        }
        savepoint.close(rollback=True)
        self.env.invalidate_all()
        return left
