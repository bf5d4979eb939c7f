import ast
import json
import random
from datetime import datetime
from pathlib import Path

from odoo.tests import BaseCase

from ..const import PARCEL_STATES, TRACKING_CODES, TRACKING_STATES
from ..models.oms_parcel import OmsParcel
from ..routing.tracking import (
    CODES,
    TrackingPayloadError,
    fold_state,
    is_signed,
    normalise,
    parse_payload,
    sign,
)


def payload(*events):
    return json.dumps({"events": list(events)}).encode()


class TestTrackingPayload(BaseCase):
    def test_times_are_kept_in_utc(self):
        (event,) = parse_payload(
            payload({"tracking_number": " EX1 ", "code": "签收", "time": "2026-11-22T20:00:00+08:00", "place": "杭州"})
        )
        self.assertEqual(
            (event.tracking_number, event.code, event.time, event.place),
            ("EX1", "delivered", datetime(2026, 11, 22, 12), "杭州"),
        )

    def test_the_same_event_has_the_same_digest_whatever_its_zone(self):
        first, second, other = parse_payload(
            payload(
                {"tracking_number": "1", "code": "3", "time": "2026-11-22T20:00:00+08:00"},
                {"tracking_number": "1", "code": "delivered", "time": "2026-11-22T12:00:00Z"},
                {"tracking_number": "1", "code": "delivered", "time": "2026-11-22T12:00:01Z"},
            )
        )
        self.assertEqual(first.digest, second.digest)
        self.assertNotEqual(first.digest, other.digest)

    def test_what_cannot_be_read_is_named(self):
        cases = {
            b"{": "The payload is not JSON.",
            b"[]": 'The payload has no list "events".',
            payload(): 'The payload has no list "events".',
            payload(1): "Event 0 is not an object.",
            payload({"code": "delivered"}): "Event 0 lacks tracking_number, time.",
            payload({"tracking_number": "1", "code": "3", "time": "soon"}): "Event 0: the time 'soon' is not ISO 8601.",
            payload({"tracking_number": "1", "code": "3", "time": "2026-11-22T12:00:00"}): (
                "Event 0: the time '2026-11-22T12:00:00' does not say its zone."
            ),
            payload({"tracking_number": "1", "code": "3", "time": "0001-01-01T00:00:00+08:00"}): (
                "Event 0: the time '0001-01-01T00:00:00+08:00' is out of range."
            ),
        }
        for body, message in cases.items():
            with self.assertRaises(TrackingPayloadError) as caught:
                parse_payload(body)
            self.assertEqual(str(caught.exception), message)

    def test_what_no_database_keeps_is_left_out(self):
        [event] = parse_payload(
            payload({"tracking_number": "1\x00 ", "code": "3", "time": "2026-11-22T12:00:00Z", "text": "a\x00b"})
        )
        self.assertEqual((event.tracking_number, event.text), ("1", "ab"))

    def test_unknown_words_are_no_error(self):
        self.assertEqual([normalise(word) for word in ("Delivered", "派件", "5", "???")][3], "unknown")
        self.assertEqual(
            [normalise(word) for word in ("Delivered", "派件", "5")], ["delivered"] + ["out_for_delivery"] * 2
        )

    def test_only_the_right_secret_over_the_same_bytes_signs(self):
        signature = sign("s3cret", b"body")
        self.assertTrue(is_signed("s3cret", b"body", signature))
        for secret, body, header in [
            ("other", b"body", signature),
            ("s3cret", b"body ", signature),
            ("s3cret", b"body", ""),
            ("s3cret", b"body", "sha256=é"),
            (False, b"body", signature),
            ("", b"body", sign("", b"body")),
        ]:
            self.assertFalse(is_signed(secret, body, header))


class TestFold(BaseCase):
    def fold(self, *codes):
        return fold_state("shipped", codes, OmsParcel._TRANSITIONS, TRACKING_STATES)

    def test_the_last_legal_step_wins(self):
        self.assertEqual(self.fold("picked_up", "in_transit", "out_for_delivery", "delivered"), "delivered")
        self.assertEqual(self.fold("picked_up", "delivery_failed", "out_for_delivery"), "out_for_delivery")

    def test_a_late_scan_does_not_undo_a_delivery(self):
        self.assertEqual(self.fold("delivered", "in_transit"), "delivered")

    def test_a_carrier_may_take_a_delivery_back(self):
        self.assertEqual(self.fold("delivered", "delivery_failed", "return_to_sender"), "returned")

    def test_words_without_a_state_change_nothing(self):
        self.assertEqual(self.fold("pending", "unknown"), "shipped")

    def test_every_state_is_reached_and_every_code_is_known(self):
        reached = {"draft"}.union(*OmsParcel._TRANSITIONS.values())
        self.assertEqual(reached, {state for state, _label in PARCEL_STATES})
        self.assertEqual(CODES, {code for code, _label in TRACKING_CODES})
        self.assertLessEqual(set(TRACKING_STATES), CODES)

    def test_any_story_ends_in_a_state_of_the_table(self):
        chance = random.Random(7)  # any seed: the property holds for all
        for _run in range(200):
            codes = [chance.choice(sorted(CODES)) for _step in range(8)]
            self.assertIn(self.fold(*codes), {"shipped", *TRACKING_STATES.values()})


class TestPureCode(BaseCase):
    def test_routing_knows_nothing_of_odoo(self):
        for path in (Path(__file__).parent.parent / "routing").glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                self.assertFalse([name for name in names if name.split(".")[0] == "odoo"], path)
