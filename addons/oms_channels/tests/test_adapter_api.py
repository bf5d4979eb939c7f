from decimal import Decimal

from odoo.addons.oms_channels.adapters import get_adapter_class
from odoo.addons.oms_channels.adapters.errors import BadResponse
from odoo.addons.oms_channels.adapters.types import ChannelConfig
from odoo.addons.oms_channels.openapi import validation
from odoo.addons.oms_channels.openapi.document import build_document, build_page
from odoo.addons.oms_channels.openapi.operations import OPERATIONS, find_operation

from .adapter_common import AdapterCase

ORDER = {
    "external_id": "A-1",
    "placed_at": "2026-03-01T10:00:00+08:00",
    "currency": "CNY",
    "lines": [{"sku": "MOUSE", "quantity": 2, "price_unit": "10.00"}],
}


class TestApiMapper(AdapterCase):
    """Our own schema -> ChannelOrder."""

    def _parse(self, **values):
        payload = {**ORDER, **values}
        self.assertEqual(validation.check("Order", payload), [])
        return get_adapter_class("api")(ChannelConfig("")).parse_order(payload)

    def test_least_order(self):
        order = self._parse()
        self.assertEqual((order.reference, order.version, order.status), ("A-1", "", "open"))
        self.assertEqual(order.total, Decimal("20.00"))
        self.assertEqual(order.lines[0].external_id, "1")
        self.assertFalse(order.is_paid)
        self.assertIsNone(order.shipping_address)

    def test_money_with_tax_included_and_not(self):
        line = {"sku": "M", "quantity": 3, "price_unit": 19.99, "discount_amount": "4.97", "tax_rate": 10}
        included = self._parse(lines=[line])
        self.assertEqual(included.total, Decimal("55.00"))
        self.assertEqual(round(included.lines[0].tax_amount, 2), Decimal("5.00"))
        added = self._parse(lines=[line], is_tax_included=False, shippings=[{"amount": "10.00", "tax_rate": 5}])
        self.assertEqual(added.total, Decimal("71.00"))
        self.assertEqual(added.total, added.parts_total)

    def test_version_sorts_whatever_the_zone(self):
        early = self._parse(updated_at="2026-03-01T10:00:00+08:00").version
        late = self._parse(updated_at="2026-03-01T02:00:01.5Z").version
        self.assertLess(early, late)

    def test_what_was_cancelled_given_back_and_kept(self):
        line = {**ORDER["lines"][0], "cancelled_quantity": 1}
        order = self._parse(
            lines=[line],
            payments=[
                {"external_id": "p", "amount": "20.00", "refunded_amount": "10.00", "fee_amount": "0.60"},
                {"external_id": "q", "amount": 5, "refunded_amount": 5},
            ],
            refund_requests=[
                {
                    "external_id": "r1",
                    "kind": "return",
                    "amount": "10.00",
                    "lines": [{"external_id": "1", "quantity": 1}],
                },
                {"external_id": "r2", "kind": "refund", "state": "refunded", "amount": 5, "reason": "late"}
                | {"requested_at": "2026-03-02T10:00:00+08:00"},
            ],
        )
        self.assertEqual((order.status, order.total, order.lines[0].open_quantity), ("open", Decimal("20.00"), 1))
        self.assertEqual([payment.state for payment in order.payments], ["partially_refunded", "refunded"])
        self.assertEqual((order.captured_total, order.payments[0].fee_amount), (Decimal("10.00"), Decimal("0.60")))
        first, second = order.refund_requests
        self.assertEqual((first.kind, first.state, first.lines), ("return", "requested", (("1", Decimal(1)),)))
        self.assertEqual((second.amount, second.reason, second.lines), (Decimal("5.00"), "late", ()))
        self.assertEqual(str(second.requested_at), "2026-03-02 02:00:00+00:00")
        self.assertEqual(self._parse(lines=[{**line, "cancelled_quantity": 2}]).status, "cancelled")

    def test_what_no_schema_can_say_is_refused(self):
        line, paid = ORDER["lines"][0], {"external_id": "p", "amount": 10}
        request = {"external_id": "r", "kind": "refund", "amount": 1}
        for values, word in (
            ({"lines": [{**line, "cancelled_quantity": 2.5}]}, "cancelled_quantity of line 1"),
            ({"payments": [{**paid, "refunded_amount": "10.01"}]}, "refunded_amount of payment p"),
            ({"payments": [{**paid, "state": "pending", "refunded_amount": 1}]}, "refunded_amount of payment p"),
            ({"refund_requests": [request] * 2}, "two refund requests"),
            ({"refund_requests": [{**request, "lines": [{"external_id": "9", "quantity": 1}]}]}, "more of line 9"),
            ({"refund_requests": [{**request, "lines": [{"external_id": "1", "quantity": 3}]}]}, "more of line 1"),
            ({"lines": [{**line, "external_id": "2"}, line]}, "two lines"),
            ({"lines": [{**line, "discount_amount": "20.01"}]}, "discount_amount"),
            ({"payments": [{"external_id": "p", "amount": 1}] * 2}, "two payments"),
        ):
            with self.assertRaises(BadResponse) as caught:
                self._parse(**values)
            self.assertIn(word, caught.exception.message)
            self.assertFalse(caught.exception.retryable)

    def test_facts_for_rules(self):
        order = self._parse(
            payments=[{"external_id": "p", "amount": "20.00", "paid_at": "2026-03-01T02:00:00Z"}],
            coupon_codes=["A", "B"],
            risk_score=12.5,
            is_presale=True,
            ship_from="2026-04-01",
            buyer_ip="203.0.113.9",
        )
        self.assertTrue(order.is_paid)
        self.assertEqual(order.coupon_codes, ("A", "B"))
        self.assertEqual(str(order.ship_from), "2026-04-01")


class TestApiValidation(AdapterCase):
    """Every rule of the schema has its sentence; nothing that can't be stored passes."""

    def test_sentences(self):
        for values, error in (
            ({"external_id": "a\n"}, ("/external_id", "form")),
            ({"external_id": "../x"}, ("/external_id", "form")),
            ({"note": "a\x00b"}, ("/note", "characters")),
            ({"placed_at": "2026-02-30T10:00:00Z"}, ("/placed_at", "date-time")),
            ({"placed_at": "2026-02-20T10:00:00"}, ("/placed_at", "date-time")),
            ({"currency": "rmb"}, ("/currency", "form")),
            ({"lines": []}, ("/lines", "at least 1")),
            ({"lines": [{"sku": "M", "quantity": 0, "price_unit": 1}]}, ("/lines/0/quantity", "at least")),
            ({"lines": [{"sku": "M", "quantity": 1, "price_unit": "1,5"}]}, ("/lines/0/price_unit", "form")),
            ({"lines": [{"sku": "M", "quantity": True, "price_unit": 1}]}, ("/lines/0/quantity", "number")),
            ({"buyer": {"nme": "x"}}, ("/buyer", "Unknown: nme")),
            ({"payments": [{"external_id": "p", "amount": 1, "state": "x"}]}, ("/payments/0/state", "one of")),
        ):
            errors = validation.check("Order", {**ORDER, **values})
            self.assertEqual({one["path"] for one in errors}, {error[0]}, values)
            self.assertIn(error[1], errors[0]["message"])

    def test_bad_json(self):
        for raw, code in (
            (b"[" * 21 + b"]" * 21, "too_deep"),
            (b'"' + b"[" * 50 + b'"', None),
            (b'"\\"[[[[[[[[[[[[[[[[[[[[[[[[[["', None),
            (b'{"a": 1e999}', None),
            (b"1" * 5000, "bad_json"),
            (b'{"a": Infinity}', "bad_json"),
            (b"\xef\xbb\xbf{}", "bad_json"),
            (b'"\\udc00"', "bad_json"),
        ):
            if code is None:
                validation.read_json(raw)
                continue
            with self.assertRaises(validation.BodyError) as caught:
                validation.read_json(raw)
            self.assertEqual(caught.exception.code, code, raw[:40])

    def test_infinite_number_is_too_large(self):
        value = validation.read_json(b'{"a": 1e999}')["a"]
        self.assertTrue(validation.check("Order", {**ORDER, "risk_score": value}))

    def test_document_and_page_name_every_call(self):
        document, page = build_document(), build_page()
        for operation in OPERATIONS:
            self.assertIn(operation.method.lower(), document["paths"][operation.path])
            self.assertIn(operation.name, page)
            path = operation.path.strip("/").replace("{external_id}", "A-1")
            self.assertIs(find_operation(operation.method, path)[0], operation)
        self.assertNotIn("http://", page)
        self.assertNotIn("https://", page)
