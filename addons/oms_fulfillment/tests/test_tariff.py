from odoo.tests import BaseCase

from ..routing.tariff import Offer, Quote, Shipment, Tariff, charged_weight, price, quote, rank

CN, US, ZHEJIANG, XINJIANG, WAREHOUSE = 48, 233, 1, 2, 7


def tariff(number, carrier=1, **values):
    defaults = {"first_weight": 1.0, "first_price": 10.0, "step_weight": 1.0, "step_price": 4.0}
    return Tariff(id=number, carrier_id=carrier, **{**defaults, **values})


def shipment(weight, state=ZHEJIANG, country=CN, volume=0.0):
    return Shipment(country, state, WAREHOUSE, weight, volume)


class TestTariff(BaseCase):
    def test_first_weight_is_one_price_and_every_step_begun_another(self):
        cases = {0.0: 10.0, 0.3: 10.0, 1.0: 10.0, 1.01: 14.0, 2.0: 14.0, 2.2: 18.0}
        self.assertEqual({weight: price(tariff(1), weight) for weight in cases}, cases)

    def test_binary_fractions_start_no_step(self):
        half = tariff(1, first_weight=0.5, step_weight=0.1, step_price=1.0)
        self.assertEqual(price(half, 0.1 + 0.2 + 0.3), 11.0)  # 0.6000000000000001
        self.assertEqual(price(tariff(1), 0.1 * 3 + 0.7), 10.0)

    def test_volume_is_charged_where_it_is_more(self):
        line = tariff(1, volume_divisor=6000)
        self.assertAlmostEqual(charged_weight(line, shipment(1.0, volume=0.03)), 5.0)
        self.assertEqual(charged_weight(line, shipment(9.0, volume=0.03)), 9.0)
        self.assertEqual(charged_weight(tariff(1), shipment(1.0, volume=0.03)), 1.0)

    def test_the_line_that_says_most_counts(self):
        lines = [
            tariff(1, first_price=30.0),
            tariff(2, country_id=CN, first_price=20.0),
            tariff(3, country_id=CN, state_ids=frozenset({ZHEJIANG}), first_price=6.0),
            tariff(4, country_id=CN, state_ids=frozenset({ZHEJIANG}), warehouse_id=WAREHOUSE, first_price=5.0),
        ]
        self.assertEqual(quote(lines, shipment(1.0)).tariff_id, 4)
        self.assertEqual(quote(lines[:3], shipment(1.0)).tariff_id, 3)
        self.assertEqual(quote(lines, shipment(1.0, state=XINJIANG)).tariff_id, 2)
        self.assertEqual(quote(lines, shipment(1.0, country=US)).tariff_id, 1)

    def test_what_is_too_heavy_or_too_far_is_not_served(self):
        line = tariff(1, country_id=CN, max_weight=20.0)
        self.assertIsNone(quote([line], shipment(20.5)))
        self.assertIsNone(quote([line], shipment(1.0, country=US)))
        self.assertEqual(quote([line], shipment(20.0)), Quote(1, 1, 86.0, 20.0, 0))

    def test_cheapest_then_fastest_then_oldest(self):
        quotes = {
            3: [Quote(3, 1, 8.0, 1.0, 3)],
            2: [Quote(2, 2, 8.0, 1.0, 3)],
            4: [Quote(4, 3, 8.0, 1.0, 1)],
            1: [Quote(1, 4, 9.0, 1.0, 1)],
        }
        self.assertEqual([offer.carrier_id for offer in rank(quotes)], [4, 2, 3, 1])

    def test_a_carrier_must_serve_every_parcel(self):
        quotes = {1: [Quote(1, 1, 8.0, 1.0, 3), None], 2: [Quote(2, 2, 9.0, 1.0, 3), Quote(2, 3, 4.1, 0.5, 5)], 3: []}
        self.assertEqual(rank(quotes), [Offer(2, 13.1, 5, 1.5, (2, 3))])
