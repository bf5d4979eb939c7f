"""What tests do in a Vendure shop: fill it, buy in it through its Shop API, look into it."""

import json
import urllib.error
import urllib.request
from decimal import Decimal

USER, PASSWORD = "superadmin", "oms-test-password"
# Written "@error" in the documents below.
ERROR = "... on ErrorResult { errorCode message }"


class VendureError(Exception):
    """The test server did not do what was asked."""


class VendureShop:
    """A shop that runs at ``url``."""

    def __init__(self, url, webhook_secret):
        self.url, self.webhook_secret = url, webhook_secret
        self._token = None
        self.location = ""
        self.variants = {}  # sku -> id
        self._tax_category = ""

    # === HTTP === #

    def call(self, api, query, variables=None, token=None):
        """(data, token) of one GraphQL call; raises VendureError for any of the three kinds of errors."""
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        request = urllib.request.Request(
            f"{self.url}/{api}",
            data=json.dumps({"query": query.replace("@error", ERROR), "variables": variables or {}}).encode(),
            headers=headers,
        )
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as response:
                answer, token = json.loads(response.read()), response.headers.get("vendure-auth-token") or token
        except urllib.error.HTTPError as error:
            raise VendureError(f"HTTP {error.code} {error.read().decode(errors='replace')[:1500]}") from error
        if answer.get("errors"):
            raise VendureError(json.dumps(answer["errors"])[:1500])
        for value in (answer.get("data") or {}).values():
            if isinstance(value, dict) and value.get("errorCode"):
                raise VendureError(f"{value['errorCode']}: {value['message']}")
        return answer["data"], token

    def admin(self, query, **variables):
        """A call as the shop's administrator; returns the only field of the answer."""
        if not self._token:
            login = f'mutation {{ login(username: "{USER}", password: "{PASSWORD}") {{ __typename @error }} }}'
            _data, self._token = self.call("admin-api", login)
        data, _token = self.call("admin-api", query, variables, self._token)
        return next(iter(data.values()))

    # === SHOP === #

    def seed(self, products, tax_rate=0, shipping_price="7.50", country="US", currency="USD"):
        """Make the shop: zone, tax, shipping method, payment method, products with stock.

        :param products: list of {"sku", "title", "price", "stock"}
        """
        channel = self.admin("{ activeChannel { id } }")
        country_id = self.admin(
            "mutation($code: String!) { createCountry(input: {code: $code, enabled: true, "
            "translations: [{languageCode: en, name: $code}]}) { id } }",
            code=country,
        )["id"]
        zone = self.admin(
            'mutation($ids: [ID!]) { createZone(input: {name: "Home", memberIds: $ids}) { id } }', ids=[country_id]
        )["id"]
        self._tax_category = self.admin(
            'mutation { createTaxCategory(input: {name: "Standard", isDefault: true}) { id } }'
        )["id"]
        self.admin(
            "mutation($input: CreateTaxRateInput!) { createTaxRate(input: $input) { id } }",
            input={
                "name": "Tax",
                "enabled": True,
                "value": tax_rate,
                "categoryId": self._tax_category,
                "zoneId": zone,
            },
        )
        self.admin(
            "mutation($input: UpdateChannelInput!) { updateChannel(input: $input) { __typename @error } }",
            input={
                "id": channel["id"],
                "defaultTaxZoneId": zone,
                "defaultShippingZoneId": zone,
                "defaultCurrencyCode": currency,
                "availableCurrencyCodes": [currency],
            },
        )
        self._seed_methods(shipping_price)
        self.location = self.admin("{ stockLocations { items { id name } } }")["items"][0]["id"]
        self.add_products(products)

    def _seed_methods(self, shipping_price):
        rate = str(int(Decimal(shipping_price) * 100))
        self.admin(
            "mutation($input: CreateShippingMethodInput!) { createShippingMethod(input: $input) { id } }",
            input={
                "code": "standard",
                "fulfillmentHandler": "manual-fulfillment",
                "checker": {
                    "code": "default-shipping-eligibility-checker",
                    "arguments": [{"name": "orderMinimum", "value": "0"}],
                },
                "calculator": {
                    "code": "default-shipping-calculator",
                    "arguments": [
                        {"name": "rate", "value": rate},
                        {"name": "includesTax", "value": "exclude"},
                        {"name": "taxRate", "value": "0"},
                    ],
                },
                "translations": [{"languageCode": "en", "name": "Standard", "description": "3-5 days"}],
            },
        )
        for code, settles in (("card", "true"), ("invoice", "false")):
            self.admin(
                "mutation($input: CreatePaymentMethodInput!) { createPaymentMethod(input: $input) { id } }",
                input={
                    "code": code,
                    "enabled": True,
                    "handler": {
                        "code": "dummy-payment-handler",
                        "arguments": [{"name": "automaticSettle", "value": settles}],
                    },
                    "translations": [{"languageCode": "en", "name": code, "description": ""}],
                },
            )

    def add_products(self, products):
        """Add products of one variant each with their stock."""
        for product in products:
            names = [{"languageCode": "en", "name": product["title"]}]
            made = self.admin(
                "mutation($input: CreateProductInput!) { createProduct(input: $input) { id } }",
                input={
                    "enabled": True,
                    "translations": [{**names[0], "slug": product["sku"].lower(), "description": ""}],
                },
            )
            [variant] = self.admin(
                "mutation($input: [CreateProductVariantInput!]!) { createProductVariants(input: $input) { id } }",
                input=[
                    {
                        "productId": made["id"],
                        "sku": product["sku"],
                        "price": int(Decimal(str(product["price"])) * 100),
                        "trackInventory": product.get("track", "TRUE"),
                        "taxCategoryId": self._tax_category,
                        "stockLevels": [
                            {"stockLocationId": self.location, "stockOnHand": product.get("stock", 0)},
                        ],
                        "translations": names,
                    }
                ],
            )
            self.variants[product["sku"]] = variant["id"]

    def checkout(self, email, address, items, capture=False, coupons=(), place=True):
        """Buy as a buyer would, through the Shop API.

        :param address: CreateAddressInput
        :param items: {sku: quantity}
        :param capture: pay with what settles at once
        :param place: False leaves it a cart
        :return: id of the order
        """
        token = None

        def shop(query, **variables):
            nonlocal token
            data, token = self.call("shop-api", query, variables, token)
            return next(iter(data.values()))

        for sku, quantity in items.items():
            cart = shop(
                "mutation($id: ID!, $quantity: Int!) { addItemToOrder(productVariantId: $id, quantity: $quantity) "
                "{ __typename ... on Order { id } @error } }",
                id=self.variants[sku],
                quantity=quantity,
            )
        if not place:
            return cart["id"]
        for code in coupons:
            shop("mutation($code: String!) { applyCouponCode(couponCode: $code) { __typename @error } }", code=code)
        first, _space, last = address["fullName"].partition(" ")
        shop(
            "mutation($input: CreateCustomerInput!) { setCustomerForOrder(input: $input) { __typename @error } }",
            input={"emailAddress": email, "firstName": first, "lastName": last},
        )
        shop(
            "mutation($input: CreateAddressInput!) { setOrderShippingAddress(input: $input) { __typename @error } }",
            input=address,
        )
        method = shop("{ eligibleShippingMethods { id } }")[0]["id"]
        shop(
            "mutation($ids: [ID!]!) { setOrderShippingMethod(shippingMethodId: $ids) { __typename @error } }",
            ids=[method],
        )
        shop('mutation { transitionOrderToState(state: "ArrangingPayment") { __typename @error } }')
        shop(
            "mutation($input: PaymentInput!) { addPaymentToOrder(input: $input) { __typename @error } }",
            input={"method": "card" if capture else "invoice", "metadata": {}},
        )
        return cart["id"]

    def add_coupon(self, code, percent):
        """Make a coupon that takes percents off the whole order."""
        self.admin(
            "mutation($input: CreatePromotionInput!) { createPromotion(input: $input) { __typename @error } }",
            input={
                "enabled": True,
                "couponCode": code,
                "conditions": [],
                "actions": [
                    {
                        "code": "order_percentage_discount",
                        "arguments": [{"name": "discount", "value": str(percent)}],
                    }
                ],
                "translations": [{"languageCode": "en", "name": code, "description": ""}],
            },
        )

    def pay_more(self, order_id, price="10.00"):
        """Add a charge to a paid order, paid by hand: a payment of its own, whose refunds wait to be settled."""
        cents = int(Decimal(price) * 100)
        charge = {"description": "Gift wrap", "sku": "WRAP", "price": cents, "priceIncludesTax": True, "taxRate": 0}
        move = "mutation($id: ID!, $to: String!) { transitionOrderToState(id: $id, state: $to) { __typename @error } }"
        self.admin(move, id=order_id, to="Modifying")
        self.admin(
            "mutation($input: ModifyOrderInput!) { modifyOrder(input: $input) { __typename @error } }",
            input={"dryRun": False, "orderId": order_id, "surcharges": [charge]},
        )
        self.admin(move, id=order_id, to="ArrangingAdditionalPayment")
        self.admin(
            "mutation($input: ManualPaymentInput!) { addManualPaymentToOrder(input: $input) { __typename @error } }",
            input={"orderId": order_id, "method": "bank transfer", "metadata": {}},
        )
        self.admin(move, id=order_id, to="PaymentSettled")

    def capture(self, order_id):
        """Take the money of an order's authorized payments."""
        for payment in self.get_order(order_id)["payments"]:
            if payment["state"] == "Authorized":
                self.admin("mutation($id: ID!) { settlePayment(id: $id) { __typename @error } }", id=payment["id"])

    def edit(self, order_id, **changes):
        """Change a placed order as the shop's staff would. :param changes: keys of ModifyOrderInput"""
        before = self.get_order(order_id)["state"]
        move = "mutation($id: ID!, $to: String!) { transitionOrderToState(id: $id, state: $to) { __typename @error } }"
        self.admin(move, id=order_id, to="Modifying")
        self.admin(
            "mutation($input: ModifyOrderInput!) { modifyOrder(input: $input) { __typename @error } }",
            input={"dryRun": False, "orderId": order_id, **changes},
        )
        self.admin(move, id=order_id, to=before)

    def cancel(self, order_id):
        """Cancel as the shop's staff would."""
        self.admin(
            "mutation($input: CancelOrderInput!) { cancelOrder(input: $input) { __typename @error } }",
            input={"orderId": order_id, "reason": "changed mind", "cancelShipping": True},
        )

    def add_administrator(self, name, password, permissions):
        """Make an administrator who may only do so much."""
        role = self.admin(
            "mutation($input: CreateRoleInput!) { createRole(input: $input) { id } }",
            input={"code": name, "description": name, "permissions": permissions},
        )["id"]
        self.admin(
            "mutation($input: CreateAdministratorInput!) { createAdministrator(input: $input) { id } }",
            input={
                "firstName": name,
                "lastName": name,
                "emailAddress": name,
                "password": password,
                "roleIds": [role],
            },
        )

    # === LOOK INSIDE === #

    def get_order(self, order_id):
        return self.admin(
            "query($id: ID!) { order(id: $id) { id state payments { id state amount refunds { id total state reason } }"
            " fulfillments { id state trackingCode method lines { orderLineId quantity } } } }",
            id=order_id,
        )

    def get_refunds(self, order_id):
        """[(amount, reason)] that were paid back."""
        return [
            (Decimal(refund["total"]) / 100, refund["reason"])
            for payment in self.get_order(order_id)["payments"]
            for refund in payment["refunds"]
            if refund["state"] == "Settled"
        ]

    def get_stock(self, sku):
        """(on hand, allocated) at the shop's location."""
        variant = self.admin(
            "query($id: ID!) { productVariant(id: $id) { stockLevels "
            "{ stockLocationId stockOnHand stockAllocated } } }",
            id=self.variants[sku],
        )
        level = next(row for row in variant["stockLevels"] if row["stockLocationId"] == self.location)
        return level["stockOnHand"], level["stockAllocated"]
