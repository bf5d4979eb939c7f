"""What the shop is told: the calls of one push, one after another, each left out when the shop has it already."""

from decimal import Decimal

from ..cancelling import get_refund, get_worth
from ..errors import AdapterError, BadResponse, Rejected
from ..notices import PushResult, StockResult
from ..types import ZERO
from ..values import to_decimal, to_json_number
from .conversions import write_moment
from .expressions import ExpressionError, search
from .mapper import FieldProblem, Reader
from .paging import get_rows
from .repeats import DOUBLED, may_repeat
from .templates import to_text


class Pusher:
    """:param fetch_order: callable(order id) -> raw order, None where the connector has no call for it"""

    def __init__(self, client, fetch_order):
        self.client, self.spec, self.fetch_order = client, client.spec, fetch_order

    def push(self, kind, notice, values=(), check=None):
        """Do the calls of one kind.

        :param notice: with order_external_id and idempotency_key
        :param values: what its templates may name besides
        :param check: callable(raw order), called before the first call that is not left out; may refuse
        :return: PushResult
        """
        context = {
            **self.client.get_settings(),
            **dict(values),
            "order_id": notice.order_external_id,
            "idempotency_key": notice.idempotency_key,
            "order": self.fetch_order(notice.order_external_id) if self.fetch_order else None,
            "answer": None,
            "answers": [],
            "result": "",
        }
        is_repeat = True
        for endpoint in self.spec.get_endpoints(kind):
            if self._is_done(endpoint, context):
                context["answer"] = None
            else:
                if is_repeat and check and context["order"]:
                    check(context["order"])
                context["answer"] = self._call(endpoint, context, notice.idempotency_key)
                is_repeat = False
            context["answers"] = [*context["answers"], context["answer"]]
            if endpoint.result_expression:
                context["result"] = self._find_result(endpoint, context) or context["result"]
        return PushResult(context["result"], is_repeat=is_repeat)

    def _call(self, endpoint, context, key):
        """:raises Rejected: when nobody knows whether the call took effect, and to repeat it could do it twice"""
        try:
            answer, _headers = self.client.call(endpoint, context, key=key)
        except AdapterError as error:
            if not error.is_uncertain or may_repeat(self.spec, endpoint):
                raise
            raise Rejected(
                f"{error.message} Nobody knows whether the shop has done it all the same, and if it is told again, "
                f"{DOUBLED[endpoint.kind]}. Look in the shop: skip this if it is done there, retry it if not."
            ) from error
        return answer

    def _is_done(self, endpoint, context):
        """Whether the shop has it already. A worker may have died between an earlier call and its own commit."""
        if endpoint.done_expression:
            return bool(self._search(endpoint, "done_expression", context))
        if endpoint.kind == "cancel" and context["order"]:
            try:
                return Reader(self.spec).read_target("order.status", context["order"]) == "cancelled"
            except FieldProblem:
                return False
        return False

    def _find_result(self, endpoint, context):
        return to_text(self._search(endpoint, "result_expression", context))

    def _search(self, endpoint, name, context):
        expression = getattr(endpoint, name)
        try:
            return search(expression, context)
        except ExpressionError as error:
            raise BadResponse(f"{endpoint.name or endpoint.kind}: {expression}: {error}", retryable=False) from error

    def set_price(self, notice):
        """Tell the price of one listing: to say it twice changes nothing. :return: PushResult"""
        context = {
            **self.client.get_settings(),
            "listing_id": notice.external_id,
            "product_id": notice.product_external_id,
            "sku": notice.sku,
            "price": str(notice.price),
            "currency": notice.currency,
        }
        self.client.call(self.spec.get_endpoint("price"), context)
        return PushResult(notice.external_id)

    # === VALUES === #

    def ship(self, notice):
        values = {
            "lines": get_lines(notice.lines),
            "tracking_number": notice.tracking_number,
            "tracking_url": notice.tracking_url,
            "carrier": self._get_carrier(notice.carrier),
        }
        return self.push("ship", notice, values)

    def _get_carrier(self, carrier):
        """Our carrier's name as the shop calls it, by the value map of the target."""
        try:
            found = Reader(self.spec).read_target("push.carrier", {"carrier": carrier})
        except FieldProblem as error:
            raise Rejected(f"{error.target}: {error}") from error
        return carrier if found is None else found

    def deliver(self, notice):
        spec = self.spec
        moment = write_moment(notice.delivered_at, spec.time_format, spec.time_pattern, spec.time_zone)
        values = {
            "tracking_number": notice.tracking_number,
            "shipment_id": notice.shipment_external_id,
            "delivered_at": moment,
        }
        return self.push("delivered", notice, values)

    def cancel(self, notice):
        return self.push("cancel", notice, {"reason": notice.reason})

    def cancel_lines(self, notice, order):
        """:param order: ChannelOrder, None where it can't be read: then nobody knows what the units cost"""
        # After a broken run the units may be gone already: whether they are is said by "Already Done When".
        found = [(line, units) for key, units in notice.lines if (line := order and order.find_line(key))]
        # Of a shop whose payments are not mapped nobody knows what it holds.
        count = get_refund if order and order.payments else get_worth
        amount = count(order, found) if found else None
        values = {
            "lines": get_lines(notice.lines),
            "reason": notice.reason,
            "amount": None if amount is None else to_json_number(amount),
            "request_id": notice.request_external_id,
        }
        return self.push("cancel_lines", notice, values)

    def answer(self, notice):
        values = {
            "request_id": notice.request_external_id,
            "is_granted": notice.is_granted,
            "reason": notice.reason,
        }
        return self.push("answer", notice, values)

    def receive_return(self, notice):
        values = {
            "lines": get_lines(notice.lines),
            "request_id": notice.request_external_id,
            "note": notice.note,
        }
        return self.push("return_received", notice, values)

    def refund(self, notice, parse_order):
        """:param parse_order: callable(raw order) -> ChannelOrder: whether the money is there is known before the shop
        is asked to give it back"""
        values = {
            "lines": get_lines(notice.lines),
            "amount": to_json_number(notice.amount),
            "currency": notice.currency,
            "payment_id": notice.payment_external_id,
            "request_id": notice.request_external_id,
            "note": notice.note,
        }
        return self.push("refund", notice, values, lambda raw: check_refund(parse_order(raw), notice))

    # === STOCK === #

    def push_stock(self, levels):
        """Publish in batches of the connector's size. One bad level does not hold up the rest."""
        endpoint = self.spec.get_endpoint("stock")
        rows, errors = [_make_level(level, self.client) for level in levels], []
        for start in range(0, len(rows), endpoint.batch_size):
            errors += self._publish(endpoint, rows[start : start + endpoint.batch_size])
        return StockResult(tuple(errors))

    def fetch_stock(self, levels):
        """What the shop has of each, as the reading call's result says; None of what it does not know."""
        endpoint = self.spec.get_endpoint("stock_read")
        found = []
        rows = [_make_level(level, self.client) for level in levels]
        for start in range(0, len(rows), endpoint.batch_size):
            batch = rows[start : start + endpoint.batch_size]
            self._read_levels(batch, [""] * len(batch))
            found += [self._get_quantity(endpoint, row) for row in batch]
        return tuple(found)

    def _get_quantity(self, endpoint, row):
        quantity = self._search(endpoint, "result_expression", _get_names(row, [row])) if row["seen"] else None
        return None if quantity is None else to_decimal(quantity, "The quantity in the shop")

    def _publish(self, endpoint, rows):
        errors = [""] * len(rows)
        if self.spec.get_endpoint("stock_read"):
            self._read_levels(rows, errors)
        wanted = [
            index
            for index, row in enumerate(rows)
            if not errors[index]
            and not (endpoint.done_expression and self._search(endpoint, "done_expression", _get_names(row, [row])))
        ]
        self._send(endpoint, rows, wanted, errors)
        return errors

    def _read_levels(self, rows, errors):
        """Put beside each level what the shop has of it, as ``seen``."""
        endpoint = self.spec.get_endpoint("stock_read")
        answer, _headers = self.client.call(endpoint, {"levels": rows})
        found = {}
        for seen in get_rows(endpoint.answer_expression, answer):
            key = to_text(self._search_row(endpoint, seen))
            found.setdefault(key, seen)
        for index, row in enumerate(rows):
            row["seen"] = found.get(row[endpoint.match_key]) if row[endpoint.match_key] else None
            if row["seen"] is None:
                errors[index] = f"The shop has no stock item for {row['sku'] or row['external_id']}."

    def _search_row(self, endpoint, row):
        try:
            return search(endpoint.match_expression, row) if endpoint.match_expression else None
        except ExpressionError as error:
            raise BadResponse(f"{endpoint.match_expression}: {error}", retryable=False) from error

    def _send(self, endpoint, rows, indexes, errors):
        if not indexes:
            return
        levels = [rows[index] for index in indexes]
        try:
            answer, _headers = self.client.call(endpoint, _get_names(levels[0], levels))
        except Rejected as error:
            if error.retryable:
                raise
            if len(indexes) == 1:
                errors[indexes[0]] = error.message
                return
            for index in indexes:
                self._send(endpoint, rows, [index], errors)
            return
        refused = self._get_refused(endpoint, answer)
        for index in indexes:
            row = rows[index]
            keys = [key for key in (row["sku"], row["external_id"], row["inventory_external_id"]) if key]
            errors[index] = next((refused[key] for key in keys if key in refused), "")

    def _get_refused(self, endpoint, answer):
        """{key: message} of the levels that the answer says were refused."""
        if not endpoint.errors_expression:
            return {}
        return {
            to_text(row.get("key")): to_text(row.get("message")) or "The shop refused it."
            for row in get_rows(endpoint.errors_expression, answer)
        }


def check_refund(order, notice):
    """Refuse to give back another currency, or more than the shop has of the buyer, as far as payments are mapped."""
    currencies = {payment.currency for payment in order.payments}
    if currencies and notice.currency not in currencies:
        raise Rejected(f"The payment is in {', '.join(sorted(currencies))}, the refund in {notice.currency}.")
    if currencies and notice.amount > order.captured_total:
        raise Rejected(
            f"Order {order.reference}: {notice.amount} is to be refunded, only {order.captured_total} is left."
        )


def get_lines(lines):
    """Lines of a notice as templates see them."""
    return [{"id": line_id, "quantity": to_json_number(Decimal(quantity))} for line_id, quantity in lines]


def _make_level(level, client):
    return {
        "sku": level.sku,
        "quantity": to_json_number(max(level.quantity, ZERO)),
        "external_id": level.external_id,
        "inventory_external_id": level.inventory_external_id,
        "location": level.location or client.config.options.get("location_id") or "",
        "seen": None,
    }


def _get_names(level, levels):
    return {"level": level, "levels": levels}
