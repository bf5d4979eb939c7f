"""The platform's open API: one address, signed form calls, answers with a code. And what goes wrong with it."""

import hashlib
import hmac
import json
import random
import threading
import time
from decimal import Decimal, InvalidOperation

from .book import Refused
from .orders import read_stamp, stamp

MAX_CLOCK_DIFFERENCE = 600
MAX_WINDOW = 24 * 3600
MAX_PAGE = 100


def sign(secret, params, method="hmac-sha256"):
    """Upper-case hex over the parameters, sorted by name and strung together without anything between."""
    text = "".join(f"{key}{params[key]}" for key in sorted(params) if key != "sign")
    if method == "md5":
        return hashlib.md5(f"{secret}{text}{secret}".encode(), usedforsecurity=False).hexdigest().upper()
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest().upper()


class Faults:
    """Draws what goes wrong with a call; ``outage`` makes everything go wrong for a while."""

    def __init__(self, settings, seed):
        self.settings, self.rng, self.lock = settings, random.Random(f"{seed}:faults"), threading.Lock()
        self.outage_until, self.outage_kind, self.calls = 0.0, "outage", {}

    def begin_outage(self, seconds, kind):
        if kind not in ("outage", "hang", "half", "throttle", "busy"):
            raise ValueError(f"There is no fault {kind!r}.")
        self.outage_until, self.outage_kind = time.monotonic() + float(seconds), kind

    def draw(self, app_key):
        """ "" or one of throttle, outage, busy, half, hang."""
        with self.lock:
            now = time.monotonic()
            if now < self.outage_until:
                return self.outage_kind
            recent = [moment for moment in self.calls.get(app_key, ()) if moment > now - 1]
            self.calls[app_key] = [*recent, now]
            if len(recent) >= self.settings.calls_per_second:
                return "throttle"
            for kind in ("throttle", "outage", "busy", "half", "hang"):
                if self.rng.random() < getattr(self.settings, kind):
                    return kind
            return ""


class Gateway:
    """``call(params)`` -> the answer as a dict. Knows nothing of HTTP."""

    def __init__(self, book):
        self.book = book
        self.shops = {shop.app_key: shop for shop in book.shops.values()}
        self.methods = {
            "shop.get": self._shop_get,
            "order.list": self._order_list,
            "order.get": self._order_get,
            "order.close": self._order_close,
            "logistics.send": self._logistics_send,
            "logistics.sign": self._logistics_sign,
            "refund.create": self._refund_create,
            "refund.answer": self._refund_answer,
            "refund.goods_received": self._refund_goods_received,
            "stock.update": self._stock_update,
            "item.list": self._item_list,
        }

    def call(self, params):
        try:
            shop = self._check(params)
            method = self.methods.get(params.get("method"))
            if not method:
                raise Refused(1004, f"接口不存在 {params.get('method')}")
            try:
                content = json.loads(params.get("biz_content") or "{}")
                with self.book.lock:  # a copy: the book goes on while the answer is written
                    data = json.loads(json.dumps(method(shop, content)))
            except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation) as error:
                raise Refused(2003, f"参数错误 {error}") from error
        except Refused as refusal:
            return {"code": refusal.code, "msg": str(refusal), "data": None}
        return {"code": 0, "msg": "ok", "data": data}

    def _check(self, params):
        shop = self.shops.get(params.get("app_key"))
        if not shop:
            raise Refused(1003, "app_key 无效")
        expected = sign(shop.app_secret, params, params.get("sign_method", ""))
        if not hmac.compare_digest(expected.encode(), str(params.get("sign", "")).encode()):
            raise Refused(1001, "签名错误")
        try:
            difference = abs(self.book.now() - read_stamp(params.get("timestamp", "")))
        except ValueError as error:
            raise Refused(1002, "时间戳格式错误") from error
        if difference > MAX_CLOCK_DIFFERENCE:
            raise Refused(1002, "时间戳过期")
        return shop

    def _shop_get(self, shop, _content):
        scopes = ["order.read", "order.write", "refund.write", "stock.write", "item.read"]
        return {"shop_code": shop.code, "shop_name": shop.name, "platform": shop.kind, "scopes": scopes}

    def _order_list(self, shop, content):
        start, end = content["start_modified"], content["end_modified"]
        page_no, page_size = int(content.get("page_no", 1)), int(content.get("page_size", 40))
        if not 0 < page_size <= MAX_PAGE or page_no < 1:
            raise Refused(2003, f"page_size 最大 {MAX_PAGE}")
        if not 0 < read_stamp(end) - read_stamp(start) <= MAX_WINDOW:
            raise Refused(2003, "查询时间窗口最大 24 小时")
        offset = (page_no - 1) * page_size
        total, orders = self.book.find_changed(shop, start, end, offset, page_size)
        return {
            "total": total,
            "page_no": page_no,
            "page_size": page_size,
            "has_next": offset + len(orders) < total,
            "server_time": stamp(self.book.now()),
            "orders": orders,
        }

    def _order_get(self, shop, content):
        return {"order": self.book.find(shop, content["order_id"])}

    def _order_close(self, shop, content):
        return {"order": self.book.close(shop, content["order_id"], content.get("reason", ""))}

    def _logistics_send(self, shop, content):
        keys = ("order_id", "out_no", "company", "tracking_no", "items")
        return {"logistics": self.book.send(shop, *(content[key] for key in keys))}

    def _logistics_sign(self, shop, content):
        return {"logistics": self.book.sign(shop, content["order_id"], content["logistics_id"])}

    def _refund_create(self, shop, content):
        amount = Decimal(content["amount"])
        rest = (content.get("items", []), content.get("memo", ""), content.get("refund_id", ""))
        return {"refund": self.book.refund(shop, content["order_id"], content["out_refund_no"], amount, *rest)}

    def _refund_answer(self, shop, content):
        keys = ("order_id", "refund_id", "answer", "reason")
        return {"refund": self.book.answer(shop, *(content[key] for key in keys))}

    def _refund_goods_received(self, shop, content):
        keys = ("order_id", "out_no", "items")
        refund_id = content.get("refund_id", "")
        return {"receipt": self.book.receive_return(shop, *(content[key] for key in keys), refund_id)}

    def _stock_update(self, shop, content):
        if len(content["items"]) > MAX_PAGE:
            raise Refused(2003, f"一次最多 {MAX_PAGE} 个商品")
        return {"results": self.book.update_stock(shop, content["items"])}

    def _item_list(self, shop, content):
        page_no, page_size = int(content.get("page_no", 1)), int(content.get("page_size", 40))
        if not 0 < page_size <= MAX_PAGE or page_no < 1:
            raise Refused(2003, f"page_size 最大 {MAX_PAGE}")
        products = list(self.book.catalogue.values())
        chosen = products[(page_no - 1) * page_size : page_no * page_size]
        items = [
            {
                "item_id": f"{shop.prefix}{product['sku']}",
                "sku": product["sku"],
                "title": product.get("name_zh") or product["name"],
                "barcode": product.get("barcode", ""),
                "price": f"{Decimal(str(product['price'])):.2f}",
                "quantity": self.book.stock[shop.code].get(product["sku"]),
                "on_sale": True,
            }
            for product in chosen
        ]
        return {"total": len(products), "has_next": page_no * page_size < len(products), "items": items}
