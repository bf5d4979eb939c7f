"""Our webhooks as a shop has them."""

from dataclasses import dataclass
from typing import NamedTuple


class WebhookRegistration(NamedTuple):
    """A webhook as the shop has it."""

    external_id: str
    topic: str
    url: str
    is_active: bool


@dataclass(frozen=True)
class WebhookReport:
    """What ``ensure_webhooks`` found and did, as topics; and sentences about what may keep the shop from calling."""

    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
