"""Pure: what a shop sends -> our types, by the fields of a connector."""

from datetime import UTC
from decimal import Decimal

from ..types import (
    DISCOUNT_SOURCES,
    ZERO,
    ChannelAddress,
    ChannelDiscount,
    ChannelLine,
    ChannelOrder,
    ChannelPayment,
    ChannelRefundRequest,
    ChannelShipping,
    Listing,
)
from ..values import bad_payload, round_money
from . import conversions, targets
from .conversions import ConversionError
from .expressions import ExpressionError, search
from .templates import to_text

MAX_ROWS = 2000
# Dividing by (1 + rate) leaves dust in the 27th digit.
EXACT = Decimal("1e-12")


class FieldProblem(ValueError):
    """A target can't be read. :ivar target: "line.sku"; its text is for people."""

    def __init__(self, target, sentence):
        super().__init__(sentence)
        self.target = target


class Reader:
    """Reads groups of targets from what a shop sent.

    :param spec: ConnectorSpec
    """

    def __init__(self, spec):
        self.spec = spec
        self.groups = {group: spec.get_fields(group) for group in targets.GROUPS}

    def read_target(self, key, data, currency=""):
        """Return the value of one target, None when the shop says nothing.

        :raise FieldProblem: saying in words what is wrong
        """
        group, name = targets.split_target(key)
        field, target = self.groups[group].get(name), targets.TARGETS[key]
        if field is None:
            return None
        try:
            found = search(field.expression, data) if field.expression else None
            value = self._translate(field, target, found)
            value = conversions.convert(value, target.kind, field, self.spec, currency)
        except (ExpressionError, ConversionError) as error:
            raise FieldProblem(key, str(error)) from error
        if target.choices and value is not None and value not in target.choices:
            raise FieldProblem(
                key, f"“{value[:40]}” is none of {', '.join(target.choices)}: say in the value map what it means."
            )
        if target.kind == targets.ROWS and value is not None:
            self._check_rows(key, value)
        return value

    def _translate(self, field, target, value):
        """The value map, then the default."""
        if field.values and not isinstance(value, list | dict):
            text = "" if value is None else to_text(value)
            value = dict(field.values).get(text, None if field.default and target.choices else value)
        if value is None or value == "":
            return field.default or None
        return value

    def _check_rows(self, key, value):
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise FieldProblem(key, "a list of objects is expected there.")
        if len(value) > MAX_ROWS:
            raise FieldProblem(key, f"more than {MAX_ROWS} rows are not read.")

    def read_group(self, group, data, currency=""):
        """Return {name: value} of what the shop says; required ones are there.

        :raise BadResponse: naming the target, final
        """
        values = {}
        try:
            for name, target in targets.GROUPS[group].items():
                value = self.read_target(f"{group}.{name}", data, currency)
                if value is not None:
                    values[name] = value
                elif target.is_required:
                    raise FieldProblem(f"{group}.{name}", self._describe_missing(group, name))
        except FieldProblem as error:
            raise bad_payload(f"{error.target}: {error}") from error
        return values

    def _describe_missing(self, group, name):
        field = self.groups[group].get(name)
        return f"nothing is at {field.expression}." if field and field.expression else "no field is mapped to it."

    def is_mapped(self, group):
        return bool(self.groups[group])


def map_order(spec, raw):
    """Raw order -> ChannelOrder."""
    reader = Reader(spec)
    values = reader.read_group("order", raw)
    currency = values["currency"] = values["currency"].upper()
    if reader.groups["order"]["total"].conversion == "minor":  # its minor unit is known only now
        values["total"] = reader.read_target("order.total", raw, currency)
    lines = tuple(_map_line(reader, row, currency) for row in values.pop("lines"))
    if not lines:
        raise bad_payload(f"order.lines: order {values['external_id']} has no lines.")
    rows = {group: values.pop(name, None) for group, name in targets.CONTAINERS.items() if group not in ("line",)}
    shippings = _map_rows(reader, "shipping", rows, raw, _map_shipping, currency)
    payments = _map_rows(reader, "payment", rows, raw, _map_payment, currency)
    requests = _map_rows(reader, "refund_request", rows, raw, _map_request, currency)
    email = values.get("email", "")
    shipping_address = _map_address(reader, "shipping_address", rows, raw, email)
    billing_address = _map_address(reader, "billing_address", rows, raw, email)
    total = values["total"] = round_money(values["total"], currency)
    updated_at = values.setdefault("updated_at", values["placed_at"])
    captured = sum((payment.captured_amount for payment in payments), ZERO)
    defaults = {
        "reference": values["external_id"],
        "version": updated_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "status": "open",
        "buyer_name": (billing_address or shipping_address or ChannelAddress()).name,
        "is_paid": bool(payments) and captured >= total,
        "tells_payments": reader.is_mapped("payment") or "is_paid" in values,
    }
    parts = (*lines, *shippings)
    return ChannelOrder(
        **{**defaults, **values},
        lines=lines,
        shippings=shippings,
        payments=payments,
        refund_requests=requests,
        shipping_address=shipping_address,
        billing_address=billing_address,
        discount_total=sum((part.discount_amount for part in parts), ZERO),
        tax_total=sum((part.tax_amount for part in parts), ZERO),
        raw=raw,
    )


def _map_rows(reader, group, rows, raw, make, currency):
    """Parts of one group. Without a list they are read from the order itself: one, if there is anything."""
    if not reader.is_mapped(group):
        return ()
    if targets.CONTAINERS[group] in reader.groups["order"]:
        found = rows[group] or ()
    else:
        found = (raw,) if _has_any(reader, group, raw) else ()
    return tuple(part for index, row in enumerate(found, 1) if (part := make(reader, row, currency, index)))


def _has_any(reader, group, raw):
    """Whether the order itself says something for the group's first required target."""
    name = next(name for name, target in targets.GROUPS[group].items() if target.is_required)
    try:
        return reader.read_target(f"{group}.{name}", raw) is not None
    except FieldProblem:
        return True  # it will be said when the group is read


def _map_line(reader, row, currency):
    values = reader.read_group("line", row, currency)
    quantity = values["quantity"]
    if quantity <= 0:
        raise bad_payload(f"line.quantity: {quantity} of {values.get('sku') or values['external_id']} can't be sold.")
    _complete_amounts(values, quantity, "price_unit")
    values.setdefault("sku", "")
    values.setdefault("title", values["sku"] or values["external_id"])
    values["discounts"] = _read_discounts(values.get("discounts", ()))
    return ChannelLine(**values)


def _read_discounts(found):
    """[[source, amount, code], ...] as discounts. A source that has no name here is another one."""
    try:
        discounts = [(source, conversions.read_number(amount), *code) for source, amount, *code in found or ()]
    except (TypeError, ValueError) as error:
        raise bad_payload("line.discounts: a list of [source, amount, code] is expected there.") from error
    return tuple(
        ChannelDiscount(source if source in DISCOUNT_SOURCES else "other", amount, to_text(code[0]) if code else "")
        for source, amount, *code in discounts
    )


def _complete_amounts(values, quantity, price_name):
    """What follows from the rest: shops tell price, discount, tax and total in every combination.

    price * quantity - discount = total (tax included), = total - tax (otherwise).
    """
    is_included = values.setdefault("is_tax_included", False)
    rate = values.get("tax_rate", ZERO) / 100
    total, price = values.get("total"), values.get(price_name)
    if total is None and price is None:
        raise bad_payload(f"A line or charge has neither a price nor a total: {values.get('external_id', '')}")
    if total is None:
        net = price * quantity - values.setdefault("discount_amount", ZERO)
        if "tax_amount" not in values:
            values["tax_amount"] = _exact(net * rate / (1 + rate) if is_included else net * rate)
        values["total"] = net if is_included else net + values["tax_amount"]
        return
    if "tax_amount" not in values:
        values["tax_amount"] = _exact(total * rate / (1 + rate))
    goods = total if is_included else total - values["tax_amount"]
    if price is None:
        values[price_name] = _exact((goods + values.setdefault("discount_amount", ZERO)) / quantity)
    elif "discount_amount" not in values:
        values["discount_amount"] = price * quantity - goods


def _exact(number):
    return number.quantize(EXACT).normalize() + ZERO


def _map_shipping(reader, row, currency, index):
    values = reader.read_group("shipping", row, currency)
    _complete_amounts(values, Decimal(1), "amount")
    if not values["amount"] and not values["total"]:
        return None  # free of charge is no charge
    return ChannelShipping(**{"external_id": f"shipping-{index}", "name": "", **values})


def _map_payment(reader, row, currency, index):
    values = reader.read_group("payment", row, currency)
    values["currency"] = values.get("currency", currency).upper()
    for name in ("amount", "captured_amount", "refunded_amount"):
        values[name] = round_money(values.get(name, ZERO), values["currency"])
    captured, refunded = values["captured_amount"], values["refunded_amount"]
    if not values["amount"]:
        return None
    if values.get("state") == "captured" and not captured:
        captured = values["captured_amount"] = values["amount"]
    if "state" not in values:
        if refunded:
            values["state"] = "refunded" if refunded >= captured else "partially_refunded"
        else:
            values["state"] = "captured" if captured else "authorized"
    return ChannelPayment(**{"external_id": f"payment-{index}", "provider": "", **values})


def _map_request(reader, row, currency, _index):
    values = reader.read_group("refund_request", row, currency)
    lines = values.pop("lines", ())
    if not isinstance(lines, list | tuple):
        raise bad_payload("refund_request.lines: a list of [line's id, quantity] is expected there.")
    try:
        pairs = tuple((to_text(line_id), conversions.read_number(quantity)) for line_id, quantity in lines)
    except (TypeError, ValueError) as error:
        raise bad_payload("refund_request.lines: a list of [line's id, quantity] is expected there.") from error
    return ChannelRefundRequest(**{"kind": "refund", "state": "requested", "amount": ZERO, **values}, lines=pairs)


def _map_address(reader, group, rows, raw, email):
    """An address, None when the shop says none."""
    if not reader.is_mapped(group):
        return None
    source = rows[group] if targets.CONTAINERS[group] in reader.groups["order"] else raw
    if not source:
        return None
    values = reader.read_group(group, source)
    if not any(values.values()):
        return None
    country = values["country_code"] = values.get("country_code", "").upper()
    province = values.get("province", "")
    if country and province.upper().startswith(f"{country}-"):  # ISO 3166-2, "us-ny"
        values["province"] = province[len(country) + 1 :].upper()
    return ChannelAddress(**{"email": email, **values})


def map_listing(spec, raw, currency=""):
    """Raw product or variant -> Listing."""
    values = Reader(spec).read_group("listing", raw, currency)
    values["currency"] = values.get("currency", "").upper()
    values.setdefault("sku", "")
    values.setdefault("title", values["sku"])
    return Listing(**values)
