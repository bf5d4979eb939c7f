"""What carriers tell of a parcel on its way.

Plain Python: bytes in, frozen dataclasses out; no database, no clock.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime

CODES = frozenset(
    {
        "pending",
        "picked_up",
        "in_transit",
        "out_for_delivery",
        "ready_for_pickup",
        "delivery_delayed",
        "delivery_failed",
        "on_hold",
        "return_to_sender",
        "delivered",
        "cancelled",
        "unknown",
    }
)

# Other spellings of the same: words of Chinese carriers, and the state numbers their tracking services share.
ALIASES = {
    "揽收": "picked_up",
    "已揽收": "picked_up",
    "在途": "in_transit",
    "运输中": "in_transit",
    "转投": "in_transit",
    "清关": "in_transit",
    "派件": "out_for_delivery",
    "派送": "out_for_delivery",
    "派送中": "out_for_delivery",
    "待取件": "ready_for_pickup",
    "签收": "delivered",
    "已签收": "delivered",
    "疑难": "delivery_failed",
    "问题件": "delivery_failed",
    "拒签": "delivery_failed",
    "退回": "return_to_sender",
    "退签": "return_to_sender",
    "0": "in_transit",
    "1": "picked_up",
    "2": "delivery_failed",
    "3": "delivered",
    "4": "return_to_sender",
    "5": "out_for_delivery",
    "6": "return_to_sender",
    "7": "in_transit",
    "8": "in_transit",
    "14": "delivery_failed",
}


class TrackingPayloadError(ValueError):
    """The payload does not say what it must. The message names the event and the field."""


@dataclass(frozen=True)
class TrackingEvent:
    """One thing that happened to one parcel; ``time`` is naive UTC."""

    tracking_number: str
    code: str
    time: datetime
    place: str = ""
    text: str = ""

    @property
    def digest(self):
        """The same event told twice has the same digest."""
        parts = (self.code, self.time.isoformat(), self.place, self.text)
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def normalise(code):
    """Return our code for a carrier's word; what we do not know is "unknown", never an error."""
    word = str(code).strip().lower()
    return word if word in CODES else ALIASES.get(word, "unknown")


def sign(secret, body):
    """Return the signature header of a payload."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(secret, body, signature):
    """Whether ``signature`` was made with ``secret`` over these bytes. Without a secret nothing is."""
    return bool(secret and signature) and hmac.compare_digest(sign(secret, body).encode(), signature.encode())


def parse_payload(body):
    """Return the tracking events of a payload.

    :param bytes body: JSON {"events": [{"tracking_number", "code", "time" (ISO 8601 with its zone), "place", "text"}]}
    :raise TrackingPayloadError: it is not of that shape
    """
    try:
        data = json.loads(body)
    except ValueError as error:
        raise TrackingPayloadError("The payload is not JSON.") from error
    events = data.get("events") if isinstance(data, dict) else None
    if not isinstance(events, list) or not events:
        raise TrackingPayloadError('The payload has no list "events".')
    return [_parse_event(index, event) for index, event in enumerate(events)]


def _parse_event(index, event):
    if not isinstance(event, dict):
        raise TrackingPayloadError(f"Event {index} is not an object.")
    missing = [key for key in ("tracking_number", "code", "time") if event.get(key) in (None, "")]
    if missing:
        raise TrackingPayloadError(f"Event {index} lacks {', '.join(missing)}.")
    return TrackingEvent(
        _clean(event["tracking_number"]).strip(),
        normalise(event["code"]),
        _parse_time(index, event["time"]),
        _clean(event.get("place")),
        _clean(event.get("text")),
    )


def _clean(value):
    """Return a value as text that a database can keep."""
    return "" if value is None else str(value).replace("\x00", "")


def _parse_time(index, text):
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise TrackingPayloadError(f"Event {index}: the time {text!r} is not ISO 8601.") from error
    if moment.tzinfo is None:
        raise TrackingPayloadError(f"Event {index}: the time {text!r} does not say its zone.")
    try:
        return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    except OverflowError as error:  # the first or the last day of the calendar
        raise TrackingPayloadError(f"Event {index}: the time {text!r} is out of range.") from error


def fold_state(state, codes, transitions, states):
    """Return the state that a parcel reaches when the codes happen one after the other.

    Codes that mean no state, and steps the table does not know (a late scan after delivery), change nothing:
    so the outcome depends on when things happened, never on when we heard of them.

    :param str state: where the parcel starts: handed over
    :param codes: tracking codes in the order of their time
    :param dict transitions: {state: states it may reach}
    :param dict states: {code: the state it means}
    """
    for code in codes:
        target = states.get(code)
        if target in transitions.get(state, ()):
            state = target
    return state
