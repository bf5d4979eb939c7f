from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from itertools import zip_longest

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import float_repr

from odoo.addons.oms_base.models.oms_queue_mixin import QueueRetry

from ..adapters import notices
from .oms_channel_push import REFERENCE_SEPARATOR


class OmsChannelPush(models.Model):
    """What each kind of push says, and what its answer means here.

    ``_prepare_<kind>_notice`` returns the adapter's notice, a list of them (a parcel each), or a sentence when there is
    nothing to tell;
    ``_apply_<kind>_result`` may do more with the answer than keep it.
    """

    _inherit = "oms.channel.push"

    def _get_document(self):
        """Return the document of this push.

        :raise UserError: when it is gone
        """
        document = self.env[self.res_model].browse(self.res_id).exists()
        if not document:
            raise UserError(self.env._("The document of %(push)s is gone. Skip the push.", push=self.display_name))
        return document

    def _get_notice_lines(self):
        """Return ((line id in the shop, quantity), ...) as they were when this was queued."""
        return tuple((line_id, Decimal(quantity)) for line_id, quantity in (self.payload or {}).get("lines", ()))

    def _get_used_requests(self):
        """Return the ids of the buyer's requests that other pushes of this kind have answered, or the shop itself."""
        others = (self.order_id.channel_push_ids - self).filtered(lambda push: push.kind == self.kind)
        refs = others.mapped("request_ref") + others.filtered(lambda push: push.state == "done").mapped("external_ref")
        if self.kind == "refund":
            refs += self.order_id.channel_payment_ids.mapped("request_ref")
        return set(filter(None, refs))

    # === SHIPMENT === #

    def _prepare_shipment_notice(self):
        picking = self._get_document()
        lines = self._get_notice_lines()
        if not lines:
            return self.env._("Nothing in %(picking)s belongs to a line of the shop.", picking=picking.name)
        if self.order_id._is_sent_in_shop(lines):
            return self.env._("The shop has sent it itself.")
        # Read now: the number may have been entered after the goods left.
        parcels, (number, url) = picking._get_channel_parcels(self.order_id), picking._get_channel_tracking()
        if len(parcels) == 1 and parcels[0][0] != number:
            # The only box of several with goods, or the last parts of a kit, of this order.
            number, url, _content = parcels[0]
        notice = notices.ShipmentNotice(
            order_external_id=self.order_id.channel_order_id,
            lines=lines,
            tracking_number=number,
            carrier=picking.carrier_id.name or "",
            idempotency_key=self.idempotency_key,
            tracking_url=url,
        )
        if len(parcels) < 2:
            return notice
        return [
            replace(
                notice,
                lines=tuple((line_id, Decimal(quantity)) for line_id, quantity in content),
                tracking_number=number,
                tracking_url=url,
                idempotency_key=f"{self.idempotency_key}-{index}",
            )
            for index, (number, url, content) in enumerate(parcels, 1)
        ]

    def _prepare_delivered_notice(self):
        picking = self._get_document()
        shipment = self.search(
            [
                ("channel_id", "=", self.channel_id.id),
                ("order_id", "=", self.order_id.id),
                ("kind", "=", "shipment"),
                ("res_model", "=", picking._name),
                ("res_id", "=", picking.id),
            ],
            limit=1,
        )
        if shipment.state in ("failed", "pending"):
            raise QueueRetry(self.env._("The shop has not been told of the shipment yet."))
        numbers = [number for number, _url, _content in picking._get_channel_parcels(self.order_id)]
        notice = notices.DeliveryNotice(
            order_external_id=self.order_id.channel_order_id,
            idempotency_key=self.idempotency_key,
            tracking_number=numbers[0] if len(numbers) == 1 else picking._get_channel_tracking()[0],
            shipment_external_id=shipment.external_ref or "",
            delivered_at=self.create_date.replace(tzinfo=UTC),
        )
        references = (shipment.external_ref or "").split(REFERENCE_SEPARATOR)
        if len(references) < 2:
            return notice
        return [
            replace(
                notice,
                idempotency_key=f"{self.idempotency_key}-{index}",
                tracking_number=number or "",
                shipment_external_id=reference,
            )
            for index, (reference, number) in enumerate(zip_longest(references, numbers[: len(references)]), 1)
        ]

    # === RETURN === #

    def _prepare_answer_notice(self):
        return notices.AnswerNotice(
            order_external_id=self.order_id.channel_order_id,
            request_external_id=self.payload["request"],
            is_granted=self.payload["is_granted"],
            idempotency_key=self.idempotency_key,
            reason=self.payload.get("reason") or "",
        )

    def _prepare_return_received_notice(self):
        picking = self._get_document()
        lines = self._get_notice_lines()
        if not lines:
            return self.env._("Nothing in %(picking)s belongs to a line of the shop.", picking=picking.name)
        self.request_ref = picking._get_channel_request_ref() or self.order_id._find_return_request(
            lines, self._get_used_requests()
        )
        return notices.ReturnNotice(
            order_external_id=self.order_id.channel_order_id,
            lines=lines,
            idempotency_key=self.idempotency_key,
            request_external_id=self.request_ref or "",
            note=picking.name,
        )

    # === REFUND === #

    def _prepare_refund_notice(self):
        move = self._get_document()
        if move.state != "posted":
            return self.env._("The credit note %(move)s is not posted any more.", move=move.display_name)
        given = self.order_id.channel_payment_ids._take_for_credit_note(move)
        left = move.currency_id.round(self.payload["amount"] - given)
        if given and left <= 0:
            return self.env._("Paid back in the shop itself.")
        payments = self.order_id.channel_payment_ids._filter_inbound()
        if not any(payment.captured_amount for payment in payments):
            return self.env._("The shop collected nothing for this order: pay the buyer back yourself.")
        amount = Decimal(float_repr(left, move.currency_id.decimal_places))
        # What units cost is paid with them: the rest is for none.
        lines, used = () if given else self._get_notice_lines(), self._get_used_requests()
        self.request_ref = move._get_channel_request_ref() or self.order_id._find_refund_request(lines, amount, used)
        return notices.RefundNotice(
            order_external_id=self.order_id.channel_order_id,
            amount=amount,
            currency=move.currency_id.name,
            idempotency_key=self.idempotency_key,
            note=move.name or "",
            lines=lines,
            request_external_id=self.request_ref or "",
            used_request_ids=tuple(sorted(used)),
        )

    def _apply_refund_result(self, notice, result):
        """The buyer has the money back: what is left is to book it."""
        self.env["oms.channel.payment"]._record_refund(self, notice, result)
        self.env["oms.channel.payment"]._ask_to_pay_back(self.order_id, result)
        self.order_id._oms_log_event(
            "refunded", document=self._get_document(), message=f"{notice.amount} {notice.currency}"
        )
