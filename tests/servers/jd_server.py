"""A shop that answers as the public documentation of JD's open platform says: for tests, in this process, on a free
loopback port. It checks signatures (with code of its own), time, token and the limits of each call."""

import copy
import hashlib
import json
from datetime import datetime, timedelta
from decimal import Decimal

from .top_server import KEY, SECRET, STAMP, ChinaServer


class Refused(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.answer = {"code": code, "zh_desc": message, "en_desc": message}


class JdServer(ChinaServer):
    """``with JdServer() as shop:`` - ``shop.url``, ``shop.place({"TEE": 2})``.

    :ivar is_masked: whether receivers come as ciphers
    """

    content_type = "application/json;charset=utf-8"

    def __init__(self):
        super().__init__()
        self.orders, self.skus, self.refunds, self.services = {}, {}, {}, {}
        self.is_masked = False

    # === WHAT BUYERS AND STAFF DO === #

    def add_item(self, outer_id, title, price, stock=100, options=()):
        """A ware; with ``options`` its SKUs are ``<outer_id>-<option>``."""
        ware_id = self.next_id()
        for option in options or ("",):
            sku_id = self.next_id()
            self.skus[sku_id] = {
                "skuId": sku_id,
                "wareId": ware_id,
                "outerId": f"{outer_id}-{option}" if option else outer_id,
                "skuName": f"{title} {option}".strip(),
                "jdPrice": float(price),
                "status": 1,
                "stockNum": stock,
            }

    def find(self, outer_id):
        return next((row for row in self.skus.values() if row["outerId"] == outer_id), None)

    def place(
        self, items, name="林小雨", street="文三路90号", discount="2.50", freight="6.00", coupon="1.20", **values
    ):
        """Buy and pay. :param discount: of the seller, half of it on the first SKU :param coupon: given by JD"""
        with self._lock:
            order_id, now = 280000000000 + self.next_id(), self.now()
            rows = [self.find(outer_id) for outer_id in items]
            total = sum(Decimal(str(row["jdPrice"])) * units for row, units in zip(rows, items.values(), strict=True))
            seller_price = total - Decimal(discount)
            order = {
                "orderId": str(order_id),
                "orderState": "WAIT_SELLER_STOCK_OUT",
                "payType": "4-在线支付",
                "orderTotalPrice": str(total),
                "orderSellerPrice": str(seller_price),
                "sellerDiscount": discount,
                "freightPrice": freight,
                "balanceUsed": "5.00",
                "orderPayment": str(seller_price + Decimal(freight) - Decimal(coupon) - 5),
                "couponDetailList": [
                    {"orderId": str(order_id), "skuId": "", "couponType": "41-京东券优惠", "couponPrice": coupon},
                    {
                        "orderId": str(order_id),
                        "skuId": str(rows[0]["skuId"]),
                        "couponType": "30-单品促销优惠",
                        "couponPrice": "1.25",
                    },
                    {"orderId": str(order_id), "skuId": "", "couponType": "100-店铺优惠", "couponPrice": "1.25"},
                ],
                "itemInfoList": [
                    {
                        "skuId": str(row["skuId"]),
                        "wareId": str(row["wareId"]),
                        "outerSkuId": row["outerId"],
                        "skuName": row["skuName"],
                        "jdPrice": str(row["jdPrice"]),
                        "itemTotal": str(units),
                    }
                    for row, units in zip(rows, items.values(), strict=True)
                ],
                "consigneeInfo": {
                    "fullname": name,
                    "mobile": "13800000042",
                    "telephone": "13800000042",
                    "province": "浙江",
                    "city": "杭州市",
                    "county": "西湖区",
                    "town": "",
                    "fullAddress": f"浙江杭州市西湖区{street}",
                },
                "orderStartTime": now,
                "paymentConfirmTime": now,
                "modified": now,
                "pin": "jd_buyer",
                "orderRemark": "",
                "venderRemark": "",
                **values,
            }
            order["dataVersion"] = self._make_version()
            self.orders[order_id] = order
            return str(order_id)

    def _make_version(self):
        return str(int(self.clock.timestamp() * 1000))

    def touch(self, order_id, **values):
        with self._lock:
            order = self.orders[int(order_id)]
            order |= {**values, "modified": self.now(), "dataVersion": self._make_version()}

    def edit(self, order_id, street):
        info = self.orders[int(order_id)]["consigneeInfo"]
        self.touch(order_id, consigneeInfo={**info, "fullAddress": f"浙江杭州市西湖区{street}"})

    def ask_refund(self, order_id, status=0):
        """The buyer wants an order cancelled that has not left: it is locked; status 3: it was paid back."""
        order = self.orders[int(order_id)]
        total = Decimal(order["orderSellerPrice"]) + Decimal(order["freightPrice"])
        self.touch(order_id, orderState="TRADE_CANCELED" if status == 3 else "LOCKED")
        self.refunds[int(order_id)] = {
            "id": 700000 + int(order_id) % 1000,
            "orderId": order_id,
            "applyRefundSum": int(total * 100),
            "status": status,
            "applyTime": order["modified"],
            "reason": "不想买了",
        }

    def cancel(self, order_id):
        self.ask_refund(order_id, 3)

    def ask_return(self, order_id, index=0, status=10005):
        """The buyer sends a unit back; nothing of it is seen in the order."""
        item = self.orders[int(order_id)]["itemInfoList"][index]
        self.services[self.next_id()] = {
            "serviceId": 724578811 + index,
            "orderId": int(order_id),
            "skuId": int(item["skuId"]),
            "wareNum": 1,
            "customerExpect": 10,
            "serviceStatus": status,
            "applyTime": self.orders[int(order_id)]["modified"],
        }

    # === THE WIRE === #

    def answer(self, path, params):
        if path == "/oauth2/refresh_token":
            right = (params.get("app_key"), params.get("app_secret")) == (KEY, SECRET)
            grant = self.renew(params.get("refresh_token")) if right else None
            return 200, grant or {"code": 405, "msg": "refresh_token is expired"}
        try:
            if self.busy:
                raise self.busy.pop(0)
            self._check(path, params)
            name = params["method"].replace(".", "_")
            content = json.loads(params["360buy_param_json"])
            self.calls.append((params["method"], content))
            if params["method"] in self.forbidden:
                raise Refused("22", "没有权限调用")
            handler = getattr(self, f"_{name}", None)
            if not handler:
                raise Refused("15", "不存在的方法名")
            return 200, {f"{name}_responce": {"code": "0", **copy.deepcopy(handler(content))}}
        except Refused as refused:
            return 200, {"error_response": refused.answer}

    def _check(self, path, params):
        if path != "/routerjson" or params.get("v") != "2.0":
            raise Refused("5", "不支持的版本号")
        if params.get("app_key") != KEY:
            raise Refused("21", "无效app_key")
        signed = {name: value for name, value in params.items() if name not in ("sign", "format", "sign_method")}
        text = SECRET + "".join(name + signed[name] for name in sorted(signed)) + SECRET
        if params.get("sign") != hashlib.md5(text.encode()).hexdigest().upper():
            raise Refused("12", "无效签名")
        if not self.check_time(params.get("timestamp", ""), timedelta(minutes=6)):
            raise Refused("8", "非法的时间戳参数")
        if params.get("access_token") not in self.sessions:
            raise Refused("19", "无效access_token")

    def _jingdong_vender_shop_query(self, _content):
        return {"shop_jos_result": {"shop_id": 900001, "shop_name": "oms京东店", "vender_id": 10622317}}

    def _jingdong_pop_order_enSearch(self, content):
        start, end = content["start_date"], content["end_date"]
        size, page = int(content["page_size"]), int(content["page"])
        span = datetime.strptime(end, STAMP) - datetime.strptime(start, STAMP)
        if not timedelta(0) < span <= timedelta(days=31) or size > 50 or not content.get("optional_fields"):
            raise Refused("61", "参数值不合法")
        states = content["order_state"].split(",")
        rows = [row for row in self.orders.values() if start <= row["modified"] <= end and row["orderState"] in states]
        rows.sort(key=lambda row: row["modified"], reverse=content.get("sortType") == 1)
        chunk = [self._show(row, content) for row in rows[(page - 1) * size : page * size]]
        result = {"apiResult": {"success": True}, "orderTotal": len(rows), "orderInfoList": chunk}
        return {"searchorderinfo_result": result}

    def _show(self, order, content):
        order = {name: order[name] for name in content["optional_fields"].split(",") if name in order}
        if self.is_masked:
            cipher = "AAS/ZFJFpmfveSmeZ0P9i+iPFTw2VsdIkCtv0YhpKHQZAdj5ssES7b4bjL2KwIPn"
            info = {**order["consigneeInfo"], "fullname": cipher, "fullAddress": cipher, "mobile": "138*******2"}
            order = {**order, "consigneeInfo": {**info, "telephone": "138*******2"}}
        return order

    def _get_order(self, order_id):
        return self.orders.get(int(order_id))

    def _jingdong_pop_order_enGet(self, content):
        order = self._get_order(content["order_id"])
        if not order:
            failure = {"success": False, "numberCode": 10400001, "chineseErrCode": "订单不存在"}
            return {"orderDetailInfo": {"apiResult": failure}}
        return {"orderDetailInfo": {"apiResult": {"success": True}, "orderInfo": self._show(order, content)}}

    def _jingdong_pop_order_shipment(self, content):
        order = self._get_order(content["orderId"])
        if not order:
            return {"sopjosshipment_result": {"success": False, "chineseErrCode": "订单不存在"}}
        if order["orderState"] != "WAIT_SELLER_STOCK_OUT":
            failure = {"success": False, "errorCode": "10400010", "chineseErrCode": "订单状态不允许出库"}
            return {"sopjosshipment_result": failure}
        self.touch(
            order["orderId"],
            orderState="WAIT_GOODS_RECEIVE_CONFIRM",
            waybill=content["logiNo"],
            logisticsId=content["logiCoprId"],
        )
        return {"sopjosshipment_result": {"success": True}}

    def _360buy_order_sop_waybill_update(self, content):
        order = self._get_order(content["order_id"])
        if order["orderState"] == "WAIT_SELLER_STOCK_OUT":
            raise Refused("10100029", "订单未出库")
        self.touch(order["orderId"], waybill=content["waybill"], logisticsId=content["logistics_id"])
        return {"vender_id": "10622317"}

    def _jingdong_pop_afs_soa_refundapply_queryPageList(self, content):
        row = self.refunds.get(int(content["orderId"]))
        return {"queryResult": {"success": True, "totalCount": int(bool(row)), "result": [row] if row else []}}

    def _jingdong_pop_afs_soa_refundapply_replyRefund(self, content):
        row = next((row for row in self.refunds.values() if str(row["id"]) == str(content["id"])), None)
        if not row or row["status"] != 0 or content["status"] not in (1, 2) or content["outWareStatus"] != 2:
            return {"replyResult": {"success": False, "errorCode": "1", "errorMsg": "退款单状态不正确"}}
        row["checkRemark"] = content["remark"]
        if (content["status"] == 2) != ("rejectType" in content) or not isinstance(content["id"], int):
            raise Refused("61", "参数值不合法")
        if content["status"] == 2:
            row["status"] = 2
            self.touch(row["orderId"], orderState="WAIT_SELLER_STOCK_OUT")
        else:
            row["status"] = 3  # granted, and paid back at once
            self.touch(row["orderId"], orderState="TRADE_CANCELED")
        return {"replyResult": {"success": True}}

    def _jingdong_asc_query_list(self, content):
        if content.get("buId") != "10622317" or not content.get("operatePin") or not content.get("operateNick"):
            raise Refused("61", "参数值不合法")
        rows = [row for row in self.services.values() if row["orderId"] == int(content["orderId"])]
        return {"pageResult": {"totalCount": len(rows), "data": rows}}

    def _jingdong_sku_read_searchSkuList(self, content):
        rows = [row for row in self.skus.values() if content.get("outerId") in (None, row["outerId"])]
        size, page = content["pageSize"], content["pageNo"]
        return {"page": {"totalItem": len(rows), "data": rows[(page - 1) * size : page * size]}}

    def _jingdong_stock_write_updateSkuStock(self, content):
        sku = self.skus.get(content["skuId"])
        if not sku or content["stockNum"] < 0:
            raise Refused("11100014", "SKU不存在")
        sku["stockNum"] = content["stockNum"]
        return {"success": True}
