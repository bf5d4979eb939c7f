"""Real processes race for the last unit. What plain Odoo does in the same race is shown by bench/last_unit.py."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))
import databases
import race

PROCESSES = len(race.ALL_DOORS)
PRODUCTS = 1  # for each door
DOORS = ("assign", "confirm", "channel")
ALL_PRODUCTS, HEATS, STOCK = 3, 9, 3  # of the race through all doors at once
HELD = """
    SELECT count(DISTINCT hold.order_id) FROM oms_hold hold
      JOIN sale_order o ON o.id = hold.order_id JOIN oms_channel channel ON channel.id = o.channel_id
     WHERE hold.state = 'active' AND channel.code = 'race'
"""
DATABASE = f"{databases.PREFIX}race_test_{os.getpid()}"


@pytest.fixture(scope="module")
def finished_race():
    """Run one race through all doors: what became of each door's products and orders, and the errors on the way."""
    databases.clone(os.environ["OMS_TEMPLATE"], DATABASE)
    try:
        products, work = {}, [[] for _process in range(PROCESSES)]
        for door, (ids, jobs) in _prepare().items():
            products[door] = ids
            for mine, more in zip(work, jobs, strict=True):
                mine += more
        # Odoo waits up to seconds between two tries. Eight at the same instant need some of it, not all.
        _seconds, errors = race.run(DATABASE, work, wait=0.4)
        yield (
            {
                door: race.count_bound(DATABASE, ids) if door == "all" else race.count(DATABASE, ids)
                for door, ids in products.items()
            },
            {door: race.states(DATABASE, ids) for door, ids in products.items()},
            errors,
        )
    finally:
        databases.drop(DATABASE)


def _prepare():
    """A process of its own, as this one belongs to the tests' database."""
    command = [sys.executable, race.__file__, "prepare", DATABASE, str(PROCESSES), str(PRODUCTS), ",".join(DOORS)]
    command += map(str, (ALL_PRODUCTS, HEATS, STOCK))
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


@pytest.mark.parametrize("door", DOORS)
def test_last_unit_is_reserved_exactly_once(finished_race, door):
    found, _states, _errors = finished_race
    for on_hand, reserved, reserved_on_quants, quants in found[door].values():
        assert (on_hand, reserved, reserved_on_quants, quants) == (1, 1, 1, 1)


def test_all_doors_at_once_bind_no_more_than_is_there(finished_race):
    """Orders of channels (by hand and in the background), plain orders, deliveries made by hand, a till, promises and
    orders that come over from another warehouse."""
    found, _states, _errors = finished_race
    assert len(found["all"]) == ALL_PRODUCTS
    for on_hand, reserved, promised, taken in found["all"].values():
        assert on_hand + taken == STOCK and taken <= 1
        assert reserved <= max(on_hand, 0)
        assert promised <= max(on_hand - reserved, 0), "what a plain order took is promised no more"
        assert reserved + promised + taken >= STOCK, "what is left was left though many wanted it"


@pytest.mark.parametrize("door", ["assign", "confirm"])
def test_no_order_is_lost(finished_race, door):
    _found, states, errors = finished_race
    assert states[door] == {"sale": PROCESSES * PRODUCTS}
    assert "gave up" not in errors


def test_order_of_a_channel_is_confirmed_or_held_for_a_reason(finished_race):
    """Who comes too late is held by the review, which runs again with the stock that is left."""
    _found, states, _errors = finished_race
    held = int(databases.sql(DATABASE, HELD)[0][0])
    assert states["channel"]["sale"] >= PRODUCTS
    assert states["channel"]["sale"] + held == PROCESSES * PRODUCTS


def test_requests_that_saw_old_stock_were_sent_back(finished_race):
    """Without a single conflict nobody raced, and the tests above prove nothing."""
    _found, _states, errors = finished_race
    sent_back = set(errors) - {"answered"}
    assert "SerializationFailure" in sent_back
    # Who meets another's lock on the way is sent back as well; nobody ran out of tries.
    assert sent_back <= {"SerializationFailure", "DeadlockDetected", "LockNotAvailable"}
