"""Money back in a WeChat shop: a seller grants what the buyer asks for."""

from ..errors import Rejected
from ..notices import PushResult
from ..values import rows, to_text
from . import mapper

AGREE_TO_RETURN, PAY_BACK = 1, 2
ASKED = "MERCHANT_PROCESSING"
# What can be paid back now: the money alone; for a return, once its goods are on their way back.
OPEN = {mapper.REFUND: ("MERCHANT_PROCESSING",), mapper.RETURN: ("MERCHANT_WAIT_RECEIPT",)}
GRANTED = (*mapper.REFUNDED, "PLATFORM_REFUNDING")
AGREED = (*GRANTED, "USER_WAIT_RETURN", "MERCHANT_WAIT_RECEIPT")
REFUSED = tuple(status for status, state in mapper.REFUND_STATES.items() if state == "refused")


def _is_open(row):
    return row.get("status") in OPEN.get(row.get("type"), ())


class RefundFlow:
    """A request that was granted is found so when the order is read again. WeChat takes one refund of an order a
    minute: with several, the rest is granted when the push is tried again."""

    def __init__(self, client):
        self.client = client

    def cancel(self, raw, parsed):
        """Grant the requests for all units. :return: whether there was nothing to do"""
        order_id = parsed.external_id
        if any(line.shipped_quantity for line in parsed.lines):
            raise Rejected(f"Order {order_id} has left in part or in full: it can't be cancelled in the shop.")
        if parsed.status == "cancelled":
            return True
        if not parsed.is_paid:
            raise Rejected(f"Order {order_id} is not paid: WeChat cancels it when the buyer's time to pay is over.")
        asked = [row for row in rows(raw, mapper.REFUNDS) if row.get("type") == mapper.REFUND]
        asked = [row for row in asked if _is_open(row) or row.get("status") in GRANTED]
        sold = [line for line in parsed.lines if line.total]  # what was given away goes with what was bought
        missing = [line.external_id for line in sold if self._count(asked, line) < line.quantity]
        if missing:
            raise Rejected(
                f"Order {order_id}: a WeChat shop cancels only what the buyer asks for. There is no request for line "
                f"{', '.join(missing)}. Have the buyer apply for the refund, then retry: it is granted."
            )
        for row in filter(_is_open, asked):
            self._grant(row)
        return not any(map(_is_open, asked))

    @staticmethod
    def _count(asked, line):
        products = [mapper.get_part(row, "product_info") for row in asked]
        return sum(
            int(row.get("count") or 0) for row in products if to_text(row.get("sku_id")) == line.variant_external_id
        )

    def refund(self, notice, raw, parsed):
        """Grant the request that this money is for. :return: PushResult"""
        if parsed.status == "cancelled" and not parsed.captured_total:
            return PushResult(is_repeat=True, data={"reason": "refunded by the cancellation"})
        if notice.currency != parsed.currency:
            raise Rejected(f"The payment is in {parsed.currency}, the refund in {notice.currency}.")
        found = [row for row in rows(raw, mapper.REFUNDS) if self._is_meant(notice, row, parsed)]
        for row in found:
            if row.get("status") in GRANTED:
                return PushResult(to_text(row.get("after_sale_order_id")), is_repeat=True)
        row = next(filter(_is_open, found), None)
        if not row:
            raise Rejected(
                f"Order {parsed.external_id}: the buyer has no open request for {notice.amount}. A WeChat shop pays "
                "back only what the buyer asks for. Have the buyer apply for the refund, then retry: it is granted."
            )
        if (asked := mapper.get_refund_amount(row)) != notice.amount:
            raise Rejected(
                f"The buyer asks for {asked}, the credit note is of {notice.amount}: a request is granted as it is."
            )
        self._grant(row)
        return PushResult(to_text(row.get("after_sale_order_id")))

    def cancel_lines(self, notice, raw, parsed):
        """Grant the requests for units that have not left. :return: whether there was nothing to do"""
        found = []
        for line_id, units in notice.lines:
            line = parsed.find_line(line_id)
            asked = [row for row in rows(raw, mapper.REFUNDS) if line and self._is_for_units(notice, row, line, units)]
            row = next(filter(_is_open, asked), None) or next(iter(asked), None)
            if not row:
                raise Rejected(
                    f"Order {parsed.external_id}: a WeChat shop takes off only what the buyer asks for. There is no "
                    f"request for {units:f} of line {line_id}. Have the buyer apply for the refund, then retry: it is "
                    "granted."
                )
            found.append(row)
        left = list(filter(_is_open, found))
        for row in left:
            self._grant(row)
        return not left

    @staticmethod
    def _is_for_units(notice, row, line, units):
        product = mapper.get_part(row, "product_info")
        is_meant = notice.request_external_id in ("", to_text(row.get("after_sale_order_id")))
        is_goods = to_text(product.get("sku_id")) == line.variant_external_id and product.get("count") == units
        is_alive = row.get("type") == mapper.REFUND and (_is_open(row) or row.get("status") in GRANTED)
        return is_meant and is_goods and is_alive

    def answer(self, notice, raw):
        """Agree to a request, or refuse it. :return: PushResult"""
        order_id, request_id = notice.order_external_id, notice.request_external_id
        found = (row for row in rows(raw, mapper.REFUNDS) if to_text(row.get("after_sale_order_id")) == request_id)
        row = next(found, None)
        if not row:
            raise Rejected(f"Order {order_id} has no request {request_id} in the shop any more.")
        if row.get("status") in (AGREED if notice.is_granted else REFUSED):
            return PushResult(request_id, is_repeat=True)
        if row.get("status") != ASKED:
            raise Rejected(f"Request {request_id} of order {order_id} is answered already ({row.get('status')}).")
        if not notice.is_granted:
            content = {"after_sale_order_id": request_id, "reject_reason": notice.reason or "不同意"}
            self.client.call("aftersale/rejectapply", **content)
        elif row.get("type") == mapper.RETURN:
            self.client.call(
                "aftersale/acceptapply",
                after_sale_order_id=request_id,
                accept_type=AGREE_TO_RETURN,
                address_id=self._find_return_address(),
            )
        else:
            self._grant(row)
        return PushResult(request_id)

    def _find_return_address(self):
        """The address at which the shop takes goods back by default, else its first."""
        ids = self.client.call("merchant/address/list", offset=0, limit=10).get("address_id_list") or []
        for address_id in ids:
            answer = self.client.call("merchant/address/get", address_id=address_id)
            if mapper.get_part(answer, "address_detail").get("default_recv"):
                return address_id
        if not ids:
            raise Rejected("The shop has no address for returns. Enter one in WeChat's own desk, then retry.")
        return ids[0]

    @staticmethod
    def _is_meant(notice, row, parsed):
        request_id = to_text(row.get("after_sale_order_id"))
        if notice.request_external_id:
            return request_id == notice.request_external_id
        if request_id in notice.used_request_ids:
            return False
        line_ids = [line_id for line_id, _units in notice.lines]
        skus = [line.variant_external_id for line in parsed.lines if line.external_id in line_ids]
        is_line = not line_ids or to_text(mapper.get_part(row, "product_info").get("sku_id")) in skus
        return is_line and mapper.get_refund_amount(row) == notice.amount

    def _grant(self, row):
        order_id = to_text(row.get("after_sale_order_id"))
        self.client.call("aftersale/acceptapply", after_sale_order_id=order_id, accept_type=PAY_BACK)
