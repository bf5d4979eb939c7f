"""A Medusa v2 shop as a channel."""

from decimal import Decimal

from .. import base
from ..cancelling import describe_refunded
from ..errors import BadResponse, Rejected
from ..notices import PushResult, RefundNotice
from ..refunding import join_names, share_out
from ..types import DUST, ZERO, ChannelEvent, ListingPage, OrderRef, Page, PageItem, RefPage
from ..values import (
    check_age,
    check_signature,
    digest,
    lower_headers,
    read_webhook,
    required,
    round_money,
    rows,
    to_datetime,
    to_json_number,
    to_text,
)
from . import mapper, signature
from .client import MedusaClient, segment
from .edits import EditFlow
from .returns import ReturnFlow, answer_return
from .stock import StockPublisher

# A subscriber sends within seconds and gives up after a few tries; more is a replay or a wrong clock.
WEBHOOK_MAX_AGE = 300
REF_FIELDS = "id,display_id,custom_display_id,created_at,updated_at"
_RESOURCES = {"order_": "order", "pay_": "payment", "ful_": "fulfillment", "prod_": "product", "variant_": "product"}


class MedusaAdapter(base.ChannelAdapter):
    """Options: ``location_id`` (stock location, default: the first), ``sales_channel_id`` (only its orders),
    ``currency`` (of listing prices)."""

    provider = "medusa"
    label = "Medusa"
    capabilities = frozenset(
        {
            base.ORDERS,
            base.AUDIT,
            base.WEBHOOK,
            base.LISTINGS,
            base.STOCK,
            base.STOCK_READ,
            base.PRICE,
            base.SHIPMENT,
            base.DELIVERED,
            base.CANCEL,
            base.RETURN_RECEIVED,
            base.REFUND,
            base.CANCEL_LINES,
            base.ANSWER,
        }
    )
    numbers_in_sequence = True
    credential_keys = ("api_key",)
    cancelled_states = frozenset({"canceled"})
    option_keys = ("location_id", "sales_channel_id", "currency")
    needs_reread = True  # captures and refunds do not bump updated_at

    def __init__(self, config, transport=None):
        super().__init__(config, transport)
        self.client = MedusaClient(config, self.transport)

    # === READ === #

    def test_connection(self):
        store = next(iter(rows(self.client.get("/stores", fields="id,name,*supported_currencies"), "stores")), {})
        locations = self._get_locations()
        channels = rows(self.client.get("/sales-channels", fields="id,name", limit=100), "sales_channels")
        currencies = [to_text(row.get("currency_code")).upper() for row in rows(store, "supported_currencies")]
        named = [f"{row.get('name')} ({row['id']})" for row in locations]
        return {
            "shop": to_text(store.get("name")),
            "details": [
                ("Currencies", ", ".join(currencies)),
                ("Stock locations", ", ".join(named)),
                ("Sales channels", ", ".join(f"{row.get('name')} ({row['id']})" for row in channels)),
            ],
        }

    def fetch_orders_page(self, since, until=None, cursor=None, limit=50):
        """Keyset paging: a change during paging moves an order to the end, never past the reader.

        The cursor is "time|how many orders of exactly that time were seen".
        """
        orders, next_cursor = self._fetch_list(mapper.ORDER_FIELDS, since, until, cursor, limit)
        items = tuple(
            PageItem(to_text(required(raw, "id", "An order's id")), mapper.get_version(raw), raw) for raw in orders
        )
        return Page(items, next_cursor)

    def fetch_refs_page(self, since, until=None, cursor=None, limit=100):
        """Override: without the orders' content."""
        orders, cursor = self._fetch_list(REF_FIELDS, since, until, cursor, limit)
        refs = (
            OrderRef(
                to_text(required(raw, "id", "An order's id")),
                to_text(raw.get("custom_display_id") or raw.get("display_id")),
                to_datetime(raw.get("created_at"), "The order's created_at"),
            )
            for raw in orders
        )
        return RefPage(tuple(refs), cursor)

    def _fetch_list(self, fields, since, until, cursor, limit):
        """(raw orders, next cursor)."""
        start, skip = cursor.rsplit("|", 1) if cursor else (mapper.format_time(since), "0")
        params = {"updated_at[$gte]": start, "order": "updated_at", "limit": limit, "offset": int(skip)}
        if until:
            params["updated_at[$lt]"] = mapper.format_time(until)
        if self.config.options.get("sales_channel_id"):
            params["sales_channel_id[]"] = self.config.options["sales_channel_id"]
        orders = rows(self.client.get("/orders", fields=fields, **params), "orders")
        if len(orders) < limit:
            return orders, None
        last = to_text(orders[-1]["updated_at"])
        seen = sum(1 for raw in orders if raw["updated_at"] == last)
        return orders, f"{last}|{seen + int(skip) if last == start else seen}"

    def fetch_order(self, external_id):
        answer = self.client.get(f"/orders/{segment(external_id)}", fields=mapper.ORDER_FIELDS)
        order = answer.get("order")
        if not isinstance(order, dict) or order.get("id") != external_id:
            raise BadResponse(f"The shop did not answer with order {external_id}.")
        return order

    def parse_order(self, raw):
        return mapper.map_order(raw)

    def fetch_listings(self, cursor=None, limit=100):
        offset = int(cursor or 0)
        fields = "id,title,sku,barcode,ean,upc,product_id,*product,*prices,*inventory_items"
        variants = rows(
            self.client.get("/product-variants", fields=fields, order="id", limit=limit, offset=offset), "variants"
        )
        currency = to_text(self.config.options.get("currency")).lower()
        items = tuple(mapper.map_listing(variant, currency) for variant in variants)
        return ListingPage(items, str(offset + limit) if len(variants) == limit else None)

    # === WEBHOOKS === #

    def verify_and_parse_webhook(self, headers, raw_body, secret, *, now):
        given = lower_headers(headers).get(signature.HEADER)
        check_signature(secret, given, lambda one: signature.sign(one, raw_body))
        try:
            body = read_webhook(raw_body)
            topic, data, moment = body["event"], body["data"], body["at"]
            named = to_text(data.get("order_id")) or to_text(data.get("id"))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadResponse("The webhook is signed but not understood.", retryable=False) from error
        occurred_at = to_datetime(moment, "The webhook's time")
        check_age(occurred_at, now, WEBHOOK_MAX_AGE)
        kind = next((kind for prefix, kind in _RESOURCES.items() if named.startswith(prefix)), "")
        return ChannelEvent(
            event_id=digest(raw_body),  # the time is in it; a redelivery repeats the body
            topic=to_text(topic),
            occurred_at=occurred_at,
            order_external_id=named if kind == "order" else "",
            resource_type=kind,
            resource_id=named,
        )

    def resolve_event(self, event):
        """Payments lead to their order. A fulfilment does not, but bumps the order's updated_at: the poll finds it."""
        if event.order_external_id or event.resource_type != "payment":
            return event.order_external_id
        answer = self.client.get(f"/payments/{segment(event.resource_id)}", fields="id,payment_collection.order.id")
        collection = (answer.get("payment") or {}).get("payment_collection") or {}
        return to_text((collection.get("order") or {}).get("id"))

    # === PUSH === #

    def push_shipment(self, notice):
        order = self.fetch_order(notice.order_external_id)
        wanted = {line_id: Decimal(quantity) for line_id, quantity in notice.lines}
        fulfillment = self._find_fulfillment(order, notice, wanted)
        if fulfillment and fulfillment.get("shipped_at"):
            return PushResult(fulfillment["id"], is_repeat=True)
        path = f"/orders/{segment(order['id'])}/fulfillments"
        items = [{"id": line_id, "quantity": to_json_number(quantity)} for line_id, quantity in wanted.items()]
        if not fulfillment:
            body = {
                "location_id": self._get_location_id(),
                "items": items,
                "metadata": {mapper.OWN_KEY: notice.idempotency_key},
            }
            answer = self.client.post(path, body, fields=mapper.ORDER_FIELDS)
            fulfillment = self._find_fulfillment(answer.get("order") or {}, notice, wanted)
            if not fulfillment:
                raise BadResponse(f"The shop did not show the new fulfilment of order {order['id']}.")
        # All three keys are required, empty texts allowed.
        label = {
            "tracking_number": notice.tracking_number,
            "tracking_url": _http_url(notice.tracking_url),
            "label_url": "",
        }
        body = {"items": items, "labels": [label], "metadata": {"carrier": notice.carrier}}
        self.client.post(f"{path}/{segment(fulfillment['id'])}/shipments", body)
        return PushResult(fulfillment["id"])

    def _find_fulfillment(self, order, notice, wanted):
        """The fulfilment that is this notice: by our key, by number and content, or one the shop's staff began."""
        alive = [row for row in rows(order, "fulfillments") if not row.get("canceled_at")]
        for row in alive:
            if (row.get("metadata") or {}).get(mapper.OWN_KEY) == notice.idempotency_key:
                return row
        same = [row for row in alive if _get_quantities(row) == wanted]
        for row in same:
            if notice.tracking_number in [label.get("tracking_number") for label in rows(row, "labels")]:
                return row
        return next(
            (row for row in same if not row.get("shipped_at") and not (row.get("metadata") or {}).get(mapper.OWN_KEY)),
            None,
        )

    def push_delivered(self, notice):
        order = self.fetch_order(notice.order_external_id)
        fulfillment = next(
            (
                row
                for row in rows(order, "fulfillments")
                if not row.get("canceled_at")
                and (
                    row["id"] == notice.shipment_external_id
                    if notice.shipment_external_id
                    else notice.tracking_number in [label.get("tracking_number") for label in rows(row, "labels")]
                )
            ),
            None,
        )
        if not fulfillment:
            raise Rejected(
                f"Order {order['id']} has no shipment {notice.shipment_external_id or notice.tracking_number}."
            )
        if fulfillment.get("delivered_at"):
            return PushResult(fulfillment["id"], is_repeat=True)
        path = f"/orders/{segment(order['id'])}/fulfillments/{segment(fulfillment['id'])}/mark-as-delivered"
        self.client.post(path, {})
        return PushResult(fulfillment["id"])

    def push_cancel(self, notice):
        """Cancelling makes Medusa refund what was captured; ``data["refunded"]`` says how much, by payment."""
        order = self.fetch_order(notice.order_external_id)
        is_repeat = order.get("status") == "canceled"
        if not is_repeat:
            self.client.post(f"/orders/{segment(order['id'])}/cancel")
            order = self.fetch_order(order["id"])
        return PushResult(
            order["id"], is_repeat=is_repeat, data={"refunded": describe_refunded(mapper.map_order(order))}
        )

    def push_cancel_lines(self, notice):
        """An edit of the order takes the units off, a refund gives back what they cost."""
        order = self.fetch_order(notice.order_external_id)
        is_repeat, noted = EditFlow(self.client).cancel(notice, order)
        if amount := Decimal(noted["amount"]):
            currency = to_text(order.get("currency_code")).upper()
            refund = RefundNotice(
                order["id"], amount, currency, notice.idempotency_key, note=notice.reason or "Cancelled"
            )
            is_repeat = self.push_refund(refund).is_repeat and is_repeat
        data = {"refunded": describe_refunded(mapper.map_order(self.fetch_order(order["id"])))}
        if short := noted.get("short"):
            data["short"] = short
        return PushResult(notice.idempotency_key, is_repeat=is_repeat, data=data)

    def push_refund(self, notice):
        """The refund's note carries our key; of several payments there is one of each. A cancelled order's money went
        back already: that counts as done."""
        order = self.fetch_order(notice.order_external_id)
        payments, mark = mapper.get_payments(order), f"[{notice.idempotency_key}]"
        made = _find_refunds(payments, mark)
        rest = notice.amount - sum((mapper.get_amount(row, "amount") for row in made.values()), ZERO)
        if made and rest <= DUST:
            return PushResult(join_names(made), is_repeat=True)
        left, currency = _get_left(payments, notice), to_text(order.get("currency_code")).upper()
        total = sum(left.values(), ZERO)
        if order.get("status") == "canceled" and total == 0:
            return PushResult(is_repeat=True, data={"reason": "refunded by the cancellation"})
        if currency != notice.currency:
            raise Rejected(f"The payment is in {currency}, the refund in {notice.currency}.")
        if rest > round_money(total, currency):
            raise Rejected(
                f"Order {order['id']}: {rest} is to be refunded, only {round_money(total, currency)} is left."
            )
        # Medusa keeps fractions of a cent: the last refund takes what is really there.
        rest = total if rest == round_money(total, currency) else rest
        for payment_id, amount in share_out(rest, left):
            body = {"amount": to_json_number(amount), "note": f"{notice.note} {mark}".strip()}
            answer = self.client.post(f"/payments/{segment(payment_id)}/refund", body)
            made.update(_find_refunds([answer.get("payment") or {}], mark))
        return PushResult(join_names(made))

    def push_return_received(self, notice):
        return ReturnFlow(self.client, self._get_location_id).receive(notice)

    def push_answer(self, notice):
        """Agree to a return, or cancel it."""
        return answer_return(self.client, notice, self.fetch_order(notice.order_external_id))

    def push_stock(self, levels):
        return StockPublisher(self.client, self._get_location_id).publish(levels)

    def _look_up_stock(self, levels):
        """Override: the shop is asked for these."""
        return StockPublisher(self.client, self._get_location_id).fetch(levels)

    def push_price(self, notice):
        """The price of one currency; those of others and of regions stay, so they are sent along by their ids."""
        fields = "id,product_id,*prices"
        path = f"/products/{segment(notice.product_external_id)}/variants/{segment(notice.external_id)}"
        known = rows(self.client.get(path, fields=fields).get("variant") or {}, "prices")
        currency, amount = notice.currency.lower(), to_json_number(notice.price)
        own = next((row for row in known if mapper.is_plain_price(row, currency)), None)
        if own and mapper.get_amount(own, "amount") == notice.price:
            return PushResult(notice.external_id, is_repeat=True)
        prices = [{"id": row["id"], "amount": row["amount"]} for row in known if row is not own]
        prices.append({"currency_code": currency, "amount": amount, **({"id": own["id"]} if own else {})})
        self.client.post(path, {"prices": prices})
        return PushResult(notice.external_id)

    # === HELPERS === #

    def _get_locations(self):
        return rows(self.client.get("/stock-locations", fields="id,name", limit=100), "stock_locations")

    def _get_location_id(self):
        location = self.config.options.get("location_id")
        if location:
            return location
        locations = self._get_locations()
        if not locations:
            raise Rejected("The shop has no stock location. Make one there first.")
        return locations[0]["id"]


def _get_quantities(fulfillment):
    """{line id: quantity} of a fulfilment."""
    return {row.get("line_item_id"): mapper.get_amount(row, "quantity") for row in rows(fulfillment, "items")}


def _find_refunds(payments, mark):
    """{id: refund} of ours whose note carries the mark."""
    found = (refund for payment in payments for refund in rows(payment, "refunds"))
    return {refund["id"]: refund for refund in found if mark in to_text(refund.get("note"))}


def _get_left(payments, notice):
    """{payment id: what can still be given back of it, unrounded}; only of the payment that the notice names."""
    left = {}
    for payment in payments:
        captured = sum((mapper.get_amount(row, "amount") for row in rows(payment, "captures")), ZERO)
        refunded = sum((mapper.get_amount(row, "amount") for row in rows(payment, "refunds")), ZERO)
        if notice.payment_external_id in ("", payment["id"]):
            left[payment["id"]] = max(captured - refunded, ZERO)
    if not left:
        raise Rejected(f"Order {notice.order_external_id} has no payment {notice.payment_external_id}".rstrip() + ".")
    return left


def _http_url(url):
    """Medusa refuses a label whose address is not http(s)."""
    return url if url.startswith(("http://", "https://")) else ""
