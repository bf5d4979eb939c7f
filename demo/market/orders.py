"""How an order looks and what may happen to it. Content depends on the seed and the order's number only, but for who
buys again: that is the buyer of the shop's last order since the marketplace was started."""

import random
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal

from .buyers import PEOPLE, make_buyer, make_receiver, spoil_receiver

CENT = Decimal("0.01")
CHINA = timezone(timedelta(hours=8))
UNPAID, TO_SEND, PART_SENT = "WAIT_BUYER_PAY", "WAIT_SELLER_SEND", "PART_SENT"
SENT, FINISHED, CLOSED = "WAIT_BUYER_CONFIRM", "TRADE_FINISHED", "TRADE_CLOSED"
PAY_CHANNELS = {"tmall": "alipay", "jd": "jdpay", "miniprogram": "wechatpay"}
COUPONS = [Decimal(5), Decimal(10), Decimal(20)]


def stamp(moment):
    """Time as the platform writes it: China's, to the second, without a zone."""
    return datetime.fromtimestamp(moment, CHINA).strftime("%Y-%m-%d %H:%M:%S")


def read_stamp(text):
    """Seconds since 1970 of ``stamp``'s text; ValueError otherwise."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA).astimezone(UTC).timestamp()


def money(amount):
    return str(Decimal(amount).quantize(CENT, ROUND_HALF_UP))


class OrderMaker:
    """:param catalogue: list of {"sku", "name" or "name_zh", "price", "barcode"}"""

    def __init__(self, catalogue, seed):
        self.catalogue, self.seed = catalogue, seed
        self.last = {}  # {shop code: (buyer, receiver)} of its last order
        # A few things sell most: the n-th product 1/n as often as the first.
        self.weights = [1 / (position + 1) ** 0.7 for position in range(len(catalogue))]

    def make(self, number, shop, settings, moment):
        """(order, plan): the order as placed at ``moment``, and [(seconds later, action)] of what the buyer will do."""
        rng = random.Random(f"{self.seed}:{number}")
        buyer = make_buyer(rng)
        receiver = make_receiver(rng, buyer)
        if rng.random() < settings.bad_address:
            receiver = spoil_receiver(rng, receiver)
        if shop.code in self.last and random.Random(f"{self.seed}:{number}:again").random() < settings.again:
            buyer, receiver = self.last[shop.code]
        self.last[shop.code] = buyer, receiver
        order_id = f"{shop.prefix}{datetime.fromtimestamp(moment, CHINA):%Y%m%d}{number:06d}"
        items = self._make_items(rng, order_id, settings)
        total_fee = sum(Decimal(item["price"]) * item["num"] for item in items)
        coupon = rng.choice(COUPONS) if rng.random() < 0.25 and total_fee >= 99 else Decimal(0)
        share_discount(items, coupon)
        aside = random.Random(f"{self.seed}:{number}:aside")  # leaves the draws of the rest as they are
        post_fee = Decimal(0) if total_fee >= 99 else Decimal(8)
        order = {
            "order_id": order_id,
            "shop_code": shop.code,
            "status": UNPAID,
            "created": stamp(moment),
            "modified": stamp(moment),
            "row_version": 1,
            "pay_time": "",
            "buyer": {
                "buyer_id": f"{shop.code}-{buyer['buyer_id']}",
                "nick": buyer["nick"],
                "ip": f"203.0.113.{aside.randrange(1, 250)}",
            },
            "risk": aside.choices([5, 20, 45, 85], [70, 22, 6, 2])[0],
            "coupon_code": ("OLD-FRIEND" if aside.random() < 0.08 else f"SAVE{coupon}") if coupon else "",
            "receiver": receiver,
            "buyer_message": rng.choice(PEOPLE["messages"]) if rng.random() < 0.15 else "",
            "items": items,
            "total_fee": money(total_fee),
            "discount_fee": money(coupon),
            "post_fee": money(post_fee),
            "payment": money(total_fee - coupon + post_fee),
            "payments": [],
            "refunds": [],
            "logistics": [],
        }
        return order, self._plan(rng, settings)

    def _make_items(self, rng, order_id, settings):
        count = rng.choices([1, 2, 3, 5], [60, 25, 12, 3])[0]
        chosen = {}
        while len(chosen) < min(count, len(self.catalogue)):
            product = rng.choices(self.catalogue, self.weights)[0]
            chosen[product["sku"]] = product
        items = []
        for position, product in enumerate(chosen.values(), 1):
            is_unknown = rng.random() < settings.unknown_sku
            items.append(
                {
                    "oid": f"{order_id}-{position}",
                    "sku": f"{product['sku']}-OLD" if is_unknown else product["sku"],
                    "title": product.get("name_zh") or product["name"],
                    "barcode": "" if is_unknown else product.get("barcode", ""),
                    "num": rng.choices([1, 2, 3, 6], [75, 17, 6, 2])[0],
                    "price": money(str(product["price"])),
                    "discount_fee": "0.00",
                    "sent_num": 0,
                    "returned_num": 0,
                }
            )
        return items

    def _plan(self, rng, settings):
        paid_after = rng.uniform(5, 90) if rng.random() < settings.unpaid else 0.0
        plan = [(paid_after, "pay")]
        if rng.random() < settings.edit:
            plan.append(
                (paid_after + rng.uniform(2, 60), rng.choice(["edit_address", "edit_message", "edit_quantity"]))
            )
        if rng.random() < settings.cancel:
            plan.append((paid_after + rng.uniform(2, 180), "cancel"))
        elif rng.random() < settings.refund_request:
            plan.append((paid_after + rng.uniform(10, 600), "ask_refund"))
        return plan


def share_discount(items, discount):
    """Share an order's discount over its lines by amount; the last takes the remainder."""
    amounts = [Decimal(item["price"]) * item["num"] for item in items]
    total, left = sum(amounts), discount
    for item, amount in zip(items[:-1], amounts[:-1], strict=True):
        part = (discount * amount / total).quantize(CENT, ROUND_HALF_UP) if total else Decimal(0)
        item["discount_fee"] = money(part)
        left -= part
    items[-1]["discount_fee"] = money(left)


def recount(order):
    """Bring the sums of an order up to date after its lines changed."""
    total_fee = sum(Decimal(item["price"]) * item["num"] for item in order["items"])
    share_discount(order["items"], Decimal(order["discount_fee"]))
    order["total_fee"] = money(total_fee)
    order["payment"] = money(total_fee - Decimal(order["discount_fee"]) + Decimal(order["post_fee"]))
