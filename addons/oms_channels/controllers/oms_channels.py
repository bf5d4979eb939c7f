import logging
from datetime import UTC, datetime

import psycopg2
from werkzeug.exceptions import NotFound, RequestEntityTooLarge

from odoo import http
from odoo.http import request

from ..adapters.errors import AdapterError, AuthError

_logger = logging.getLogger(__name__)

# Webhooks name what happened; a body beyond this is no webhook.
MAX_BODY_BYTES = 1024 * 1024
# Names of events and orders beyond this are none, and ids beyond this no column can hold.
MAX_NAME = 255
MAX_ID = 2**31 - 1
UNFORESEEN = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class OmsChannels(http.Controller):
    _webhook_url = "/oms/webhook/<int:channel_id>"

    @http.route(
        _webhook_url,
        type="oms_raw",
        auth="public",
        methods=["POST"],
        save_session=False,
        max_content_length=MAX_BODY_BYTES,  # also of a body that does not say how long it is
    )
    def webhook(self, channel_id):
        """Check the signature, store the event, say thanks. The work is done in the background."""
        # sudo: oms.channel - the shop is no user; its signature is checked below before anything is done
        channel_sudo = request.env["oms.channel"].sudo().browse(channel_id)
        if not 0 < channel_id <= MAX_ID or not channel_sudo.exists().active or not channel_sudo.provider:
            raise NotFound()
        if (request.httprequest.content_length or 0) > MAX_BODY_BYTES:
            raise RequestEntityTooLarge()
        body = request.httprequest.get_data(cache=True)
        secrets = [secret for secret in (channel_sudo.webhook_secret, channel_sudo.webhook_secret_previous) if secret]
        try:
            event = channel_sudo._get_adapter().verify_and_parse_webhook(
                request.httprequest.headers, body, secrets, now=datetime.now(UTC)
            )
        except AuthError as error:
            _logger.warning("Webhook of channel %s refused: %s", channel_id, error.message)
            return request.make_response("refused", status=401)
        except AdapterError as error:
            _logger.warning("Webhook of channel %s not understood: %s", channel_id, error.message)
            return request.make_response("not understood", status=400)
        except UNFORESEEN:
            # What an adapter trips over is the body's fault, but the adapter should have said so.
            _logger.warning("Webhook of channel %s not understood", channel_id, exc_info=True)
            return request.make_response("not understood", status=400)
        if not self._is_storable(event):
            _logger.warning("Webhook of channel %s names what can't be stored", channel_id)
            return request.make_response("not understood", status=400)
        if event.concerns_order:
            self._store(channel_sudo, event)
        elif event.stock:
            channel_sudo._note_told_stock(event.stock)
        return request.make_response("ok")

    def _is_storable(self, event):
        """Return whether the names in an event can be: a database takes no NUL, and its index no book."""
        names = (event.event_id, event.topic, event.order_external_id, event.resource_type, event.resource_id)
        return all(len(name) <= MAX_NAME and name.isprintable() for name in names)

    def _store(self, channel_sudo, event):
        """Store the event; that it is there already is as good."""
        Message = channel_sudo.env["oms.channel.message"]
        try:
            with request.env.cr.savepoint():
                Message._store_event(channel_sudo, event)
        except psycopg2.errors.UniqueViolation:
            _logger.info("Webhook %s of channel %s was stored by another request", event.event_id, channel_sudo.id)
