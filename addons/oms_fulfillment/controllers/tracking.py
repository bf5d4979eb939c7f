import logging

from odoo import http
from odoo.http import request

from ..routing.tracking import TrackingPayloadError, is_signed, parse_payload

_logger = logging.getLogger(__name__)

SIGNATURE_HEADER = "X-OMS-Signature"
MAX_BODY = 1024 * 1024  # bytes: some five thousand events


class TrackingWebhook(http.Controller):
    _webhook_url = "/oms/tracking/<string:code>"

    @http.route(_webhook_url, type="http", auth="public", methods=["POST"], csrf=False, save_session=False)
    def tracking(self, code):
        """Store what a carrier tells; a scheduled action works it through.

        Answers 401 when it is not signed by the carrier, 400 when it cannot be read, 200 with the counts of new, known
        and unmatched events otherwise: telling the same again is always fine.
        """
        # sudo: delivery.carrier - carriers have no user; the signature below is their right
        carrier_sudo = request.env["delivery.carrier"].sudo().search([("oms_code", "=", code)], limit=1)
        if (request.httprequest.content_length or 0) > MAX_BODY:
            return request.make_json_response({"error": "The payload is too large: send fewer events."}, status=413)
        body = request.httprequest.get_data()
        signature = request.httprequest.headers.get(SIGNATURE_HEADER, "")
        if not is_signed(carrier_sudo.oms_tracking_secret, body, signature):
            _logger.warning("Tracking events for carrier code %r refused: not signed by the carrier", code)
            return request.make_json_response({"error": "The signature is wrong."}, status=401)
        try:
            events = parse_payload(body)
        except TrackingPayloadError as error:
            _logger.warning("Tracking events of %s refused: %s", carrier_sudo.name, error)
            return request.make_json_response({"error": str(error)}, status=400)
        stored = request.env["oms.parcel.event"].sudo()._insert_events(carrier_sudo, events, "webhook")
        unmatched = stored.filtered(lambda event: not event.parcel_id)
        if stored - unmatched:
            request.env.ref("oms_fulfillment.ir_cron_apply_tracking").sudo()._trigger()  # sudo: ir.cron - as above
        return request.make_json_response(
            {"stored": len(stored), "known": len(events) - len(stored), "unmatched": len(unmatched)}
        )
