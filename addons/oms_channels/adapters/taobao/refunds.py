"""Money back on Taobao: a seller can't pay back a trade that is paid, only grant what the buyer asks for."""

from ..china import read_time
from ..errors import Rejected
from ..notices import PushResult
from ..types import ZERO
from ..values import rows, to_decimal, to_text
from . import mapper

# Who is named as having looked at a request; Tmall asks for it.
OPERATOR = "OMS"
# One of the reasons that the platform takes for closing a trade that is not paid.
CLOSE_REASON = "缺货"
# What the seller may grant now: the money alone, or the money for goods that are back.
OPEN = ("WAIT_SELLER_AGREE", "WAIT_SELLER_CONFIRM_GOODS")
ASKED, REFUSED = "WAIT_SELLER_AGREE", "SELLER_REFUSE_BUYER"
AGREED = ("WAIT_BUYER_RETURN_GOODS", "WAIT_SELLER_CONFIRM_GOODS", "SUCCESS")
# Which of the seller's addresses: the one for returns.
RETURN_ADDRESS = "cancel_def"


class RefundFlow:
    """A request is granted once: one that was, is found granted when the trade is read again. Its id is the key."""

    def __init__(self, client):
        self.client = client

    def cancel(self, raw):
        """Close what is not paid; of what is paid grant the requests for every sub-order.

        :return: whether there was nothing to do
        """
        tid, parsed = to_text(raw["tid"]), mapper.map_order(raw)
        if any(line.shipped_quantity for line in parsed.lines):
            raise Rejected(f"Trade {tid} has left in part or in full: it can't be cancelled in the shop.")
        if parsed.status == "cancelled":
            return True
        if raw.get("status") in mapper.NOT_PAID:
            self.client.call("taobao.trade.close", tid=tid, close_reason=CLOSE_REASON)
            return False
        wishes = {to_text(row.get("oid")): row for row in rows(raw, mapper.REFUNDS)}
        left = [order for order in mapper.get_orders(raw) if order.get("status") not in mapper.CLOSED]
        asked = [wishes.get(to_text(order.get("oid"))) for order in left]
        without = [
            to_text(order.get("oid"))
            for order, row in zip(left, asked, strict=True)
            if not row or row.get("status") not in OPEN
        ]
        if without:
            raise Rejected(
                f"Trade {tid} is paid: Taobao pays it back only when the buyer asks. There is no request for sub-order "
                f"{', '.join(without)}. Have the buyer apply for the refund, then retry: it is granted."
            )
        for row in asked:
            self._grant(row)
        return False

    def refund(self, notice, raw):
        """Grant the request that this money is for. :return: PushResult"""
        tid, parsed = to_text(raw["tid"]), mapper.map_order(raw)
        if parsed.status == "cancelled" and not parsed.captured_total:
            return PushResult(is_repeat=True, data={"reason": "refunded by the cancellation"})
        if notice.currency != parsed.currency:
            raise Rejected(f"The payment is in {parsed.currency}, the refund in {notice.currency}.")
        found = [row for row in rows(raw, mapper.REFUNDS) if self._is_meant(notice, row)]
        for row in found:
            if row.get("status") == "SUCCESS":
                return PushResult(to_text(row.get("refund_id")), is_repeat=True)
        row = next((row for row in found if row.get("status") in OPEN), None)
        if not row:
            raise Rejected(
                f"Trade {tid}: the buyer has no open request for {notice.amount}. Taobao pays back only what the buyer "
                "asks for. Have the buyer apply for the refund, then retry: it is granted."
            )
        if (asked := _get_amount(row)) != notice.amount:
            raise Rejected(
                f"The buyer asks for {asked}, the credit note is of {notice.amount}: a request is granted as it is."
            )
        self._grant(row)
        return PushResult(to_text(row.get("refund_id")))

    def cancel_lines(self, notice, raw):
        """Grant the requests for sub-orders that are taken off whole. :return: whether there was nothing to do"""
        tid, parsed = to_text(raw["tid"]), mapper.map_order(raw)
        wishes = {to_text(row.get("oid")): row for row in rows(raw, mapper.REFUNDS)}
        found = []
        for line_id, units in notice.lines:
            line, row = parsed.find_line(line_id), wishes.get(line_id, {})
            if not line or units != line.quantity or line.shipped_quantity:
                raise Rejected(f"Trade {tid}: Taobao takes off sub-orders only whole, and before they have left.")
            if row.get("status") not in (*OPEN, "SUCCESS"):
                raise Rejected(
                    f"Trade {tid} is paid: Taobao pays sub-order {line_id} back only when the buyer asks, and there is "
                    "no request. Have the buyer apply for the refund, then retry: it is granted."
                )
            found.append(row)
        left = [row for row in found if row.get("status") in OPEN]
        for row in left:
            self._grant(row)
        return not left

    def answer(self, notice, raw):
        """Agree to a request, or refuse it. :return: PushResult"""
        tid, request_id = to_text(raw["tid"]), notice.request_external_id
        row = next((row for row in rows(raw, mapper.REFUNDS) if to_text(row.get("refund_id")) == request_id), None)
        if not row:
            raise Rejected(f"Trade {tid} has no request {request_id} in the shop any more.")
        if row.get("status") in (AGREED if notice.is_granted else (REFUSED,)):
            return PushResult(request_id, is_repeat=True)
        if row.get("status") != ASKED:
            raise Rejected(f"Request {request_id} of trade {tid} is answered already ({row.get('status')}).")
        if not notice.is_granted:
            self._refuse(row, notice.reason)
        elif mapper.is_true(row.get("has_good_return")):
            self._agree_to_return(row)
        else:
            self._grant(row)
        return PushResult(request_id)

    def _refuse(self, row, reason):
        if row.get("refund_phase"):
            raise Rejected(
                f"Tmall takes a refusal only with a picture as proof: refuse request {row.get('refund_id')} in the "
                "seller centre."
            )
        refund_id = to_text(row.get("refund_id"))
        self.client.call("taobao.refund.refuse", refund_id=refund_id, refuse_message=reason or "不同意")

    def find_return_address(self):
        """Return the shop's address for returns, as the platform has it; {} where it has none."""
        answer = self.client.call("taobao.logistics.address.search", rdef=RETURN_ADDRESS)
        return next(iter(mapper.unwrap(answer, "addresses", "address_result")), {})

    def _agree_to_return(self, row):
        address = self.find_return_address()
        if not address.get("contact_id"):
            raise Rejected("The shop has no address for returns. Enter one in the seller centre, then retry.")
        self.client.call(
            "taobao.rp.returngoods.agree",
            refund_id=to_text(row.get("refund_id")),
            seller_address_id=to_text(address["contact_id"]),
            remark="OK",
            refund_phase=to_text(row.get("refund_phase")) or None,
            refund_version=to_text(row.get("refund_version")) or _get_version(row),
        )

    @staticmethod
    def _is_meant(notice, row):
        request_id = to_text(row.get("refund_id"))
        if notice.request_external_id:
            return request_id == notice.request_external_id
        if request_id in notice.used_request_ids:
            return False
        line_ids = [line_id for line_id, _units in notice.lines]
        is_line = not line_ids or to_text(row.get("oid")) in line_ids
        return is_line and _get_amount(row) == notice.amount

    def _grant(self, row):
        """Tmall has a request looked at first; only then, and in its phase, it can be granted."""
        refund_id, phase = to_text(row.get("refund_id")), to_text(row.get("refund_phase"))
        version = to_text(row.get("refund_version")) or _get_version(row)
        if phase:
            self.client.call(
                "taobao.rp.refund.review",
                refund_id=refund_id,
                operator=OPERATOR,
                refund_phase=phase,
                refund_version=version,
                result=True,
                message="OK",
            )
        cents = int(_get_amount(row) * 100)
        infos = "|".join(filter(None, (refund_id, str(cents), version, phase)))
        answer = self.client.call("taobao.rp.refunds.agree", refund_infos=infos)
        results = mapper.unwrap(answer, "results", "refund_mapping_result")
        refused = [to_text(one.get("message")) for one in results if to_text(one.get("succ")).lower() == "false"]
        if refused or to_text(answer.get("succ")).lower() == "false":
            said = "; ".join(filter(None, refused)) or to_text(answer.get("message") or answer.get("msg_code"))
            raise Rejected(
                f"Taobao did not grant refund {refund_id}: {said}. Above a certain sum it wants a code sent by SMS: "
                "grant it in the seller centre."
            )


def _get_amount(row):
    return to_decimal(row.get("refund_fee") or ZERO, "refund_fee of a refund")


def _get_version(row):
    return str(int(read_time(row.get("modified"), "modified of a refund").timestamp() * 1000))
