"""What a carrier charges for a parcel: first weight and continued weight by zone.

Plain Python: ids and numbers in, frozen dataclasses out; no database, no clock.
"""

import math
from dataclasses import dataclass, field

_EPSILON = 1e-6  # kilograms: weights come as binary fractions


@dataclass(frozen=True)
class Tariff:
    """One line of a carrier's price list. Weights in kilograms, prices in the company's currency."""

    id: int
    carrier_id: int
    first_weight: float
    first_price: float
    step_weight: float
    step_price: float
    country_id: int = 0  # 0: any
    state_ids: frozenset[int] = field(default_factory=frozenset)  # empty: every state
    warehouse_id: int = 0  # 0: from every warehouse
    max_weight: float = 0.0  # 0: no limit
    days: int = 0
    volume_divisor: float = 0.0  # cubic centimetres that count as one kilogram; 0: volume is free


@dataclass(frozen=True)
class Shipment:
    """What is to be sent from where to where. Weight in kilograms, volume in cubic metres."""

    country_id: int
    state_id: int
    warehouse_id: int
    weight: float
    volume: float = 0.0


@dataclass(frozen=True)
class Quote:
    """What one carrier asks for one shipment."""

    carrier_id: int
    tariff_id: int
    price: float
    charged_weight: float
    days: int


@dataclass(frozen=True)
class Offer:
    """What one carrier asks for all parcels of a delivery."""

    carrier_id: int
    price: float
    days: int
    charged_weight: float
    tariff_ids: tuple[int, ...]


def charged_weight(tariff, shipment):
    """Return the weight in kilograms that is paid for: the real one, or the volume's where that is more."""
    volume_weight = shipment.volume * 1e6 / tariff.volume_divisor if tariff.volume_divisor else 0.0
    return max(shipment.weight, volume_weight)


def price(tariff, weight):
    """Return the price of ``weight`` kilograms: the first weight, then every step begun."""
    steps = 0
    if weight > tariff.first_weight + _EPSILON and tariff.step_weight:
        steps = math.ceil((weight - tariff.first_weight) / tariff.step_weight - _EPSILON)
    return round(tariff.first_price + steps * tariff.step_price, 4)


def serves(tariff, shipment):
    """Whether the line is meant for this address, warehouse and weight."""
    return (
        tariff.country_id in (0, shipment.country_id)
        and (not tariff.state_ids or shipment.state_id in tariff.state_ids)
        and tariff.warehouse_id in (0, shipment.warehouse_id)
        and (not tariff.max_weight or charged_weight(tariff, shipment) <= tariff.max_weight + _EPSILON)
    )


def quote(tariffs, shipment):
    """Return what a carrier with these price lines asks, or None when none of them serves the shipment.

    The line that says most about the shipment counts: state before country, own warehouse before any.
    """
    lines = [tariff for tariff in tariffs if serves(tariff, shipment)]
    if not lines:
        return None
    line = min(lines, key=lambda t: (not t.state_ids, not t.country_id, not t.warehouse_id, t.id))
    weight = charged_weight(line, shipment)
    return Quote(line.carrier_id, line.id, price(line, weight), weight, line.days)


def rank(quotes):
    """Return what each carrier asks for parcels that travel together: cheapest first, then fastest, then lowest id.

    :param dict quotes: {carrier id: [Quote, or None where it does not serve the parcel, for each parcel]}
    """
    offers = [
        Offer(
            carrier_id,
            round(sum(quote.price for quote in parcels), 4),
            max(quote.days for quote in parcels),
            round(sum(quote.charged_weight for quote in parcels), 4),
            tuple(quote.tariff_id for quote in parcels),
        )
        for carrier_id, parcels in quotes.items()
        if parcels and all(parcels)
    ]
    return sorted(offers, key=lambda offer: (offer.price, offer.days, offer.carrier_id))
