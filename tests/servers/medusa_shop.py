"""What tests do in a Medusa shop: fill it, buy in it, look into it."""

import json
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from decimal import Decimal

EMAIL, PASSWORD = "admin@example.com", "supersecret"


class MedusaError(Exception):
    """The test server did not do what was asked."""


class MedusaShop:
    """A shop that runs at ``url``.

    :param webhook_secret: key of the events' HMAC, handed on by ``seed``
    """

    def __init__(self, url, webhook_secret):
        self.url, self.webhook_secret = url, webhook_secret
        self._token = None
        self.secret_key = self.publishable_key = ""
        self.region = self.sales_channel = self.location = self.shipping_profile = self.shipping_option = {}
        self.variants = {}  # sku -> variant as the shop describes it

    # === HTTP === #

    def request(self, method, path, body=None, params=None, headers=None):
        """One JSON call; raises MedusaError with the shop's answer unless 2xx."""
        url = self.url + path + (f"?{urllib.parse.urlencode(params)}" if params else "")
        data = None if body is None else json.dumps(body, default=_number).encode()
        request = urllib.request.Request(
            url, data=data, method=method, headers={"Content-Type": "application/json", **(headers or {})}
        )
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null", parse_float=Decimal)
        except urllib.error.HTTPError as error:
            raise MedusaError(
                f"{method} {path}: HTTP {error.code} {error.read().decode(errors='replace')[:1500]}"
            ) from error

    def admin(self, method, path, body=None, **params):
        """A call as the shop's administrator, path below /admin."""
        if self.secret_key:
            header = "Basic " + b64encode(f"{self.secret_key}:".encode()).decode()
        else:
            self._token = (
                self._token
                or self.request("POST", "/auth/user/emailpass", {"email": EMAIL, "password": PASSWORD})["token"]
            )
            header = f"Bearer {self._token}"
        return self.request(method, f"/admin{path}", body, params, {"Authorization": header})

    def store(self, method, path, body=None, **params):
        """A call as a buyer's browser, path below /store."""
        return self.request(method, f"/store{path}", body, params, {"x-publishable-api-key": self.publishable_key})

    # === SHOP === #

    def seed(
        self, products, currency="usd", countries=("us",), shipping_price="7.50", tax_rate=None, tax_included=False
    ):
        """Make the shop: region, sales channel, stock location, shipping option, keys, products with stock.

        :param products: list of {"sku", "title", "price", "stock"} and optionally "barcode", "weight" (grams)
        :param tax_rate: percent for all countries, or None
        :return: dict with url, secret_key, publishable_key, location_id, sales_channel_id, region_id, webhook_secret
        """
        self.secret_key = self.admin("POST", "/api-keys", {"title": "connector", "type": "secret"})["api_key"]["token"]
        self.sales_channel = self.admin("POST", "/sales-channels", {"name": "Webshop"})["sales_channel"]
        self._seed_region(currency, list(countries), tax_rate, tax_included)
        self._seed_location(currency, list(countries), shipping_price)
        key = self.admin("POST", "/api-keys", {"title": "storefront", "type": "publishable"})["api_key"]
        self.admin("POST", f"/api-keys/{key['id']}/sales-channels", {"add": [self.sales_channel["id"]]})
        self.publishable_key = key["token"]
        self.add_products(products, currency)
        return {
            "url": self.url,
            "secret_key": self.secret_key,
            "publishable_key": self.publishable_key,
            "location_id": self.location["id"],
            "sales_channel_id": self.sales_channel["id"],
            "region_id": self.region["id"],
            "webhook_secret": self.webhook_secret,
        }

    def _seed_region(self, currency, countries, tax_rate, tax_included):
        store = self.admin("GET", "/stores")["stores"][0]
        self.admin(
            "POST",
            f"/stores/{store['id']}",
            {
                "supported_currencies": [
                    {"currency_code": currency, "is_default": True, "is_tax_inclusive": tax_included}
                ],
                "default_sales_channel_id": self.sales_channel["id"],
            },
        )
        self.region = self.admin(
            "POST",
            "/regions",
            {
                "name": "Home",
                "currency_code": currency,
                "countries": countries,
                "is_tax_inclusive": tax_included,
                "payment_providers": ["pp_system_default"],
            },
        )["region"]
        for country in countries if tax_rate is not None else ():
            self.admin(
                "POST",
                "/tax-regions",
                {
                    "country_code": country,
                    "provider_id": "tp_system",
                    "default_tax_rate": {"rate": tax_rate, "code": "default", "name": "Tax"},
                },
            )

    def _seed_location(self, currency, countries, shipping_price):
        self.location = self.admin(
            "POST",
            "/stock-locations",
            {
                "name": "Main warehouse",
                "address": {"address_1": "1 Depot Road", "city": "Depot", "country_code": countries[0]},
            },
        )["stock_location"]
        path = f"/stock-locations/{self.location['id']}"
        self.admin("POST", f"{path}/sales-channels", {"add": [self.sales_channel["id"]]})
        self.admin("POST", f"{path}/fulfillment-providers", {"add": ["manual_manual"]})
        zone_id = self._make_service_zone(path, countries)
        profiles = self.admin("GET", "/shipping-profiles")["shipping_profiles"]
        self.shipping_profile = (
            profiles[0]
            if profiles
            else self.admin("POST", "/shipping-profiles", {"name": "Default", "type": "default"})["shipping_profile"]
        )
        self.shipping_option = self.admin(
            "POST",
            "/shipping-options",
            {
                "name": "Standard",
                "service_zone_id": zone_id,
                "shipping_profile_id": self.shipping_profile["id"],
                "provider_id": "manual_manual",
                "price_type": "flat",
                "type": {"label": "Standard", "description": "3-5 days", "code": "standard"},
                "prices": [{"currency_code": currency, "amount": Decimal(shipping_price)}],
                "rules": [
                    {"attribute": "enabled_in_store", "operator": "eq", "value": "true"},
                    {"attribute": "is_return", "operator": "eq", "value": "false"},
                ],
            },
        )["shipping_option"]

    def _make_service_zone(self, path, countries):
        """Let the stock location at ``path`` ship to these countries; returns the zone's id."""
        sets = self.admin(
            "POST", f"{path}/fulfillment-sets", {"name": "Shipping", "type": "shipping"}, fields="*fulfillment_sets"
        )
        set_id = sets["stock_location"]["fulfillment_sets"][0]["id"]
        zones = self.admin(
            "POST",
            f"/fulfillment-sets/{set_id}/service-zones",
            {
                "name": "Home",
                "geo_zones": [{"type": "country", "country_code": country} for country in countries],
            },
            fields="*service_zones",
        )
        return zones["fulfillment_set"]["service_zones"][0]["id"]

    def add_products(self, products, currency="usd"):
        """Add products of one variant each and put their stock on the shop's location."""
        created = self.admin(
            "POST",
            "/products/batch",
            {
                "create": [
                    {
                        "title": product["title"],
                        "handle": product["sku"].lower(),
                        "status": "published",
                        "shipping_profile_id": self.shipping_profile["id"],
                        "sales_channels": [{"id": self.sales_channel["id"]}],
                        "options": [{"title": "Kind", "values": ["Standard"]}],
                        "variants": [
                            {
                                "title": "Standard",
                                "sku": product["sku"],
                                **({"barcode": product["barcode"]} if product.get("barcode") else {}),
                                "weight": product.get("weight", 250),
                                "manage_inventory": True,
                                "options": {"Kind": "Standard"},
                                "prices": [{"currency_code": currency, "amount": Decimal(str(product["price"]))}],
                            }
                        ],
                    }
                    for product in products
                ]
            },
        )["created"]
        self.variants.update({variant["sku"]: variant for product in created for variant in product["variants"]})
        levels = []
        for product in products:
            item = self.get_inventory_item(product["sku"])
            levels.append(
                {
                    "inventory_item_id": item["id"],
                    "location_id": self.location["id"],
                    "stocked_quantity": product.get("stock", 0),
                }
            )
        self.admin("POST", "/inventory-items/location-levels/batch", {"create": levels})

    def checkout(self, email, address, items, capture=False, promo_codes=()):
        """Buy as a buyer would, through the Store API.

        :param address: {"first_name", "last_name", "address_1", "city", "postal_code", "country_code", ...}
        :param items: {sku: quantity}
        :param capture: also take the money, as most shops' payment providers do at once
        :return: id of the placed order
        """
        cart = self.store(
            "POST",
            "/carts",
            {
                "region_id": self.region["id"],
                "email": email,
                "items": [
                    {"variant_id": self.variants[sku]["id"], "quantity": quantity} for sku, quantity in items.items()
                ],
                "shipping_address": address,
                "billing_address": address,
                **({"promo_codes": list(promo_codes)} if promo_codes else {}),
            },
            fields="id",
        )["cart"]
        self.store(
            "POST", f"/carts/{cart['id']}/shipping-methods", {"option_id": self.shipping_option["id"]}, fields="id"
        )
        collection = self.store("POST", "/payment-collections", {"cart_id": cart["id"]}, fields="id")
        self.store(
            "POST",
            f"/payment-collections/{collection['payment_collection']['id']}/payment-sessions",
            {"provider_id": "pp_system_default"},
            fields="id",
        )
        answer = self.store("POST", f"/carts/{cart['id']}/complete", fields="id")
        if answer.get("type") != "order":
            raise MedusaError(f"The checkout made no order: {answer.get('error')}")
        order_id = answer["order"]["id"]
        if capture:
            self.capture(order_id)
        return order_id

    def pay_more(self, order_id, sku, units=1):
        """Add units to a paid order, paid by hand: a payment of its own."""
        path = f"/order-edits/{order_id}"
        self.admin("POST", "/order-edits", {"order_id": order_id})
        self.admin("POST", f"{path}/items", {"items": [{"variant_id": self.variants[sku]["id"], "quantity": units}]})
        self.admin("POST", f"{path}/confirm", {})
        summary = self.admin("GET", f"/orders/{order_id}", fields="id,summary")["order"]["summary"]
        wanted = {"order_id": order_id, "amount": summary["pending_difference"]}
        collection = self.admin("POST", "/payment-collections", wanted)["payment_collection"]["id"]
        self.admin("POST", f"/payment-collections/{collection}/mark-as-paid", {"order_id": order_id})

    def capture(self, order_id):
        """Take the money of an order's payments."""
        fields = "id,payment_collections.payments.id,payment_collections.payments.captured_at"
        order = self.admin("GET", f"/orders/{order_id}", fields=fields)["order"]
        for payment in (payment for row in order["payment_collections"] for payment in row["payments"]):
            if not payment["captured_at"]:
                self.admin("POST", f"/payments/{payment['id']}/capture", {}, fields="id")

    # === LOOK INSIDE === #

    def get_order(self, order_id):
        """The order with everything a test asks about."""
        fields = (
            "+email,+currency_code,+canceled_at,+payment_status,+fulfillment_status,*items,*shipping_address,"
            "*fulfillments,*fulfillments.labels,*fulfillments.items,*summary"
        )
        return self.admin("GET", f"/orders/{order_id}", fields=fields)["order"]

    def get_payments(self, order_id):
        """The order's payments with captures and refunds."""
        collections = self.get_order(order_id)["payment_collections"]
        return [payment for collection in collections for payment in collection["payments"]]

    def get_refunds(self, order_id):
        """[(amount, note)] of the order, oldest first."""
        refunds = [refund for payment in self.get_payments(order_id) for refund in payment["refunds"]]
        return [
            (Decimal(refund["amount"]), refund["note"]) for refund in sorted(refunds, key=lambda r: r["created_at"])
        ]

    def get_returns(self, order_id):
        """The order's returns with their items."""
        return self.admin("GET", "/returns", order_id=order_id, fields="*items")["returns"]

    def get_inventory_item(self, sku):
        return self.admin("GET", "/inventory-items", sku=sku)["inventory_items"][0]

    def get_stock(self, sku):
        """(stocked, reserved) at the shop's location."""
        item = self.get_inventory_item(sku)
        levels = self.admin("GET", f"/inventory-items/{item['id']}/location-levels")["inventory_levels"]
        level = next(level for level in levels if level["location_id"] == self.location["id"])
        return Decimal(level["stocked_quantity"]), Decimal(level["reserved_quantity"])


def _number(value):
    """JSON of Decimal: a plain number, as the shop expects amounts in major units."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(type(value).__name__)
