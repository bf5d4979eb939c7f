"""Anything may be sent to a webhook's address. It is refused or thanked, never answered with 500, and leaves no row
but those of signed events about orders."""

import http.client
import json
import os
import socket
from datetime import UTC, datetime, timedelta

import pytest
import requests
from hypothesis import HealthCheck, example, given, seed, settings
from hypothesis import strategies as st
from servers.odoo_server import OdooServer

from odoo.addons.oms_channels.adapters import get_adapter_class
from odoo.addons.oms_channels.adapters.custom import signing
from odoo.addons.oms_channels.adapters.errors import AdapterError, AuthError
from odoo.addons.oms_channels.adapters.marketplace import signature as marketplace
from odoo.addons.oms_channels.adapters.medusa import signature as medusa
from odoo.addons.oms_channels.adapters.shopify import signature as shopify
from odoo.addons.oms_channels.adapters.types import ChannelConfig, ChannelEvent
from odoo.addons.oms_channels.adapters.vendure import signature as vendure
from odoo.addons.oms_channels.adapters.woocommerce import signature as woocommerce
from odoo.addons.oms_channels.tests.connector_common import make_spec

SECRET = "fuzz-secret"
SEED = 20260301
SETTINGS = settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEEP = b"[" * 50000 + b"]" * 50000
TOPICS = ("", "orders/updated", "refunds/create", "inventory_levels/update", "order.updated", "product.updated")
CONNECTOR = make_spec(
    webhook_kind="hmac_hex",
    webhook_header="x-own-sign",
    webhook_order_expression="data.id",
    webhook_topic_expression="event",
    webhook_time_expression="at",
)
SIGNERS = {
    "medusa": (medusa.HEADER, medusa.sign),
    "vendure": (vendure.HEADER, vendure.sign),
    "shopify": (shopify.HEADER, shopify.sign),
    "woocommerce": (woocommerce.HEADER, woocommerce.sign_webhook),
    "custom": ("x-own-sign", lambda secret, body: signing.sign_webhook("hmac_hex", secret, body)),
}
NAMES = ("event", "data", "at", "id", "order_id", "msg_id", "topic", "modified")
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        ["order_1", "pay_1", "order_\0", "order_\ud800", "order_" + "x" * 5000, "0001-01-01T00:00:00+14:00"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=6),
    max_leaves=12,
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "event": VALUES,
        "data": VALUES | st.fixed_dictionaries({}, optional={"id": VALUES, "order_id": VALUES}),
        "at": st.sampled_from([NOW.isoformat(), "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"]) | VALUES,
        "msg_id": VALUES,
        "topic": VALUES,
        "order_id": VALUES,
        "modified": st.sampled_from(["2026-03-01 20:00:00", "0001-01-01 00:00:00"]) | VALUES,
    },
)
BODIES = st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()) | st.just(DEEP)
SIGNED_BODIES = BODIES | EVENTS.map(lambda value: json.dumps(value).encode())


def sign(provider, body, moment=None, secret=SECRET):
    """The headers a shop signs a body with."""
    if provider in SIGNERS:
        header, sign_body = SIGNERS[provider]
        return {header: sign_body(secret, body)}
    timestamp = str(int((moment or datetime.now(UTC)).timestamp()))
    return {
        marketplace.WEBHOOK_SIGN: marketplace.sign_webhook(secret, timestamp, body),
        marketplace.WEBHOOK_TIMESTAMP: timestamp,
    }


# === WITHOUT A SERVER === #


@pytest.mark.nodb
@pytest.mark.parametrize("provider", [*SIGNERS, "marketplace"])
@pytest.mark.parametrize("is_signed", [True, False])
def test_adapter_understands_or_says_why_not(provider, is_signed):
    adapter = get_adapter_class(provider)(ChannelConfig("https://shop.test", options={"connector": CONNECTOR}))
    names = [header for header, _sign in SIGNERS.values()] + [marketplace.WEBHOOK_SIGN, "x"]

    @seed(SEED)
    @settings(SETTINGS)
    @given(body=SIGNED_BODIES, name=st.sampled_from(names), value=st.text(), topic=st.sampled_from(TOPICS))
    @example(body=DEEP, name="x", value="", topic="orders/updated")
    def check(body, name, value, topic):
        topics = dict.fromkeys(("x-shopify-topic", "x-wc-webhook-topic"), topic)
        headers = {name: value, **topics, **(sign(provider, body, NOW) if is_signed else {})}
        try:
            event = adapter.verify_and_parse_webhook(headers, body, SECRET, now=NOW)
        except AdapterError as error:
            assert is_signed or isinstance(error, AuthError)
            return
        assert is_signed and isinstance(event, ChannelEvent)

    check()


# === AGAINST A SERVER === #


@pytest.fixture(scope="module")
def server():
    with OdooServer(f"oms_hook_{os.getpid()}", cron_threads=0) as server:
        yield server


@pytest.fixture(scope="module")
def channels(server):
    """{provider: address below the server} of a channel each."""
    admin = server.login("admin", "admin")
    return {
        provider: admin.create(
            "oms.channel",
            {
                "name": provider,
                "code": provider,
                "provider": provider,
                "base_url": "http://127.0.0.1:9",
                "webhook_secret": SECRET,
                "is_pulling": False,
            },
        )
        for provider in ("medusa", "marketplace")
    }


def post(server, channel, body, headers):
    return requests.post(f"{server.url}/oms/webhook/{channel}", data=body, headers=headers, timeout=60)


def count(server):
    return server.query("SELECT count(*) FROM oms_channel_message")[0][0]


def make_event(provider, order_id="order_1", moment=None):
    """The body of a good event."""
    moment = moment or datetime.now(UTC)
    if provider == "medusa":
        body = {"event": "order.placed", "data": {"id": order_id}, "at": moment.isoformat()}
    else:
        body = {"msg_id": f"m-{order_id}", "topic": "trade", "order_id": order_id, "modified": "2026-03-01 20:00:00"}
    return json.dumps(body).encode()


@pytest.mark.parametrize("provider", ["medusa", "marketplace"])
def test_unsigned_bodies_leave_nothing(server, channels, provider):
    before = count(server)

    @seed(SEED)
    @SETTINGS
    @given(
        body=BODIES,
        kind=st.sampled_from(
            [
                "application/json",
                "text/xml",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x",
                "\xff",
            ]
        ),
        value=st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=80),
    )
    def check(body, kind, value):
        headers = {"Content-Type": kind.encode("latin-1"), **sign(provider, body, secret="wrong")}
        headers["X-Odd"] = value.encode("latin-1")
        assert post(server, channels[provider], body, headers).status_code in (400, 401), body[:100]

    check()
    assert count(server) == before


@pytest.mark.parametrize("provider", ["medusa", "marketplace"])
def test_signed_nonsense_leaves_only_events_about_orders(server, channels, provider):
    thanked = []

    @seed(SEED)
    @SETTINGS
    @given(body=SIGNED_BODIES)
    def check(body):
        status = post(server, channels[provider], body, sign(provider, body)).status_code
        assert status in (200, 400, 401), body[:200]
        if status == 200:
            thanked.append(body)

    before = count(server)
    check()
    assert count(server) - before <= len(set(thanked))
    names = server.query("SELECT external_id FROM oms_channel_message WHERE channel_id = %s", channels[provider])
    assert all(name.isprintable() and len(name) <= 300 for (name,) in names)


@pytest.mark.parametrize("provider", ["medusa", "marketplace"])
@pytest.mark.parametrize("order_id", ["a\0b", "\ud800", "x" * 5000, "order_" + "y" * 100000, "line\nend"])
def test_names_that_cannot_be_stored(server, channels, provider, order_id):
    before = count(server)
    body = make_event(provider, f"order_{order_id}")
    assert post(server, channels[provider], body, sign(provider, body)).status_code == 400
    assert count(server) == before


@pytest.mark.parametrize("provider", ["medusa", "marketplace"])
def test_replay_is_stored_once_and_an_old_one_never(server, channels, provider):
    before = count(server)
    body = make_event(provider, "order_replay")
    headers = sign(provider, body)
    assert [post(server, channels[provider], body, headers).status_code for _time in range(5)] == [200] * 5
    assert count(server) == before + 1
    for hours in (-2, 2, -24 * 365 * 30):
        moment = datetime.now(UTC) + timedelta(hours=hours)
        body = make_event(provider, f"order_old{hours}", moment)
        assert post(server, channels[provider], body, sign(provider, body, moment)).status_code == 401
    assert count(server) == before + 1


def test_signature_of_another_body_or_channel(server, channels):
    before = count(server)
    body = make_event("medusa", "order_other")
    assert post(server, channels["medusa"], body + b" ", sign("medusa", body)).status_code == 401
    assert post(server, channels["marketplace"], body, sign("medusa", body)).status_code == 401
    assert post(server, channels["medusa"], body, {}).status_code == 401
    assert count(server) == before


def test_odd_addresses_and_arguments(server, channels):
    before = count(server)
    body = make_event("medusa", "order_odd")
    for channel in ("0", "999999", "99999999999999999999", "9" * 200, "-1", "x", "1.0", "1/2"):
        assert post(server, channel, body, sign("medusa", body)).status_code == 404, channel
    for query in ("?self=1", "?channel_id=999999", "?_kwargs=1", "?a[]=1&%00=%ff", "?csrf_token=x"):
        answer = post(server, f"{channels['medusa']}{query}", make_event("medusa", "prod_1"), {})
        assert answer.status_code == 401, query
    for method in ("GET", "PUT", "DELETE", "PATCH", "TRACE"):
        answer = requests.request(method, f"{server.url}/oms/webhook/{channels['medusa']}", timeout=30)
        assert answer.status_code == 405, method
    assert count(server) == before


def test_ten_megabytes(server, channels):
    before = count(server)
    body = b"x" * (10 * 1024 * 1024)
    headers = sign("medusa", body)
    assert _raw_post(server, channels["medusa"], body, headers) in (413, None)
    assert _raw_post(server, channels["medusa"], body, headers, is_chunked=True) in (413, 401, None)
    good = make_event("medusa", "order_after")
    assert post(server, channels["medusa"], good, sign("medusa", good)).status_code == 200
    assert count(server) == before + 1


def _raw_post(server, channel, body, headers, is_chunked=False):
    """The status of an answer, None when the server hung up while we were still talking."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request(
            "POST",
            f"/oms/webhook/{channel}",
            body=iter([body[start : start + 65536] for start in range(0, len(body), 65536)]) if is_chunked else body,
            headers=headers,
            encode_chunked=is_chunked,
        )
        return connection.getresponse().status
    except (ConnectionError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def test_half_a_body(server, channels):
    """A caller that promises more than it sends and hangs up."""
    before = count(server)
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(
            f"POST /oms/webhook/{channels['medusa']} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{{".encode()
        )
    good = make_event("medusa", "prod_1")
    assert post(server, channels["medusa"], good, sign("medusa", good)).status_code == 200
    assert count(server) == before


def test_nothing_of_this_was_an_error_of_ours(server, channels):
    log = server.log(10**7)
    assert "Exception during request handling" not in log
    assert " ERROR " not in log, log[log.index(" ERROR ") :][:2000]
