from decimal import Decimal

from odoo import api, models
from odoo.tools import format_amount

# States of a ChannelRefundRequest in which the buyer waits for an answer, and those in which nothing is asked any more.
OPEN_STATES = ("requested", "received")
WITHDRAWN_STATES = ("refused", "cancelled")
# The evidence, beside the parts of an order, by which a hold is about something else of the shop too.
OTHER_KEYS = {"cancelled", "reopened", "refunded", "sent"}


def _get_goods(lines):
    return {line_id: Decimal(quantity) for line_id, quantity in lines}


def _has_goods(row, lines):
    """Whether a request is for these goods at least."""
    asked = _get_goods(row["lines"])
    return all(asked.get(line_id, 0) >= quantity for line_id, quantity in _get_goods(lines).items())


def _has_same_lines(row, lines):
    """Whether a request is about the same lines: one for money alone may name other quantities."""
    return _get_goods(row["lines"]).keys() == _get_goods(lines).keys()


def _has_same_goods(row, lines):
    return _get_goods(row["lines"]) == _get_goods(lines)


class SaleOrder(models.Model):
    """What buyers ask back in the shop: goods that have not left yet are kept until a person has answered."""

    _inherit = "sale.order"

    @api.model
    def _prepare_refund_requests(self, channel_order):
        """Return, JSON-able, what the buyer asks back, as {request id in the shop: {...}}; part of the snapshot."""
        return {
            request.external_id: {
                "kind": request.kind,
                "state": request.state,
                "amount": f"{request.amount.normalize():f}",
                "reason": request.reason,
                "lines": [[line_id, f"{quantity.normalize():f}"] for line_id, quantity in request.lines],
            }
            for request in channel_order.refund_requests
        }

    def _apply_refund_requests(self, channel_order, before):
        """Follow what is asked, and what no longer is, each once.

        :param channel_order: ChannelOrder
        :param before: the requests as the shop told them last, see `_prepare_refund_requests`
        :return: sentences for the result of the message
        """
        self.ensure_one()
        now = self._prepare_refund_requests(channel_order)
        asked = {key: row for key, row in now.items() if self._is_newly_asked(row, before.get(key))}
        withdrawn = {
            key: row
            for key, row in before.items()
            if row["state"] in OPEN_STATES and now.get(key, {"state": "cancelled"})["state"] in WITHDRAWN_STATES
        }
        results = []
        if withdrawn:
            results.append(self._withdraw_refund_requests(withdrawn))
        if asked:
            results.append(self._ask_refund_requests(asked))
        return results

    @api.model
    def _is_newly_asked(self, row, before):
        if row["state"] not in OPEN_STATES:
            return False
        if not before or before["state"] not in OPEN_STATES:
            return True
        return any(row[name] != before[name] for name in ("kind", "amount", "lines"))

    def _ask_refund_requests(self, asked):
        """Log new requests, and keep back what has not left yet. :return: what was done, as a sentence"""
        reason = "\n".join(self._describe_refund_request(key, row) for key, row in asked.items())
        self._oms_log_event("refund_asked", message=reason, data=asked)
        if self.state == "cancel" or self._has_left():
            return self._follow_late_requests(asked)
        self._place_shop_hold(reason, {"refund_requests": asked})
        return self.env._("Refund asked for: put on hold")

    def _follow_late_requests(self, asked):
        """Have a person look at requests for what has left already. To be overridden by who handles returns.

        :return: what was done, as a sentence
        """
        note = "\n".join(self._describe_refund_request(key, row) for key, row in asked.items())
        self._oms_schedule_activity(
            self.env._("Refund asked for in the shop: %(requests)s", requests=", ".join(asked)), note
        )
        return self.env._("Refund asked for")

    def _withdraw_refund_requests(self, withdrawn):
        """Log requests that are no longer there, and release the hold that nothing else keeps. :return: as above"""
        comment = self.env._("Refund request withdrawn in the shop: %(requests)s", requests=", ".join(withdrawn))
        self._oms_log_event("refund_withdrawn", message=comment, data=withdrawn)
        hold = self._get_shop_hold()
        data = dict(hold.data or {})
        requests = data.pop("refund_requests", {})
        if not requests.keys() & withdrawn.keys():
            return comment
        if left := {key: row for key, row in requests.items() if key not in withdrawn}:
            data["refund_requests"] = left
        own = hold._get_own_reasons()
        hold.data = data
        parts = self.env["oms.channel.edit.policy"]._fields["part"].get_values(self.env)
        if data.keys() & {*parts, *OTHER_KEYS, "refund_requests"}:
            hold._reword_own_reasons(f"{own.name}\n{comment}")
        else:
            hold._settle_own_reasons(comment)
        return comment

    def _describe_refund_request(self, external_id, row):
        """Return one sentence on what is asked and how much."""
        amount = float(row["amount"])
        values = {
            "amount": format_amount(self.env, amount, self.currency_id) if amount else self.env._("amount not told"),
            "request": external_id,
            "reason": row["reason"] or "-",
        }
        if row["kind"] == "return":
            return self.env._("The buyer wants to return goods (%(amount)s, request %(request)s): %(reason)s", **values)
        return self.env._("The buyer wants money back (%(amount)s, request %(request)s): %(reason)s", **values)

    # === WHICH REQUEST IS MEANT === #

    def _get_requests(self, states, but=()):
        """Return the buyer's requests in these states, as the snapshot has them, without those in ``but``."""
        requests = (self.channel_snapshot or {}).get("refund_requests", {})
        return {key: row for key, row in requests.items() if row["state"] in states and key not in but}

    def _find_refund_request(self, lines, amount, used):
        """Return the id of the open request for just this money, the same goods first; "" for none.

        :param lines: ((line id in the shop, quantity), ...), empty where it is not known
        :param used: ids of requests that are answered
        """
        requests = self._get_requests(OPEN_STATES, used)
        found = [
            key
            for key, row in requests.items()
            if Decimal(row["amount"]) == amount and (not row["lines"] or not lines or _has_same_lines(row, lines))
        ]
        return min(found, key=lambda key: not _has_same_goods(requests[key], lines), default="")

    def _find_cancel_request(self, lines, used):
        """Return the id of the open request for money that is about just these units; "" for none."""
        requests = self._get_requests(OPEN_STATES, used)
        return next(
            (key for key, row in requests.items() if row["kind"] == "refund" and _has_same_goods(row, lines)), ""
        )

    def _find_return_request(self, lines, used):
        """Return the id of the open request to send back these goods, or more of them; "" for none."""
        requests = {key: row for key, row in self._get_requests(OPEN_STATES, used).items() if row["kind"] == "return"}
        found = [key for key, row in requests.items() if _has_goods(row, lines)]
        return min(found, key=lambda key: not _has_same_goods(requests[key], lines), default="")

    def _find_granted_request(self, amount):
        """Return the id of the request by which the shop itself gave ``amount`` back, or ""."""
        pushes = self.channel_push_ids.filtered(lambda push: push.kind == "refund")
        used = {*pushes.mapped("request_ref"), *pushes.mapped("external_ref")}
        used.update(self.channel_payment_ids.mapped("request_ref"))
        return next(
            (
                key
                for key, row in self._get_requests(("refunded",), used).items()
                if not self.currency_id.compare_amounts(float(row["amount"]), amount)
            ),
            "",
        )

    def _get_request_line_ids(self, request_ref):
        """Return the shop's ids of the lines that a request is about."""
        row = self._get_requests(("refunded",)).get(request_ref) or {}
        return {line_id for line_id, _quantity in row.get("lines", ())}

    def _has_left(self):
        """Return whether all goods of the order are on their way."""
        self.ensure_one()
        pickings = self._oms_get_outbound_pickings().filtered(lambda picking: picking.state != "cancel")
        return bool(pickings) and all(picking.state == "done" for picking in pickings)

    # === HOLD FOR WHAT THE SHOP CHANGED === #

    def _get_shop_hold(self):
        """Return the active hold of type "edited" of this order, in sudo, or none."""
        # sudo: oms.hold - the shop's word counts, whoever works the message
        return self.sudo().oms_hold_ids.filtered(lambda hold: hold.state == "active" and hold.type_id.code == "edited")

    def _place_shop_hold(self, reason, data):
        """Hold this order for a change in the shop; what is held for another change already is held for both.

        :param reason: sentence for the person who looks at it
        :param data: JSON-able evidence: parts of an order, OTHER_KEYS or "refund_requests"
        """
        self.ensure_one()
        hold = self._get_shop_hold()
        own = hold._get_own_reasons()
        if not own:
            self._oms_place_hold("edited", reason, data=data)
            return
        merged = {**(hold.data or {}), **data}
        if "refund_requests" in data:
            merged["refund_requests"] = {**(hold.data or {}).get("refund_requests", {}), **data["refund_requests"]}
        hold.data = merged
        hold._reword_own_reasons(f"{own.name}\n{reason}")
