"""A seller's account that answers as Amazon's Selling Partner API does: for tests, in this process, on a free loopback
port.

Every call is checked against Amazon's published models, and so is every answer of ours. Orders are kept in the shape of
version 2026-01-01; version 0 tells the same ones. Amazon and buyers are methods: ``place``, ``edit``, ``cancel``, ...
"""

import base64
import http.server
import json
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

from . import amazon_models

CLIENT_ID, CLIENT_SECRET, REFRESH = "amzn1.application-oa2-client.test", "amzn1.oa2-cs.test", "Atzr|test"
# May read orders, but neither buyers' data nor listings.
POOR_REFRESH = "Atzr|poor"
# Of an app from before the new version of orders, which it may not call.
OLD_REFRESH = "Atzr|old"
SELLER, MARKETPLACE = "A3TESTSELLER", "ATVPDKIKX0DER"
CENT = Decimal("0.01")
_V0_STATUSES = {
    "PENDING": "Pending",
    "UNSHIPPED": "Unshipped",
    "PARTIALLY_SHIPPED": "PartiallyShipped",
    "SHIPPED": "Shipped",
    "CANCELLED": "Canceled",
}


def money(amount):
    return {"amount": str(Decimal(amount).quantize(CENT)), "currencyCode": "USD"}


def _v0_money(value):
    return {"Amount": value["amount"], "CurrencyCode": value["currencyCode"]}


class AmazonServer:
    """``with AmazonServer() as amazon:`` - ``amazon.url``, ``amazon.place({"TEE": 2}, address)``.

    :param tax_included: as in Europe; else tax is added, as in the United States
    """

    def __init__(self, tax_rate="8.25", tax_included=False):
        self.tax_rate, self.tax_included = Decimal(tax_rate), tax_included
        self.listings, self.orders, self.confirmations, self.calls = {}, {}, [], []
        self.transactions = []
        self.tokens, self.is_throttled, self.logins = {}, False, 0
        self._id, self._lock = 0, threading.RLock()
        self.clock = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _handle(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                with server._lock:
                    status, answer = server.answer(self.command, self.path, self.headers, body)
                data = b"" if answer is None else json.dumps(answer, ensure_ascii=False).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("x-amzn-RateLimit-Limit", "50.0")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = _handle

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
        url = urlsplit(path)
        if url.path == "/auth/o2/token":
            return self._answer_login(dict(parse_qsl(body.decode())))
        for operation in amazon_models.load():
            if (values := operation.match(method, url.path)) is not None:
                break
        else:
            return _refuse(404, "NotFound", "There is no such call.")
        token = self.tokens.get(headers.get("x-amz-access-token"))
        if not token:
            return _refuse(403, "Unauthorized", "The access token you provided is revoked, malformed or invalid.")
        if self.is_throttled:
            return _refuse(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")
        if token["is_old"] and url.path.startswith("/orders/2026-01-01/"):
            return _refuse(403, "Unauthorized", "Access to requested resource is denied.")
        query, value = dict(parse_qsl(url.query)), json.loads(body) if body else None
        self.calls.append((operation.name, url.path, query, value))
        if problem := operation.check_request(query, value):
            return _refuse(400, "InvalidInput", problem)
        handler = getattr(self, f"_{operation.name}_v0" if "/v0/orders" in operation.path else f"_{operation.name}")
        status, answer = handler(token, query, value, **values)
        problem = operation.check_answer(status, answer)
        assert not problem, f"{operation.name}: {problem}"
        return status, answer

    def _answer_login(self, form):
        assert form.pop("grant_type") == "refresh_token"
        if (form["client_id"], form["client_secret"]) != (CLIENT_ID, CLIENT_SECRET):
            return 401, {"error": "invalid_client", "error_description": "Client authentication failed"}
        if form["refresh_token"] not in (REFRESH, POOR_REFRESH, OLD_REFRESH):
            return 400, {"error": "invalid_grant", "error_description": "The request has an invalid grant parameter"}
        self.logins += 1
        token = f"Atza|{self.logins}"
        refresh = form["refresh_token"]
        self.tokens[token] = {"is_poor": refresh == POOR_REFRESH, "is_old": refresh == OLD_REFRESH, "paths": ()}
        return 200, {"access_token": token, "token_type": "bearer", "expires_in": 3600, "refresh_token": REFRESH}

    def _createRestrictedDataToken(self, token, _query, body):
        if token["is_poor"]:
            return _refuse(
                403, "Unauthorized", "Application does not have access to one or more requested data elements."
            )
        self.logins += 1
        name = f"Atz.sprdt|{self.logins}"
        self.tokens[name] = {**token, "paths": [row["path"] for row in body["restrictedResources"]]}
        return 200, {"restrictedDataToken": name, "expiresIn": 3600}

    def _getMarketplaceParticipations(self, _token, _query, _body):
        marketplace = {
            "id": MARKETPLACE,
            "name": "Amazon.com",
            "countryCode": "US",
            "defaultCurrencyCode": "USD",
            "defaultLanguageCode": "en_US",
            "domainName": "www.amazon.com",
        }
        participation = {"isParticipating": True, "hasSuspendedListings": False}
        row = {"marketplace": marketplace, "participation": participation, "storeName": "Ada's Shop"}
        return 200, {"payload": [row]}

    # === ORDERS === #

    def _select(self, since, until, statuses, fulfilled_by, limit, cursor):
        """(orders, token of the next page): by time of change, from behind the last one on."""
        found = [
            row
            for row in self.orders.values()
            if row["lastUpdatedTime"] >= since
            and (not until or row["lastUpdatedTime"] < until)
            and row["fulfillment"]["fulfillmentStatus"] in statuses
            and row["fulfillment"]["fulfilledBy"] == fulfilled_by
        ]
        found.sort(key=_get_place)
        if cursor:
            place = json.loads(base64.b64decode(cursor))
            found = [row for row in found if _get_place(row) > place]
        taken = found[: int(limit or 100)]
        more = base64.b64encode(json.dumps(_get_place(taken[-1])).encode()).decode() if len(found) > len(taken) else ""
        return taken, more

    def _searchOrders(self, token, query, _body):
        taken, more = self._select(
            query["lastUpdatedAfter"],
            query.get("lastUpdatedBefore"),
            query["fulfillmentStatuses"].split(","),
            query.get("fulfilledBy"),
            query.get("maxResultsPerPage"),
            query.get("paginationToken"),
        )
        answer = {"orders": [self._show(row, query, token) for row in taken]}
        if more:
            answer["pagination"] = {"nextToken": more}
        return 200, answer

    def _getOrder(self, token, query, _body, orderId):
        if orderId not in self.orders:
            return _refuse(404, "NotFound", "The requested order does not exist.")
        return 200, {"order": self._show(self.orders[orderId], query, token)}

    def _show(self, order, query, token):
        """Only what was asked for, and may be seen."""
        wanted = query.get("includedData", "").split(",")
        hidden = {"BUYER": "buyer", "RECIPIENT": "recipient", "PROCEEDS": "proceeds", "PACKAGES": "packages"}
        keys = {key for name, key in hidden.items() if name not in wanted}
        if token["is_poor"]:
            keys |= {"buyer", "recipient"}
        return {key: value for key, value in order.items() if key not in keys}

    def _getOrders_v0(self, token, query, _body):
        names = {name: status for status, name in _V0_STATUSES.items()}
        taken, more = self._select(
            query["LastUpdatedAfter"],
            query.get("LastUpdatedBefore"),
            [names.get(name) for name in query["OrderStatuses"].split(",")],
            {"MFN": "MERCHANT", "AFN": "AMAZON"}[query["FulfillmentChannels"]],
            query.get("MaxResultsPerPage"),
            query.get("NextToken"),
        )
        page = {"Orders": [self._show_v0(row, "/orders/v0/orders", token) for row in taken]}
        return 200, {"payload": {**page, **({"NextToken": more} if more else {})}}

    def _getOrder_v0(self, token, _query, _body, orderId):
        if orderId not in self.orders:
            return _refuse(404, "NotFound", "The requested order does not exist.")
        return 200, {"payload": self._show_v0(self.orders[orderId], f"/orders/v0/orders/{orderId}", token)}

    def _show_v0(self, order, path, token):
        items = order["orderItems"]
        shown = {
            "AmazonOrderId": order["orderId"],
            "PurchaseDate": order["createdTime"],
            "LastUpdateDate": order["lastUpdatedTime"],
            "OrderStatus": _V0_STATUSES[order["fulfillment"]["fulfillmentStatus"]],
            "FulfillmentChannel": "MFN" if order["fulfillment"]["fulfilledBy"] == "MERCHANT" else "AFN",
            "OrderTotal": _v0_money(order["proceeds"]["grandTotal"]),
            "NumberOfItemsShipped": sum(row["fulfillment"]["quantityFulfilled"] for row in items),
            "NumberOfItemsUnshipped": sum(row["fulfillment"]["quantityUnfulfilled"] for row in items),
            "PaymentMethod": "Other",
            "MarketplaceId": MARKETPLACE,
            "OrderType": "StandardOrder",
            "EarliestShipDate": order["fulfillment"]["shipByWindow"]["earliestDateTime"],
            "LatestShipDate": order["fulfillment"]["shipByWindow"]["latestDateTime"],
        }
        if path in token["paths"]:
            address = order["recipient"]["deliveryAddress"]
            shown["ShippingAddress"] = {key[:1].upper() + key[1:]: value for key, value in address.items()}
            buyer = order["buyer"]
            shown["BuyerInfo"] = {"BuyerEmail": buyer["buyerEmail"], "BuyerName": buyer["buyerName"]}
        return shown

    def _getOrderItems_v0(self, _token, query, _body, orderId):
        rows = self.orders[orderId]["orderItems"]
        start = int(query.get("NextToken") or 0)
        page = {"AmazonOrderId": orderId, "OrderItems": [self._show_item_v0(row) for row in rows[start : start + 1]]}
        if start + 1 < len(rows):
            page["NextToken"] = str(start + 1)
        return 200, {"payload": page}

    @staticmethod
    def _show_item_v0(row):
        amounts = {part["type"]: part for part in row["proceeds"]["breakdowns"]}
        taxes = {part["subtype"]: part["value"] for part in amounts["TAX"]["detailedBreakdowns"]}
        return {
            "ASIN": row["product"]["asin"],
            "SellerSKU": row["product"]["sellerSku"],
            "OrderItemId": row["orderItemId"],
            "Title": row["product"]["title"],
            "QuantityOrdered": row["quantityOrdered"],
            "QuantityShipped": row["fulfillment"]["quantityFulfilled"],
            "ItemPrice": _v0_money(amounts["ITEM"]["subtotal"]),
            "ItemTax": _v0_money(taxes["ITEM"]),
            "ShippingPrice": _v0_money(amounts["SHIPPING"]["subtotal"]),
            "ShippingTax": _v0_money(taxes["SHIPPING"]),
            "PromotionDiscount": _v0_money(amounts["DISCOUNT"]["subtotal"]),
        }

    def _confirmShipment_v0(self, _token, _query, body, orderId):
        order, package = self.orders[orderId], body["packageDetail"]
        content = {row["orderItemId"]: row["quantity"] for row in package["orderItems"]}
        known = [row for row in order["packages"] if row["packageReferenceId"] != package["packageReferenceId"]]
        sent = {}
        for row in known:
            for item in row["packageItems"]:
                sent[item["orderItemId"]] = sent.get(item["orderItemId"], 0) + item["quantity"]
        for row in order["orderItems"]:
            if sent.get(row["orderItemId"], 0) + content.get(row["orderItemId"], 0) > row["quantityOrdered"]:
                return _refuse(400, "InvalidInput", "The quantity is more than what is left to ship.")
        if order["fulfillment"]["fulfillmentStatus"] == "CANCELLED" or not package["packageReferenceId"].isdigit():
            return _refuse(400, "InvalidInput", "The package can't be confirmed.")
        self.confirmations.append((orderId, package))
        order["packages"] = [*known, _make_package(package)]
        for row in order["orderItems"]:
            units = sent.get(row["orderItemId"], 0) + content.get(row["orderItemId"], 0)
            left = row["quantityOrdered"] - units
            row["fulfillment"].update(quantityFulfilled=units, quantityUnfulfilled=left)
        is_done = not any(row["fulfillment"]["quantityUnfulfilled"] for row in order["orderItems"])
        order["fulfillment"]["fulfillmentStatus"] = "SHIPPED" if is_done else "PARTIALLY_SHIPPED"
        self.touch(order)
        return 204, None

    # === LISTINGS === #

    def _searchListingsItems(self, token, query, _body, sellerId):
        if token["is_poor"] or sellerId != SELLER:
            return _refuse(403, "Unauthorized", "Access to requested resource is denied.")
        found = sorted(self.listings.values(), key=lambda row: row["summaries"][0]["createdDate"])
        start, size = int(query.get("pageToken") or 0), int(query.get("pageSize") or 10)
        answer = {"numberOfResults": len(found), "items": found[start : start + size]}
        if start + size < len(found):
            answer["pagination"] = {"nextToken": str(start + size)}
        return 200, answer

    def _patchListingsItem(self, _token, _query, body, sellerId, sku):
        answer = {
            "sku": sku,
            "status": "ACCEPTED",
            "submissionId": "f1dc2914-75dd-11ea-bc55-0242ac130003",
            "issues": [],
        }
        if sku not in self.listings or sellerId != SELLER:
            issue = {"code": "4000001", "message": "The SKU is not known.", "severity": "ERROR", "categories": []}
            return 200, {**answer, "status": "INVALID", "issues": [issue]}
        [patch] = body["patches"]
        assert (patch["op"], patch["path"]) == ("replace", "/attributes/fulfillment_availability")
        [value] = patch["value"]
        assert value["fulfillment_channel_code"] == "DEFAULT"
        self.listings[sku]["fulfillmentAvailability"][0]["quantity"] = value["quantity"]
        return 200, answer

    # === MONEY === #

    def _listTransactions(self, token, query, _body):
        if token["is_poor"]:
            return _refuse(403, "Unauthorized", "Access to requested resource is denied.")
        found = [
            row
            for row in self.transactions
            if row["postedDate"] >= query["postedAfter"] and row["transactionStatus"] == query["transactionStatus"]
        ]
        start = int(query.get("nextToken") or 0)
        page = {"transactions": found[start : start + 2]}
        if start + 2 < len(found):
            page["nextToken"] = str(start + 2)
        return 200, {"payload": page}

    def settle(self, order_id, group="group-1"):
        """Post an order's money: what was deferred at first, then its release; then all of it leaves for the bank."""

        def amount(value):
            return {"currencyCode": "USD", "currencyAmount": float(value)}

        with self._lock:
            total = Decimal(self.orders[order_id]["proceeds"]["grandTotal"]["amount"])
            fee = (total * Decimal("0.15")).quantize(CENT)
            sales = {"breakdownType": "Sales", "breakdownAmount": amount(total)}
            sales["breakdowns"] = [{"breakdownType": "ProductCharges", "breakdownAmount": amount(total)}]
            costs = {"breakdownType": "Expenses", "breakdownAmount": amount(-fee)}
            costs["breakdowns"] = [{"breakdownType": "AmazonFees", "breakdownAmount": amount(-fee)}]
            row = {
                "transactionType": "Shipment",
                "description": "Order Payment",
                "totalAmount": amount(total - fee),
                "breakdowns": [sales, costs],
                "relatedIdentifiers": [
                    {"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": order_id},
                    {"relatedIdentifierName": "FINANCIAL_EVENT_GROUP_ID", "relatedIdentifierValue": group},
                ],
            }
            for status in ("DEFERRED_RELEASED", "RELEASED"):
                number = f"tx-{len(self.transactions) + 1}"
                self.transactions.append(
                    {**row, "transactionId": number, "transactionStatus": status, "postedDate": self.now()}
                )
            transfer = {
                "transactionType": "Transfer",
                "transactionId": f"tx-{len(self.transactions) + 1}",
                "transactionStatus": "RELEASED",
                "postedDate": self.now(),
                "totalAmount": amount(fee - total),
                "relatedIdentifiers": row["relatedIdentifiers"][1:],
            }
            self.transactions.append(transfer)

    # === STORE === #

    def now(self):
        """A second later each time: two changes never have the same."""
        self.clock += timedelta(seconds=1)
        return self.clock.strftime("%Y-%m-%dT%H:%M:%SZ")

    def touch(self, order):
        order["lastUpdatedTime"] = self.now()

    def add_product(self, sku, title, price, stock=100, channel="DEFAULT"):
        now = self.now()
        summary = {
            "marketplaceId": MARKETPLACE,
            "asin": f"B0{len(self.listings):08d}",
            "productType": "SHIRT",
            "status": ["BUYABLE", "DISCOVERABLE"],
            "itemName": title,
            "createdDate": now,
            "lastUpdatedDate": now,
        }
        offer = {"marketplaceId": MARKETPLACE, "offerType": "B2C", "price": money(price)}
        self.listings[sku] = {
            "sku": sku,
            "summaries": [summary],
            "offers": [offer],
            "fulfillmentAvailability": [{"fulfillmentChannelCode": channel, "quantity": stock}],
        }

    def place(self, items, address, status="UNSHIPPED", fulfilled_by="MERCHANT", discount="0"):
        """Buy; returns the order's id. :param discount: of each item, in money"""
        with self._lock:
            self._id += 1
            number = self._id
            rows = [
                self._make_item(sku, units, number * 100 + index, Decimal(discount), "7.50" if not index else "0")
                for index, (sku, units) in enumerate(items.items())
            ]
            total = sum((Decimal(row["proceeds"]["proceedsTotal"]["amount"]) for row in rows), Decimal(0))
            moment = self.now()
            window = {"earliestDateTime": moment, "latestDateTime": moment}
            order = {
                "orderId": f"111-{number:07d}-{number:07d}",
                "createdTime": moment,
                "lastUpdatedTime": moment,
                "programs": [],
                "salesChannel": {
                    "channelName": "AMAZON",
                    "marketplaceId": MARKETPLACE,
                    "marketplaceName": "Amazon.com",
                },
                "buyer": {"buyerName": address["name"], "buyerEmail": "abc123@marketplace.amazon.com"},
                "recipient": {"deliveryAddress": address},
                "proceeds": {"grandTotal": money(total)},
                "fulfillment": {
                    "fulfillmentStatus": status,
                    "fulfilledBy": fulfilled_by,
                    "fulfillmentServiceLevel": "STANDARD",
                    "shipByWindow": window,
                },
                "orderItems": rows,
                "packages": [],
            }
            self.orders[order["orderId"]] = order
            return order["orderId"]

    def _make_item(self, sku, units, number, discount, shipping):
        listing = self.listings[sku]
        summary, price = listing["summaries"][0], Decimal(listing["offers"][0]["price"]["amount"])
        listing["fulfillmentAvailability"][0]["quantity"] -= units
        amount, rate, shipping = price * units, self.tax_rate, Decimal(shipping)
        tax = {
            name: (base * rate / (100 + rate if self.tax_included else 100)).quantize(CENT)
            for name, base in (("ITEM", amount - discount), ("SHIPPING", shipping))
        }
        total = amount - discount + shipping + (0 if self.tax_included else sum(tax.values()))
        details = [{"subtype": name, "value": money(value)} for name, value in tax.items()]
        off = {"type": "DISCOUNT", "subtotal": money(discount)}
        off["detailedBreakdowns"] = [{"subtype": "ITEM", "value": money(discount)}]
        breakdowns = [
            {"type": "ITEM", "subtotal": money(amount)},
            {"type": "SHIPPING", "subtotal": money(shipping)},
            {"type": "TAX", "subtotal": money(sum(tax.values())), "detailedBreakdowns": details},
            off,
        ]
        return {
            "orderItemId": str(10000000000000 + number),
            "quantityOrdered": units,
            "product": {
                "asin": summary["asin"],
                "title": summary["itemName"],
                "sellerSku": sku,
                "price": {"unitPrice": money(price)},
            },
            "proceeds": {"proceedsTotal": money(total), "breakdowns": breakdowns},
            "fulfillment": {"quantityFulfilled": 0, "quantityUnfulfilled": units},
        }

    # === AMAZON AND BUYERS === #

    def edit(self, order_id, street):
        with self._lock:
            address = self.orders[order_id]["recipient"]["deliveryAddress"]
            self.orders[order_id]["recipient"]["deliveryAddress"] = {**address, "addressLine1": street}
            self.touch(self.orders[order_id])

    def cancel(self, order_id):
        with self._lock:
            self.orders[order_id]["fulfillment"]["fulfillmentStatus"] = "CANCELLED"
            self.touch(self.orders[order_id])

    def pay(self, order_id):
        with self._lock:
            self.orders[order_id]["fulfillment"]["fulfillmentStatus"] = "UNSHIPPED"
            self.touch(self.orders[order_id])

    def request_cancel(self, order_id, reason):
        with self._lock:
            request = {"cancellationRequest": {"requester": "BUYER", "cancelReason": reason}}
            self.orders[order_id]["orderItems"][0]["cancellation"] = request
            self.touch(self.orders[order_id])

    def expire_tokens(self):
        with self._lock:
            self.tokens.clear()


def _make_package(package):
    return {
        "packageReferenceId": package["packageReferenceId"],
        "packageStatus": {"status": "SHIPPED"},
        "carrier": package.get("carrierName") or package["carrierCode"],
        "shipTime": package["shipDate"],
        "trackingNumber": package["trackingNumber"],
        "packageItems": [{key: row[key] for key in ("orderItemId", "quantity")} for row in package["orderItems"]],
    }


def _get_place(order):
    return [order["lastUpdatedTime"], order["orderId"]]


def _refuse(status, code, message):
    return status, {"errors": [{"code": code, "message": message}]}
