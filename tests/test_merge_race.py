"""Real processes put the same orders into one parcel at the same instant: it is done once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))
import databases
import race

PROCESSES = 2
DATABASE = f"{databases.PREFIX}merge_race_{os.getpid()}"


@pytest.fixture(scope="module")
def finished_race():
    """Each process merges its own order with all that can go with it, which is the order of the other one."""
    databases.clone(os.environ["OMS_TEMPLATE"], DATABASE)
    try:
        command = [sys.executable, race.__file__, "prepare", DATABASE, str(PROCESSES), "1", "merge"]
        prepared = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        [(_products, work)] = prepared.values()
        race.run(DATABASE, work, wait=0.1)
        yield [job.split()[1] for jobs in work for job in jobs]
    finally:
        databases.drop(DATABASE)


def test_the_orders_are_in_one_group_once(finished_race):
    ids = ",".join(finished_race)
    rows = databases.sql(
        DATABASE,
        f"SELECT group_id, order_id, quantity FROM oms_delivery_group_line WHERE order_id IN ({ids})",
    )
    assert len(finished_race) == PROCESSES
    assert len({group for group, _order, _quantity in rows}) == 1
    assert sorted(order for _group, order, _quantity in rows) == sorted(finished_race)
    assert {float(quantity) for _group, _order, quantity in rows} == {1.0}
    assert databases.sql(DATABASE, "SELECT count(*) FROM oms_delivery_group") == [["1"]]


def test_the_timeline_tells_it_once(finished_race):
    ids = ",".join(finished_race)
    rows = databases.sql(
        DATABASE, f"SELECT order_id, count(*) FROM oms_event WHERE code = 'merged' AND order_id IN ({ids}) GROUP BY 1"
    )
    assert {int(number) for _order, number in rows} == {1}
    assert len(rows) == PROCESSES
