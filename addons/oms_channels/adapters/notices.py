"""What shops are told, and what they answer: frozen dataclasses, as in `types`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class ShipmentNotice:
    order_external_id: str
    lines: tuple[tuple[str, Decimal], ...]  # (line external id, quantity)
    tracking_number: str
    carrier: str  # our carrier's code or name; adapters map it where the shop has codes
    idempotency_key: str
    tracking_url: str = ""


@dataclass(frozen=True)
class DeliveryNotice:
    """The parcel arrived. ``shipment_external_id`` is the PushResult's of the shipment; else the number counts."""

    order_external_id: str
    idempotency_key: str
    tracking_number: str = ""
    shipment_external_id: str = ""
    delivered_at: datetime | None = None


@dataclass(frozen=True)
class ReturnNotice:
    """Goods came back and were counted."""

    order_external_id: str
    lines: tuple[tuple[str, Decimal], ...]
    idempotency_key: str
    request_external_id: str = ""  # of the shop's own request, when the return started there
    note: str = ""


@dataclass(frozen=True)
class RefundNotice:
    order_external_id: str
    amount: Decimal
    currency: str
    idempotency_key: str
    payment_external_id: str = ""  # "" = the order's payment with the most left to refund
    note: str = ""
    lines: tuple[tuple[str, Decimal], ...] = ()
    request_external_id: str = ""  # of the buyer's request in the shop that this answers
    used_request_ids: tuple[str, ...] = ()  # requests that others of the order were paid back by


@dataclass(frozen=True)
class AnswerNotice:
    """The answer to the buyer's request: goods may come back, money is given back; or why not."""

    order_external_id: str
    request_external_id: str
    is_granted: bool
    idempotency_key: str
    reason: str = ""  # of a refusal: the buyer reads it


@dataclass(frozen=True)
class CancelNotice:
    """An order is cancelled, or ``lines`` of it: ((line external id, units to take off), ...)."""

    order_external_id: str
    idempotency_key: str
    reason: str = ""
    lines: tuple[tuple[str, Decimal], ...] = ()
    request_external_id: str = ""  # of the buyer's request in the shop for just these units
    captured_amount: Decimal | None = None  # what is known to have been paid, where the shop may not know it itself


@dataclass(frozen=True)
class StockLevel:
    """``quantity`` is what the shop may sell; where the shop subtracts its own reservations the adapter adds them."""

    sku: str
    quantity: Decimal
    external_id: str = ""  # variant
    inventory_external_id: str = ""
    location: str = ""  # "" = the channel's default location


@dataclass(frozen=True)
class PriceNotice:
    external_id: str  # variant
    product_external_id: str
    sku: str
    price: Decimal
    currency: str


@dataclass(frozen=True)
class PushResult:
    """:param is_repeat: the shop already had it; nothing was written"""

    external_id: str = ""
    is_repeat: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StockResult:
    """One entry per StockLevel, in the same order: "" when accepted, else why not."""

    errors: tuple[str, ...]
