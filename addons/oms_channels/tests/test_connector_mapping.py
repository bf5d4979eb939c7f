"""What a connector reads and tells: mapping, conversions, templates, pushes, and its file. No database."""

import dataclasses
import json
from decimal import Decimal

from odoo.addons.oms_channels.adapters import types
from odoo.addons.oms_channels.adapters.custom import (
    client,
    expressions,
    mapper,
    preview,
    repeats,
    spec,
    targets,
    templates,
)
from odoo.addons.oms_channels.adapters.errors import BadResponse, NotSupported, RateLimited, Rejected, Unavailable
from odoo.addons.oms_channels.adapters.medusa import mapper as medusa_mapper
from odoo.addons.oms_channels.adapters.notices import (
    CancelNotice,
    DeliveryNotice,
    RefundNotice,
    ReturnNotice,
    ShipmentNotice,
    StockLevel,
)

from .adapter_common import AdapterCase, read_data
from .connector_common import CALLS, ORDER, make_adapter, make_data, make_spec, read_ready

NOTICE = ShipmentNotice("A1", (("1", Decimal(2)),), "SF100", "SF Express", "key-1", "https://track.test/SF100")


class TestConnectorMapping(AdapterCase):
    def _map(self, raw=ORDER, fields=None, **values):
        return mapper.map_order(make_spec(fields=fields, **values), raw)

    def _refuse(self, sentence, raw=ORDER, fields=None):
        with self.assertRaisesRegex(BadResponse, sentence) as raised:
            self._map(raw, fields)
        self.assertFalse(raised.exception.retryable)

    def test_the_least(self):
        order = self._map()
        self.assertEqual((order.external_id, order.reference, order.currency), ("A1", "A1", "EUR"))
        self.assertEqual((order.status, order.version), ("open", "2026-01-02T10:00:00.000000Z"))
        self.assertEqual((order.total, order.parts_total), (Decimal("25.00"), Decimal("25.00")))
        [line] = order.lines
        self.assertEqual((line.external_id, line.title, line.total), ("1", "MUG", Decimal("25.00")))
        self.assertIsNone(order.shipping_address)

    def test_amounts_follow_from_each_other(self):
        cases = (
            ({"price": 10, "rate": 20}, ("10", "0", "4", "24")),
            ({"price": 12, "rate": 20, "incl": True}, ("12", "0", "4", "24")),
            ({"price": 12, "off": 3, "rate": 20, "incl": True}, ("12", "3", "3.5", "21")),
            ({"total": 24, "rate": 20}, ("10", "0", "4", "24")),
            ({"total": 24, "tax": 4}, ("10", "0", "4", "24")),
            ({"total": 24, "rate": 20, "incl": True, "off": 2}, ("13", "2", "4", "24")),
            ({"price": 10, "total": 18, "tax": 0}, ("10", "2", "0", "18")),
        )
        names = {"price_unit": "price", "total": "total", "tax_amount": "tax", "tax_rate": "rate"}
        names |= {"discount_amount": "off", "is_tax_included": "incl"}
        fields = {f"line.{target}": name for target, name in names.items()}
        for row, expected in cases:
            raw = {**ORDER, "items": [{"id": 1, "sku": "MUG", "qty": 2, **row}]}
            [line] = self._map(raw, fields).lines
            found = (line.price_unit, line.discount_amount, line.tax_amount, line.total)
            self.assertEqual(tuple(f"{number.normalize():f}" for number in found), expected, row)

    def test_parts_of_the_order_itself(self):
        """Flat shops: one charge, one payment and the address stand beside everything else."""
        fields = {
            "shipping.amount": "freight",
            "payment.amount": "paid",
            "payment.state": {"default": "captured"},
            "shipping_address.name": {"expression": "[first, last]", "conversion": "name"},
            "shipping_address.country_code": "land",
            "shipping_address.province": "state",
        }
        raw = {
            **ORDER,
            "freight": 5,
            "paid": 30,
            "total": 30,
            "first": "晓明",
            "last": "王",
            "land": "cn",
            "state": "cn-zj",
        }
        order = self._map(raw, fields)
        self.assertEqual((order.shippings[0].total, order.is_paid), (Decimal(5), True))
        self.assertEqual(order.payments[0].captured_amount, Decimal("30.00"))
        address = order.shipping_address
        self.assertEqual((address.name, address.country_code, address.province), ("王晓明", "CN", "ZJ"))
        order = self._map({**ORDER, "freight": 0}, fields)
        self.assertEqual((order.shippings, order.payments, order.is_paid), ((), (), False))

    def test_conversions(self):
        cases = (
            ("order.total", {"conversion": "minor"}, 2500, "total", Decimal("25.00")),
            ("order.total", {}, "1,025.50", "total", Decimal("1025.50")),
            ("order.placed_at", {"conversion": "date", "pattern": "%d.%m.%Y"}, "31.01.2026", "placed_at", "2026-01-31"),
            ("order.note", {"conversion": "upper"}, " hi ", "note", "HI"),
            ("order.note", {}, 12.0, "note", "12"),
            ("order.coupon_codes", {}, ["A", "", "B"], "coupon_codes", ("A", "B")),
            ("order.is_presale", {}, "Yes", "is_presale", True),
            ("order.risk_score", {"conversion": "percent"}, 0.8, "risk_score", Decimal(80)),
            ("order.status", {"values": {"9": "cancelled"}}, 9, "status", "cancelled"),
            ("order.status", {"values": {"9": "cancelled"}, "default": "open"}, "odd", "status", "open"),
        )
        for target, rules, value, name, expected in cases:
            raw = {**ORDER, "x": value}
            found = getattr(self._map(raw, {target: {"expression": "x", **rules}}), name)
            found = found.date().isoformat() if name == "placed_at" else found
            self.assertEqual(found, expected, (target, value))

    def test_minor_units_follow_the_currency(self):
        fields = {"order.total": {"expression": "total", "conversion": "minor"}}
        for currency, expected in (("JPY", "2500"), ("KWD", "2.500"), ("usd", "25.00")):
            self.assertEqual(self._map({**ORDER, "currency": currency, "total": 2500}, fields).total, Decimal(expected))

    def test_times_of_the_connector(self):
        for time_format, value in (
            ("unix", 1767261600), ("unix_ms", "1767261600000"), ("text", "2026-01-01 18:00:00"),
        ):  # fmt: skip
            raw = {**ORDER, "created": value, "changed": value}
            order = self._map(raw, time_format=time_format, time_zone="Asia/Shanghai")
            self.assertEqual(order.placed_at.isoformat(), "2026-01-01T10:00:00+00:00")

    def test_dust_of_floats_is_wiped_off(self):
        raw = {**ORDER, "items": [{"id": 1, "sku": "MUG", "qty": 3, "price": 0.1 + 0.2}]}
        self.assertEqual(self._map(raw).lines[0].price_unit, Decimal("0.3"))

    def test_hostile_orders_are_refused_in_words(self):
        line = ORDER["items"][0]
        for sentence, changes in (
            ("order.total: nothing is at total", {"total": None}),
            ("order.total: .*no number", {"total": "abc"}),
            ("order.total: .*no number", {"total": {"a": 1}}),
            ("order.total: .*no number", {"total": True}),
            ("order.total: .*no number", {"total": "Infinity"}),
            ("order.total: .*too large", {"total": 10**40}),
            ("order.total: .*too large", {"total": "1e999999"}),
            ("order.placed_at: .*no time", {"created": "yesterday"}),
            ("order.placed_at: .*no time", {"created": [1]}),
            ("order.currency: .*no text", {"currency": {"code": "eur"}}),
            ("order.lines: a list of objects", {"items": {"1": line}}),
            ("order.lines: a list of objects", {"items": ["a"]}),
            ("order.lines: order A1 has no lines", {"items": []}),
            ("order.lines: more than", {"items": [line] * 3000}),
            ("line.quantity: nothing is at qty", {"items": [{**line, "qty": ""}]}),
            ("line.quantity: -1 of MUG", {"items": [{**line, "qty": -1}]}),
            ("neither a price nor a total", {"items": [{**line, "price": None}]}),
            ("order.status: “odd” is none of", {"state": "odd"}),
        ):
            self._refuse(sentence, {**ORDER, **changes}, {"order.status": "state"})
        self._refuse("order.total: no field is mapped", fields={"order.total": None})
        self._refuse(r"order.note: join\(\) takes", {**ORDER, "note": 5}, {"order.note": "join(',', note)"})

    def test_times_out_of_reach_are_refused(self):
        for value in (1e300, -(10**14), "9" * 40):
            with self.assertRaises(BadResponse):
                self._map({**ORDER, "created": value}, time_format="unix", fields={"order.updated_at": None})

    def test_ready_medusa_maps_as_the_programmed_adapter(self):
        """The proof on recorded payloads: the same ChannelOrder without a line of code, but for its version."""
        connector = read_ready()[1]
        for name in ("order_placed", "order_shipped", "order_cancelled"):
            raw = read_data(f"medusa/{name}")
            expected = dataclasses.replace(medusa_mapper.map_order(raw), version="")
            self.assertEqual(dataclasses.replace(mapper.map_order(connector, raw), version=""), expected)
        for variant in read_data("medusa/variants")["variants"]:
            self.assertEqual(mapper.map_listing(connector, variant), medusa_mapper.map_listing(variant, "usd"))


class TestConnectorTemplates(AdapterCase):
    def test_kinds_are_kept(self):
        context = {"n": 2, "t": "x", "rows": [{"id": 1}, {"id": 2}], "none": None, "empty": ""}
        template = {
            "n": "{{ n }}",
            "text": "no. {{ n }} {{ t }}",
            "rows": {"for each": "rows", "give": {"id": "{{ item.id }}", "n": "{{ n }}"}},
            "none": "{{ none }}",
            "gone?": "{{ empty }}",
            "kept?": "{{ t }}",
            "fixed": [True, 1.5, None],
        }
        self.assertEqual(
            templates.render(template, context),
            {
                "n": 2,
                "text": "no. 2 x",
                "rows": [{"id": 1, "n": 2}, {"id": 2, "n": 2}],
                "none": None,
                "kept": "x",
                "fixed": [True, 1.5, None],
            },
        )

    def test_values_are_never_read_as_templates(self):
        context = {"t": "{{ secret }}", "secret": "s"}
        self.assertEqual(templates.render({"a": "{{ t }}", "b": "-{{ t }}"}, context), {
            "a": "{{ secret }}", "b": "-{{ secret }}"
        })  # fmt: skip

    def test_unknown_names_are_refused_when_saved_and_when_filled(self):
        for template in ("{{ secret }}", ["{{ a.b }}", "{{ x.y }}"], {"for each": "nope", "give": 1}, "{{ item }}"):
            with self.assertRaisesRegex(templates.TemplateError, "not known here"):
                templates.check(template, {"a"})
            with self.assertRaisesRegex(templates.TemplateError, "not known here"):
                templates.render(template, {"a": {}})

    def test_what_cannot_be_read(self):
        for template in ("{{ a", "{{ a.. }}", "{{ }}", "{{ nofunc(a) }}", "{{ join(a) }}", {"for each": "a"}):
            with self.assertRaises(templates.TemplateError):
                templates.check(template, {"a"})
        deep = current = []
        for _index in range(100):
            current.append([])
            current = current[0]
        with self.assertRaises(templates.TemplateError):
            templates.check(deep, set())

    def test_functions(self):
        data = {"rows": [{"k": {"id": "7"}, "v": 1}, {"k": {"id": 8}, "v": 2}], "id": 7, "t": "a; b", "n": 0.1}
        for expression, expected in (
            ("where(rows, 'k.id', id)[0].v", 1),
            ("where(nothing, 'k', id)", []),
            ("add(n, `0.2`)", 0.3),
            ("subtract('5', `2`)", 3),
            ("multiply(n, `10`)", 1),
            ("divide(`1`, `8`)", 0.125),
            ("fixed(n, `2`)", "0.10"),
            ("split(t, ';')", ["a", "b"]),
            ("upper(t)", "A; B"),
            ("lower(nothing)", ""),
        ):
            self.assertEqual(expressions.search(expression, data), expected, expression)
        for expression in ("divide(n, `0`)", "add(t, n)", "multiply('1e30000', n)", "split(t, '')", "sum(t)"):
            with self.assertRaises(expressions.ExpressionError):
                expressions.search(expression, data)

    def test_names_read_from_the_top(self):
        for expression, roots in (
            ("a.b.c", {"a"}), ("a[?b == c].d", {"a"}), ("where(a.b, 'x', y)[?z]", {"a", "y"}), ("'text'", set()),
            ("a || b && !c", {"a", "b", "c"}), ("{x: a, y: [b, `1`]}", {"a", "b"}), ("sort_by(a, &b)[0].c", {"a"}),
            ("a[].b | [0]", {"a"}), ("@", set()),
        ):  # fmt: skip
            self.assertEqual(expressions.compile_expression(expression).roots, roots, expression)

    def test_lines(self):
        text = "order = updated_at\nX-Time: {{ now }}\n\nupdated_at[$gte] = {{ since || '=' }}"
        pairs = (("order", "updated_at"), ("X-Time", "{{ now }}"), ("updated_at[$gte]", "{{ since || '=' }}"))
        self.assertEqual(templates.read_pairs(text), pairs)
        with self.assertRaisesRegex(templates.TemplateError, "no line"):
            templates.read_pairs("no line")
        found = templates.render_pairs((("id[]", "{{ ids }}"), ("x", "{{ none }}")), {"ids": [1, 2], "none": None})
        self.assertEqual(found, [("id[]", "1"), ("id[]", "2")])


class TestConnectorPushes(AdapterCase):
    def setUp(self):
        super().setUp()
        client._paces.clear()

    def _ship(self, *calls, answers=(), notice=NOTICE, fields=None, **values):
        connector = make_spec([*CALLS, *calls], fields, **values)
        adapter, transport = make_adapter(connector, *answers, location_id="L1")
        return adapter.push_shipment(notice), transport.calls, transport.requests

    def test_shipment(self):
        call = {
            "kind": "ship",
            "method": "POST",
            "path": "/orders/{{ order_id }}/ship",
            "body": json.dumps(
                {
                    "no": "{{ tracking_number }}",
                    "by": "{{ carrier }}",
                    "at": "{{ location }}",
                    "lines": {"for each": "lines", "give": {"id": "{{ item.id }}", "qty": "{{ item.quantity }}"}},
                }
            ),
            "result_expression": "answer.shipment.id",
        }
        fields = {"push.carrier": {"expression": "carrier", "values": {"SF Express": "SF"}}}
        answers = ({"order": ORDER}, {"shipment": {"id": 77}})
        result, calls, requests = self._ship(call, answers=answers, fields=fields, idempotency_header="Idempotency-Key")
        self.assertEqual((result.external_id, result.is_repeat), ("77", False))
        body = {"no": "SF100", "by": "SF", "at": "L1", "lines": [{"id": "1", "qty": 2}]}
        self.assertEqual(calls, [("GET", "/orders/A1", None), ("POST", "/orders/A1/ship", body)])
        self.assertEqual(requests[1].headers["Idempotency-Key"], "key-1")
        self.assertNotIn("Idempotency-Key", requests[0].headers)

    def test_shipment_that_is_there_is_not_told_again(self):
        call = {"kind": "ship", "method": "POST", "path": "/ship"}
        call["done_expression"] = "where(order.shipments, 'no', tracking_number)"
        call["result_expression"] = "where(order.shipments, 'no', tracking_number)[0].id"
        order = {**ORDER, "shipments": [{"id": "s1", "no": "SF100"}]}
        result, calls, _requests = self._ship(call, answers=({"order": order},))
        self.assertEqual((result.external_id, result.is_repeat, len(calls)), ("s1", True, 1))

    def test_steps_go_on_where_a_dead_worker_stopped(self):
        steps = (
            {
                "kind": "ship", "method": "POST", "path": "/pack", "body": '{"key": "{{ idempotency_key }}"}',
                "done_expression": "where(order.packs, 'key', idempotency_key)",
                "result_expression": "where((answer || order).packs, 'key', idempotency_key)[0].id",
            },
            {
                "kind": "ship", "method": "POST", "path": "/packs/{{ result }}/send",
                "done_expression": "where(order.packs, 'key', idempotency_key)[?sent]",
            },
        )  # fmt: skip
        packs = {"packs": [{"id": "p1", "key": "key-1", "sent": False}]}
        _result, calls, _requests = self._ship(*steps, answers=({"order": ORDER}, packs, {}))
        self.assertEqual([call[1] for call in calls], ["/orders/A1", "/pack", "/packs/p1/send"])
        result, calls, _requests = self._ship(*steps, answers=({"order": {**ORDER, **packs}}, {}))
        self.assertEqual([call[1] for call in calls], ["/orders/A1", "/packs/p1/send"])
        self.assertFalse(result.is_repeat)
        packs["packs"][0]["sent"] = True
        result, calls, _requests = self._ship(*steps, answers=({"order": {**ORDER, **packs}},))
        self.assertEqual((result.external_id, result.is_repeat), ("p1", True))

    def test_refund_that_could_be_paid_twice_is_refused(self):
        call = {"kind": "refund", "method": "POST", "path": "/refund", "body": '{"amount": "{{ amount }}"}'}
        sentence = r"endpoints\[2\].done_expression: .*the buyer would be paid once more"
        for method in ("POST", "PUT"):
            with self.assertRaisesRegex(spec.SpecError, sentence):
                make_spec([*CALLS, {**call, "method": method}])
        literal = {**call, "body": '{"idempotency_key": "{{ order_id }}"}'}
        with self.assertRaisesRegex(spec.SpecError, sentence):
            make_spec([*CALLS, literal])
        for protected in (
            {"done_expression": "order.refunds"},
            {"body": '{"rows": {"for each": "lines", "give": {"key": "{{ idempotency_key }}"}}}'},
            {"path": "/refund/{{ idempotency_key }}"},
            {"header_lines": "X-Key = {{ idempotency_key }}"},
            {"method": "GET"},
        ):
            self.assertTrue(make_spec([*CALLS, {**call, **protected}]))
        self.assertTrue(make_spec([*CALLS, call], idempotency_header="Idempotency-Key"))
        # What an earlier step made is settled, however often that is asked.
        first = {**call, "done_expression": "order.refunds", "result_expression": "answer.id"}
        self.assertTrue(make_spec([*CALLS, first, {**call, "path": "/refund/{{ result }}/settle"}]))

    def test_parcels_and_units_that_could_be_told_twice_are_warned_of(self):
        ship = {"kind": "ship", "method": "POST", "path": "/ship"}
        units = {"kind": "cancel_lines", "method": "POST", "path": "/take"}
        found = repeats.find_doubled(make_spec([*CALLS, ship, units]))
        self.assertEqual([line[:12] for line in found], ["endpoints[2]", "endpoints[3]"])
        self.assertIn("the shop would have the parcel twice", found[0])
        self.assertIn("cancelled, and paid back, once more", found[1])
        self.assertFalse(repeats.find_doubled(make_spec([*CALLS, ship, units], idempotency_header="X-Key")))
        put = [{**call, "method": "PUT"} for call in (ship, units)]
        self.assertFalse(repeats.find_doubled(make_spec([*CALLS, *put])))
        self.assertFalse(repeats.find_doubled(read_ready("medusa")[1]))

    def test_call_of_which_nobody_knows_is_not_repeated_blindly(self):
        """A parcel told without our key: a person looks whether the shop has it."""
        call = {"kind": "ship", "method": "POST", "path": "/ship"}
        lost = Unavailable("The shop did not answer in time.")
        for answer in (lost, BadResponse("The shop's answer was cut short."), (502, {})):
            with self.assertRaisesRegex(Rejected, "Look in the shop: skip this if it is done there") as raised:
                self._ship(call, answers=({"order": ORDER}, answer))
            self.assertFalse(raised.exception.retryable or raised.exception.is_shop_wide)
        certain = ((429, {}), Unavailable("The shop cannot be reached.", is_uncertain=False))
        for error_class, answer in zip((RateLimited, Unavailable), certain, strict=True):
            with self.assertRaises(error_class):
                self._ship(call, answers=({"order": ORDER}, answer))
        with self.assertRaises(Unavailable):
            self._ship(call, answers=({"order": ORDER}, lost), idempotency_header="Idempotency-Key")
        with self.assertRaises(Unavailable):
            self._ship(call, answers=(lost,))  # reading the order changes nothing

    def test_missing_value_in_an_address_is_refused(self):
        call = {"kind": "ship", "method": "POST", "path": "/packs/{{ order.pack.id }}/send"}
        with self.assertRaisesRegex(Rejected, "is empty"):
            self._ship(call, answers=({"order": ORDER},))

    def test_every_other_push(self):
        calls = [
            {"kind": kind, "method": "POST", "path": f"/{kind}", "body": body}
            for kind, body in (
                ("delivered", '{"s": "{{ shipment_id }}", "at": "{{ delivered_at }}"}'),
                ("cancel", '{"why": "{{ reason }}"}'),
                ("return_received", '{"lines": "{{ lines }}"}'),
                ("refund", '{"sum": "{{ fixed(amount, `2`) }} {{ currency }}", "key": "{{ idempotency_key }}"}'),
            )
        ]
        connector = make_spec(calls)
        adapter, transport = make_adapter(connector, {}, {}, {}, {})
        self.assertEqual(adapter.capabilities, {"delivered", "cancel", "return_received", "refund"})
        adapter.push_delivered(DeliveryNotice("A1", "k", shipment_external_id="s1"))
        adapter.push_cancel(CancelNotice("A1", "k", "late"))
        adapter.push_return_received(ReturnNotice("A1", (("1", Decimal("1.5")),), "k"))
        adapter.push_refund(RefundNotice("A1", Decimal("9.9"), "EUR", "k"))
        self.assertEqual(
            [call[2] for call in transport.calls],
            [
                {"s": "s1", "at": None},
                {"why": "late"},
                {"lines": [{"id": "1", "quantity": 1.5}]},
                {"sum": "9.90 EUR", "key": "k"},
            ],
        )
        with self.assertRaises(NotSupported):
            adapter.push_shipment(NOTICE)
        with self.assertRaises(NotSupported):
            adapter.push_stock([])

    def test_cancelled_order_is_not_cancelled_again(self):
        calls = [*CALLS, {"kind": "cancel", "method": "POST", "path": "/cancel"}]
        fields = {"order.status": {"expression": "state", "values": {"dead": "cancelled"}}}
        adapter, transport = make_adapter(make_spec(calls, fields), {"order": {**ORDER, "state": "dead"}})
        self.assertTrue(adapter.push_cancel(CancelNotice("A1", "k")).is_repeat)
        self.assertEqual(len(transport.requests), 1)

    def _publish(self, calls, *answers, quantities=(5, 0, -2)):
        levels = [
            StockLevel(f"SKU{index}", Decimal(quantity), external_id=f"v{index}")
            for index, quantity in enumerate(quantities)
        ]
        adapter, transport = make_adapter(make_spec(calls), *answers)
        return adapter.push_stock(levels).errors, transport.calls

    def test_stock_in_batches(self):
        call = {"kind": "stock", "method": "PUT", "path": "/stock", "batch_size": 2}
        call["body"] = '{"all": {"for each": "levels", "give": ["{{ item.sku }}", "{{ item.quantity }}"]}}'
        call["errors_expression"] = "bad[].{key: sku, message: why}"
        errors, calls = self._publish([call], {"bad": [{"sku": "SKU1", "why": "unknown"}]}, {})
        self.assertEqual(errors, ("", "unknown", ""))
        self.assertEqual([call[2]["all"] for call in calls], [[["SKU0", 5], ["SKU1", 0]], [["SKU2", 0]]])

    def test_one_bad_level_does_not_hold_up_the_rest(self):
        call = {"kind": "stock", "method": "PUT", "path": "/stock", "body": '{"levels": "{{ levels[].sku }}"}'}
        refusal = (422, {"message": "SKU1 is unknown"})
        errors, calls = self._publish([call], refusal, {}, refusal, {})
        self.assertEqual(errors[0::2], ("", ""))
        self.assertIn("SKU1 is unknown", errors[1])
        self.assertEqual(len(calls), 4)

    def test_stock_one_by_one(self):
        call = {"kind": "stock", "method": "PUT", "path": "/items/{{ level.external_id }}", "batch_size": 1}
        call["body"] = '{"quantity": "{{ level.quantity }}"}'
        _errors, calls = self._publish([call], {}, {}, {})
        self.assertEqual([call[1] for call in calls], ["/items/v0", "/items/v1", "/items/v2"])

    def test_stock_that_is_read_first(self):
        calls = [
            {
                "kind": "stock_read", "path": "/items", "answer_expression": "items", "match_expression": "code",
                "query_lines": "code = {{ levels[].sku }}",
            },
            {
                "kind": "stock", "method": "PUT", "path": "/stock",
                "done_expression": "level.seen.qty == level.quantity",
                "body": '{"all": {"for each": "levels", "give": "{{ add(item.quantity, item.seen.held) }}"}}',
            },
        ]  # fmt: skip
        items = [{"code": "SKU0", "qty": 1, "held": 3}, {"code": "SKU1", "qty": 0, "held": 0}]
        errors, sent = self._publish(calls, {"items": items}, {})
        self.assertEqual(errors[:2], ("", ""))
        self.assertIn("no stock item for SKU2", errors[2])
        self.assertEqual(sent[1][2], {"all": [8]})  # the second is what the shop has already


class TestConnectorFile(AdapterCase):
    def test_what_is_written_is_read_the_same(self):
        for connector in (read_ready()[1], make_spec(), spec.ConnectorSpec()):
            self.assertEqual(spec.read(json.loads(json.dumps(spec.write(connector)))), connector)

    def test_errors_name_the_key(self):
        call = CALLS[0]
        for sentence, data in (
            ("colour: this is not known", {"colour": 1}),
            ("page_size: this is a whole number", {"page_size": "5"}),
            ("page_size: this is between", {"page_size": -1}),
            ("is_sorted: this is true or false", {"is_sorted": 1}),
            ("auth_kind: “magic” is none of", {"auth_kind": "magic"}),
            ("auth_name: .*missing", {"auth_kind": "header"}),
            ("sign_template: .*missing", {"auth_kind": "hmac", "auth_name": "X"}),
            ("sign_template: .*not known", {"sign_template": "{{ password }}"}),
            ("token_path: ", {"auth_kind": "oauth2", "token_path": "ftp://x"}),
            ("header_lines: .*not known", {"header_lines": "X = {{ secret }}"}),
            ("header_lines: .*no name of a header", {"header_lines": "a b = 1"}),
            ("time_zone: “Mars” is no time zone", {"time_zone": "Mars"}),
            ("cursor_expression: ", {"paging_style": "cursor"}),
            ("more_expression: The expression", {"more_expression": "a..b"}),
            ("webhook_header: ", {"webhook_kind": "token"}),
            ("endpoints: this is a list", {"endpoints": {}}),
            (r"endpoints\[0\]: this is an object", {"endpoints": [1]}),
            (r"endpoints\[0\].kind: this is missing", {"endpoints": [{"path": "/"}]}),
            (r"endpoints\[1\].path: this begins", {"endpoints": [call, {"kind": "ship", "path": "https://evil.test"}]}),
            (r"endpoints\[0\].path: this begins", {"endpoints": [{"kind": "ship", "path": "//evil.test"}]}),
            (r"endpoints\[0\].body: this is no JSON", {"endpoints": [{**call, "body": "{"}]}),
            (r"endpoints\[0\].body: .*not known", {"endpoints": [{**call, "body": '"{{ order_id }}"'}]}),
            ("endpoints: there is more than one", {"endpoints": [call, call]}),
            (r"fields\[0\].target: “x.y” is none", {"fields": [{"target": "x.y"}]}),
            (r"fields\[0\].values: ", {"fields": [{"target": "order.total", "values": {"a": 1}}]}),
            ("fields: order.total is mapped twice", {"fields": [{"target": "order.total"}] * 2}),
        ):
            with self.assertRaises(spec.SpecError) as raised:
                spec.read(data)
            self.assertRegex(str(raised.exception), sentence)
        for data in (None, [], "x"):
            with self.assertRaises(spec.SpecError):
                spec.read(data)


class TestConnectorPreview(AdapterCase):
    def test_each_field_says_what_it_gives_or_what_is_wrong(self):
        fields = {
            "line.sku": "sku",
            "order.note": "a..b",
            "order.status": "id",
            "order.currency": "nothing.here",
            "order.buyer_id": {"expression": "", "default": ""},
        }
        found = preview.preview_fields(make_data(fields=fields), ORDER)
        self.assertEqual(found["line.sku"], ("MUG", ""))
        self.assertEqual(found["order.lines"], ("1 ×", ""))
        self.assertEqual(found["order.placed_at"], ("2026-01-01 10:00:00 UTC", ""))
        self.assertRegex(found["order.note"][1], "can't be read at character")
        self.assertRegex(found["order.status"][1], "none of open")
        self.assertRegex(found["order.currency"][1], "Nothing is at nothing.here")
        self.assertEqual(found["order.buyer_id"], ("", ""))

    def test_broken_parts_do_not_spoil_the_rest(self):
        data = {**make_data(fields={"order.lines": "id"}), "time_zone": "Mars"}
        found = preview.preview_fields(data, ORDER)
        self.assertEqual(found["order.total"], ("25", ""))
        self.assertRegex(found["order.lines"][1], "list of objects")
        self.assertRegex(found["line.sku"][1], "list of objects")

    def test_whole_order(self):
        order, problem = preview.preview_order(make_data(), ORDER)
        self.assertEqual((order.external_id, problem), ("A1", ""))
        order, problem = preview.preview_order(make_data(), {**ORDER, "total": None})
        self.assertEqual((order, problem), (None, "order.total: nothing is at total."))

    def test_samples(self):
        for text in ("", "{", "[1]", "5", "[" * 100000):
            with self.assertRaises(ValueError):
                preview.read_sample(text)
        self.assertEqual(preview.read_sample('{"a": 1}'), {"a": 1})

    def test_every_target_is_a_field_of_what_it_fills(self):
        classes = {
            "order": types.ChannelOrder,
            "line": types.ChannelLine,
            "shipping": types.ChannelShipping,
            "payment": types.ChannelPayment,
            "refund_request": types.ChannelRefundRequest,
            "shipping_address": types.ChannelAddress,
            "billing_address": types.ChannelAddress,
            "listing": types.Listing,
        }
        for group, names in targets.GROUPS.items():
            if group != "push":
                known = {field.name for field in dataclasses.fields(classes[group])}
                self.assertFalse(set(names) - known, group)
