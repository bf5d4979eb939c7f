"""The inbound API of a real server against its own OpenAPI document, and against callers at the same time."""

import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from servers.odoo_server import OdooServer

from odoo.addons.oms_channels.openapi.operations import PREFIX

SEED = 20260301
EXAMPLES = 25
SECONDS = 20
# What a schema can't say (a discount above its line) is refused with 422; a batch with some good orders is answered
# by 207, and each order has its own errors there.
CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "404", "409", "422"]
[checks.negative_data_rejection]
expected-statuses = ["207", "400", "401", "404", "405", "409", "413", "415", "422"]
"""


@pytest.fixture(scope="module")
def server():
    # No scheduled actions: what is generated here is to be taken, not imported.
    with OdooServer(f"oms_api_{os.getpid()}", cron_threads=0) as server:
        yield server


@pytest.fixture(scope="module")
def token(server):
    return make_key(server, "api")


def make_key(server, code, **values):
    """Make a channel with a key, and return the key's token."""
    admin = server.login("admin", "admin")
    channel = admin.create("oms.channel", {"name": f"Partner {code}", "code": code})
    scopes = {"can_write_orders": True, "can_read_orders": True, "can_read_stock": True, "can_cancel": True}
    key = admin.create("oms.api.key", {"name": code, "channel_id": channel, "rate_limit": 60000, **scopes, **values})
    return admin.call("oms.api.key", "action_generate_secret", [key])["context"]["default_token"]


def make_order(number):
    return {
        "external_id": f"R-{number}",
        "placed_at": "2026-03-01T10:00:00Z",
        "currency": "CNY",
        "lines": [{"sku": "RACE", "quantity": 1, "price_unit": "1.00"}],
    }


def post(server, token, body, **headers):
    headers = {"Authorization": f"Bearer {token}", **headers}
    return requests.post(f"{server.url}{PREFIX}/orders", json=body, headers=headers, timeout=60)


def test_api_is_what_its_document_says(server, token, tmp_path):
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    command = [
        shutil.which("schemathesis"),
        f"--config-file={config}",
        "run",
        f"{server.url}{PREFIX}/openapi.json",
        f"--url={server.url}{PREFIX}",
        f"--header=Authorization:Bearer {token}",
        "--phases=examples,coverage,fuzzing",
        "--checks=all",
        f"--max-examples={EXAMPLES}",
        f"--max-time={SECONDS}",
        "--request-timeout=60",
        f"--seed={SEED}",
        "--no-shrink",
        "--generation-database=none",
        "--suppress-health-check=all",
        "--warnings=off",
    ]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=150, check=False)
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert "Traceback" not in server.log(100000)


def test_same_idempotency_key_at_once_does_it_once(server, token):
    body = {"orders": [make_order(n) for n in range(20)]}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _n: post(server, token, body, **{"Idempotency-Key": "race-1"}), range(8)))
    assert {answer.status_code for answer in answers} == {202}, [answer.text[:300] for answer in answers]
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert answers[0].json()["accepted"] == 20
    assert sum(answer.headers.get("Idempotent-Replayed") == "true" for answer in answers) == 7
    assert server.query("SELECT count(*) FROM oms_channel_message WHERE external_id LIKE 'R-%%'") == [(20,)]


def test_same_orders_at_once_without_a_key_are_stored_once(server):
    token = make_key(server, "race")
    body = {"orders": [make_order(n) for n in range(100, 120)]}
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _n: post(server, token, body), range(6)))
    assert {answer.status_code for answer in answers} == {202}, [answer.text[:300] for answer in answers]
    assert sum(answer.json()["accepted"] for answer in answers) == 20
    assert sum(answer.json()["duplicates"] for answer in answers) == 100


def test_rate_limit_holds_among_callers_at_once(server):
    token = make_key(server, "limit", rate_limit=60)
    headers = {"Authorization": f"Bearer {token}"}
    start = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _n: requests.get(f"{server.url}{PREFIX}/ping", headers=headers, timeout=60), range(120))
        )
    passed = sum(answer.status_code == 200 for answer in answers)
    assert {answer.status_code for answer in answers} == {200, 429}
    # A minute's calls, one more each second meanwhile, and the few that met a token in another's hand.
    assert 60 <= passed <= 60 + (time.monotonic() - start) + 30, passed
