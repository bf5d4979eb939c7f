import json
from datetime import UTC, datetime

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.oms_channels.adapters.medusa import signature

from .common import ChannelsCommon

CONTROLLER = "odoo.addons.oms_channels.controllers.oms_channels"


@tagged("post_install", "-at_install")
class TestWebhook(ChannelsCommon, HttpCase):
    def _post(self, data=None, secret="test-secret", channel=None, body=None):
        if body is None:
            body = json.dumps(
                {"event": "order.placed", "data": data or {"id": "order_1"}, "at": datetime.now(UTC).isoformat()}
            ).encode()
        self.body = body
        return self.url_open(
            f"/oms/webhook/{channel or self.channel.id}",
            data=body,
            headers={"Content-Type": "application/json", signature.HEADER: signature.sign(secret, body)},
        )

    def test_event_is_stored_and_the_order_read_from_the_shop(self):
        self.shop.place(1, [("OMS-MOUSE", 1, 20.0)])
        self.assertEqual(self._post().status_code, 200)
        message = self._message("order_1")
        self.assertEqual((message.source, message.topic, message.state), ("webhook", "order.placed", "pending"))
        self.assertFalse(self.shop.calls, "nothing is asked of the shop in the request")
        self._work("message")
        self.assertEqual(message.state, "done")
        self.assertEqual(self._order("order_1").amount_total, 30.0)

    def test_order_of_a_webhook_is_kept_compared_and_worked_again_offline(self):
        self.shop.place(1, [("GHOST", 1, 20.0)])
        self._post()
        self._work("message")
        message = self._message("order_1")
        self.assertEqual((message.state, message.order_payload["id"]), ("failed", "order_1"))
        self.assertIn("GHOST", message.payload_text)
        self.shop.failure = (503, {})
        self.channel._open_circuit("503")
        message.listing_ids.product_id = self.mouse
        self._work("message")
        self.assertEqual(message.state, "done", message.last_error)
        self.assertTrue(self._order("order_1"))
        self.assertTrue(self.channel.rest_until, "nobody was asked")
        self.shop.failure = None
        self.channel.write({"rest_until": False, "rest_count": 0})
        self.shop.change("order_1", email="new@example.com")
        for _time in range(2):
            self._post()
            self._work("message")
        third, second, _first = self._message("order_1").sorted("id", reverse=True)
        self.assertIn("new@example.com", second.difference_html)
        self.assertEqual(third.result, "Nothing new")
        self.assertFalse(third.order_payload, "the same is not kept twice")

    def test_order_that_can_not_be_read_is_kept_to_be_looked_at(self):
        self.shop.place(1, [("OMS-MOUSE", 1, 20.0)], currency_code=None)
        self._post()
        self._work("message")
        message = self._message("order_1")
        self.assertEqual((message.state, message.order_payload["id"]), ("failed", "order_1"))

    def test_redelivery_is_thanked_and_stored_once(self):
        self.shop.place(1, [("OMS-MOUSE", 1, 20.0)])
        self._post()
        self.assertEqual(self._post(body=self.body).status_code, 200)
        self.assertEqual(len(self._message("order_1")), 1)

    def test_body_that_calls_itself_a_form_is_read_as_it_was_signed(self):
        body = json.dumps(
            {"event": "order.placed", "data": {"id": "order_1"}, "at": datetime.now(UTC).isoformat()}
        ).encode()
        response = self.url_open(
            f"/oms/webhook/{self.channel.id}?self=1&channel_id=0",
            data=body,
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                signature.HEADER: signature.sign("test-secret", body),
            },
        )
        self.assertEqual(response.status_code, 200)
        self.assertEqual(len(self._message("order_1")), 1)

    def test_webhook_and_pull_make_one_order(self):
        self.shop.place(1, [("OMS-MOUSE", 1, 20.0)])
        self._post()
        self._pull()
        self.assertEqual(len(self._message("order_1")), 2)
        self.assertEqual(len(self._order("order_1")), 1)
        self.assertEqual(set(self._message("order_1").mapped("state")), {"done", "skipped"})

    def test_payment_event_leads_to_its_order(self):
        order = self._import(1)
        self.shop.capture(1)
        self._post({"id": "pay_1"})
        self._work("message")
        self.assertEqual(order.channel_payment_ids.state, "captured")

    def test_wrong_signature_is_refused_and_its_body_not_logged(self):
        with self.assertLogs(CONTROLLER, level="WARNING") as logs:
            answer = self._post({"id": "order_secret"}, secret="wrong")
        self.assertEqual(answer.status_code, 401)
        self.assertFalse(self.env["oms.channel.message"].search([("channel_id", "=", self.channel.id)]))
        self.assertNotIn("order_secret", "".join(logs.output))

    def test_without_a_secret_everything_is_refused(self):
        self.channel.webhook_secret = False
        with mute_logger(CONTROLLER):
            self.assertEqual(self._post(secret="").status_code, 401)

    def test_previous_secret_is_accepted_during_a_change(self):
        self.channel.action_generate_webhook_secret()
        self.assertNotEqual(self.channel.webhook_secret, "test-secret")
        self.assertEqual(self._post().status_code, 200)

    def test_unknown_or_archived_channel_is_not_found(self):
        self.assertEqual(self._post(channel=2**31 - 1).status_code, 404)
        self.channel.active = False
        self.assertEqual(self._post().status_code, 404)

    def test_oversized_body_is_refused(self):
        self.assertEqual(self._post(body=b"x" * (1024 * 1024 + 1)).status_code, 413)

    def test_signed_nonsense_is_not_understood(self):
        with mute_logger(CONTROLLER):
            self.assertEqual(self._post(body=b"[]").status_code, 400)

    def test_event_about_a_product_makes_no_message(self):
        self.assertEqual(self._post({"id": "prod_1"}).status_code, 200)
        self.assertFalse(self.env["oms.channel.message"].search([("channel_id", "=", self.channel.id)]))
