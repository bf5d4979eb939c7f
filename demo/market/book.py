"""The order book: every order of every shop, what buyers do to them, and what merchants do to them."""

import heapq
import itertools
import json
import os
import random
import threading
from decimal import Decimal

from .buyers import make_receiver
from .orders import CLOSED, FINISHED, PART_SENT, PAY_CHANNELS, SENT, TO_SEND, UNPAID, OrderMaker, money, recount, stamp

# Seconds after which a buyer who has everything confirms it.
CONFIRM_AFTER = 300
# A request of which nothing is to be decided any more.
DONE = ("SUCCESS", "CLOSED", "REFUSED")
REASONS = ["不想要了", "拍错了", "商品与描述不符", "商品破损", "七天无理由退货"]


class Refused(Exception):
    """A business refusal. :param code: number the gateway answers with"""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Book:
    """Thread-safe. ``notify(shop, topic, order)`` is called for everything a webhook tells.

    :param now: callable -> seconds since 1970
    :param state_file: where the book is kept between runs, or None
    """

    def __init__(self, shops, catalogue, settings, now, seed=1, notify=None, state_file=None):
        self.shops = {shop.code: shop for shop in shops}
        self.catalogue = {product["sku"]: product for product in catalogue}
        self.settings, self.now, self.seed = settings, now, seed
        self.notify = notify or (lambda *args: None)
        self.maker = OrderMaker(catalogue, seed)
        self.lock = threading.RLock()
        self.orders, self.plans, self.number = {}, [], 0
        self.stock = {code: {} for code in self.shops}
        self._ids, self._moment, self.state_file = itertools.count(1), None, state_file
        self._load()

    # === BUYERS === #

    def place(self, shop_code=None, moment=None):
        """Place the next order and return it. :param moment: when, for a history; default now"""
        with self.lock:
            self.number += 1
            rng = random.Random(f"{self.seed}:shop:{self.number}")
            shops = list(self.shops.values())
            drawn = rng.choices(shops, [shop.share for shop in shops])[0]
            shop = self.shops[shop_code] if shop_code else drawn
            moment = self.now() if moment is None else moment
            order, plan = self.maker.make(self.number, shop, self.settings, moment)
            self.orders[order["order_id"]] = order
            self.notify(shop, "trade_created", order)
            for delay, action in plan:
                if delay:
                    heapq.heappush(self.plans, (moment + delay, self.number, action, order["order_id"]))
                else:
                    self.act(action, order["order_id"], moment)
            return order

    def run_due(self, as_planned=False):
        """Do what buyers planned for by now.

        :param as_planned: at the moments it was planned for, for a history. Who reads the market while it runs has read
            what happened until now: a change that comes late happens when it comes
        """
        with self.lock:
            while self.plans and self.plans[0][0] <= self.now():
                moment, _number, action, order_id = heapq.heappop(self.plans)
                self.act(action, order_id, moment if as_planned else None)

    def act(self, action, order_id, moment=None):
        """Let the buyer do something; what the order's state no longer allows is left undone."""
        with self.lock:
            order = self.orders[order_id]
            self._moment = moment
            try:
                topic = getattr(self, f"_buyer_{action}")(order, random.Random(f"{self.seed}:{order_id}:{action}"))
                if topic:
                    self._touch(order, topic)
            finally:
                self._moment = None
            return bool(topic)

    def _buyer_pay(self, order, _rng):
        if order["status"] != UNPAID:
            return None
        shop = self.shops[order["shop_code"]]
        order["status"], order["pay_time"] = TO_SEND, self._stamp()
        pay_no = f"P{order['order_id']}"
        order["payments"] = [
            {
                "pay_no": pay_no,
                "channel": PAY_CHANNELS.get(shop.kind, "bank"),
                "amount": order["payment"],
                "refunded": "0.00",
                "time": order["pay_time"],
            }
        ]
        return "trade_paid"

    def _buyer_edit_address(self, order, rng):
        if order["status"] not in (UNPAID, TO_SEND):
            return None
        receiver = order["receiver"]
        order["receiver"] = make_receiver(rng, {"name": receiver["name"], "mobile": receiver["mobile"]})
        return "trade_modified"

    def _buyer_edit_message(self, order, rng):
        if order["status"] not in (UNPAID, TO_SEND):
            return None
        order["buyer_message"] = f"改送货时间：周末上午，备用电话 139{rng.randrange(10**8):08d}"
        return "trade_modified"

    def _buyer_edit_quantity(self, order, _rng):
        """Only before paying can a platform let a buyer change quantities; after it one unit is given up instead."""
        item = order["items"][0]
        if order["status"] == UNPAID:
            item["num"] += 1
            recount(order)
            return "trade_modified"
        if order["status"] != TO_SEND or item["num"] < 2 or order["refunds"]:
            return None
        paid = Decimal(item["price"]) * item["num"] - Decimal(item["discount_fee"])
        return self._ask(order, "ONLY_REFUND", paid / item["num"], "多拍了一件", [{"oid": item["oid"], "num": 1}])

    def _buyer_cancel(self, order, rng):
        if order["status"] == UNPAID:
            order["status"] = CLOSED
            return "trade_closed"
        if order["status"] != TO_SEND or order["refunds"]:
            return None
        for payment in order["payments"]:
            payment["refunded"] = payment["amount"]
        order["status"] = CLOSED
        order["refunds"].append(
            self._make_refund(order, "ONLY_REFUND", order["payment"], rng.choice(REASONS[:2]), [], "SUCCESS")
        )
        return "trade_closed"

    def _buyer_ask_refund(self, order, rng):
        if order["status"] not in (TO_SEND, PART_SENT, SENT) or order["refunds"]:
            return None
        item = rng.choice(order["items"])
        paid = Decimal(item["price"]) * item["num"] - Decimal(item["discount_fee"])
        kind = "ONLY_REFUND" if order["status"] == TO_SEND else "RETURN_GOODS"
        reason = rng.choice(REASONS[:2] if kind == "ONLY_REFUND" else REASONS[2:])
        return self._ask(order, kind, paid, reason, [{"oid": item["oid"], "num": item["num"]}])

    def _buyer_confirm(self, order, _rng):
        if order["status"] != SENT:
            return None
        order["status"] = FINISHED
        return "trade_finished"

    def _ask(self, order, kind, amount, reason, items):
        status = "WAIT_SELLER_AGREE" if kind == "ONLY_REFUND" else "WAIT_GOODS"
        order["refunds"].append(self._make_refund(order, kind, money(amount), reason, items, status))
        return "refund_created"

    # === MERCHANTS: what the gateway calls === #

    def find(self, shop, order_id):
        order = self.orders.get(order_id)
        if not order or order["shop_code"] != shop.code:
            raise Refused(2001, f"订单不存在 {order_id}")
        return order

    def find_changed(self, shop, start, end, offset, limit):
        """(total, orders) changed from ``start`` to before ``end`` (stamps), by time of change, then number."""
        with self.lock:
            found = [
                order
                for order in self.orders.values()
                if order["shop_code"] == shop.code and start <= order["modified"] < end
            ]
            found.sort(key=lambda order: (order["modified"], order["order_id"]))
            return len(found), json.loads(json.dumps(found[offset : offset + limit]))

    def send(self, shop, order_id, out_no, company, tracking_no, items):
        """Goods leave: some of the open quantities."""
        with self.lock:
            order = self.find(shop, order_id)
            if order["status"] not in (TO_SEND, PART_SENT):
                raise Refused(2002, f"订单状态 {order['status']} 不允许发货")
            if not tracking_no:
                raise Refused(2003, "运单号不能为空")
            lines = self._match(order, items)
            for line, num in lines:
                if num > line["num"] - line["sent_num"]:
                    raise Refused(2004, f"发货数量超出 {line['oid']}")
            for line, num in lines:
                line["sent_num"] += num
            document = {
                "logistics_id": f"L{next(self._ids):08d}",
                "out_no": out_no,
                "company": company,
                "tracking_no": tracking_no,
                "items": [{"oid": line["oid"], "num": num} for line, num in lines],
                "sent_at": self._stamp(),
                "delivered_at": "",
            }
            order["logistics"].append(document)
            order["status"] = SENT if all(line["sent_num"] >= line["num"] for line in order["items"]) else PART_SENT
            self._touch(order, "trade_sent")
            return document

    def sign(self, shop, order_id, logistics_id):
        """A parcel was handed over."""
        with self.lock:
            order = self.find(shop, order_id)
            document = next((row for row in order["logistics"] if row["logistics_id"] == logistics_id), None)
            if not document:
                raise Refused(2005, f"物流单不存在 {logistics_id}")
            if not document["delivered_at"]:
                document["delivered_at"] = self._stamp()
                self._touch(order, "trade_signed")
                if order["status"] == SENT and all(row["delivered_at"] for row in order["logistics"]):
                    heapq.heappush(self.plans, (self.now() + CONFIRM_AFTER, self.number, "confirm", order_id))
            return document

    def close(self, shop, order_id, reason):
        """The merchant gives up an unsent order; the platform pays back."""
        with self.lock:
            order = self.find(shop, order_id)
            if order["status"] == CLOSED or order["status"] not in (UNPAID, TO_SEND):
                raise Refused(2002, f"订单状态 {order['status']} 不允许关闭")
            for payment in order["payments"]:
                payment["refunded"] = payment["amount"]
            order["status"], order["close_reason"] = CLOSED, reason
            self._touch(order, "trade_closed")
            return order

    def refund(self, shop, order_id, out_refund_no, amount, items, memo, refund_id):
        """Pay back, answering a buyer's request (``refund_id``) or of the merchant's own accord."""
        with self.lock:
            order = self.find(shop, order_id)
            left = sum(Decimal(row["amount"]) - Decimal(row["refunded"]) for row in order["payments"])
            if amount <= 0 or amount > left:
                raise Refused(2006, f"退款金额 {amount} 超出可退 {left}")
            if refund_id:
                document = self._find_refund(order, refund_id)
                if document["status"] in DONE:
                    raise Refused(2007, f"退款单 {refund_id} 已完结")
            else:
                document = self._make_refund(order, "ONLY_REFUND", money(amount), memo, items, "")
                order["refunds"].append(document)
            document.update(status="SUCCESS", amount=money(amount), out_refund_no=out_refund_no)
            for payment in order["payments"]:
                part = min(amount, Decimal(payment["amount"]) - Decimal(payment["refunded"]))
                payment["refunded"] = money(Decimal(payment["refunded"]) + part)
                amount -= part
            self._touch(order, "refund_success")
            return document

    def answer(self, shop, order_id, refund_id, answer, reason):
        """The merchant agrees to what a buyer asks for, or refuses it."""
        with self.lock:
            order = self.find(shop, order_id)
            document = self._find_refund(order, refund_id)
            if document["status"] in DONE or document.get("answer"):
                raise Refused(2007, f"退款单 {refund_id} 已处理")
            if answer not in ("AGREED", "REFUSED") or (answer == "REFUSED" and not reason):
                raise Refused(2003, "参数错误 answer")
            document.update(answer=answer, answer_reason=reason)
            if answer == "REFUSED":
                document["status"] = answer
            self._touch(order, "refund_answered")
            return document

    def receive_return(self, shop, order_id, out_no, items, refund_id):
        """The merchant has the goods back."""
        with self.lock:
            order = self.find(shop, order_id)
            lines = self._match(order, items)
            for line, num in lines:
                if num > line["sent_num"] - line["returned_num"]:
                    raise Refused(2004, f"退货数量超出 {line['oid']}")
            document = self._find_refund(order, refund_id) if refund_id else None
            for line, num in lines:
                line["returned_num"] += num
            if document and document["status"] == "WAIT_GOODS":
                document["status"] = "WAIT_SELLER_AGREE"
            order.setdefault("receipts", []).append({"out_no": out_no, "items": items, "time": self._stamp()})
            self._touch(order, "refund_goods_received")
            return order["receipts"][-1]

    def update_stock(self, shop, items):
        """[{"sku", "code", "msg"}] per row."""
        with self.lock:
            answers = []
            for row in items:
                if row["sku"] not in self.catalogue:
                    answers.append({"sku": row["sku"], "code": 2008, "msg": "商品不存在"})
                    continue
                self.stock[shop.code][row["sku"]] = int(row["quantity"])
                answers.append({"sku": row["sku"], "code": 0, "msg": "ok"})
            return answers

    # === HELPERS === #

    def _stamp(self):
        """Now, or the moment of a history at which a buyer did something."""
        return stamp(self.now() if self._moment is None else self._moment)

    def _touch(self, order, topic):
        """Every change bumps the row version and the time of change, and is told."""
        order["row_version"] += 1
        order["modified"] = max(order["modified"], self._stamp())
        self.notify(self.shops[order["shop_code"]], topic, order)

    def _make_refund(self, order, kind, amount, reason, items, status):
        return {
            "refund_id": f"R{order['order_id']}-{len(order['refunds']) + 1}",
            "out_refund_no": "",
            "type": kind,
            "status": status,
            "amount": amount,
            "reason": reason,
            "items": items,
            "created": self._stamp(),
        }

    @staticmethod
    def _find_refund(order, refund_id):
        document = next((row for row in order["refunds"] if row["refund_id"] == refund_id), None)
        if not document:
            raise Refused(2007, f"退款单不存在 {refund_id}")
        return document

    @staticmethod
    def _match(order, items):
        """[(line, quantity)] of what a merchant names."""
        by_oid = {line["oid"]: line for line in order["items"]}
        if not items or any(row["oid"] not in by_oid or int(row["num"]) <= 0 for row in items):
            raise Refused(2003, "商品明细不正确")
        return [(by_oid[row["oid"]], int(row["num"])) for row in items]

    # === BETWEEN RUNS === #

    def save(self):
        """Write the book to its file, whole or not at all."""
        if not self.state_file:
            return
        with self.lock:
            state = {
                "seed": self.seed,
                "number": self.number,
                "orders": list(self.orders.values()),
                "plans": self.plans,
                "stock": self.stock,
                "next_id": next(self._ids),
                "webhooks": {code: [shop.webhook_url, shop.webhook_secret] for code, shop in self.shops.items()},
            }
            text = json.dumps(state, ensure_ascii=False)
        draft = f"{self.state_file}.part"
        with open(draft, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(draft, self.state_file)

    def _load(self):
        if not self.state_file or not os.path.exists(self.state_file):
            return
        with open(self.state_file, encoding="utf-8") as file:
            state = json.load(file)
        self.number, self._ids = state["number"], itertools.count(state["next_id"])
        self.orders = {order["order_id"]: order for order in state["orders"] if order["shop_code"] in self.shops}
        self.plans = [tuple(row) for row in state["plans"] if row[3] in self.orders]
        heapq.heapify(self.plans)
        self.stock.update({code: rows for code, rows in state["stock"].items() if code in self.shops})
        for code, (url, secret) in state["webhooks"].items():
            shop = self.shops.get(code)
            if shop and not shop.webhook_url:
                shop.webhook_url, shop.webhook_secret = url, secret
