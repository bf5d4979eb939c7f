"""A shop that answers as the public documentation of Taobao's open platform (TOP) says: for tests, in this process,
on a free loopback port.

It checks signatures (with code of its own), time, session and the limits of each call; lists by time of change, newest
first; knows trades with sub-orders, refunds, items with SKUs. Staff and buyers are methods: ``place``, ``edit``, ...
"""

import copy
import hashlib
import hmac
import http.server
import json
import threading
import urllib.parse
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from email.utils import format_datetime

KEY, SECRET, SESSION, REFRESH = "12345678", "top-secret", "session-1", "refresh-1"
CHINA = timezone(timedelta(hours=8))
STAMP = "%Y-%m-%d %H:%M:%S"


class Refused(Exception):
    def __init__(self, code, message, sub_code="", sub_message=""):
        super().__init__(message)
        self.answer = {"code": code, "msg": message}
        if sub_code:
            self.answer |= {"sub_code": sub_code, "sub_msg": sub_message or message}


class ChinaServer:
    """What the platforms of China share: the wire, a clock some minutes behind ours, one second a change."""

    content_type = "text/javascript;charset=UTF-8"

    def __init__(self):
        self.calls, self._id, self._lock = [], 100, threading.RLock()
        self.clock = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
        self.sessions, self.refreshes = {SESSION: True}, {REFRESH}
        self.busy = []  # answers to give to the next calls in place of true ones
        self.forbidden = set()  # methods that the application may not call
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def date_time_string(self, timestamp=None):
                return format_datetime(server.clock, usegmt=True)

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                with server._lock:
                    status, answer = server.answer(self.path, server.parse_body(body))
                data = json.dumps(answer, ensure_ascii=False).encode()
                self.send_response(status)
                self.send_header("Content-Type", server.content_type)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST

            def log_message(self, *args):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self._server.shutdown()
        self._server.server_close()

    def parse_body(self, body):
        return dict(urllib.parse.parse_qsl(body.decode(), True))

    def now(self):
        self.clock += timedelta(seconds=1)
        return self.clock.astimezone(CHINA).strftime(STAMP)

    def next_id(self):
        self._id += 1
        return self._id

    def check_time(self, text, tolerance):
        """Whether a call's time is near enough to the platform's."""
        try:
            moment = datetime.strptime(text[:19], STAMP).replace(tzinfo=CHINA)
        except ValueError:
            return False
        return abs(moment - self.clock) <= tolerance

    def renew(self, token):
        """A new session for a refresh token, None for an unknown one."""
        if token not in self.refreshes:
            return None
        number = self.next_id()
        self.sessions, self.refreshes = {f"session-{number}": True}, {f"refresh-{number}"}
        return {"access_token": f"session-{number}", "refresh_token": f"refresh-{number}", "expires_in": 86400}


class TopServer(ChinaServer):
    """``with TopServer() as shop:`` - ``shop.url``, ``shop.place({"TEE": 2})``.

    :ivar is_masked: whether receivers come with stars and an OAID
    """

    def __init__(self):
        super().__init__()
        self.trades, self.refunds, self.items, self.skus = {}, {}, {}, {}
        self.is_masked = False

    # === WHAT BUYERS AND STAFF DO === #

    def add_item(self, outer_id, title, price, stock=100, options=()):
        """An item; with ``options`` its SKUs are ``<outer_id>-<option>``."""
        with self._lock:
            iid = self.next_id()
            item = {"num_iid": iid, "title": title, "outer_id": outer_id, "price": str(price), "num": stock}
            self.items[iid] = {**item, "approve_status": "onsale"}
            for option in options:
                sku_id = self.next_id()
                self.skus[sku_id] = {
                    "sku_id": sku_id,
                    "num_iid": iid,
                    "outer_id": f"{outer_id}-{option}",
                    "price": str(price),
                    "quantity": stock,
                    "properties_name": f"1627207:28326:Size:{option}",
                    "status": "normal",
                }
            return self.items[iid]

    def find(self, outer_id):
        rows = [*self.skus.values(), *self.items.values()]
        return next((row for row in rows if row["outer_id"] == outer_id), None)

    def place(self, items, name="林小雨", street="文三路90号", discount="2.50", post_fee="6.00", **values):
        """Buy and pay. :param items: {outer id: quantity} :param discount: of the trade, shared over sub-orders"""
        with self._lock:
            tid, now = 2200000000000 + self.next_id(), self.now()
            orders = [self._make_order(outer_id, quantity) for outer_id, quantity in items.items()]
            fees = [Decimal(order["total_fee"]) for order in orders]
            left = Decimal(discount)
            for order, fee in zip(orders, fees, strict=True):
                share = (Decimal(discount) * fee / sum(fees)).quantize(Decimal("0.01"))
                share = left if order is orders[-1] else min(share, left)
                left -= share
                order |= {"part_mjz_discount": str(share), "divide_order_fee": str(fee - share)}
            payment = sum(fees) - Decimal(discount) + Decimal(post_fee)
            self.trades[tid] = {
                "tid": tid,
                "status": "WAIT_SELLER_SEND_GOODS",
                "type": "fixed",
                "created": now,
                "modified": now,
                "pay_time": now,
                "payment": str(payment),
                "post_fee": post_fee,
                "buyer_nick": "t**1",
                "buyer_open_uid": f"AAH{tid}",
                "buyer_message": "",
                "seller_memo": "",
                "alipay_no": f"AL{tid}",
                "receiver_name": name,
                "receiver_state": "浙江省",
                "receiver_city": "杭州市",
                "receiver_district": "西湖区",
                "receiver_address": street,
                "receiver_zip": "310013",
                "receiver_mobile": "13800000042",
                "promotion_details": {
                    "promotion_detail": [
                        {"id": tid, "promotion_name": "满减", "discount_fee": discount, "promotion_id": "mjs-1_2"},
                        {"id": tid, "promotion_name": "店铺券", "promotion_id": f"shopbonus-{tid}_1"},
                    ]
                },
                "orders": {"order": orders},
                **values,
            }
            return str(tid)

    def _make_order(self, outer_id, quantity):
        row = self.find(outer_id)
        total = Decimal(row["price"]) * quantity
        stock = "quantity" if "sku_id" in row else "num"
        row[stock] -= quantity
        return {
            "oid": 2200000000000 + self.next_id(),
            "num_iid": row["num_iid"],
            "sku_id": str(row.get("sku_id", "")),
            "outer_iid": outer_id,
            "outer_sku_id": outer_id if "sku_id" in row else "",
            "title": self.items[row["num_iid"]]["title"],
            "num": quantity,
            "price": row["price"],
            "total_fee": str(total),
            "discount_fee": "0.00",
            "adjust_fee": "0.00",
            "status": "WAIT_SELLER_SEND_GOODS",
            "refund_status": "NO_REFUND",
        }

    def touch(self, tid, **values):
        with self._lock:
            self.trades[int(tid)] |= {**values, "modified": self.now()}

    def get_orders(self, tid):
        return self.trades[int(tid)]["orders"]["order"]

    def ask_refund(self, tid, index=0, status="WAIT_SELLER_AGREE", goods=False, **values):
        """The buyer asks for the money of a sub-order; with SUCCESS it has been given back."""
        with self._lock:
            order = self.get_orders(tid)[index]
            refund_id = order.get("refund_id") or self.next_id()
            order |= {"refund_id": refund_id, "refund_status": status}
            if status == "SUCCESS":
                order["status"] = "TRADE_CLOSED"
            self.touch(tid)
            modified = self.trades[int(tid)]["modified"]
            self.refunds[refund_id] = {
                "refund_id": str(refund_id),
                "tid": int(tid),
                "oid": order["oid"],
                "created": modified,
                "modified": modified,
                "status": status,
                "has_good_return": goods,
                "refund_fee": order["divide_order_fee"],
                "reason": "多拍/错拍/不想要",
                "num": order["num"],
                **values,
            }
            return refund_id

    def cancel(self, tid):
        """The buyer takes all of it back before it is sent."""
        for index, _order in enumerate(self.get_orders(tid)):
            self.ask_refund(tid, index, "SUCCESS")
        self.touch(tid, status="TRADE_CLOSED")

    # === THE WIRE === #

    def answer(self, path, params):
        if path == "/token":
            grant = self.renew(params.get("refresh_token"))
            right = (params.get("client_id"), params.get("client_secret")) == (KEY, SECRET)
            if grant and right and params.get("grant_type") == "refresh_token":
                return 200, grant
            return 400, {"error": "invalid_grant", "error_description": "refresh token is expired"}
        try:
            if path != "/router/rest":
                raise Refused(22, "Invalid Method")
            if self.busy:
                raise self.busy.pop(0)
            self._check(params)
            method = params["method"].removeprefix("taobao.").replace(".", "_")
            self.calls.append((params["method"], params))
            if params["method"] in self.forbidden:
                raise Refused(11, "Insufficient isv permissions", "isv.permission-api-package-limit")
            handler = getattr(self, f"_{method}", None)
            if not handler:
                raise Refused(22, "Invalid Method")
            return 200, {f"{method}_response": copy.deepcopy(handler(params))}
        except Refused as refused:
            return 200, {"error_response": {**refused.answer, "request_id": "1o5yqtr0wbmo"}}

    def _check(self, params):
        if params.get("app_key") != KEY:
            raise Refused(29, "Invalid app Key")
        text = "".join(name + params[name] for name in sorted(params) if name != "sign").encode()
        if params.get("sign_method") == "md5":
            wanted = hashlib.md5(SECRET.encode() + text + SECRET.encode()).hexdigest()
        elif params.get("sign_method") == "hmac-sha256":
            wanted = hmac.new(SECRET.encode(), text, "sha256").hexdigest()
        else:
            wanted = hmac.new(SECRET.encode(), text, "md5").hexdigest()
        if params.get("sign") != wanted.upper():
            raise Refused(25, "Invalid signature", "isv.sign-check-failure")
        if (params.get("v"), params.get("format")) != ("2.0", "json"):
            raise Refused(33, "Invalid Version")
        if not self.check_time(params.get("timestamp", ""), timedelta(minutes=10)):
            raise Refused(31, "Invalid Timestamp")
        if params.get("session") not in self.sessions:
            raise Refused(27, "Invalid session", "invalid-sessionkey", "SessionKey非法")

    def _user_seller_get(self, _params):
        return {"user": {"user_id": 2054718218, "nick": "oms旗舰店", "type": "B"}}

    def _trades_sold_increment_get(self, params):
        start, end = params["start_modified"], params["end_modified"]
        span = datetime.strptime(end, STAMP) - datetime.strptime(start, STAMP)
        size, page = int(params.get("page_size", 40)), int(params.get("page_no", 1))
        if not timedelta(0) < span <= timedelta(days=1):
            raise Refused(41, "Invalid Arguments", "isv.invalid-parameter:start_modified", "时间跨度不能大于一天")
        if size > 100:
            raise Refused(41, "Invalid Arguments", "isv.invalid-parameter:page_size")
        rows = [row for row in self.trades.values() if start <= row["modified"] <= end]
        rows.sort(key=lambda row: row["modified"], reverse=True)
        fields = params["fields"].split(",")
        chunk = [{name: row[name] for name in fields if name in row} for row in rows[(page - 1) * size : page * size]]
        answer = {"trades": {"trade": chunk}} if chunk else {}
        if params.get("use_has_next") == "true":
            return {**answer, "has_next": page * size < len(rows)}
        return {**answer, "total_results": len(rows)}

    def _get_trade(self, params):
        trade = self.trades.get(int(params["tid"]))
        if not trade:
            raise Refused(15, "Remote service error", "isv.trade-not-exist", "交易订单不存在")
        return trade

    def _trade_fullinfo_get(self, params):
        trade = copy.deepcopy(self._get_trade(params))
        if self.is_masked:
            trade |= {
                "receiver_name": trade["receiver_name"][0] + "**",
                "receiver_mobile": "*******0042",
                "receiver_address": "文**路**号",
                "oaid": f"oaid-{trade['tid']}",
            }
        return {"trade": {name: trade[name] for name in params["fields"].split(",") if name in trade}}

    def _refund_get(self, params):
        refund = self.refunds.get(int(params["refund_id"]))
        if not refund:
            raise Refused(15, "Remote service error", "isv.refund-not-exist", "退款不存在")
        return {"refund": refund}

    def _logistics_offline_send(self, params):
        trade = self._get_trade(params)
        orders = trade["orders"]["order"]
        if params.get("is_split") == "1":
            chosen = [order for order in orders if str(order["oid"]) in params["sub_tid"].split(",")]
        else:
            chosen = orders
        if not params.get("out_sid") or not params.get("company_code"):
            raise Refused(40, "Missing required arguments:out_sid", "isv.missing-parameter:out_sid")
        if not chosen or any(order["status"] != "WAIT_SELLER_SEND_GOODS" for order in chosen):
            raise Refused(
                15, "Remote service error", "isv.logistics-offline-service-error:B150", "发货异常，订单状态不对"
            )
        now = self.now()
        for order in chosen:
            order |= {
                "status": "WAIT_BUYER_CONFIRM_GOODS",
                "consign_time": now,
                "invoice_no": params["out_sid"],
                "logistics_company": params["company_code"],
            }
        is_all = all(order["status"] != "WAIT_SELLER_SEND_GOODS" for order in orders)
        self.touch(trade["tid"], status="WAIT_BUYER_CONFIRM_GOODS" if is_all else "SELLER_CONSIGNED_PART")
        return {"shipping": {"is_success": True}}

    def _trade_memo_update(self, params):
        trade = self._get_trade(params)
        self.touch(trade["tid"], seller_memo=params["memo"])
        return {"trade": {"tid": trade["tid"], "modified": trade["modified"]}}

    def _trade_close(self, params):
        trade = self._get_trade(params)
        if trade["status"] != "WAIT_BUYER_PAY" or not params.get("close_reason"):
            raise Refused(15, "Remote service error", "isv.trade-close-error", "订单状态不允许关闭")
        for order in trade["orders"]["order"]:
            order["status"] = "TRADE_CLOSED_BY_TAOBAO"
        self.touch(trade["tid"], status="TRADE_CLOSED_BY_TAOBAO")
        return {"trade": {"tid": trade["tid"], "modified": trade["modified"]}}

    def _rp_refund_review(self, params):
        refund = self.refunds[int(params["refund_id"])]
        self._check_version(refund, params["refund_version"])
        if params["refund_phase"] != refund["refund_phase"] or not (params.get("operator") and params.get("message")):
            raise Refused(40, "Missing required arguments", "isv.missing-parameter")
        refund["is_reviewed"] = params["result"] == "true"
        return {"is_success": True}

    def _logistics_address_search(self, params):
        address = {"contact_id": 90017, "cancel_def": True, "addr": "下沙退货仓"}
        return {"addresses": {"address_result": [address] if params.get("rdef") == "cancel_def" else []}}

    def _get_asked_refund(self, params):
        refund = self.refunds[int(params["refund_id"])]
        if refund["status"] != "WAIT_SELLER_AGREE":
            raise Refused(15, "Remote service error", "isv.refund-status-error", "退款状态不正确")
        return refund

    def _rp_returngoods_agree(self, params):
        refund = self._get_asked_refund(params)
        self._check_version(refund, params["refund_version"])
        if not refund["has_good_return"] or params.get("seller_address_id") != "90017" or not params.get("remark"):
            raise Refused(40, "Missing required arguments", "isv.missing-parameter")
        self._settle_refund(refund, "WAIT_BUYER_RETURN_GOODS")
        return {"is_success": True}

    def _refund_refuse(self, params):
        refund = self._get_asked_refund(params)
        if not params.get("refuse_message"):
            raise Refused(40, "Missing required arguments:refuse_message", "isv.missing-parameter")
        refund["refuse_message"] = params["refuse_message"]
        self._settle_refund(refund, "SELLER_REFUSE_BUYER")
        return {"refund": {"refund_id": refund["refund_id"], "status": refund["status"]}}

    def _settle_refund(self, refund, status):
        order = next(order for order in self.get_orders(refund["tid"]) if order["oid"] == refund["oid"])
        order["refund_status"] = refund["status"] = status
        self.touch(refund["tid"])
        refund["modified"] = self.trades[refund["tid"]]["modified"]

    def _rp_refunds_agree(self, params):
        refund_id, cents, version, *phase = params["refund_infos"].split("|")
        refund = self.refunds[int(refund_id)]
        self._check_version(refund, version)
        if refund.get("refund_phase") and not (refund.get("is_reviewed") and phase == [refund["refund_phase"]]):
            return self._answer_refund(refund, "请先审核退款单")
        if Decimal(refund["refund_fee"]) * 100 != int(cents):
            return self._answer_refund(refund, "退款金额不一致")
        if Decimal(cents) > 600000:
            return {**self._answer_refund(refund, "需要短信验证码"), "msg_code": "CODE_SENT"}
        if refund["status"] not in ("WAIT_SELLER_AGREE", "WAIT_SELLER_CONFIRM_GOODS"):
            return self._answer_refund(refund, "退款状态不正确")
        orders = self.get_orders(refund["tid"])
        order = next(order for order in orders if order["oid"] == refund["oid"])
        order["refund_status"] = refund["status"] = "SUCCESS"
        if Decimal(refund["refund_fee"]) >= Decimal(order["divide_order_fee"]):
            order["status"] = "TRADE_CLOSED"
        is_closed = all(order["status"] == "TRADE_CLOSED" for order in orders)
        self.touch(refund["tid"], **({"status": "TRADE_CLOSED"} if is_closed else {}))
        refund["modified"] = self.trades[refund["tid"]]["modified"]
        return self._answer_refund(refund)

    @staticmethod
    def _check_version(refund, version):
        moment = datetime.strptime(refund["modified"], STAMP).replace(tzinfo=CHINA)
        if int(version) != int(moment.timestamp() * 1000):
            raise Refused(15, "Remote service error", "isv.refund-version-error", "退款已更新")

    @staticmethod
    def _answer_refund(refund, problem=""):
        row = {"refund_id": int(refund["refund_id"]), "succ": not problem, "message": problem}
        return {"succ": not problem, "results": {"refund_mapping_result": [row]}}

    # === ITEMS === #

    def _get_shelf(self, item):
        """Where an item lies: what has nothing left is moved to the warehouse list."""
        if item["approve_status"] != "onsale":
            return "off_shelf"
        skus = [row["quantity"] for row in self.skus.values() if row["num_iid"] == item["num_iid"]]
        return "onsale" if sum(skus or [item["num"]]) else "sold_out"

    def _list_items(self, params, shelves):
        size, page = int(params["page_size"]), int(params["page_no"])
        if page > 101 or size > 200:
            raise Refused(41, "Invalid Arguments", "isv.invalid-parameter:page_no")
        rows = [
            {**item, "approve_status": "onsale" if shelf == "onsale" else "instock"}
            for item in self.items.values()
            if (shelf := self._get_shelf(item)) in shelves
        ]
        return {"items": {"item": rows[(page - 1) * size : page * size]}, "total_results": len(rows)}

    def _items_onsale_get(self, params):
        return self._list_items(params, ("onsale",))

    def _items_inventory_get(self, params):
        """The documented default of ``banner`` is all that waits to be put on sale, not what is sold out."""
        banner = params.get("banner", "for_shelved")
        return self._list_items(params, ("off_shelf",) if banner == "for_shelved" else (banner,))

    def _item_skus_get(self, params):
        iids = [int(iid) for iid in params["num_iids"].split(",")]
        if len(iids) > 40:
            raise Refused(41, "Invalid Arguments", "isv.invalid-parameter:num_iids")
        rows = [row for row in self.skus.values() if row["num_iid"] in iids]
        return {"skus": {"sku": rows}} if rows else {}

    def _skus_custom_get(self, params):
        return {"skus": {"sku": [row for row in self.skus.values() if row["outer_id"] == params["outer_id"]]}}

    def _items_custom_get(self, params):
        rows = [row for row in self.items.values() if row["outer_id"] == params["outer_id"]]
        if not rows:
            raise Refused(15, "Remote service error", "isv.item-not-exist", "商品不存在")
        return {"items": {"item": rows}}

    def _item_quantity_update(self, params):
        item = self.items.get(int(params["num_iid"]))
        if not item:
            raise Refused(15, "Remote service error", "isv.item-not-exist")
        item["num"] = self._read_quantity(params["quantity"])
        return {"item": {"num_iid": item["num_iid"], "num": item["num"]}}

    def _skus_quantity_update(self, params):
        pairs = [pair.split(":") for pair in params["skuid_quantities"].split(";")]
        if len(pairs) > 20 or params.get("type") != "1":
            raise Refused(41, "Invalid Arguments", "isv.invalid-parameter:skuid_quantities")
        for sku_id, quantity in pairs:
            sku = self.skus.get(int(sku_id))
            if not sku or sku["num_iid"] != int(params["num_iid"]):
                raise Refused(15, "Remote service error", "isv.invalid-sku", "SKU不存在")
            sku["quantity"] = self._read_quantity(quantity)
        return {"item": {"num_iid": int(params["num_iid"])}}

    @staticmethod
    def _read_quantity(text):
        if int(text) < 0:
            raise Refused(41, "Invalid Arguments", "isv.invalid-parameter:quantity")
        return int(text)
