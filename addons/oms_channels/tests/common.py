import copy
import json
from unittest.mock import patch

from odoo.fields import Command

from odoo.addons.oms_base.tests.common import OmsBaseCommon
from odoo.addons.oms_channels.adapters import http

SHOP = "http://shop.test"
ADDRESS = {
    "first_name": "三",
    "last_name": "张",
    "address_1": "文三路 90 号",
    "address_2": "",
    "city": "杭州市",
    "province": "浙江省",
    "postal_code": "310012",
    "country_code": "cn",
    "phone": "+86 138 0000 0000",
}


class FakeMedusa:
    """The far end of the wire: answers HTTP requests like a Medusa v2 shop, and counts them."""

    def __init__(self):
        self.orders, self.variants, self.calls, self.levels, self.edits = {}, [], [], [], {}
        self.failure = None  # (status, headers) to answer with
        self.stock = {}  # inventory item: what it has
        self.clock = 0
        self.gives_back = False  # whether it pays back what it cancels, as Medusa does

    def __call__(self, request):
        path = request.url.removeprefix(f"{SHOP}/admin")
        body = json.loads(request.body) if request.body else None
        self.calls.append((request.method, path, body))
        if self.failure:
            status, headers = self.failure
            return http.HttpResponse(status, {"content-type": "application/json", **headers}, b"{}")
        status, answer = self.answer(request.method, path, dict(request.params), body)
        return http.HttpResponse(status, {"content-type": "application/json"}, json.dumps(answer).encode())

    def answer(self, method, path, params, body):
        parts = path.strip("/").split("/")
        if method == "GET":
            return self.fetch(parts, params)
        if parts[0] == "order-edits" or (parts[0] == "orders" and len(parts) == 2):
            return self.edit(method, parts, body)
        if parts[0] == "orders" and len(parts) == 3:
            order = self.orders[parts[1]]
            if parts[2] == "cancel":
                self.change(order["id"], status="canceled")
            else:
                items = [{"line_item_id": item["id"], "quantity": item["quantity"]} for item in body["items"]]
                row = {
                    "id": f"ful_{len(order['fulfillments']) + 1}",
                    "items": items,
                    "labels": [],
                    **body,
                }
                row["items"] = items
                order["fulfillments"].append(row)
            return 200, {"order": order}
        if parts[0] == "orders" and parts[2] == "fulfillments":
            order = self.orders[parts[1]]
            row = next(row for row in order["fulfillments"] if row["id"] == parts[3])
            if parts[4] == "shipments":
                row.update(shipped_at=self.now(), labels=body["labels"])
            else:
                row["delivered_at"] = self.now()
            return 200, {"order": order}
        if parts[0] == "payments":
            payment = self.payment(parts[1])
            payment["refunds"].append({"id": f"ref_{parts[1]}", "created_at": self.now(), **body})
            return 200, {"payment": payment}
        if parts[0] == "products":
            return 200, {"product": {"id": parts[1]}}
        if parts[0] == "inventory-items":
            self.levels += body.get("update", []) + body.get("create", [])
            return 200, {}
        return 404, {"message": f"{method} {path}"}

    def edit(self, method, parts, body):
        """An edit of an order: begun, its lines written anew, confirmed; or its metadata is written."""
        if parts[0] == "orders":
            self.orders[parts[1]].update(body)
        if method == "DELETE":
            return 404, {"message": "no edit"}
        if parts[2:] == ["confirm"]:
            order = self.change(parts[1])
            for item in order["items"]:
                item.update(self.edits.pop(item["id"], {}))
            shipping = sum(row["total"] for row in order["shipping_methods"])
            order["total"] = round(sum(row["total"] for row in order["items"]) + shipping, 2)
        elif len(parts) > 3:
            item = next(row for row in self.orders[parts[1]]["items"] if row["id"] == parts[4])
            net = item["unit_price"] * body["quantity"]
            self.edits[parts[4]] = {"quantity": body["quantity"], "total": net}
        return 200, {"order_preview": {}}

    def fetch(self, parts, params):
        if parts == ["orders"]:
            since = params["updated_at[$gte]"]
            orders = sorted(
                (row for row in self.orders.values() if row["updated_at"] >= since), key=lambda row: row["updated_at"]
            )
            start = int(params["offset"])
            return 200, {"orders": orders[start : start + int(params["limit"])]}
        if parts[0] == "orders":
            order = self.orders.get(parts[1])
            return (200, {"order": order}) if order else (404, {"message": "no such order"})
        if parts == ["product-variants"]:
            start = int(params["offset"])
            return 200, {"variants": self.variants[start : start + int(params["limit"])]}
        if parts[0] == "products":
            return 200, {"variant": {"id": parts[3], "prices": []}}
        if parts == ["stock-locations"]:
            return 200, {"stock_locations": [{"id": "sloc_1", "name": "Hangzhou"}]}
        if parts == ["stores"]:
            return 200, {"stores": [{"id": "store_1", "name": "Test Store", "supported_currencies": []}]}
        if parts == ["sales-channels"]:
            return 200, {"sales_channels": []}
        if parts == ["inventory-items"]:
            items = [
                {"id": item, "sku": row["sku"], "location_levels": self.fetch_levels(item)}
                for row in self.variants
                for item in [row["id"].replace("variant", "iitem")]
            ]
            return 200, {"inventory_items": items}
        if parts[0] == "payments":
            order = next(row for row in self.orders.values() if parts[1] in json.dumps(row["payment_collections"]))
            return 200, {"payment": {"id": parts[1], "payment_collection": {"order": {"id": order["id"]}}}}
        return 404, {"message": "/".join(parts)}

    def fetch_levels(self, item):
        if item not in self.stock:
            return []
        return [{"location_id": "sloc_1", "stocked_quantity": self.stock[item], "reserved_quantity": 0}]

    def now(self):
        """A new time of the shop's clock, a second after the last."""
        self.clock += 1
        return f"2026-01-01T{self.clock // 3600:02d}:{self.clock // 60 % 60:02d}:{self.clock % 60:02d}.000Z"

    def calls_to(self, path):
        """The calls that changed something below a path."""
        return [call for call in self.calls if call[0] != "GET" and call[1].startswith(path)]

    def payment(self, payment_id):
        return next(
            payment
            for order in self.orders.values()
            for collection in order["payment_collections"]
            for payment in collection["payments"]
            if payment["id"] == payment_id
        )

    # === WHAT BUYERS AND STAFF DO IN THE SHOP === #

    def place(self, number, items, shipping=10.0, currency="usd", captured=False, **values):
        """Place an order. :param items: list of (sku, quantity, unit price) or (..., tax rate, discount)"""
        now, order_id = self.now(), f"order_{number}"
        rows = [self._prepare_item(f"ordli_{number}_{index}", *item) for index, item in enumerate(items)]
        total = round(sum(row["total"] for row in rows) + shipping, 2)
        payment = {
            "id": f"pay_{number}",
            "amount": total,
            "currency_code": currency,
            "provider_id": "pp_test",
            "created_at": now,
            "captures": [],
            "refunds": [],
        }
        self.orders[order_id] = {
            "id": order_id,
            "display_id": number,
            "status": "pending",
            "version": 1,
            "created_at": now,
            "updated_at": now,
            "email": f"buyer{number}@example.com",
            "customer_id": f"cus_{number}",
            "currency_code": currency,
            "total": total,
            "items": rows,
            "shipping_address": dict(ADDRESS),
            "billing_address": dict(ADDRESS),
            "shipping_methods": [{"id": f"ordsm_{number}", "name": "Express", "amount": shipping, "total": shipping}]
            if shipping
            else [],
            "payment_collections": [{"id": f"paycol_{number}", "payments": [payment]}],
            "fulfillments": [],
            **values,
        }
        if captured:
            self.capture(number)
        return self.orders[order_id]

    def _prepare_item(self, item_id, sku, quantity, price, rate=0.0, discount=0.0):
        net = price * quantity - discount
        tax = net * rate / 100
        return {
            "id": item_id,
            "variant_id": f"variant_{sku}",
            "product_id": f"prod_{sku}",
            "variant_sku": sku,
            "title": sku,
            "quantity": quantity,
            "unit_price": price,
            "total": net + tax,
            "tax_total": tax,
            "is_tax_inclusive": False,
            "tax_lines": [{"rate": rate}] if rate else [],
            "adjustments": [{"amount": discount}] if discount else [],
            "detail": {},
        }

    def capture(self, number):
        """Take the buyer's money: as in Medusa, it does not bump the order's updated_at."""
        payment, now = self.payment(f"pay_{number}"), self.now()
        payment.update(
            captured_at=now, captures=[{"id": f"capt_{number}", "amount": payment["amount"], "created_at": now}]
        )

    def authorize(self, number, amount):
        """Have the buyer's card promise so much: what an order costs more after an edit, too."""
        self.payment(f"pay_{number}")["amount"] = amount

    def pay_back(self, order):
        for payment in order["payment_collections"][0]["payments"] if self.gives_back else ():
            amount = sum(row["amount"] for row in payment["captures"])
            payment["refunds"].append({"id": "ref_all", "amount": amount, "created_at": self.now()})

    def refund(self, number, amount):
        """Give money back, as the shop's staff does. It bumps the order: Medusa makes a credit line of it."""
        payment, now = self.payment(f"pay_{number}"), self.now()
        payment["refunds"].append(
            {"id": f"ref_{number}_{len(payment['refunds'])}", "amount": amount, "created_at": now}
        )
        self.change(f"order_{number}")

    def change(self, order_id, **values):
        order = self.orders[order_id]
        if values.get("status") == "canceled" and order["status"] != "canceled":
            self.pay_back(order)
        order.update(copy.deepcopy(values))
        order["updated_at"] = self.now()
        order["version"] += 1
        return order


class ChannelsCommon(OmsBaseCommon):
    """A Medusa channel whose wire ends in a FakeMedusa."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.usd = cls.env.ref("base.USD")
        cls.usd.active = True
        cls.journal = cls.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", cls.env.company.id)], limit=1
        ) or cls.env["account.journal"].create({"name": "Shop Money", "type": "bank", "code": "SHOP"})
        cls.channel.write(
            {
                "provider": "medusa",
                "base_url": SHOP,
                "api_key": "sk_test",
                "webhook_secret": "test-secret",
                "journal_id": cls.journal.id,
                "pull_start_date": "2026-01-01 00:00:00",
            }
        )
        cls.shop = FakeMedusa()
        cls.classPatch(type(cls.env["oms.channel"]), "_get_transport", lambda channel: cls.shop)

    def setUp(self):
        super().setUp()
        self.shop.__init__()

    def _pull(self):
        """Pull all channels and work the inbox, as the scheduler would."""
        self.channel.write({"next_pull_date": "2026-01-01 00:00:00"})
        self._run_cron(f"oms_channels.ir_cron_pull_lane_{self.channel.id % 2}")
        self._work("message")

    def _work(self, queue):
        for lane in range(4):
            self._run_cron(f"oms_channels.ir_cron_{queue}_lane_{lane}")

    def _publish(self):
        """Publish what changed, as the scheduler would after the transaction that changed it."""
        self.env.cr.flush()
        for lane in (4, 5):
            self._run_cron(f"oms_channels.ir_cron_push_lane_{lane}")

    def _message(self, order_id):
        return self.env["oms.channel.message"].search([("external_id", "=", order_id)])

    def _order(self, order_id):
        return self.env["sale.order"].search(
            [("channel_id", "=", self.channel.id), ("channel_order_id", "=", order_id)]
        )

    def _import(self, number=1, items=None, **values):
        """Place an order in the shop, have it imported and return it."""
        raw = self.shop.place(number, items or [("OMS-MOUSE", 2, 19.99), ("OMS-KEYB", 1, 49.5)], **values)
        self._pull()
        return self._order(raw["id"])

    def _create_tax(self, rate, **values):
        return self.env["account.tax"].create(
            {
                "name": f"Sales {rate}%",
                "amount": rate,
                "amount_type": "percent",
                "type_tax_use": "sale",
                "price_include_override": "tax_excluded",
                **values,
            }
        )

    def _set_buyer_stock(self, quantity):
        for product in (self.mouse, self.keyboard):
            self._set_stock(product, quantity)

    def _assert_totals(self, order, total):
        self.assertEqual(order.currency_id.compare_amounts(order.amount_total, total), 0)
        self.assertEqual(order.channel_amount_difference, 0.0)

    @staticmethod
    def _commands(*records):
        return [Command.set([record.id for record in records])]


def patch_method(model, name, replacement):
    """Replace a method of a model for the length of a with block."""
    return patch.object(type(model), name, replacement)
