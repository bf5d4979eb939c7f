"""A small shop that answers as WooCommerce 11 was seen to: for tests, in this process, on a free loopback port.

It checks OAuth signatures with code of its own, keeps times to the second, leaves out the second asked for, pages by
headers, and sends its webhooks (a ping first) when told to. Staff and buyers are methods: ``place``, ``edit``, ...
Where the real one says nothing (meta of a fulfilment without an id, stock that it does not count), so does this one.
"""

import base64
import contextlib
import copy
import hashlib
import hmac
import http.server
import json
import re
import threading
import urllib.parse
import urllib.request
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

KEY, SECRET = "ck_test", "cs_test"
READ_KEY = "ck_read"  # may only read
PATH = "/wp-json/wc/v3"
CENT = Decimal("0.01")


def _money(value):
    return str(Decimal(value).quantize(CENT, ROUND_HALF_UP))


class WooCommerceServer:
    """``with WooCommerceServer() as shop:`` - ``shop.url``, ``shop.place({"TEE": 2})``.

    :param fulfillments: whether the order fulfilments feature is on
    :param tax_rate: percent on goods
    :param prices_include_tax: whether the shop's prices include it
    """

    currency = "USD"
    counts_stock = True  # whether the shop as a whole does

    def __init__(self, fulfillments=True, tax_rate="8.25", prices_include_tax=False):
        self.has_fulfillments, self.tax_rate = fulfillments, Decimal(tax_rate)
        self.prices_include_tax = prices_include_tax
        self.products, self.variations, self.orders = {}, {}, {}
        self.refunds, self.fulfillments, self.notes, self.webhooks = {}, {}, {}, {}
        # Ways of payment and what they support; what a gateway that does has paid back.
        self.gateways = {"stripe": ["products", "refunds"], "wallet": ["products"], "bacs": ["products"]}
        self.gateways["cod"] = ["products"]
        self.paid_back = []
        self.calls, self.nonces, self.notified = [], set(), []
        self._id, self._lock = 10, threading.RLock()
        # A clock of its own, a second a change: what happens within one second is said by ``frozen``.
        self.clock, self.frozen = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1), False
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _handle(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                with server._lock:
                    status, answer, headers = server.answer(self.command, self.path, self.headers, body)
                data = json.dumps(answer, ensure_ascii=False).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json; charset=UTF-8", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = _handle

            def log_message(self, *args):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.home = self.url  # the Site Address, which signatures are checked with, however the shop is called

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self._server.shutdown()
        self._server.server_close()

    # === WHAT BUYERS AND STAFF DO === #

    def now(self):
        if not self.frozen:
            self.clock += timedelta(seconds=1)
        return self.clock.strftime("%Y-%m-%dT%H:%M:%S")

    def next_id(self):
        self._id += 1
        return self._id

    def add_product(self, sku, title, price, stock=100, options=(), **values):
        """A simple product, or with ``options`` a variable one whose variations are ``<sku>-<option>``."""
        with self._lock:
            row = {
                "id": self.next_id(),
                "name": title,
                "type": "variable" if options else "simple",
                "status": "publish",
                "sku": "" if options else sku,
                "price": str(price),
                "manage_stock": not options,
                "stock_quantity": None if options else stock,
                "parent_id": 0,
                "variations": [],
                **values,
            }
            self.products[row["id"]] = row
            for option in options:
                variation = {
                    **row,
                    "id": self.next_id(),
                    "type": "variation",
                    "name": option,
                    "sku": f"{sku}-{option}",
                    "parent_id": row["id"],
                    "manage_stock": True,
                    "stock_quantity": stock,
                    "attributes": [{"id": 0, "name": "Size", "option": option}],
                }
                self.variations[variation["id"]] = variation
                row["variations"].append(variation["id"])
            return row

    def find(self, sku):
        """The product or variation of an SKU."""
        rows = [*self.products.values(), *self.variations.values()]
        return next(row for row in rows if row["sku"] == sku)

    def place(self, items, paid=True, shipping_price="7.50", coupon=None, fee=None, **values):
        """Place an order, as the checkout does. :param items: {sku: quantity} :param coupon: (code, percent)"""
        with self._lock:
            order_id, now = self.next_id(), self.now()
            lines = [self._make_line(sku, quantity, coupon) for sku, quantity in items.items()]
            charges = [self._make_charge("method_title", "Flat rate", shipping_price)] if shipping_price else []
            fees = [self._make_charge("name", *fee)] if fee else []
            tax = sum((Decimal(row["total_tax"]) for row in (*lines, *charges, *fees)), Decimal(0))
            total = sum((Decimal(row["total"]) for row in (*lines, *charges, *fees)), tax)
            address = {
                "first_name": "Ada",
                "last_name": "Lovelace",
                "company": "",
                "address_1": "12 Main St",
                "address_2": "",
                "city": "New York",
                "state": "NY",
                "postcode": "10001",
                "country": "US",
                "phone": "+12125550123",
            }
            self.orders[order_id] = {
                "id": order_id,
                "number": str(order_id),
                "status": "processing" if paid else "pending",
                "currency": self.currency,
                "prices_include_tax": self.prices_include_tax,
                "date_created_gmt": now,
                "date_modified_gmt": now,
                "date_paid_gmt": now if paid else None,
                "date_completed_gmt": None,
                "discount_total": "0.00",
                "total": _money(total),
                "total_tax": _money(tax),
                "customer_id": 0,
                "customer_ip_address": "203.0.113.7",
                "customer_note": "",
                "payment_method": "stripe",
                "payment_method_title": "",
                "billing": {**address, "email": "ada@example.com"},
                "shipping": address,
                "line_items": lines,
                "shipping_lines": charges,
                "fee_lines": fees,
                "tax_lines": [{"id": self.next_id(), "rate_id": 1, "rate_percent": float(self.tax_rate)}],
                "coupon_lines": [{"id": self.next_id(), "code": coupon[0]}] if coupon else [],
                "refunds": [],
                "meta_data": [],
                **values,
            }
            for sku, quantity in items.items():
                self.find(sku)["stock_quantity"] -= quantity
            self._notify("order.created", order_id)
            return str(order_id)

    def _make_line(self, sku, quantity, coupon):
        product = self.find(sku)
        price, rate = Decimal(product["price"]), self.tax_rate / 100
        amount = price * quantity
        less = amount * (1 - Decimal(coupon[1]) / 100) if coupon else amount
        amounts = {}
        for name, gross in (("subtotal", amount), ("total", less)):
            net = gross / (1 + rate) if self.prices_include_tax else gross
            tax = gross - net if self.prices_include_tax else net * rate
            tax = Decimal(_money(tax))
            amounts[name] = _money(gross - tax if self.prices_include_tax else net)
            amounts[f"{name}_tax"] = _money(tax)
        return {
            "id": self.next_id(),
            "name": product["name"],
            "product_id": product["parent_id"] or product["id"],
            "variation_id": product["id"] if product["parent_id"] else 0,
            "quantity": quantity,
            **amounts,
            "taxes": [{"id": 1, "total": amounts["total_tax"], "subtotal": amounts["subtotal_tax"]}],
            "sku": sku,
            "meta_data": [],
        }

    def _make_charge(self, key, name, amount):
        return {"id": self.next_id(), key: name, "total": _money(amount), "total_tax": "0.00", "taxes": []}

    def touch(self, order_id, **values):
        """Change an order as staff, a plug-in or a payment provider would."""
        with self._lock:
            order = self.orders[int(order_id)]
            order.update(copy.deepcopy(values))
            order["date_modified_gmt"] = self.now()
            self._notify("order.updated", order["id"])
            return order

    def pay(self, order_id):
        self.touch(order_id, date_paid_gmt=self.now(), status="processing")

    def cancel(self, order_id):
        self.touch(order_id, status="cancelled")

    def get_order(self, order_id):
        return self.orders[int(order_id)]

    def get_refunds(self, order_id):
        """[(amount, reason)]."""
        return [(Decimal(row["amount"]), row["reason"]) for row in self.refunds.get(int(order_id), ())]

    # === HTTP === #

    def answer(self, method, target, headers, body):
        """(status, JSON value, headers) of a call."""
        path, _sep, query = target.partition("?")
        params = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        if error := self._check_signature(method, path, params):
            return 401, {"code": "woocommerce_rest_authentication_error", "message": error}, {}
        if params.get("oauth_consumer_key") == READ_KEY and method != "GET":
            message = "The API key provided does not have write permissions."
            return 401, {"code": "woocommerce_rest_authentication_error", "message": message}, {}
        if not path.startswith(PATH):
            return 404, {"code": "rest_no_route", "message": "No route was found"}, {}
        value = json.loads(body) if body else {}
        self.calls.append((method, path.removeprefix(PATH), value))
        parts = path.removeprefix(PATH).strip("/").split("/")
        for pattern, handler in self._routes():
            if found := re.fullmatch(pattern, f"{method} {'/'.join(parts)}"):
                result = handler(*(int(group) for group in found.groups()), params=params, value=value)
                return (*result, {})[:3] if isinstance(result, tuple) else (200, result, {})
        return 404, {"code": "rest_no_route", "message": "No route was found matching the URL and request method."}, {}

    def _check_signature(self, method, path, params):
        given = params.get("oauth_signature")
        if not given or params.get("oauth_consumer_key") not in (KEY, READ_KEY):
            return "Consumer key is invalid."
        if abs(float(params["oauth_timestamp"]) - datetime.now(UTC).timestamp()) > 900:
            return "Invalid timestamp."
        if params["oauth_nonce"] in self.nonces:
            return "Invalid nonce - nonce has already been used."
        self.nonces.add(params["oauth_nonce"])

        def escape(text):
            return urllib.parse.quote(text, safe="~")

        pairs = sorted((escape(name), escape(value)) for name, value in params.items() if name != "oauth_signature")
        url = f"{self.home}{path}"
        text = "&".join([method, escape(url), escape("&".join(f"{name}={value}" for name, value in pairs))])
        wanted = base64.b64encode(hmac.new(f"{SECRET}&".encode(), text.encode(), hashlib.sha256).digest()).decode()
        return "" if given == wanted else "Invalid signature - provided signature does not match."

    def _routes(self):
        routes = [
            (r"GET data/currencies/current", lambda **_kw: {"code": self.currency}),
            (r"GET system_status", lambda **_kw: {"environment": {"home_url": "Test shop", "version": "11.0.1"}}),
            (r"GET orders", self._list_orders),
            (r"POST orders", self._post_order),
            (r"GET orders/(\d+)", self._get_order),
            (r"PUT orders/(\d+)", self._put_order),
            (r"DELETE orders/(\d+)", self._delete(self.orders)),
            (r"GET orders/(\d+)/refunds", self._list(self.refunds)),
            (r"POST orders/(\d+)/refunds", self._post_refund),
            (r"GET orders/(\d+)/notes", self._list(self.notes)),
            (r"POST orders/(\d+)/notes", self._post_note),
            (r"GET products", self._list_products),
            (r"POST products", self._post_product),
            (r"DELETE products/(\d+)", self._delete(self.products)),
            (r"GET products/(\d+)/variations", self._list_variations),
            (r"POST products/(\d+)/variations", self._post_variation),
            (r"POST products/batch", self._post_batch),
            (r"POST products/(\d+)/variations/batch", self._post_variations),
            (
                r"GET payment_gateways/[\w-]+",
                lambda params, **_kw: _missing("woocommerce_rest_payment_gateway_invalid"),
            ),
            (r"GET webhooks", lambda params, **_kw: _page(list(self.webhooks.values()), params)),
            (r"POST webhooks", self._post_webhook),
            (r"PUT webhooks/(\d+)", self._put_webhook),
            (r"DELETE webhooks/(\d+)", self._delete(self.webhooks)),
        ]
        routes[:0] = [
            (f"GET payment_gateways/{method}", lambda features=features, **_kw: {"method_supports": features})
            for method, features in self.gateways.items()
        ]
        if self.has_fulfillments:
            routes += [
                (r"GET orders/(\d+)/fulfillments", self._list(self.fulfillments)),
                (r"POST orders/(\d+)/fulfillments", self._post_fulfillment),
            ]
        return routes

    def _list(self, store):
        def handle(order_id, params, **_kw):
            if order_id not in self.orders:
                return _missing()
            return _page(list(store.get(order_id, [])), params)

        return handle

    @staticmethod
    def _delete(store):
        return lambda row_id, **_kw: store.pop(row_id, None) or _missing()

    # === ORDERS === #

    def _list_orders(self, params, **_kw):
        orders = sorted(self.orders.values(), key=lambda row: (row["date_modified_gmt"], row["id"]))
        if after := params.get("modified_after"):
            orders = [row for row in orders if row["date_modified_gmt"] > after]
        if before := params.get("modified_before"):
            orders = [row for row in orders if row["date_modified_gmt"] < before]
        hidden = set(filter(None, params.get("exclude", "").split(",")))
        return _page([row for row in orders if str(row["id"]) not in hidden and row["status"] != "trash"], params)

    def _get_order(self, order_id, **_kw):
        return self.orders.get(order_id) or _missing()

    def _post_order(self, value, **_kw):
        """As staff enter an order."""
        rows = {row["id"]: row for row in (*self.products.values(), *self.variations.values())}
        items = {
            rows[row.get("variation_id") or row["product_id"]]["sku"]: row["quantity"] for row in value["line_items"]
        }
        names = ("billing", "shipping", "customer_note", "payment_method")
        values = {name: value[name] for name in names if name in value}
        price = next((row["total"] for row in value.get("shipping_lines", ())), "")
        order_id = self.place(items, paid=value.get("set_paid", False), shipping_price=price, **values)
        return 201, self.orders[int(order_id)]

    def _put_order(self, order_id, value, **_kw):
        order = self.orders.get(order_id)
        if not order:
            return _missing()
        meta = {row["key"]: row for row in order["meta_data"]}
        for row in value.pop("meta_data", ()):
            meta.setdefault(row["key"], {"id": self.next_id(), "key": row["key"]})["value"] = row["value"]
        if value.get("status") == "completed":
            value["date_completed_gmt"] = self.now()
        if "line_items" in value:
            value |= self._change_lines(order, value.pop("line_items"))
        return self.touch(order_id, meta_data=list(meta.values()), **value)

    def _change_lines(self, order, changes):
        """Lines by their ids; one of no quantity goes. Taxes and total are computed anew, whatever was paid."""
        lines, changed = [], {row["id"]: row for row in changes}
        for line in copy.deepcopy(order["line_items"]):
            change = changed.pop(line["id"], {})
            if change.get("quantity") == 0:
                continue
            line["quantity"] = change.get("quantity", line["quantity"])
            for name in ("subtotal", "total"):
                net = Decimal(change.get(name, line[name]))
                line |= {name: _money(net), f"{name}_tax": _money(net * self.tax_rate / 100)}
            line["taxes"] = [{"id": 1, "total": line["total_tax"], "subtotal": line["subtotal_tax"]}]
            lines.append(line)
        if changed:
            raise KeyError(f"Order item ID provided is not associated with order: {changed}")
        parts = (*lines, *order["shipping_lines"], *order["fee_lines"])
        total, tax = (sum((Decimal(row[name]) for row in parts), Decimal(0)) for name in ("total", "total_tax"))
        return {"line_items": lines, "total": _money(total + tax), "total_tax": _money(tax)}

    def _post_refund(self, order_id, value, **_kw):
        order = self.orders[order_id]
        amount, known = Decimal(value["amount"]), self.refunds.setdefault(order_id, [])
        left = Decimal(order["total"]) - sum((Decimal(row["amount"]) for row in known), Decimal(0))
        if amount < 0:
            message = "Refund amount must be greater than zero."
            return 400, {"code": "woocommerce_rest_invalid_order_refund", "message": message}
        problem = "" if amount <= left else "Invalid refund amount."
        if not problem and value.get("api_refund", True):
            features = self.gateways.get(order["payment_method"])
            if features is None:
                problem = "The payment gateway for this order does not exist."
            elif "refunds" not in features:
                problem = "The payment gateway for this order does not support automatic refunds."
            else:
                self.paid_back.append(amount)
        if problem:  # a refusal in the clothes of a failure
            return 500, {"code": "woocommerce_rest_cannot_create_order_refund", "message": problem}
        items = {row["id"]: row for row in order["line_items"]}
        refund = {
            "id": self.next_id(),
            "date_created_gmt": self.now(),
            "amount": _money(amount),
            "reason": value.get("reason", ""),
            "refunded_payment": value.get("api_refund", True),
            "line_items": [
                {
                    "id": self.next_id(),
                    "quantity": -row["quantity"],
                    "total": _money(-Decimal(str(row["refund_total"]))),
                    "sku": items[row["id"]]["sku"],
                    "meta_data": [{"id": 1, "key": "_refunded_item_id", "value": str(row["id"])}],
                }
                for row in value.get("line_items", ())
            ],
        }
        known.append(refund)
        refunds = [*order["refunds"], {"id": refund["id"], "reason": refund["reason"], "total": _money(-amount)}]
        self.touch(order_id, refunds=refunds, **({"status": "refunded"} if amount == left else {}))
        return 201, refund

    def _post_note(self, order_id, value, **_kw):
        note = {"id": self.next_id(), **value}
        self.notes.setdefault(order_id, []).append(note)
        return 201, note

    def _post_fulfillment(self, order_id, value, **_kw):
        order, meta = self.orders[order_id], [row for row in value["meta_data"] if "id" in row]
        if not any(row["key"] == "_items" and row["value"] for row in meta):
            return 400, {"code": 0, "message": "The fulfillment should contain at least one item."}
        row = {
            "id": self.next_id(),
            "status": value["status"],
            "is_fulfilled": value["status"] == "fulfilled",
            "date_deleted": None,
            "meta_data": [{**row, "id": self.next_id()} for row in meta],
        }
        self.fulfillments.setdefault(order_id, []).append(row)
        if value.get("notify_customer"):
            self.notified.append(row["id"])
        sent = sum(
            item["qty"]
            for parcel in self.fulfillments[order_id]
            for entry in parcel["meta_data"]
            if entry["key"] == "_items"
            for item in entry["value"]
        )
        is_whole = sent >= sum(line["quantity"] for line in order["line_items"])
        meta = [row for row in order["meta_data"] if row["key"] != "_fulfillment_status"]
        status = "fulfilled" if is_whole else "partially_fulfilled"
        meta.append({"id": self.next_id(), "key": "_fulfillment_status", "value": status})
        self.touch(order_id, meta_data=meta)
        return 201, row

    # === PRODUCTS === #

    def _list_products(self, params, **_kw):
        rows = sorted(self.products.values(), key=lambda row: row["id"])
        if skus := params.get("sku"):
            wanted = skus.casefold().split(",")
            rows = [row for row in (*rows, *self.variations.values()) if row["sku"].casefold() in wanted]
        if ids := params.get("include"):
            rows = [row for row in rows if str(row["id"]) in ids.split(",")]
        return _page(rows, params)

    def _post_product(self, value, **_kw):
        if value["type"] == "variable":
            row = self.add_product("", value["name"], "", attributes=value["attributes"], type="variable")
            row.update(manage_stock=False, stock_quantity=None)
            return 201, row
        return 201, self.add_product(value["sku"], value["name"], value["regular_price"], value["stock_quantity"])

    def _post_variation(self, product_id, value, **_kw):
        parent = self.products[product_id]
        row = {**parent, **value, "id": self.next_id(), "type": "variation", "parent_id": product_id}
        row |= {"price": value["regular_price"], "name": value["attributes"][0]["option"]}
        self.variations[row["id"]] = row
        parent["variations"].append(row["id"])
        return 201, row

    def _list_variations(self, product_id, params, **_kw):
        return _page([self.variations[key] for key in self.products[product_id]["variations"]], params)

    def _post_batch(self, value, **_kw):
        if not value.get("update"):
            return 200, []  # as PHP writes an empty object
        return self._update(self.products, value["update"])

    def _post_variations(self, product_id, value, **_kw):
        known = {key: self.variations[key] for key in self.products.get(product_id, {}).get("variations", ())}
        return self._update(known, value["update"])

    def _update(self, known, changes):
        if len(changes) > 100:
            return 413, {"code": "woocommerce_rest_request_entity_too_large", "message": "Unable to accept more"}
        answers = []
        for change in changes:
            if row := known.get(change["id"]):
                if not self.counts_stock:
                    change |= {"manage_stock": False, "stock_quantity": None}
                row.update(change)
                row["price"] = change.get("regular_price", row["price"])
                answers.append(row)
                self._notify("product.updated", row["id"])
            else:
                answers.append({"id": change["id"], "error": {"code": "invalid_id", "message": "Invalid ID."}})
        return {"update": answers}

    # === WEBHOOKS === #

    def _post_webhook(self, value, **_kw):
        row = {"id": self.next_id(), "pending": [], **value}
        self.webhooks[row["id"]] = row
        with contextlib.suppress(OSError):  # nobody hears of a ping that failed
            self.deliver(row["delivery_url"], f"webhook_id={row['id']}".encode(), "application/x-www-form-urlencoded")
        return 201, row

    def _put_webhook(self, webhook_id, value, **_kw):
        self.webhooks[webhook_id].update(value)
        return self.webhooks[webhook_id]

    def _notify(self, topic, row_id):
        for row in self.webhooks.values():
            if row["topic"] == topic and row["status"] == "active":
                row["pending"].append(row_id)

    def run_webhooks(self):
        """Deliver what waits, as the shop's scheduler does: late, the newest first, with everything as it is now."""
        known = {**self.orders, **self.products, **self.variations}
        for row in list(self.webhooks.values()):
            while row["pending"]:
                body = json.dumps(known[row["pending"].pop()]).encode()
                signature = base64.b64encode(hmac.new(row["secret"].encode(), body, hashlib.sha256).digest()).decode()
                headers = {
                    "X-WC-Webhook-Topic": row["topic"],
                    "X-WC-Webhook-Resource": row["topic"].partition(".")[0],
                    "X-WC-Webhook-Event": row["topic"].partition(".")[2],
                    "X-WC-Webhook-Signature": signature,
                    "X-WC-Webhook-ID": str(row["id"]),
                    "X-WC-Webhook-Delivery-ID": str(self.next_id()),
                }
                self.deliver(row["delivery_url"], body, "application/json", headers)

    @staticmethod
    def deliver(url, body, kind, headers=()):
        request = urllib.request.Request(url, data=body, headers={"Content-Type": kind, **dict(headers)})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            return answer.status


def _page(rows, params):
    size, page = int(params.get("per_page", 10)), int(params.get("page", 1))
    if size > 100:
        return 400, {"code": "rest_invalid_param", "message": "Invalid parameter(s): per_page"}
    pages = -(-len(rows) // size)
    chunk = rows[(page - 1) * size : page * size]
    return 200, chunk, {"X-WP-Total": str(len(rows)), "X-WP-TotalPages": str(pages)}


def _missing(code="woocommerce_rest_shop_order_invalid_id"):
    return 404, {"code": code, "message": "Invalid ID."}
