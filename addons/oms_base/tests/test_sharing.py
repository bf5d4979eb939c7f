from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase

from ..sharing import Item, Money, OrderMoney, pack, share, share_order

amounts = st.integers(-(10**9), 10**9).map(lambda cents: cents / 100)
weights = st.lists(st.integers(0, 10**6).map(lambda grams: grams / 1000), min_size=1, max_size=12)
# No deadline and no examples of earlier runs: a busy machine is no failure, and every run is like the last.
quiet = settings(deadline=None, database=None, derandomize=True, max_examples=300)


def to_cents(amount):
    return round(amount * 100)


class TestSharing(BaseCase):
    def test_known_shares(self):
        self.assertEqual(share(10, [1, 1, 1], 2), [3.34, 3.33, 3.33])
        self.assertEqual(share(-0.01, [1, 1], 2), [-0.01, 0.0])
        self.assertEqual(share(100, [2, 1], 0), [67, 33])
        self.assertEqual(share(1, [0, 0], 2), [0.5, 0.5])
        self.assertEqual(share(5, [], 2), [])

    @quiet
    @given(amounts, weights)
    def test_shares_add_up_and_are_a_unit_off_at_most(self, amount, weights):
        parts = share(amount, weights, 2)
        self.assertEqual(sum(map(to_cents, parts)), to_cents(amount))
        total = sum(weights)
        for part, weight in zip(parts, weights, strict=True):
            exact = amount * weight / total if total else amount / len(weights)
            self.assertLess(abs(part - exact), 0.01 + 1e-6)

    @quiet
    @given(
        st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**5)), min_size=1, max_size=5),
        st.integers(-(10**5), 0),
        st.integers(0, 10**5),
        st.integers(-5, 5),
        st.data(),
    )
    def test_parts_of_an_order_add_up_to_the_order(self, lines, discount, shipping, rounding, data):
        keys = st.integers(0, len(lines) - 1)
        parts = [(key, 1.0) for key in range(len(lines))]
        parts += data.draw(st.lists(st.tuples(keys, st.integers(1, 9).map(float)), max_size=8))
        tax = sum(tax for _goods, tax in lines) + rounding
        order = OrderMoney(
            {key: (goods / 100, tax / 100) for key, (goods, tax) in enumerate(lines)},
            discount / 100,
            shipping / 100,
            tax / 100,
        )
        money = share_order(order, parts, 2)
        self.assertEqual(sum(to_cents(part.goods) for part in money), sum(goods for goods, _tax in lines))
        self.assertEqual(sum(to_cents(part.discount) for part in money), discount)
        self.assertEqual(sum(to_cents(part.shipping) for part in money), shipping)
        self.assertEqual(sum(to_cents(part.tax) for part in money), tax)

    def test_what_has_no_value_is_shared_by_quantity(self):
        money = share_order(OrderMoney({1: (0.0, 0.0)}, shipping=9.0), [(1, 1.0), (1, 2.0)], 2)
        self.assertEqual(money, [Money(shipping=3.0), Money(shipping=6.0)])

    @quiet
    @given(
        st.lists(
            st.tuples(st.integers(1, 9), st.integers(0, 5000), st.sampled_from([None, None, "a", "b"])), max_size=8
        ),
        st.integers(1, 9000),
    )
    def test_parcels_hold_everything_once_and_keep_the_limit(self, goods, limit):
        items = [Item(index, float(quantity), float(size), key) for index, (quantity, size, key) in enumerate(goods)]
        parcels = pack(items, limit)
        for item in items:
            self.assertEqual(sum(parcel.get(item.key, 0.0) for parcel in parcels), item.quantity)
            if item.together is not None:
                self.assertEqual(sum(item.key in parcel for parcel in parcels), 1)
        by_key = {item.key: item for item in items}
        for parcel in parcels:
            self.assertTrue(parcel)
            inside = [by_key[key] for key in parcel]
            size = sum(item.size * parcel[item.key] for item in inside)
            bundles = {item.together if item.together is not None else item.key for item in inside}
            single = len(bundles) == 1 and (inside[0].together is not None or parcel[inside[0].key] == 1)
            self.assertTrue(size <= limit + 1e-6 or single, f"{parcel} weighs {size} of {limit}")
