"""A shop that answers as the public documentation of WeChat's shops says: for tests, in this process, on a free port.

It checks key and token, and the limits of each call; lists by time of change, in no useful order."""

import copy
import json
import urllib.parse
from datetime import datetime, timedelta
from decimal import Decimal

from .top_server import CHINA, STAMP, ChinaServer

APPID, APPSECRET = "wx1234567890", "app-secret"
WEEK = 7 * 24 * 3600


class Refused(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.answer = {"errcode": code, "errmsg": message}


class WechatServer(ChinaServer):
    """``with WechatServer() as shop:`` - ``shop.url``, ``shop.place({"TEE": 2})``.

    :ivar sessions: access tokens that are good
    :ivar is_masked: whether receivers come with stars
    :ivar refund_pause: seconds that must lie between two refunds of one order
    """

    content_type = "application/json; encoding=utf-8"

    def __init__(self):
        super().__init__()
        self.sessions = {}
        self.orders, self.products, self.aftersales, self.refunded_at = {}, {}, {}, {}
        self.is_masked, self.refund_pause, self.flows = False, 0, {}

    # === WHAT BUYERS AND STAFF DO === #

    def add_item(self, sku_code, title, price, stock=100, options=()):
        """A product; with ``options`` its SKUs are ``<sku_code>-<option>``."""
        product_id = str(10000000 + self.next_id())
        skus = [
            {
                "sku_id": str(500000 + self.next_id()),
                "product_id": product_id,
                "sku_code": f"{sku_code}-{option}" if option else sku_code,
                "sale_price": int(Decimal(price) * 100),
                "stock_num": stock,
                "sku_attrs": [{"attr_key": "尺码", "attr_value": option}] if option else [],
            }
            for option in options or ("",)
        ]
        self.products[product_id] = {"product_id": product_id, "title": title, "status": 5, "skus": skus}

    def find(self, sku_code):
        skus = [sku for product in self.products.values() for sku in product["skus"]]
        return next((sku for sku in skus if sku["sku_code"] == sku_code), None)

    def tick(self):
        """A second later: that second."""
        self.clock += timedelta(seconds=1)
        return int(self.clock.timestamp())

    def place(self, items, name="林小雨", street="文三路90号", discount=250, coupon=120, freight=600):
        """Buy and pay. :param discount: of the seller :param coupon: of WeChat; both in cents, of the first product"""
        with self._lock:
            order_id, now = 3700000000000000000 + self.next_id(), self.tick()
            products = []
            for index, (sku_code, units) in enumerate(items.items()):
                sku = self.find(sku_code)
                value, off = sku["sale_price"] * units, (discount + coupon) if not index else 0
                products.append(
                    {
                        "product_id": sku["product_id"],
                        "sku_id": sku["sku_id"],
                        "sku_code": sku_code,
                        "title": self.products[sku["product_id"]]["title"],
                        "sku_attrs": sku["sku_attrs"],
                        "sale_price": sku["sale_price"],
                        "sku_cnt": units,
                        "real_price": value - off,
                        "on_aftersale_sku_cnt": 0,
                        "finish_aftersale_sku_cnt": 0,
                    }
                )
                sku["stock_num"] -= units
            value = sum(row["sale_price"] * row["sku_cnt"] for row in products)
            self.orders[str(order_id)] = {
                "order_id": order_id,
                "status": 20,
                "create_time": now,
                "update_time": now,
                "openid": "oBuyer",
                "order_detail": {
                    "product_infos": products,
                    "pay_info": {"pay_time": now, "transaction_id": f"42000{order_id}", "payment_method": 1},
                    "price_info": {
                        "product_price": value,
                        "order_price": value - discount - coupon + freight,
                        "freight": freight,
                        "discounted_price": discount,
                        "cash_coupon_discounted_price": coupon,
                        "original_order_price": value + freight,
                        "merchant_receieve_price": value - discount + freight,
                    },
                    "delivery_info": {
                        "address_info": {
                            "user_name": name,
                            "tel_number": "13800000042",
                            "province_name": "浙江省",
                            "city_name": "杭州市",
                            "county_name": "西湖区",
                            "detail_info": street,
                        },
                        "delivery_product_info": [],
                    },
                    "ext_info": {"customer_notes": "", "merchant_notes": ""},
                },
                "aftersale_detail": {"aftersale_order_list": [], "on_aftersale_order_cnt": 0},
            }
            return str(order_id)

    def get_parcels(self, order_id):
        return self.orders[order_id]["order_detail"]["delivery_info"]["delivery_product_info"]

    def get_granted(self, order_id):
        rows = [row for row in self.aftersales.values() if row["order_id"] == order_id]
        return [row for row in rows if row["status"] in ("MERCHANT_REFUND_SUCCESS", "MERCHANT_RETURN_SUCCESS")]

    def edit(self, order_id, street):
        with self._lock:
            order = self.orders[order_id]
            order["order_detail"]["delivery_info"]["address_info"]["detail_info"] = street
            order["update_time"] = self.tick()

    def ask_refund(self, order_id, kind="REFUND", amount=None, count=None):
        """The buyer asks back all of the order, a request for each product and the freight with the last; or an amount
        for the first product. Nothing of it is seen in the order's time of change."""
        with self._lock:
            order = self.orders[order_id]
            products = order["order_detail"]["product_infos"]
            for row in products[:1] if amount else products:
                freight = order["order_detail"]["price_info"]["freight"] if row is products[-1] else 0
                aftersale_id, now = str(2000000000000000 + self.next_id()), self.tick()
                self.aftersales[aftersale_id] = {
                    "after_sale_order_id": aftersale_id,
                    "order_id": order_id,
                    "type": kind,
                    "status": "MERCHANT_PROCESSING",
                    "product_info": {
                        "product_id": row["product_id"],
                        "sku_id": row["sku_id"],
                        "count": count or row["sku_cnt"],
                    },
                    "refund_info": {"amount": int(amount * 100) if amount else row["real_price"] + freight},
                    "reason_text": "不想要了",
                    "create_time": now,
                    "update_time": now,
                }
                order["aftersale_detail"]["aftersale_order_list"].append({"aftersale_order_id": int(aftersale_id)})

    def send_back(self, aftersale_id):
        self.aftersales[aftersale_id] |= {"status": "MERCHANT_WAIT_RECEIPT", "update_time": self.tick()}

    def cancel(self, order_id):
        self.ask_refund(order_id)
        for row in self.aftersales.values():
            if row["order_id"] == order_id:
                self._grant(row)

    def settle(self, order_id):
        """The buyer's money is the seller's, less WeChat's fee, and is taken out."""
        with self._lock:
            detail = self.orders[order_id]["order_detail"]
            total, fee = detail["price_info"]["merchant_receieve_price"], 42
            detail["settle_info"] = {"predict_commission_fee": 50, "commission_fee": fee}
            order = {"related_type": 1, "order_id": order_id, "transaction_id": detail["pay_info"]["transaction_id"]}
            taken = {"related_type": 3, "withdraw_id": str(self.next_id())}
            for kind, way, amount, related in ((1, 1, total, order), (2, 2, fee, order), (4, 2, total - fee, taken)):
                flow_id = str(10000000000000000 + self.next_id())
                self.flows[flow_id] = {
                    "flow_id": flow_id,
                    "funds_type": kind,
                    "flow_type": way,
                    "amount": amount,
                    "balance": 0,
                    "related_info_list": [related],
                    "bookkeeping_time": self.now(),
                    "remark": "",
                }

    def _grant(self, row):
        with self._lock:
            order, product = self.orders[row["order_id"]], row["product_info"]
            row |= {"status": f"MERCHANT_{row['type']}_SUCCESS", "update_time": self.tick()}
            for line in order["order_detail"]["product_infos"]:
                if line["sku_id"] == product["sku_id"]:
                    line["finish_aftersale_sku_cnt"] += product["count"]
            lines = order["order_detail"]["product_infos"]
            if all(line["finish_aftersale_sku_cnt"] >= line["sku_cnt"] for line in lines):
                order |= {"status": 250, "update_time": self.tick()}

    # === THE WIRE === #

    def parse_body(self, body):
        return json.loads(body) if body else {}

    def answer(self, path, content):
        url = urllib.parse.urlsplit(path)
        try:
            if self.busy:
                raise self.busy.pop(0)
            if url.path == "/cgi-bin/stable_token":
                return 200, self._get_token(content)
            token = urllib.parse.parse_qs(url.query).get("access_token", [""])[0]
            if token not in self.sessions:
                raise Refused(42001 if token else 41001, "access_token expired")
            name = url.path.removeprefix("/channels/ec/")
            self.calls.append((name, content))
            handler = getattr(self, f"_{name.replace('/', '_')}", None)
            if not handler:
                raise Refused(40066, "invalid url")
            return 200, {"errcode": 0, "errmsg": "ok", **copy.deepcopy(handler(content))}
        except Refused as refused:
            return 200, refused.answer

    def _get_token(self, content):
        if content.get("grant_type") != "client_credential" or content.get("appid") != APPID:
            raise Refused(40013, "invalid appid")
        if content.get("secret") != APPSECRET:
            raise Refused(40125, "invalid appsecret")
        if not self.sessions:
            self.sessions[f"token-{self.next_id()}"] = True
        return {"access_token": next(iter(self.sessions)), "expires_in": 7200}

    def _basics_info_get(self, _content):
        return {"info": {"nickname": "oms微信小店", "username": "gh_oms", "status": "open_finished"}}

    def _order_list_get(self, content):
        span, size = content["update_time_range"], content["page_size"]
        start, end = span["start_time"], span["end_time"]
        if not 0 < end - start <= WEEK or not 0 < size <= 100:
            raise Refused(40097, "invalid request body")
        rows = [key for key, row in self.orders.items() if start <= row["update_time"] <= end]
        return self._page("order_id_list", rows[::-1], content)

    @staticmethod
    def _page(name, rows, content):
        first, size = int(content.get("next_key") or 0), content["page_size"]
        last = first + size
        return {name: rows[first:last], "next_key": str(last), "has_more": last < len(rows), "total_num": len(rows)}

    def _get_order(self, content):
        order = self.orders.get(content["order_id"])
        if not order:
            raise Refused(100001, "order not found")
        return order

    def _order_get(self, content):
        order = copy.deepcopy(self._get_order(content))
        if self.is_masked:
            info = order["order_detail"]["delivery_info"]["address_info"]
            info |= {"user_name": "林**", "tel_number": "138****0042", "detail_info": "文***"}
        return {"order": order}

    def _order_deliverycompanylist_new_get(self, _content):
        names = {"SFKY": "顺丰快运", "SF": "顺丰速运", "YTO": "圆通速递", "ZTO": "中通快递"}
        return {"company_list": [{"delivery_id": code, "delivery_name": name} for code, name in names.items()]}

    def _order_delivery_send(self, content):
        order = self._get_order(content)
        if order["status"] not in (20, 21):
            raise Refused(100002, "order status not allowed")
        parcels = self.get_parcels(content["order_id"])
        left = {row["sku_id"]: row["sku_cnt"] for row in order["order_detail"]["product_infos"]}
        for parcel in [*parcels, *content["delivery_list"]]:
            if not parcel["waybill_id"] or not parcel["delivery_id"] or parcel["deliver_type"] != 1:
                raise Refused(40097, "invalid request body")
            for row in parcel["product_infos"]:
                left[row["sku_id"]] -= row["product_cnt"]
        if min(left.values()) < 0:
            raise Refused(100003, "product_cnt exceeds")
        parcels += content["delivery_list"]
        order |= {"status": 21 if any(left.values()) else 30, "update_time": self.tick()}
        return {}

    def _aftersale_getaftersaleorder(self, content):
        if content["after_sale_order_id"] not in self.aftersales:
            raise Refused(10020000, "售后单号不存在")
        return {"after_sale_order": self.aftersales[content["after_sale_order_id"]]}

    def _aftersale_acceptapply(self, content):
        row = self.aftersales.get(content["after_sale_order_id"])
        if content["accept_type"] == 1:
            if not row or row["type"] != "RETURN" or row["status"] != "MERCHANT_PROCESSING":
                raise Refused(10020001, "售后单状态不合法")
            if content.get("address_id") != 2:
                raise Refused(10020002, "退货地址不存在")
            row |= {"status": "USER_WAIT_RETURN", "update_time": self.tick()}
            return {}
        wanted = {"REFUND": "MERCHANT_PROCESSING", "RETURN": "MERCHANT_WAIT_RECEIPT"}
        if not row or row["status"] != wanted[row["type"]] or content["accept_type"] != 2:
            raise Refused(10020001, "售后单状态不合法")
        now, last = int(self.clock.timestamp()), self.refunded_at.get(row["order_id"], 0)
        if now - last < self.refund_pause:
            raise Refused(10021059, "当前平台退款请求太频繁,请稍后重试")
        self.refunded_at[row["order_id"]] = now
        self._grant(row)
        return {}

    def _aftersale_rejectapply(self, content):
        row = self.aftersales.get(content["after_sale_order_id"])
        if not row or row["status"] != "MERCHANT_PROCESSING" or not content.get("reject_reason"):
            raise Refused(10020001, "售后单状态不合法")
        row |= {"status": f"MERCHANT_REJECT_{row['type']}", "update_time": self.tick()}
        row["reject_reason"] = content["reject_reason"]
        return {}

    def _funds_getfundsflowlist(self, content):
        start, end = (
            datetime.fromtimestamp(content[name], CHINA).strftime(STAMP) for name in ("start_time", "end_time")
        )
        found = [key for key, row in self.flows.items() if start <= row["bookkeeping_time"] <= end]
        size, page = content["page_size"], content["page"]
        if (content.get("next_key") or "1") != str(page):
            raise Refused(40097, "invalid request body")
        more = page * size < len(found)
        return {"flow_ids": found[(page - 1) * size : page * size], "has_more": more, "next_key": str(page + 1)}

    def _funds_getfundsflowdetail(self, content):
        if content["flow_id"] not in self.flows:
            raise Refused(10024008, "不存在该流水")
        return {"funds_flow": self.flows[content["flow_id"]]}

    def _merchant_address_list(self, _content):
        return {"address_id_list": [1, 2]}

    def _merchant_address_get(self, content):
        return {"address_detail": {"address_id": content["address_id"], "default_recv": content["address_id"] == 2}}

    def _product_list_get(self, content):
        if not 0 < content["page_size"] <= 30:
            raise Refused(40097, "invalid request body")
        return self._page("product_ids", list(self.products), content)

    def _product_get(self, content):
        product = self.products.get(content["product_id"])
        if not product:
            raise Refused(10020052, "商品不存在")
        return {"product": product}

    def _get_sku(self, content):
        product = self.products.get(content["product_id"]) or {"skus": []}
        sku = next((sku for sku in product["skus"] if sku["sku_id"] == content["sku_id"]), None)
        if not sku:
            raise Refused(10020052, "商品不存在")
        return sku

    def _product_stock_get(self, content):
        stock = self._get_sku(content)["stock_num"]
        return {"data": {"normal_stock_num": stock, "total_stock_num": stock, "warehouse_stocks": []}}

    def _product_stock_update(self, content):
        sku, number = self._get_sku(content), content["num"]
        if number <= 0:
            raise Refused(10020218, "增加减少数量为0")
        stock = sku["stock_num"] + {1: number, 2: -number}[content["diff_type"]]
        if stock < 0:
            raise Refused(10020219, "库存不足以减扣")
        sku["stock_num"] = stock
        return {}
