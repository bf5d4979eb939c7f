"""What the connector's tests share: a small shop's description, and an adapter with everything injected."""

import json
from datetime import UTC, datetime
from pathlib import Path

from odoo.addons.oms_channels.adapters.custom import spec
from odoo.addons.oms_channels.adapters.custom.adapter import CustomAdapter
from odoo.addons.oms_channels.adapters.types import ChannelConfig

from .adapter_common import SHOP, FakeTransport

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
FIELDS = {
    "order.external_id": "id",
    "order.placed_at": "created",
    "order.updated_at": "changed",
    "order.currency": "currency",
    "order.total": "total",
    "order.lines": "items",
    "line.external_id": "id",
    "line.sku": "sku",
    "line.quantity": "qty",
    "line.price_unit": "price",
}
ORDER = {
    "id": "A1",
    "created": "2026-01-01T10:00:00Z",
    "changed": "2026-01-02T10:00:00Z",
    "currency": "eur",
    "total": "25.00",
    "items": [{"id": 1, "sku": "MUG", "qty": 2, "price": "12.50"}],
}
CALLS = [
    {"kind": "list_orders", "path": "/orders", "answer_expression": "orders"},
    {"kind": "get_order", "path": "/orders/{{ order_id }}", "answer_expression": "order"},
]


def make_data(calls=CALLS, fields=None, **values):
    """Plain data of a connector. :param fields: {target: expression, or dict of a field} over the usual ones"""
    rows = {**FIELDS, **(fields or {})}
    return {
        "name": "Test Shop",
        "endpoints": list(calls),
        "fields": [
            {"target": target, **(value if isinstance(value, dict) else {"expression": value})}
            for target, value in rows.items()
            if value is not None
        ],
        **values,
    }


def make_spec(*args, **kwargs):
    return spec.read(make_data(*args, **kwargs))


def make_adapter(connector, *answers, credentials=None, **options):
    """(adapter, transport that gives ``answers`` and keeps the requests)."""
    transport = FakeTransport(*answers)
    keys = {"api_key": "app", "api_secret": "secret"} if credentials is None else credentials
    config = ChannelConfig(SHOP, keys, {"connector": connector, **options})
    pauses = []
    adapter = CustomAdapter(config, transport, lambda: NOW, lambda: "n0nce", pauses.append)
    adapter.pauses = pauses
    return adapter, transport


def read_ready(name="medusa"):
    """(bytes of a ready connector's file, its ConnectorSpec)."""
    content = (Path(__file__).parent.parent / "data/connectors" / f"{name}.json").read_bytes()
    data = json.loads(content)
    for key in ("format", "version", "code", "description"):
        data.pop(key)
    return content, spec.read(data)
