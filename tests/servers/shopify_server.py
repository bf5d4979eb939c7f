"""A small shop that answers as Shopify's Admin API does: for tests, in this process, on a free loopback port.

Every document is validated against Shopify's published schema and executed by graphql-core over a store of dicts, so a
wrong field, argument or enum gives the errors of the real one. Staff and buyers are methods: ``place``, ``edit``, ...
"""

import base64
import copy
import http.server
import json
import re
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from graphql import GraphQLError, OperationDefinitionNode, execute_sync, parse, validate

from odoo.addons.oms_channels.adapters.shopify.queries import API_VERSION

from . import shopify_schema

TOKEN, READ_TOKEN = "shpat_test", "shpat_read"
CLIENT_ID, CLIENT_SECRET = "app-client-id", "app-client-secret"
LOCATION = "gid://shopify/Location/1"
OTHER_LOCATION = "gid://shopify/Location/2"
READ_SCOPES = ("read_orders", "read_products")
SCOPES = (
    "read_all_orders",
    "write_orders",
    "read_customers",
    "read_products",
    "read_locations",
    "write_inventory",
    "write_merchant_managed_fulfillment_orders",
    "write_fulfillments",
    "read_returns",
    "write_returns",
    "read_shopify_payments_accounts",
    "read_shopify_payments_payouts",
)
_PATH = re.compile(r"/admin/api/([\d-]+)/graphql\.json")


def money(amount, rate=1, currency="USD", presentment="USD"):
    amount = Decimal(amount)
    return {
        "shopMoney": {"amount": str(amount), "currencyCode": currency},
        "presentmentMoney": {"amount": str((amount * rate).quantize(Decimal("0.01"))), "currencyCode": presentment},
    }


def page(nodes, key=None):
    """A connection over nodes. :param key: callable(node) -> its place in the sorting, for cursors that survive a
    change of the list; else they count."""

    def resolve(_info, first=None, after=None, **_arguments):
        keys = [key(node) if key else index for index, node in enumerate(nodes)]
        mark = json.loads(base64.b64decode(after)) if after else None
        mark = tuple(mark) if isinstance(mark, list) else mark
        rest = [(place, node) for place, node in zip(keys, nodes, strict=True) if mark is None or place > mark]
        taken = rest[: first or 50]
        cursors = [base64.b64encode(json.dumps(place).encode()).decode() for place, _node in taken]
        return {
            "nodes": [node for _place, node in taken],
            "edges": [{"node": row[1], "cursor": cursor} for row, cursor in zip(taken, cursors, strict=True)],
            "pageInfo": {
                "hasNextPage": len(rest) > len(taken),
                "hasPreviousPage": bool(after),
                "startCursor": cursors[0] if cursors else None,
                "endCursor": cursors[-1] if cursors else None,
            },
        }

    return resolve


def some(items):
    return lambda _info, first=None, **_arguments: items[:first]


class ShopifyServer:
    """``with ShopifyServer() as shop:`` - ``shop.url``, ``shop.place({"TEE": 2})``.

    :param presentment: (currency, rate) that buyers see
    """

    def __init__(self, tax_rate="8.25", taxes_included=False, presentment=("USD", 1)):
        self.tax_rate, self.taxes_included, self.presentment = Decimal(tax_rate), taxes_included, presentment
        self.variants, self.orders, self.webhooks, self.calls, self.payouts = {}, {}, {}, [], []
        self.keys, self.bulks, self.files = {}, {}, {}
        self.available, self.restore_rate, self.logins = 2000.0, 100.0, 0
        self.is_slow_to_cancel = False
        self._id, self._lock = 1000, threading.RLock()
        self.clock = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
        self.root = _Root(self)
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _handle(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                with server._lock:
                    status, data, headers = server.answer(self.command, self.path, self.headers, body)
                if not isinstance(data, bytes):
                    data = json.dumps(data, ensure_ascii=False).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json; charset=utf-8", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = _handle

            def log_message(self, *_arguments):
                pass

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self._http.shutdown()
        self._http.server_close()

    # === HTTP === #

    def answer(self, method, path, headers, body):
        if method == "GET" and path in self.files:
            return self._answer_file(self.files[path], headers)
        if path == "/admin/oauth/access_token":
            return self._answer_login(json.loads(body))
        matched = _PATH.fullmatch(path)
        if not matched or method != "POST" or matched[1] != API_VERSION:
            return 404, {"errors": "Not Found"}, {}
        token = headers.get("X-Shopify-Access-Token")
        if token not in (TOKEN, READ_TOKEN, f"session-{self.logins}"):
            return 401, {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}, {}
        request = json.loads(body)
        return 200, self._execute(request["query"], request.get("variables"), token), {}

    def _answer_login(self, body):
        if (body.get("client_id"), body.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return 400, {"error": "invalid_client"}, {}
        assert body["grant_type"] == "client_credentials"
        self.logins += 1
        return 200, {"access_token": f"session-{self.logins}", "scope": ",".join(SCOPES), "expires_in": 86399}, {}

    @staticmethod
    def _answer_file(data, headers):
        assert "X-Shopify-Access-Token" not in headers, "the token does not belong there"
        start, end = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", headers["Range"]).groups())
        if start >= len(data):
            return 416, b"", {}
        return 206, data[start : end + 1], {"Content-Type": "application/jsonl"}

    def _execute(self, text, variables, token):
        document = parse(text)
        schema = shopify_schema.load()
        if errors := validate(schema, document):
            return {"errors": [error.formatted for error in errors]}
        cost = min(10 + len(text) // 4, 990)
        status = {"maximumAvailable": 2000.0, "restoreRate": self.restore_rate}
        if self.available < cost:
            error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
            status["currentlyAvailable"] = self.available
            cost = {"requestedQueryCost": cost, "actualQueryCost": None, "throttleStatus": status}
            return {"errors": [error], "extensions": {"cost": cost}}
        [operation] = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        name = operation.selection_set.selections[0].name.value
        self.calls.append((name, variables))
        if operation.operation.value == "mutation" and token == READ_TOKEN:
            error = {"message": f"Access denied for {name} field.", "extensions": {"code": "ACCESS_DENIED"}}
            return {"errors": [error], "data": {name: None}}
        self.token = token
        result = execute_sync(schema, document, root_value=self.root, variable_values=variables)
        answer = {"data": result.data} if result.data is not None else {}
        if result.errors:
            answer["errors"] = [error.formatted for error in result.errors]
        status["currentlyAvailable"] = self.available
        cost = {"requestedQueryCost": cost, "actualQueryCost": cost // 8, "throttleStatus": status}
        return {**answer, "extensions": {"cost": cost}}

    # === STORE === #

    def new_id(self, kind):
        self._id += 1
        return f"gid://shopify/{kind}/{self._id}"

    def now(self):
        """A second later each time: two changes never have the same."""
        self.clock += timedelta(seconds=1)
        return self.clock.strftime("%Y-%m-%dT%H:%M:%SZ")

    def money(self, amount):
        currency, rate = self.presentment
        return money(amount, Decimal(str(rate)), "USD", currency)

    def add_product(self, sku, title, price, stock=100):
        variant, item = self.new_id("ProductVariant"), self.new_id("InventoryItem")
        self.variants[variant] = {
            "__typename": "ProductVariant",
            "id": variant,
            "sku": sku,
            "barcode": f"69{self._id:011d}",
            "title": "Default Title",
            "price": price,
            "product": {"id": self.new_id("Product"), "title": title, "status": "ACTIVE"},
            "available": stock,
        }
        self.variants[variant]["inventoryItem"] = self._make_item(item, self.variants[variant])
        return self.variants[variant]

    def _make_item(self, item, variant):
        """The stock item of a variant; only one location keeps it."""

        def level(_info, locationId, **_arguments):
            quantity = {"quantity": variant["available"]}
            return {"quantities": lambda _info, names: [quantity]} if locationId == LOCATION else None

        return {"__typename": "InventoryItem", "id": item, "inventoryLevel": level}

    def find(self, sku):
        return next(row for row in self.variants.values() if row["sku"] == sku)

    def get_order(self, number):
        return self.orders[f"gid://shopify/Order/{number}"]

    def touch(self, order):
        order["updatedAt"] = self.now()

    def place(self, items, address, shipping="7.50", code=None, duty=None, split=False):
        """Buy and pay; returns the order's number. :param code: (coupon, percent); split: goods lie at two locations"""
        with self._lock:
            order = self._make_order(items, address, shipping, code, duty)
            nodes = order["_lines"]
            groups = [nodes] if not split else [nodes[:1], nodes[1:]]
            for location, lines in zip((LOCATION, OTHER_LOCATION), groups, strict=False):
                order["_fos"].append(self._make_fulfillment_order(location, lines))
            self.orders[order["id"]] = order
            return order["id"].rpartition("/")[2]

    def _make_order(self, items, address, shipping, code, duty):
        currency, _rate = self.presentment
        lines = [self._make_line(sku, units, code, duty) for sku, units in items.items()]
        charge = self._make_charge(shipping)
        total = sum((self._get_total(line) for line in (*lines, charge)), Decimal(0))
        order = dict.fromkeys(("cancelledAt", "cancelReason", "closedAt", "phone"))
        order.update(
            {
                "__typename": "Order",
                "id": self.new_id("Order"),
                "name": f"#{self._id}",
                "createdAt": self.now(),
                "displayFinancialStatus": "PAID",
                "displayFulfillmentStatus": "UNFULFILLED",
                "currencyCode": "USD",
                "presentmentCurrencyCode": currency,
                "taxesIncluded": self.taxes_included,
                "email": "ada@example.com",
                "note": "Leave at the door",
                "clientIp": "203.0.113.9",
                "discountCodes": [code[0]] if code else [],
                "requiresShipping": True,
                "fullyPaid": True,
                "customer": {"id": "gid://shopify/Customer/77", "displayName": address["name"]},
                "shippingAddress": address,
                "billingAddress": None,
                "totalPriceSet": self.money(total),
                "totalTipReceivedSet": self.money(0),
                "additionalFees": [],
                "risk": {"recommendation": "ACCEPT", "assessments": [{"riskLevel": "LOW"}]},
                "_lines": lines,
                "_charges": [charge],
                "_fos": [],
                "_fulfillments": [],
                "_refunds": [],
                "_returns": [],
                "_transactions": [],
                "lineItems": page(lines),
            }
        )
        order["shippingLines"] = page(order["_charges"])
        for key in ("fulfillments", "refunds", "transactions"):
            order[key] = some(order[f"_{key}"])
        order.update(fulfillmentOrders=page(order["_fos"]), returns=page(order["_returns"]))
        order["processedAt"] = order["updatedAt"] = order["createdAt"]
        self.add_transaction(order, "SALE", total)
        return order

    def _make_line(self, sku, units, code, duty):
        variant = self.find(sku)
        variant["available"] -= units
        price = Decimal(variant["price"])
        discount = (price * units * code[1] / 100).quantize(Decimal("0.01")) if code else Decimal(0)
        by = {"__typename": "DiscountCodeApplication", "code": code[0]} if code else None
        line = {
            "__typename": "LineItem",
            "id": self.new_id("LineItem"),
            "sku": sku,
            "name": variant["product"]["title"],
            "quantity": units,
            "currentQuantity": units,
            "unfulfilledQuantity": units,
            "requiresShipping": True,
            "originalUnitPriceSet": self.money(price),
            "discountAllocations": [{"allocatedAmountSet": self.money(discount), "discountApplication": by}]
            if discount
            else [],
            "duties": [],
            "variant": variant,
            "product": variant["product"],
        }
        self._tax(line, price * units - discount, self.tax_rate)
        if duty:
            line["duties"] = [{"id": self.new_id("Duty"), "price": self.money(duty), "taxLines": []}]
        return line

    def _make_charge(self, amount):
        charge = {"id": self.new_id("ShippingLine"), "title": "Standard", "code": "std"}
        charge.update(originalPriceSet=self.money(amount), discountAllocations=[], quantity=1, duties=[], taxLines=[])
        return charge

    def _tax(self, row, base, rate):
        part = base * rate / (100 + rate) if self.taxes_included else base * rate / 100
        amount = self.money(part.quantize(Decimal("0.01")))
        taxes = [{"title": "Tax", "ratePercentage": float(rate), "priceSet": amount}]
        row["taxLines"] = lambda _info, **_arguments: taxes
        row["_taxes"] = taxes

    def _get_total(self, row):
        def read(bag):
            return Decimal(bag["shopMoney"]["amount"])

        price = read(row.get("originalUnitPriceSet") or row["originalPriceSet"]) * row["quantity"]
        price -= sum((read(part["allocatedAmountSet"]) for part in row["discountAllocations"]), Decimal(0))
        if not self.taxes_included:
            price += sum((read(part["priceSet"]) for part in row.get("_taxes", ())), Decimal(0))
        return price + sum((read(part["price"]) for part in row["duties"]), Decimal(0))

    def _make_fulfillment_order(self, location, lines):
        order = {
            "__typename": "FulfillmentOrder",
            "id": self.new_id("FulfillmentOrder"),
            "status": "OPEN",
            "fulfillAt": None,
            "fulfillBy": None,
            "assignedLocation": {"location": {"id": location}},
            "_lines": [
                {"id": self.new_id("FulfillmentOrderLineItem"), "remainingQuantity": row["quantity"], "lineItem": row}
                for row in lines
            ],
        }
        order["lineItems"] = page(order["_lines"])
        return order

    def add_transaction(self, order, kind, amount, parent=None, paid=None):
        """:param paid: in the buyer's currency, where it is not the amount at the usual rate"""
        bag = self.money(amount)
        if paid is not None:
            bag["presentmentMoney"]["amount"] = str(paid)
        row = {
            "__typename": "OrderTransaction",
            "id": self.new_id("OrderTransaction"),
            "kind": kind,
            "status": "SUCCESS",
            "gateway": "shopify_payments",
            "createdAt": self.now(),
            "processedAt": None,
            "manualPaymentGateway": False,
            "amountSet": bag,
            "parentTransaction": parent,
            "fees": [],
        }
        if kind == "SALE":
            fee = (Decimal(amount) * Decimal("0.029") + Decimal("0.30")).quantize(Decimal("0.01"))
            row["fees"] = [{"amount": {"amount": str(fee), "currencyCode": "USD"}}]
        order["_transactions"].append(row)
        self.touch(order)
        return row

    # === STAFF AND BUYERS === #

    def edit(self, number, street):
        with self._lock:
            order = self.get_order(number)
            order["shippingAddress"] = {**order["shippingAddress"], "address1": street}
            self.touch(order)

    def capture_later(self, number):
        """As if the shop had only authorised the payment, and taken the money when the goods left."""
        with self._lock:
            order = self.get_order(number)
            first = order["_transactions"][0]
            first["kind"] = "AUTHORIZATION"
            self.add_transaction(order, "CAPTURE", first["amountSet"]["shopMoney"]["amount"], first)

    def split_payment(self, number):
        """As if the buyer had paid with two cards, by halves."""
        with self._lock:
            order = self.get_order(number)
            whole = order["_transactions"][0]
            total = Decimal(whole["amountSet"]["shopMoney"]["amount"])
            half = (total / 2).quantize(Decimal("0.01"))
            whole["amountSet"] = self.money(half)
            self.add_transaction(order, "SALE", total - half)

    def remove_units(self, number, units):
        """Take units of the first line away by an edit of the order, before it was sent."""
        with self._lock:
            order = self.get_order(number)
            line = order["_lines"][0]
            share = self._get_total(line) * units / line["quantity"]
            line["currentQuantity"] -= units
            line["unfulfilledQuantity"] -= units
            order["_fos"][0]["_lines"][0]["remainingQuantity"] -= units
            total = Decimal(order["totalPriceSet"]["shopMoney"]["amount"]) - share
            order["totalPriceSet"] = self.money(total.quantize(Decimal("0.01")))
            self.touch(order)

    def add_charge(self, number, amount):
        """Another shipping line, as an edit of the order adds it; nobody pays for it."""
        with self._lock:
            order = self.get_order(number)
            order["_charges"].append(self._make_charge(amount))
            self.touch(order)

    def request_return(self, number, lines=1):
        """Ask a unit back, as often as there are lines. :return: id of the return"""
        with self._lock:
            order = self.get_order(number)
            line = order["_lines"][0]
            items = [
                {
                    "__typename": "ReturnLineItem",
                    "id": self.new_id("ReturnLineItem"),
                    "quantity": 1,
                    "returnReasonNote": "too small",
                    "withCodeDiscountedTotalPriceSet": line["originalUnitPriceSet"],
                    "fulfillmentLineItem": {"lineItem": line},
                }
                for _index in range(lines)
            ]
            row = {
                "__typename": "Return",
                "id": self.new_id("Return"),
                "status": "REQUESTED",
                "createdAt": self.now(),
                "returnLineItems": page(items),
            }
            order["_returns"].append(row)
            self.touch(order)
            return row["id"].rpartition("/")[2]

    def settle(self, order_id, payout="5"):
        """Take in an order's money less its fee, and pay it out."""
        with self._lock:
            order = self.get_order(order_id)
            total = Decimal(order["totalPriceSet"]["shopMoney"]["amount"])
            fee = (total * Decimal("0.029")).quantize(Decimal("0.01"))
            ref = {"id": f"gid://shopify/ShopifyPaymentsPayout/{payout}", "status": "PAID"}

            def money(value):
                return {"amount": str(value), "currencyCode": "USD"}

            def add(name, gross, cost, **values):
                number = len(self.payouts) + 1
                self.payouts.append(
                    {
                        "id": f"gid://shopify/ShopifyPaymentsBalanceTransaction/{number}",
                        "type": name,
                        "transactionDate": self.now(),
                        "test": False,
                        "sourceOrderTransactionId": None,
                        "amount": money(gross),
                        "fee": money(cost),
                        "net": money(gross - cost),
                        "associatedOrder": None,
                        "associatedPayout": ref,
                        **values,
                    }
                )

            known, net = {"id": order["id"], "name": "#"}, Decimal(0)
            for row in order["_transactions"]:
                if row["kind"] == "AUTHORIZATION":
                    continue
                amount, number = Decimal(row["amountSet"]["shopMoney"]["amount"]), int(row["id"].rpartition("/")[2])
                name, gross, cost = ("CHARGE", amount, fee) if _is_paid(row) else ("REFUND", -amount, Decimal(0))
                add(name, gross, cost, associatedOrder=known, sourceOrderTransactionId=number)
                net += gross - cost
            add("TRANSFER", -net, Decimal(0))

    def cancel(self, number, keeps_money=False):
        with self._lock:
            order = self.get_order(number)
            for line in order["_lines"]:
                line["unfulfilledQuantity"] = line["currentQuantity"] = 0
            for row in order["_fos"]:
                row["status"] = "CANCELLED"
            if not keeps_money:
                parts = [(row, get_left(order, parent=row), None) for row in order["_transactions"] if _is_paid(row)]
                self.refund(order, parts, "cancelled", order["_lines"])
            order.update(cancelledAt=self.now(), cancelReason="OTHER")
            self.touch(order)

    def refund(self, order, parts, note, lines=(), kind="CANCEL"):
        """:param parts: [(transaction, amount, paid in the buyer's currency)]"""
        nodes = [{"quantity": line["quantity"], "restockType": kind, "lineItem": line} for line in lines]
        row = {"id": self.new_id("Refund"), "createdAt": self.now(), "note": note, "refundLineItems": page(nodes)}
        row["__typename"] = "Refund"
        order["_refunds"].append(row)
        for parent, amount, paid in parts:
            self.add_transaction(order, "REFUND", amount, parent, paid)
        order["displayFinancialStatus"] = "PARTIALLY_REFUNDED" if get_left(order) else "REFUNDED"
        self.touch(order)
        return row


def _is_paid(transaction):
    return transaction["kind"] in ("SALE", "CAPTURE")


def get_left(order, money="shopMoney", parent=None):
    """What of the payments is not given back yet. :param parent: transaction of which alone"""
    left = Decimal(0)
    for row in order["_transactions"]:
        if row["kind"] == "AUTHORIZATION" or (parent and parent not in (row, row["parentTransaction"])):
            continue
        left += Decimal(row["amountSet"][money]["amount"]) * (-1 if row["kind"] == "REFUND" else 1)
    return left


def get_refunds(order):
    return [
        Decimal(row["amountSet"]["shopMoney"]["amount"]) for row in order["_transactions"] if row["kind"] == "REFUND"
    ]


class _Root:
    """The fields of the schema's roots that the adapter uses."""

    def __init__(self, server):
        self.server = server

    # === QUERIES === #

    def orders(self, info, query=None, sortKey=None, **arguments):
        assert sortKey == "UPDATED_AT"
        found = sorted(self._find(query), key=_get_place)
        return page(found, _get_place)(info, **arguments)

    def _find(self, query):
        since = re.search(r"updated_at:>='([^']+)'", query)[1]
        until = re.search(r"updated_at:<'([^']+)'", query)
        return [
            row
            for row in self.server.orders.values()
            if row["updatedAt"] >= since and (not until or row["updatedAt"] < until[1])
        ]

    def order(self, _info, id):
        return self.server.orders.get(id)

    def shop(self, _info):
        return {"name": "Ada's Shop", "myshopifyDomain": "ada.myshopify.com", "currencyCode": "USD"}

    def currentAppInstallation(self, _info):
        scopes = READ_SCOPES if self.server.token == READ_TOKEN else SCOPES
        return {"accessScopes": [{"handle": scope} for scope in scopes]}

    def locations(self, info, **arguments):
        nodes = [
            {"id": OTHER_LOCATION, "name": "Shop floor", "fulfillsOnlineOrders": False},
            {"id": LOCATION, "name": "Warehouse", "fulfillsOnlineOrders": True},
        ]
        return page(nodes)(info, **arguments)

    def productVariants(self, info, query=None, **arguments):
        arguments.pop("sortKey", None)
        skus = {json.loads(term) for term in re.findall(r'sku:("(?:[^"\\]|\\.)*")', query or "")}
        found = [row for row in self.server.variants.values() if not query or row["sku"] in skus]
        return page(found)(info, **arguments)

    def nodes(self, _info, ids):
        items = {row["inventoryItem"]["id"]: row["inventoryItem"] for row in self.server.variants.values()}
        moved = {row["id"]: row for order in self.server.orders.values() for row in order["_transactions"]}
        return [self.server.variants.get(one) or items.get(one) or moved.get(one) for one in ids]

    def fulfillment(self, _info, id):
        return self._get_document("_fulfillments", id)

    def refund(self, _info, id):
        return self._get_document("_refunds", id)

    def find_return(self, _info, id):
        return self._get_document("_returns", id)

    def _get_document(self, key, gid):
        return next((row for order in self.server.orders.values() for row in order[key] if row["id"] == gid), None)

    def shopifyPaymentsAccount(self, _info):
        return {"balanceTransactions": page(self.server.payouts)}

    # === FULFILMENT === #

    def fulfillmentCreate(self, _info, fulfillment, message=None):
        parts, locations, taken = fulfillment["lineItemsByFulfillmentOrder"], set(), []
        for part in parts:
            order, row = self._find_fulfillment_order(part["fulfillmentOrderId"])
            if not row or row["status"] not in ("OPEN", "IN_PROGRESS"):
                return _refuse("fulfillment", "Fulfillment order does not exist or is closed.")
            locations.add(row["assignedLocation"]["location"]["id"])
            for item in part["fulfillmentOrderLineItems"]:
                known = next((one for one in row["_lines"] if one["id"] == item["id"]), None)
                if not known or not 0 < item["quantity"] <= known["remainingQuantity"]:
                    return _refuse("fulfillment", "Invalid fulfillment order line item quantity requested.")
                taken.append((known, item["quantity"]))
        if len(locations) != 1:
            return _refuse("fulfillment", "Fulfillment orders must be assigned to the same location.")
        nodes = [{"quantity": units, "lineItem": known["lineItem"]} for known, units in taken]
        for known, units in taken:
            known["remainingQuantity"] -= units
            known["lineItem"]["unfulfilledQuantity"] -= units
        for part in parts:
            _order, row = self._find_fulfillment_order(part["fulfillmentOrderId"])
            row["status"] = "IN_PROGRESS" if any(one["remainingQuantity"] for one in row["_lines"]) else "CLOSED"
        made = self._make_fulfillment(fulfillment.get("trackingInfo") or {}, nodes)
        order["_fulfillments"].append(made)
        is_done = all(row["status"] == "CLOSED" for row in order["_fos"])
        order["displayFulfillmentStatus"] = "FULFILLED" if is_done else "PARTIALLY_FULFILLED"
        self.server.touch(order)
        return {"fulfillment": made, "userErrors": []}

    def _make_fulfillment(self, tracking, nodes):
        info = {key: tracking.get(key) for key in ("number", "url", "company")}
        return {
            "__typename": "Fulfillment",
            "id": self.server.new_id("Fulfillment"),
            "status": "SUCCESS",
            "createdAt": self.server.now(),
            "deliveredAt": None,
            "displayStatus": "FULFILLED",
            "trackingInfo": some([info] if any(info.values()) else []),
            "fulfillmentLineItems": page(nodes),
        }

    def _find_fulfillment_order(self, gid):
        for order in self.server.orders.values():
            for row in order["_fos"]:
                if row["id"] == gid:
                    return order, row
        return None, None

    def fulfillmentEventCreate(self, _info, fulfillmentEvent):
        for order in self.server.orders.values():
            for row in order["_fulfillments"]:
                if row["id"] == fulfillmentEvent["fulfillmentId"] and fulfillmentEvent["status"] == "DELIVERED":
                    row.update(displayStatus="DELIVERED", deliveredAt=self.server.now())
                    self.server.touch(order)
                    event = {"id": self.server.new_id("FulfillmentEvent"), "status": "DELIVERED"}
                    return {"fulfillmentEvent": event, "userErrors": []}
        return _refuse("fulfillmentEvent", "Fulfillment does not exist.")

    # === MONEY === #

    def orderCancel(self, _info, orderId, restock, refundMethod=None, **_arguments):
        order = self.server.orders.get(orderId)
        if not order or order["cancelledAt"] or order["_fulfillments"]:
            error = {"field": ["orderId"], "message": "The order can't be cancelled."}
            return {"job": None, "orderCancelUserErrors": [error]}
        if not self.server.is_slow_to_cancel:
            number = orderId.rpartition("/")[2]
            self.server.cancel(number, keeps_money=not (refundMethod or {}).get("originalPaymentMethodsRefund"))
        return {"job": {"id": "gid://shopify/Job/1", "done": False}, "orderCancelUserErrors": []}

    def refundCreate(self, info, input):
        key = _get_key(info)
        if key in self.server.keys:
            return copy.copy(self.server.keys[key])
        order = self.server.orders[input["orderId"]]
        if order["presentmentCurrencyCode"] != "USD" and input.get("currency") != order["presentmentCurrencyCode"]:
            return _refuse("refund", "Currency is required for this order.")
        parts = []
        for row in input["transactions"]:
            parent = next(one for one in order["_transactions"] if one["id"] == row["parentId"])
            paid = Decimal(row["amount"])
            if row["kind"] != "REFUND" or paid > get_left(order, "presentmentMoney", parent):
                return _refuse("refund", "Refund amount is more than what is left.")
            share = paid / Decimal(parent["amountSet"]["presentmentMoney"]["amount"])
            amount = Decimal(parent["amountSet"]["shopMoney"]["amount"]) * share
            if paid == get_left(order, "presentmentMoney", parent):
                amount = get_left(order, parent=parent)
            parts.append((parent, amount.quantize(Decimal("0.01")), paid))
        made = self.server.refund(order, parts, input.get("note"))
        nodes = []
        for item in input.get("refundLineItems") or ():
            line = next(one for one in order["_lines"] if one["id"] == item["lineItemId"])
            line["currentQuantity"] -= item["quantity"]
            if item["restockType"] == "CANCEL":
                self._take_off(order, line, item["quantity"])
                assert item.get("locationId"), "units are restocked somewhere"
            nodes.append({"quantity": item["quantity"], "restockType": item["restockType"], "lineItem": line})
        made["refundLineItems"] = page(nodes)
        self.server.keys[key] = {"refund": made, "userErrors": []}
        return self.server.keys[key]

    @staticmethod
    def _take_off(order, line, units):
        """What is cancelled is not to be sent any more."""
        line["unfulfilledQuantity"] -= units
        for row in order["_fos"]:
            for one in row["_lines"]:
                if one["lineItem"] is line:
                    one["remainingQuantity"] -= units

    def returnApproveRequest(self, _info, input):
        return self._answer_return(input["id"], "OPEN")

    def returnDeclineRequest(self, _info, input):
        return self._answer_return(input["id"], "DECLINED", input.get("declineNote"))

    def _answer_return(self, gid, status, note=None):
        for order in self.server.orders.values():
            for row in order["_returns"]:
                if row["id"] == gid and row["status"] == "REQUESTED":
                    row.update(status=status, _note=note)
                    self.server.touch(order)
                    return {"return": row, "userErrors": []}
        return _refuse("return", "Return is not requested.")

    # === STOCK === #

    def inventorySetQuantities(self, info, input):
        key = _get_key(info)
        assert key not in self.server.keys, "the same key for other quantities"
        self.server.keys[key] = True
        known = {row["inventoryItem"]["id"]: row for row in self.server.variants.values()}
        errors = []
        for index, row in enumerate(input["quantities"]):
            if "changeFromQuantity" not in row:
                raise GraphQLError("changeFromQuantity must be given, null to not compare.")
            place = ["input", "quantities", str(index)]
            if row["inventoryItemId"] not in known:
                message = "The specified inventory item could not be found."
                errors.append(
                    {"code": "INVALID_INVENTORY_ITEM", "field": [*place, "inventoryItemId"], "message": message}
                )
            elif row["locationId"] != LOCATION:
                message = "The specified inventory item is not stocked at the location."
                errors.append(
                    {"code": "ITEM_NOT_STOCKED_AT_LOCATION", "field": [*place, "locationId"], "message": message}
                )
        if not errors:
            for row in input["quantities"]:
                known[row["inventoryItemId"]]["available"] = row["quantity"]
        group = None if errors else {"id": "gid://shopify/InventoryAdjustmentGroup/1"}
        return {"inventoryAdjustmentGroup": group, "userErrors": errors}

    # === WEBHOOKS === #

    def webhookSubscriptions(self, info, **arguments):
        return page(list(self.server.webhooks.values()))(info, **arguments)

    def webhookSubscriptionCreate(self, _info, topic, webhookSubscription):
        if any(
            (row["topic"], row["uri"]) == (topic, webhookSubscription["uri"]) for row in self.server.webhooks.values()
        ):
            return _refuse("webhookSubscription", "Address for this topic has already been taken")
        gid = self.server.new_id("WebhookSubscription")
        self.server.webhooks[gid] = {"id": gid, "topic": topic, "includeFields": [], **webhookSubscription}
        return {"webhookSubscription": self.server.webhooks[gid], "userErrors": []}

    def webhookSubscriptionUpdate(self, _info, id, webhookSubscription):
        self.server.webhooks[id].update(webhookSubscription)
        return {"webhookSubscription": self.server.webhooks[id], "userErrors": []}

    def webhookSubscriptionDelete(self, _info, id):
        del self.server.webhooks[id]
        return {"deletedWebhookSubscriptionId": id, "userErrors": []}

    # === BULK === #

    def bulkOperationRunQuery(self, _info, query, groupObjects):
        """Run it at once: the inner document is checked and executed like any other, and written as lines."""
        document, schema = parse(query), shopify_schema.load()
        assert groupObjects and not validate(schema, document), validate(schema, document)
        result = execute_sync(schema, document, root_value=self)
        assert not result.errors, result.errors
        lines = []
        for edge in result.data["orders"]["edges"]:
            order = edge["node"]
            children = {key: order.pop(key)["edges"] for key in ("lineItems", "shippingLines")}
            lines.append(order)
            lines += [{**row["node"], "__parentId": order["id"]} for rows in children.values() for row in rows]
        gid, path = self.server.new_id("BulkOperation"), f"/bulk/{len(self.server.files)}.jsonl"
        self.server.files[path] = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines).encode()
        self.server.bulks[gid] = {
            "__typename": "BulkOperation",
            "id": gid,
            "status": "COMPLETED",
            "objectCount": str(len(lines)),
            "url": self.server.url + path,
        }
        return {"bulkOperation": {"id": gid, "status": "CREATED"}, "userErrors": []}

    def bulkOperation(self, _info, id):
        return self.server.bulks.get(id)


setattr(_Root, "return", _Root.find_return)  # the field's name is a word of Python's own


def _get_place(order):
    return order["updatedAt"], int(order["id"].rpartition("/")[2])


def _refuse(name, message):
    return {name: None, "userErrors": [{"field": [name], "message": message}]}


def _get_key(info):
    """The key that the @idempotent directive of the field carries; without one the shop refuses."""
    for directive in info.field_nodes[0].directives:
        if directive.name.value == "idempotent":
            return info.variable_values.coerced[directive.arguments[0].value.name.value]
    raise GraphQLError("The @idempotent directive is required for this mutation but was not provided.")
