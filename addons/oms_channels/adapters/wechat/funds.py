"""The shop's account with WeChat: each movement by its id, read one by one.

As developers.weixin.qq.com describes funds/getfundsflowlist and funds/getfundsflowdetail. A movement names its order,
no payout: the seller takes money out by hand, whenever they like.
"""

from ..china import CURRENCY, read_time
from ..payouts import PayoutEntry, PayoutPage
from ..types import ZERO
from ..values import required, rows, to_decimal, to_text
from . import mapper

# Each movement is a call of its own.
PAGE = 20
IN = 1  # flow_type; 2 is out
# funds_type: 1 paid by a buyer, 2 WeChat's fee, 3 given back, 4 taken out, 5 came back from the bank, 6 and 7 shares of
# those who brought the buyer.
KINDS = {1: "charge", 2: "fee", 3: "refund", 4: "payout", 5: "payout", 6: "fee", 7: "fee"}


def fetch_page(client, since, cursor, now):
    """:param cursor: "page|second at which the list ends|WeChat's key", None for the first :param now: second"""
    page, end, key = cursor.split("|", 2) if cursor else ("1", str(now), "")
    answer = client.call(
        "funds/getfundsflowlist",
        page=int(page),
        page_size=PAGE,
        start_time=int(since.timestamp()),
        end_time=int(end),
        **({"next_key": key} if key else {}),
    )
    ids = [to_text(flow_id) for flow_id in answer.get("flow_ids") or []]
    entries = [
        map_flow(mapper.get_part(client.call("funds/getfundsflowdetail", flow_id=flow_id), "funds_flow"))
        for flow_id in ids
    ]
    has_more = answer.get("has_more") and ids
    following = f"{int(page) + 1}|{end}|{to_text(answer.get('next_key'))}" if has_more else None
    return PayoutPage(tuple(entries), following)


def map_flow(row):
    """A movement. Fees are movements of their own."""
    kind = KINDS.get(row.get("funds_type"), "other")
    amount = to_decimal(row.get("amount"), "The amount of a movement") / 100
    net = amount if row.get("flow_type") == IN else -amount
    gross, fee = (ZERO, -net) if kind == "fee" else (net, ZERO)
    related = rows(row, "related_info_list")
    return PayoutEntry(
        external_id=to_text(required(row, "flow_id", "The id of a movement")),
        kind=kind,
        gross=gross,
        fee=fee,
        net=net,
        currency=CURRENCY,
        date=read_time(row.get("bookkeeping_time"), "The time of a movement"),
        order_external_id=_find(related, "order_id"),
        payment_external_id=_find(related, "transaction_id") if kind == "charge" else "",
        description=to_text(row.get("funds_type_desc")) or to_text(row.get("remark")),
    )


def _find(related, name):
    return next((to_text(one[name]) for one in related if one.get(name)), "")
