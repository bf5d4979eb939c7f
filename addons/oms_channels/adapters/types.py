"""The one language all shops are translated into: frozen dataclasses.

Money and quantities are ``Decimal`` in major units, times aware UTC ``datetime``; an unknown text is "", never None.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

ZERO = Decimal(0)
# What is less than this is dust of divisions, not money.
DUST = Decimal("0.005")
# How shops call it that the buyer pays at the door.
_CASH_ON_DELIVERY = re.compile(r"(?<![a-z])cod(?![a-z])|cash.on.delivery|货到付款")


class Secrets(Mapping):
    """Read-only mapping that never shows its values in a log, a traceback or a repr."""

    def __init__(self, values=()):
        self._values = dict(values)

    def __getitem__(self, key):
        return self._values[key]

    def __iter__(self):
        return iter(self._values)

    def __len__(self):
        return len(self._values)

    def __repr__(self):
        return f"<Secrets {sorted(self._values)}>"


class Memory:
    """What must be known from one call of a shop to the next: how full its buckets are. This one lasts as long as it;
    the database's (`oms.channel.memory`) is shared by all workers."""

    def __init__(self):
        self.states = {}

    def __call__(self, key, change):
        """Change what is kept under a key, as one step.

        :param change: callable(state) -> (new state, result); states are JSON-able dicts, at first an empty one
        :return: the result
        """
        self.states[key], result = change(self.states.get(key) or {})
        return result


@dataclass(frozen=True)
class ChannelConfig:
    """All an adapter knows about one shop.

    :param base_url: "https://shop.example.com", with or without a trailing slash
    :param credentials: see ``credential_keys`` of the adapter class
    :param options: see ``option_keys`` of the adapter class
    :param memory: see Memory
    """

    base_url: str
    credentials: Mapping[str, str] = field(default_factory=Secrets, repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)
    memory: Callable = field(default_factory=Memory, repr=False, compare=False)

    def __post_init__(self):
        object.__setattr__(self, "base_url", self.base_url.rstrip("/"))
        if not isinstance(self.credentials, Secrets):
            object.__setattr__(self, "credentials", Secrets(self.credentials or {}))


# === ORDERS, IN === #


@dataclass(frozen=True)
class ChannelAddress:
    name: str = ""
    company: str = ""
    street: str = ""
    street2: str = ""
    district: str = ""
    city: str = ""
    province: str = ""  # name or code, as the shop gives it
    zip: str = ""
    country_code: str = ""  # ISO 3166-1 alpha-2, upper case
    phone: str = ""
    email: str = ""


# Who gives a discount: the seller by a promotion, the platform at its own cost, a code the buyer has, the shop's staff
# by hand; "other" where nobody tells.
DISCOUNT_SOURCES = ("seller", "platform", "coupon", "manual", "other")


class ChannelDiscount(NamedTuple):
    """A part of a line's or charge's ``discount_amount``, in the same terms."""

    source: str  # one of DISCOUNT_SOURCES
    amount: Decimal
    code: str = ""  # of a coupon, else the promotion's name


def complete_discounts(found, total):
    """Return the discounts of a line such that they add up to ``total``: what nobody told of is "other", what is too
    much is taken off all in proportion."""
    found = [row for row in found if row.amount > 0] if total > 0 else []
    told = sum((row.amount for row in found), ZERO)
    if told > total:
        found = [row._replace(amount=row.amount * total / told) for row in found]
        told = sum((row.amount for row in found), ZERO)
    if found and (rest := total - told) and abs(rest) < DUST:
        found[0] = found[0]._replace(amount=found[0].amount + rest)
    elif rest := total - told:
        found.append(ChannelDiscount("other", rest))
    return tuple(found)


@dataclass(frozen=True)
class ChannelLine:
    """One line as sold. ``price_unit`` and ``discount_amount`` include tax when ``is_tax_included``; always

        price_unit * quantity - discount_amount  =  total            (is_tax_included)
                                                 =  total - tax_amount  (otherwise)

    up to the shop's own rounding. Returned units stay in ``quantity``; units cancelled before shipping stay too and are
    counted in ``cancelled_quantity``: the quantity to deliver is ``open_quantity``.
    """

    external_id: str
    sku: str
    title: str
    quantity: Decimal
    price_unit: Decimal
    total: Decimal  # of the line, after discount, with tax, as the shop says
    discount_amount: Decimal = ZERO  # of the line
    tax_amount: Decimal = ZERO  # of the line
    is_tax_included: bool = False
    tax_rate: Decimal | None = None  # percent, sum of all rates, where the shop tells
    barcode: str = ""
    product_external_id: str = ""
    variant_external_id: str = ""
    cancelled_quantity: Decimal = ZERO
    shipped_quantity: Decimal = ZERO
    delivered_quantity: Decimal = ZERO
    returned_quantity: Decimal = ZERO
    requires_shipping: bool = True
    ship_from: date | None = None  # the shop promised not to send this line before
    discounts: tuple[ChannelDiscount, ...] = ()  # by source; always completed to ``discount_amount``

    def __post_init__(self):
        object.__setattr__(self, "discounts", complete_discounts(self.discounts, self.discount_amount))

    @property
    def open_quantity(self):
        return self.quantity - self.cancelled_quantity


@dataclass(frozen=True)
class ChannelShipping:
    """A shipping charge; ``amount`` and ``discount_amount`` follow ``is_tax_included`` as on a line."""

    external_id: str
    name: str
    amount: Decimal  # before discount
    total: Decimal  # after discount, with tax
    tax_amount: Decimal = ZERO
    discount_amount: Decimal = ZERO
    is_tax_included: bool = False
    tax_rate: Decimal | None = None
    discounts: tuple[ChannelDiscount, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "discounts", complete_discounts(self.discounts, self.discount_amount))


@dataclass(frozen=True)
class ChannelPayment:
    external_id: str
    provider: str
    amount: Decimal
    currency: str  # ISO 4217, upper case
    state: str  # pending, authorized, captured, partially_refunded, refunded, cancelled
    captured_amount: Decimal = ZERO
    refunded_amount: Decimal = ZERO
    date: datetime | None = None  # captured, else authorized
    fee_amount: Decimal = ZERO  # what the provider keeps of it, where the shop tells
    is_by_total: bool = False  # the shop says that the order is paid, not how much: its total by now is a guess


# Money only, or goods that come back.
REFUND_KINDS = ("refund", "return")
REFUND_STATES = ("requested", "received", "refunded", "refused", "cancelled")


@dataclass(frozen=True)
class ChannelRefundRequest:
    """A buyer's request made in the shop, before or after shipping."""

    external_id: str
    kind: str  # one of REFUND_KINDS
    state: str  # one of REFUND_STATES
    amount: Decimal
    reason: str = ""
    lines: tuple[tuple[str, Decimal], ...] = ()  # (line external id, quantity); empty = the whole order
    requested_at: datetime | None = None


@dataclass(frozen=True)
class ChannelOrder:
    """``version`` is a string that orders: of two payloads of one order the newer sorts higher.

    ``total`` is the amount as sold, after edits of the buyer, before returns and refunds. It and the payments are
    rounded to the currency; the amounts of lines, shipping and taxes are exact and may have more decimals.
    """

    external_id: str
    reference: str  # the number the buyer sees
    version: str
    status: str  # open, cancelled, completed
    placed_at: datetime
    updated_at: datetime
    currency: str  # ISO 4217, upper case
    lines: tuple[ChannelLine, ...]
    total: Decimal
    email: str = ""
    buyer_id: str = ""
    buyer_name: str = ""
    shipping_address: ChannelAddress | None = None
    billing_address: ChannelAddress | None = None  # None: same as shipping
    shippings: tuple[ChannelShipping, ...] = ()
    payments: tuple[ChannelPayment, ...] = ()
    refund_requests: tuple[ChannelRefundRequest, ...] = ()
    discount_total: Decimal = ZERO
    tax_total: Decimal = ZERO
    is_paid: bool = False
    note: str = ""  # of the buyer
    seller_note: str = ""  # of the shop's staff
    buyer_ip: str = ""
    coupon_codes: tuple[str, ...] = ()
    risk_score: Decimal | None = None  # 0 to 100, by the shop's own judgement
    tells_payments: bool = True  # False: no payments means that they are not known, not that nobody paid
    is_presale: bool = False
    is_held: bool = False  # paid, but the shop does not want it sent yet
    ship_from: date | None = None  # the shop promised not to send before
    ship_by: datetime | None = None  # the shop promised to send before
    is_masked: bool = False  # name, phone or address are hidden by the shop
    is_direct: bool = False  # sent to us by API or file: there is no shop to ask or to tell
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def find_line(self, external_id):
        """Return the line of an id, None when there is none."""
        return next((line for line in self.lines if line.external_id == external_id), None)

    @property
    def awaits_payment(self):
        """Whether the buyer has still to pay before anything is sent: not captured or authorised in full, nor paid on
        delivery."""
        if self.is_paid or self.status != "open" or not (self.payments or self.tells_payments):
            return False
        if any(_CASH_ON_DELIVERY.search(payment.provider.lower()) for payment in self.payments):
            return False
        secured = sum((row.amount if row.state == "authorized" else row.captured_amount for row in self.payments), ZERO)
        return self.expected_total - secured > DUST

    @property
    def sent_units(self):
        """{line id: units that the shop says have been sent}, of what is to be; all of an order that is over."""
        return {
            line.external_id: units
            for line in self.lines
            if line.requires_shipping
            and (units := line.open_quantity if self.status == "completed" else line.shipped_quantity)
        }

    @property
    def is_sent(self):
        """Whether the shop says that there are goods and all of them have been sent."""
        goods = [line for line in self.lines if line.requires_shipping and line.open_quantity]
        sent = self.sent_units
        return bool(goods) and all(sent.get(line.external_id, ZERO) >= line.open_quantity for line in goods)

    @property
    def expected_total(self):
        """What the buyer owes: the total as sold, less what was cancelled before it was sent."""
        cancelled = (
            line.total * line.cancelled_quantity / line.quantity for line in self.lines if line.cancelled_quantity
        )
        return self.total - sum(cancelled, ZERO)

    @property
    def captured_total(self):
        """What the buyer has paid, less what was given back."""
        return sum((payment.captured_amount - payment.refunded_amount for payment in self.payments), ZERO)

    @property
    def parts_total(self):
        """What lines and shipping say together, rounded like ``total``; differs when the shop's sums are wrong."""
        return sum((part.total for part in (*self.lines, *self.shippings)), ZERO).quantize(self.total, ROUND_HALF_UP)


class PageItem(NamedTuple):
    external_id: str
    version: str
    payload: dict  # raw, as the shop gave it; input of parse_order


@dataclass(frozen=True)
class Page:
    """``next_cursor`` is None on the last page; else an opaque string for the next call."""

    items: tuple[PageItem, ...]
    next_cursor: str | None = None


class OrderRef(NamedTuple):
    """That a shop has an order. ``payload`` is its raw content where the list brings it, else None."""

    external_id: str
    number: str = ""  # the number the buyer sees
    placed_at: datetime | None = None
    version: str = ""
    payload: dict | None = None


class RefPage(NamedTuple):
    items: tuple[OrderRef, ...]
    next_cursor: str | None = None


@dataclass(frozen=True)
class Credentials:
    """New keys: ``values`` by the names of ``credential_keys``."""

    values: Mapping[str, str] = field(repr=False)
    expires_at: datetime | None = None

    def __post_init__(self):
        object.__setattr__(self, "values", Secrets(self.values))


@dataclass(frozen=True)
class ChannelEvent:
    """A verified webhook. Redeliveries carry the same ``event_id``.

    ``order_external_id`` is "" where the shop names another document; ``ChannelAdapter.resolve_event`` finds the order.
    """

    event_id: str
    topic: str  # as the shop says, e.g. "order.placed"
    occurred_at: datetime
    order_external_id: str = ""
    resource_type: str = ""  # order, payment, fulfillment, product
    resource_id: str = ""
    # What the shop may sell, where the event says it: {id of the listing, or of its stock item: quantity}
    stock: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def concerns_order(self):
        return bool(self.order_external_id) or self.resource_type in ("order", "payment", "fulfillment")


@dataclass(frozen=True)
class Listing:
    external_id: str  # of the variant: what an order line names in variant_external_id
    sku: str
    title: str
    barcode: str = ""
    price: Decimal | None = None
    currency: str = ""
    product_external_id: str = ""
    inventory_external_id: str = ""  # what push_stock needs, where it is not the variant itself
    is_active: bool = True
    quantity: Decimal | None = None  # what may be sold, where the list tells


@dataclass(frozen=True)
class ListingPage:
    items: tuple[Listing, ...]
    next_cursor: str | None = None
