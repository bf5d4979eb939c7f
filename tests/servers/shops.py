"""The shops that the contract tests run against, all driven in the same way: as buyers, and as the shop's own staff."""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import time
import uuid
from datetime import UTC, datetime
from decimal import Decimal

from odoo.addons.oms_channels.adapters import get_adapter_class
from odoo.addons.oms_channels.adapters.errors import Rejected
from odoo.addons.oms_channels.adapters.marketplace import mapper as marketplace_mapper
from odoo.addons.oms_channels.adapters.marketplace import signature as marketplace_signature
from odoo.addons.oms_channels.adapters.types import ChannelConfig
from odoo.addons.oms_channels.adapters.values import get_digits
from odoo.addons.oms_channels.adapters.woocommerce import mapper as woocommerce_mapper
from odoo.addons.oms_channels.tests.connector_common import read_ready

from . import amazon_server
from .jd_server import JdServer
from .marketplace_server import SECRETS, MarketplaceServer
from .medusa_server import MedusaServer
from .ports import free_port
from .shopify_server import CLIENT_ID, CLIENT_SECRET, TOKEN, ShopifyServer, get_refunds
from .top_server import KEY as TOP_KEY
from .top_server import REFRESH as TOP_REFRESH
from .top_server import SECRET as TOP_SECRET
from .top_server import SESSION as TOP_SESSION
from .top_server import TopServer
from .vendure_server import VendureServer
from .vendure_shop import PASSWORD, USER
from .wechat_server import APPID, APPSECRET, WechatServer
from .woocommerce_server import KEY, SECRET, WooCommerceServer

# What is for sale everywhere, but in the simulated marketplace, which sells what it likes.
PRODUCTS = [
    {"sku": "OMS-TEE", "title": "T-Shirt", "price": "19.99", "stock": 500},
    {"sku": "OMS-MUG", "title": "Mug", "price": "8.50", "stock": 500},
]
ITEMS = {"OMS-TEE": 2, "OMS-MUG": 1}
NAME, STREET = "Ada Lovelace", "12 Main St"
WEBHOOK_SECRET = "contract-secret"


class ShopDriver:
    """One shop. ``with`` starts and stops it.

    :cvar wrong: credentials that the shop refuses
    """

    provider = ""
    wrong = {}
    currency = "USD"
    ships_whole = False  # whether the first parcel of an order counts for all of it
    lists_once = True  # whether one reading of the list names an order once
    edit_bumps_list = True  # whether an edit moves an order to the end of the list
    cancels_lines_whole = False  # whether units can only be taken off with all others of their line
    refunds_on_request = False  # whether money goes back only when the buyer asks
    reopens_session = False  # whether the adapter logs in again by itself
    takes_parts = False  # whether an order can be paid by several payments
    keeps_our_key = False  # whether a parcel, even one without a number, is known by our key
    names_stock_items = False  # whether stock is told by the id of the stock item only
    sums_may_differ = Decimal(0)  # by so much the shop's own total may differ from its parts
    own_skus = ()  # what tests may change of a shop that sells other things as well; all of it where empty
    listing_page = 1
    groups_payouts = True  # whether what was paid out names the payout it is in
    reopen = None  # callable(order_id) that opens a cancelled order again, where that can be done
    server = None

    def __enter__(self):
        self.server = self.make_server()
        if self.server:
            self.server.__enter__()
        self.fill()
        return self

    def __exit__(self, *exc):
        if self.server:
            self.server.__exit__(*exc)

    def make_server(self):
        """The server of the shop, None for one that is given."""
        raise NotImplementedError

    def fill(self):
        """Put PRODUCTS into the shop."""
        for product in PRODUCTS:
            self.server.add_product(product["sku"], product["title"], product["price"], product["stock"])

    def get_config(self, **credentials):
        raise NotImplementedError

    def get_capabilities(self):
        """What the adapter can do here, known without a server."""
        return get_adapter_class(self.provider).capabilities

    def make_adapter(self, transport=None, **credentials):
        return get_adapter_class(self.provider)(self.get_config(**credentials), transport)

    def place(self, name=NAME, street=STREET):
        """Buy at least two units and pay for them; returns the order's id."""
        raise NotImplementedError

    def place_in_parts(self):
        """Buy and pay by two payments, where the shop knows several; returns the order's id."""
        return self.place()

    def edit(self, order_id, street):
        """Change the street the order goes to, as the shop's staff or the buyer can."""
        raise NotImplementedError

    def cancel(self, order_id):
        raise NotImplementedError

    def ask_refund(self, order_id, amount=None):
        """The buyer asks for money back, all of it or an amount: where nothing is paid back unless one does."""

    def ask_refund_twice(self, order_id, amount):
        """The buyer asks for the same amount twice, likewise."""

    def ask_units(self, order_id, line, units):
        """The buyer asks for the money of units of a line, likewise."""

    def ask_back(self):
        """Buy, and ask for what can be answered. :return: (order id, id of the request)"""
        raise NotImplementedError

    def count_parcels(self, order_id):
        raise NotImplementedError

    def get_refunds(self, order_id):
        """[amount] of the refunds that the shop knows."""
        raise NotImplementedError

    def make_webhook(self, order_id):
        """(headers, body) of an event about an order, as the shop sends it."""
        body = json.dumps(self._get_event(order_id)).encode()
        signature = base64.b64encode(hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha256).digest()).decode()
        return {"Content-Type": "application/json", **self._get_webhook_headers(signature)}, body

    def get_sellable(self, sku):
        """What the shop would sell of an SKU, None where it can't be asked."""
        return


class MedusaDriver(ShopDriver):
    """One shop for all drivers of its kind, started by the first: see ``stop_shared``."""

    provider = "medusa"
    takes_parts = True
    wrong = {"api_key": "sk_wrong"}
    keeps_our_key = True
    shared = None

    def __enter__(self):
        if not MedusaDriver.shared:
            port = free_port()
            server = MedusaServer(os.environ["OMS_MEDUSA_HOME"], port, f"oms_contract_medusa_{port}")
            MedusaDriver.shared = server.__enter__()
            server.seed(PRODUCTS, tax_rate=8.25)
        self.server = MedusaDriver.shared
        return self

    def __exit__(self, *exc):
        """It goes on for the next driver."""

    def get_config(self, **credentials):
        return ChannelConfig(self.server.url, {"api_key": self.server.secret_key, **credentials})

    def place(self, name=NAME, street=STREET):
        first, _space, last = name.partition(" ")
        address = {
            "first_name": first,
            "last_name": last,
            "address_1": street,
            "city": "New York",
            "postal_code": "10001",
            "country_code": "us",
        }
        return self.server.checkout("ada@example.com", address, ITEMS, capture=True)

    def place_in_parts(self):
        order_id = self.place()
        self.server.pay_more(order_id, "OMS-MUG")
        return order_id

    def edit(self, order_id, street):
        address = {**self.server.get_order(order_id)["shipping_address"], "address_1": street}
        names = ("first_name", "last_name", "address_1", "city", "postal_code", "country_code")
        self.server.admin("POST", f"/orders/{order_id}", {"shipping_address": {name: address[name] for name in names}})

    def cancel(self, order_id):
        self.server.admin("POST", f"/orders/{order_id}/cancel")

    def ask_back(self):
        order_id = self.place()
        items = [{"id": row["id"], "quantity": row["quantity"]} for row in self.server.get_order(order_id)["items"]]
        path, location = f"/orders/{order_id}/fulfillments", self.server.location["id"]
        self.server.admin("POST", path, {"location_id": location, "items": items})
        wanted = {"order_id": order_id, "location_id": location}
        asked = self.server.admin("POST", "/returns", wanted)["return"]["id"]
        self.server.admin("POST", f"/returns/{asked}/request-items", {"items": items[:1]})
        self.server.admin("POST", f"/returns/{asked}/request", {})
        return order_id, asked

    def count_parcels(self, order_id):
        return len([row for row in self.server.get_order(order_id)["fulfillments"] if not row["canceled_at"]])

    def get_refunds(self, order_id):
        return [amount for amount, _note in self.server.get_refunds(order_id)]

    def _get_event(self, order_id):
        return {"event": "order.updated", "data": {"id": order_id}, "at": datetime.now(UTC).isoformat()}

    def _get_webhook_headers(self, signature):
        return {"x-medusa-hmac-sha256": signature}

    def get_sellable(self, sku):
        stocked, reserved = self.server.get_stock(sku)
        return stocked - reserved


class ConnectorDriver(MedusaDriver):
    """The same shop by the ready connector: nothing but values in a file."""

    provider = "custom"
    takes_parts = False  # its call names one payment
    lists_once = False  # each page begins at the last time seen
    names_stock_items = True

    def place_in_parts(self):
        return self.place()

    def get_config(self, **credentials):
        options = {"connector": read_ready()[1], "currency": "USD"}
        if self.server:
            options["location_id"] = self.server.location["id"]
        url, key = (self.server.url, self.server.secret_key) if self.server else ("", "")
        return ChannelConfig(url, {"api_key": key, **credentials}, options)

    def get_capabilities(self):
        return self.make_adapter().capabilities


class VendureDriver(ShopDriver):
    provider = "vendure"
    takes_parts = True
    wrong = {"password": "wrong"}
    edit_bumps_list = False  # the list goes by the time of placement
    reopens_session = True

    def make_server(self):
        port = free_port()
        return VendureServer(os.environ["OMS_VENDURE_HOME"], port, f"oms_contract_vendure_{port}")

    def fill(self):
        self.server.seed(PRODUCTS, tax_rate=8.25)

    def get_config(self, **credentials):
        return ChannelConfig(self.server.url, {"username": USER, "password": PASSWORD, **credentials})

    def place(self, name=NAME, street=STREET, items=None, **kwargs):
        address = {
            "fullName": name,
            "streetLine1": street,
            "city": "New York",
            "province": "NY",
            "postalCode": "10001",
            "countryCode": "US",
        }
        return self.server.checkout("ada@example.com", address, items or ITEMS, **{"capture": True, **kwargs})

    def place_in_parts(self):
        """The second payment is by hand: its refunds are settled by a call of their own."""
        order_id = self.place()
        self.server.pay_more(order_id)
        return order_id

    def edit(self, order_id, street):
        self.server.edit(order_id, updateShippingAddress={"streetLine1": street})

    def cancel(self, order_id):
        self.server.cancel(order_id)

    def count_parcels(self, order_id):
        return len([row for row in self.server.get_order(order_id)["fulfillments"] if row["state"] != "Cancelled"])

    def get_refunds(self, order_id):
        return [amount for amount, _reason in self.server.get_refunds(order_id)]

    def _get_event(self, order_id):
        return {
            "event": "OrderStateTransitionEvent",
            "data": {"orderId": order_id},
            "at": datetime.now(UTC).isoformat(),
        }

    def _get_webhook_headers(self, signature):
        return {"x-vendure-hmac-sha256": signature}

    def get_sellable(self, sku):
        on_hand, allocated = self.server.get_stock(sku)
        return on_hand - allocated


class WooCommerceDriver(ShopDriver):
    """Everything through the REST API, so that the same runs against a real shop."""

    provider = "woocommerce"
    wrong = {"api_secret": "cs_wrong"}

    def __init__(self, fulfillments=True):
        self.url, self.key, self.secret, self.fulfillments = "", KEY, SECRET, fulfillments
        self.products, self.made = {}, []  # [path] of what was made here

    def make_server(self):
        return WooCommerceServer(fulfillments=self.fulfillments)

    def fill(self):
        self.url = self.server.url if self.server else self.url
        self.client = self.make_adapter().client
        for product in PRODUCTS:
            known, _pages = self.client.get_list("/products", sku=product["sku"])
            values = {
                "name": product["title"],
                "type": "simple",
                "sku": product["sku"],
                "regular_price": product["price"],
                "manage_stock": True,
                "stock_quantity": product["stock"],
            }
            self.products[product["sku"]] = known[0] if known else self._make("/products", values)
            if known:
                change = {name: values[name] for name in ("regular_price", "manage_stock", "stock_quantity")}
                self.client.post("/products/batch", {"update": [{"id": known[0]["id"], **change}]})

    def _make(self, path, values):
        made = self.client.post(path, values)
        self.made.append(f"{path}/{made['id']}")
        return made

    def make_variations(self, options):
        """A variable product. :return: (its id, {option: id of the variation}, {option: SKU})"""
        mark = uuid.uuid4().hex[:8]  # what an earlier run has left must not be in the way
        attribute = {"name": "Size", "options": list(options), "variation": True, "visible": True}
        parent = self._make("/products", {"name": "Cap", "type": "variable", "attributes": [attribute]})["id"]
        ids, skus = {}, {}
        for option in options:
            skus[option] = f"OMS-CAP-{option}-{mark}"
            values = {"sku": skus[option], "regular_price": "12.00", "manage_stock": True, "stock_quantity": 9}
            values["attributes"] = [{"name": "Size", "option": option}]
            ids[option] = self.client.post(f"/products/{parent}/variations", values)["id"]
        return str(parent), {option: str(row_id) for option, row_id in ids.items()}, skus

    def get_config(self, **credentials):
        return ChannelConfig(self.url, {"api_key": self.key, "api_secret": self.secret, **credentials})

    def place(self, name=NAME, street=STREET, lines=None):
        first, _space, last = name.partition(" ")
        address = {
            "first_name": first,
            "last_name": last,
            "address_1": street,
            "city": "New York",
            "state": "NY",
            "postcode": "10001",
            "country": "US",
        }
        bought = [{"product_id": self.products[sku]["id"], "quantity": quantity} for sku, quantity in ITEMS.items()]
        order = self._make(
            "/orders",
            {
                "set_paid": True,
                "payment_method": "bacs",
                "billing": {**address, "email": "ada@example.com"},
                "shipping": address,
                "line_items": lines or bought,
                "shipping_lines": [{"method_id": "flat_rate", "method_title": "Flat rate", "total": "7.50"}],
            },
        )
        return str(order["id"])

    def edit(self, order_id, street):
        address = {**self.client.get(f"/orders/{order_id}")["shipping"], "address_1": street}
        self._change(order_id, shipping=address)

    def cancel(self, order_id):
        self._change(order_id, status="cancelled")

    def reopen(self, order_id):
        self._change(order_id, status="processing")

    def _change(self, order_id, **values):
        self.client.put(f"/orders/{order_id}", values)

    def count_parcels(self, order_id):
        return len(woocommerce_mapper.get_parcels(self.make_adapter().fetch_order(order_id)))

    def get_refunds(self, order_id):
        refunds, _pages = self.client.get_list(f"/orders/{order_id}/refunds")
        return [Decimal(row["amount"]) for row in refunds]

    def _get_event(self, order_id):
        return self.client.get(f"/orders/{order_id}")

    def _get_webhook_headers(self, signature):
        return {"X-WC-Webhook-Topic": "order.updated", "X-WC-Webhook-Signature": signature}

    def get_sellable(self, sku):
        return self.client.get_list("/products", sku=sku)[0][0]["stock_quantity"]


class GivenWooCommerceDriver(WooCommerceDriver):
    """A shop that was there before: OMS_WOOCOMMERCE_URL, _KEY, _SECRET. It has currency, taxes, orders, products and a
    clock of its own, and may round once an order. What was made here is deleted in the end."""

    own_skus = tuple(product["sku"] for product in PRODUCTS)
    listing_page = 100
    sums_may_differ = Decimal("0.03")
    pause = 1.1  # times are kept to the second: what changes within one is not seen to be newer

    def __init__(self, url, key, secret):
        super().__init__()
        self.url, self.key, self.secret = url, key, secret

    def make_server(self):
        return None

    def fill(self):
        self.url = self.server.url if self.server else self.url
        self.currency = self.make_adapter().client.get("/data/currencies/current")["code"]
        if get_digits(self.currency) != 2:
            raise ValueError(f"The tests deal in cents; the currency of {self.url} is {self.currency}.")
        super().fill()

    def __exit__(self, *exc):
        try:
            for path in reversed(self.made):
                with contextlib.suppress(Rejected):  # it is gone already
                    self.client.check("DELETE", path, {"force": True})
        finally:
            super().__exit__(*exc)

    def _change(self, order_id, **values):
        time.sleep(self.pause)
        super()._change(order_id, **values)


class LivedInWooCommerceDriver(GivenWooCommerceDriver):
    """The driver of a given shop, proved on our own, which sells in euros, tax included, and another product too."""

    pause = 0  # our own clock goes on by a second each time

    def __init__(self):
        super().__init__("", KEY, SECRET)

    def make_server(self):
        server = WooCommerceServer(tax_rate="19", prices_include_tax=True)
        server.currency = "EUR"
        server.add_product("AAA-FOREIGN", "Not ours", "5.00", stock=5)
        server.add_product("OMS-MUG", "Mug", "7.00", stock=2)
        server.place({"AAA-FOREIGN": 1})
        self.before = self._describe(server)
        return server

    def __exit__(self, *exc):
        server = self.server
        super().__exit__(*exc)
        assert self._describe(server) == self.before, "the tests have left something behind"

    @staticmethod
    def _describe(server):
        foreign = server.find("AAA-FOREIGN")
        kept = (foreign["price"], foreign["stock_quantity"], sorted(row["sku"] for row in server.products.values()))
        return kept, sorted(server.orders), sorted(server.webhooks)


class ShopifyDriver(ShopDriver):
    """:param with_app: log in with an app's ID and secret instead of a token"""

    provider = "shopify"
    takes_parts = True
    wrong = {"api_key": "shpat_wrong", "api_secret": ""}

    def __init__(self, with_app=False):
        self.credentials = (
            {"api_key": CLIENT_ID, "api_secret": CLIENT_SECRET} if with_app else {"api_key": TOKEN, "api_secret": ""}
        )
        self.reopens_session = with_app

    def make_server(self):
        return ShopifyServer()

    def get_config(self, **credentials):
        return ChannelConfig(self.server.url, {**self.credentials, **credentials})

    def place(self, name=NAME, street=STREET, items=None, **kwargs):
        address = {
            "name": name,
            "address1": street,
            "city": "New York",
            "province": "New York",
            "provinceCode": "NY",
            "zip": "10001",
            "countryCodeV2": "US",
        }
        return self.server.place(items or ITEMS, address, **kwargs)

    def place_in_parts(self):
        order_id = self.place()
        self.server.split_payment(order_id)
        return order_id

    def edit(self, order_id, street):
        self.server.edit(order_id, street)

    def cancel(self, order_id):
        self.server.cancel(order_id)

    def ask_back(self):
        order_id = self.place()
        self.server.request_return(order_id)
        [row] = self.server.get_order(order_id)["_returns"]
        return order_id, row["id"].rpartition("/")[2]

    def count_parcels(self, order_id):
        return len(self.server.get_order(order_id)["_fulfillments"])

    def get_refunds(self, order_id):
        return get_refunds(self.server.get_order(order_id))

    def _get_event(self, order_id):
        return {"id": int(order_id), "admin_graphql_api_id": f"gid://shopify/Order/{order_id}"}

    def _get_webhook_headers(self, signature):
        return {
            "X-Shopify-Topic": "orders/updated",
            "X-Shopify-Hmac-Sha256": signature,
            "X-Shopify-Event-Id": uuid.uuid4().hex,
            "X-Shopify-Triggered-At": datetime.now(UTC).isoformat(),
        }

    def get_sellable(self, sku):
        return self.server.find(sku)["available"]


class AmazonDriver(ShopDriver):
    """:param version: of Amazon's orders"""

    provider = "amazon"
    wrong = {"refresh_token": "Atzr|wrong"}
    reopens_session = True

    def __init__(self, version):
        self.version = version

    def make_server(self):
        return amazon_server.AmazonServer()

    def get_config(self, **credentials):
        options = {
            "marketplace_ids": amazon_server.MARKETPLACE,
            "seller_id": amazon_server.SELLER,
            "orders_version": self.version,
        }
        keys = {
            "api_key": amazon_server.CLIENT_ID,
            "api_secret": amazon_server.CLIENT_SECRET,
            "refresh_token": amazon_server.OLD_REFRESH if self.version == "v0" else amazon_server.REFRESH,
        }
        return ChannelConfig(self.server.url, {**keys, **credentials}, options)

    def place(self, name=NAME, street=STREET, items=None, **kwargs):
        address = {
            "name": name,
            "addressLine1": street,
            "city": "New York",
            "stateOrRegion": "NY",
            "postalCode": "10001",
            "countryCode": "US",
        }
        return self.server.place(items or ITEMS, address, **kwargs)

    def edit(self, order_id, street):
        self.server.edit(order_id, street)

    def cancel(self, order_id):
        self.server.cancel(order_id)

    def count_parcels(self, order_id):
        return len(self.server.orders[order_id]["packages"])

    def get_refunds(self, order_id):
        return []

    def get_sellable(self, sku):
        return self.server.listings[sku]["fulfillmentAvailability"][0]["quantity"]


class MarketplaceDriver(ShopDriver):
    provider = "marketplace"
    keeps_our_key = True
    wrong = {"api_secret": "wrong"}
    currency = "CNY"
    listing_page = 50
    lists_once = False  # each call starts with the last second seen
    edit_bumps_list = False  # not within the second in which the order was placed

    def make_server(self):
        return MarketplaceServer()

    def fill(self):
        """It sells what it likes."""

    def get_config(self, **credentials):
        key, secret = SECRETS["tmall"]
        return ChannelConfig(self.server.url, {"api_key": key, "api_secret": secret, **credentials})

    def place(self, name=NAME, street=STREET):
        while True:
            [order_id] = self.server.place("tmall")
            if sum(row["num"] for row in self.server.get_order(order_id)["items"]) > 1:
                return order_id

    def edit(self, order_id, street):
        assert self.server.act(order_id, "edit_address")

    def cancel(self, order_id):
        assert self.server.act(order_id, "cancel")

    def ask_back(self):
        order_id = self.place()
        assert self.server.act(order_id, "ask_refund")
        return order_id, self.server.get_order(order_id)["refunds"][0]["refund_id"]

    def count_parcels(self, order_id):
        return len(self.server.get_order(order_id)["logistics"])

    def get_refunds(self, order_id):
        refunds = self.server.get_order(order_id)["refunds"]
        return [Decimal(row["amount"]) for row in refunds if row["status"] == "SUCCESS"]

    def make_webhook(self, order_id):
        now = datetime.now(UTC)
        body = {"msg_id": uuid.uuid4().hex, "topic": "trade_changed", "order_id": order_id}
        body["modified"] = marketplace_mapper.format_time(now)
        body, moment = json.dumps(body).encode(), str(int(now.timestamp()))
        return {
            marketplace_signature.WEBHOOK_TIMESTAMP: moment,
            marketplace_signature.WEBHOOK_SIGN: marketplace_signature.sign_webhook(WEBHOOK_SECRET, moment, body),
        }, body


class TaobaoDriver(ShopDriver):
    provider = "taobao"
    wrong = {"api_secret": "wrong"}
    currency = "CNY"
    edit_bumps_list = False  # an order that changes leaves the window that is being read
    refunds_on_request = True
    cancels_lines_whole = True
    sold = {"OMS-MUG": 1, "OMS-TEE-L": 2}

    def make_server(self):
        return TopServer()

    def fill(self):
        self.server.add_item("OMS-TEE", "T-Shirt", "19.99", 500, options=("M", "L"))
        self.server.add_item("OMS-MUG", "Mug", "8.50", 500)

    def get_config(self, **credentials):
        keys = {
            "api_key": TOP_KEY,
            "api_secret": TOP_SECRET,
            "session_token": TOP_SESSION,
            "session_refresh_token": TOP_REFRESH,
        }
        return ChannelConfig(self.server.url, {**keys, **credentials})

    def place(self, name=NAME, street=STREET):
        return self.server.place(self.sold, name, street)

    def edit(self, order_id, street):
        self.server.touch(order_id, receiver_address=street)

    def cancel(self, order_id):
        self.server.cancel(order_id)

    def ask_refund(self, order_id, amount=None):
        if amount:
            self.server.ask_refund(order_id, 0, refund_fee=str(amount))
            return
        orders, post_fee = self.server.get_orders(order_id), Decimal(self.server.trades[int(order_id)]["post_fee"])
        for index, order in enumerate(orders):  # with the last one the postage
            fee = Decimal(order["divide_order_fee"]) + (post_fee if order is orders[-1] else 0)
            self.server.ask_refund(order_id, index, refund_fee=str(fee))

    def ask_back(self):
        order_id = self.place()
        return order_id, str(self.server.ask_refund(order_id, 0, goods=True))

    def ask_units(self, order_id, line, units):
        oids = [str(order["oid"]) for order in self.server.get_orders(order_id)]
        self.server.ask_refund(order_id, oids.index(line.external_id))

    def ask_refund_twice(self, order_id, amount):
        for index in range(2):
            self.server.ask_refund(order_id, index, refund_fee=str(amount))

    def get_refunds(self, order_id):
        refunds = [row for row in self.server.refunds.values() if str(row["tid"]) == order_id]
        return [Decimal(row["refund_fee"]) for row in refunds if row["status"] == "SUCCESS"]

    def count_parcels(self, order_id):
        orders = self.server.get_orders(order_id)
        return len({order["invoice_no"] for order in orders if order.get("invoice_no")})

    def get_sellable(self, sku):
        row = self.server.find(sku)
        return row["quantity"] if "sku_id" in row else row["num"]


class JdDriver(TaobaoDriver):
    provider = "jd"
    ships_whole = True

    def make_server(self):
        return JdServer()

    def edit(self, order_id, street):
        self.server.edit(order_id, street)

    def ask_refund(self, order_id, amount=None):
        self.server.ask_refund(order_id)

    def ask_back(self):
        order_id = self.place()
        self.server.ask_refund(order_id)
        return order_id, str(self.server.refunds[int(order_id)]["id"])

    def get_refunds(self, order_id):
        refunds = [row for row in self.server.refunds.values() if row["orderId"] == order_id and row["status"] == 3]
        return [Decimal(row["applyRefundSum"]) / 100 for row in refunds]

    def count_parcels(self, order_id):
        waybill = self.server.orders[int(order_id)].get("waybill", "")
        return len(waybill.replace("|", ",").split(",")) if waybill else 0

    def get_sellable(self, sku):
        return self.server.find(sku)["stockNum"]


class WechatDriver(TaobaoDriver):
    provider = "wechat"
    lists_once = False  # a page begins with the last second of the one before
    cancels_lines_whole = False
    groups_payouts = False
    sold = {"OMS-TEE-L": 3}

    def make_server(self):
        return WechatServer()

    def get_config(self, **credentials):
        return ChannelConfig(self.server.url, {"api_key": APPID, "api_secret": APPSECRET, **credentials})

    def edit(self, order_id, street):
        self.server.edit(order_id, street)

    def ask_refund(self, order_id, amount=None):
        self.server.ask_refund(order_id, amount=amount)

    def ask_back(self):
        order_id = self.place()
        self.server.ask_refund(order_id, kind="RETURN", count=1)
        return order_id, next(key for key, row in self.server.aftersales.items() if row["order_id"] == order_id)

    def ask_units(self, order_id, line, units):
        worth = (line.total * units / line.quantity).quantize(Decimal("0.01"))
        self.server.ask_refund(order_id, amount=worth, count=int(units))

    def ask_refund_twice(self, order_id, amount):
        for _index in range(2):
            self.server.ask_refund(order_id, amount=amount, count=1)

    def get_refunds(self, order_id):
        return [Decimal(row["refund_info"]["amount"]) / 100 for row in self.server.get_granted(order_id)]

    def count_parcels(self, order_id):
        return len(self.server.get_parcels(order_id))

    def get_sellable(self, sku):
        return self.server.find(sku)["stock_num"]


def stop_shared():
    """Stop what is shared by several drivers."""
    if MedusaDriver.shared:
        MedusaDriver.shared.__exit__(None, None, None)
        MedusaDriver.shared = None


def make_drivers():
    """{name: callable that makes the driver} of the shops that can be run here, and of a given WooCommerce shop."""
    drivers = {
        "medusa": MedusaDriver,
        "connector": ConnectorDriver,
        "vendure": VendureDriver,
        "woocommerce": WooCommerceDriver,
        "woocommerce-notes": lambda: WooCommerceDriver(fulfillments=False),
        "woocommerce-lived-in": LivedInWooCommerceDriver,
        "shopify": ShopifyDriver,
        "amazon": lambda: AmazonDriver("2026-01-01"),
        "amazon-v0": lambda: AmazonDriver("v0"),
        "marketplace": MarketplaceDriver,
        "taobao": TaobaoDriver,
        "jd": JdDriver,
        "wechat": WechatDriver,
    }
    if url := os.environ.get("OMS_WOOCOMMERCE_URL"):
        keys = [os.environ.get(f"OMS_WOOCOMMERCE_{name}", "") for name in ("KEY", "SECRET")]
        drivers["woocommerce-given"] = lambda: GivenWooCommerceDriver(url, *keys)
    return drivers
