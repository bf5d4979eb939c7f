import json
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon
from odoo.addons.oms_channels.adapters import http
from odoo.addons.oms_channels.adapters.errors import AuthError
from odoo.addons.oms_channels.adapters.taobao import mapper

from .adapter_common import read_data


class TokenWire:
    """Answers what renews a session: a token for the refresh token it gave last."""

    def __init__(self):
        self.refresh_token, self.count = "refresh-0", 0

    def __call__(self, request):
        self.count += 1
        if f"refresh_token={self.refresh_token}" not in request.body.decode():
            return self._answer(400, {"error": "invalid_grant", "error_description": "expired"})
        self.refresh_token = f"refresh-{self.count}"
        grant = {"access_token": f"session-{self.count}", "refresh_token": self.refresh_token, "expires_in": 864000}
        return self._answer(200, grant)

    @staticmethod
    def _answer(status, value):
        return http.HttpResponse(status, {"content-type": "application/json"}, json.dumps(value).encode())


@tagged("post_install", "-at_install")
class TestSession(OmsBaseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("base.CNY").active = True
        cls.wire = TokenWire()
        cls.classPatch(type(cls.env["oms.channel"]), "_get_transport", lambda channel: cls.wire)
        cls.channel.write(
            {
                "provider": "taobao",
                "base_url": "http://shop.test",
                "api_key": "k",
                "api_secret": "s",
                "session_token": "session-0",
                "session_refresh_token": "refresh-0",
                "session_expiry_date": fields.Datetime.now() + timedelta(days=1),
            }
        )

    def setUp(self):
        super().setUp()
        self.wire.__init__()

    def test_session_is_renewed_before_it_ends_and_not_earlier(self):
        self._run_cron("oms_channels.ir_cron_renew_sessions")
        self.assertEqual((self.channel.session_token, self.channel.session_refresh_token), ("session-1", "refresh-1"))
        self.assertGreater(self.channel.session_expiry_date, fields.Datetime.now() + timedelta(days=9))
        self._run_cron("oms_channels.ir_cron_renew_sessions")
        self.assertEqual(self.wire.count, 1)

    def test_session_that_is_not_renewed_is_told(self):
        self.channel.session_refresh_token = "stolen"
        self._run_cron("oms_channels.ir_cron_renew_sessions")
        self.assertEqual(self.channel.session_token, "session-0")
        self.assertIn("expired", self.channel.session_error)
        self.assertEqual(self.channel.health, "warning")
        self.assertIn("authorise the application again", self.channel.health_message)
        self.channel.session_expiry_date = fields.Datetime.now() - timedelta(hours=1)
        self.channel.invalidate_recordset(["health", "health_message"])
        self.assertEqual(self.channel.health, "error")
        self.channel.session_refresh_token = "refresh-0"
        with self.enter_registry_test_mode():
            self.channel.action_renew_session()
        self.assertFalse(self.channel.session_error)

    def _call(self):
        """What a pull does before it asks the shop."""
        with self.enter_registry_test_mode():
            return self.channel._get_adapter(is_live=True).config.credentials["session_token"]

    def test_call_with_a_session_about_to_end_gets_a_new_one_first(self):
        self.assertEqual(self._call(), "session-0", "a day is enough for a call")
        self.channel.session_expiry_date = fields.Datetime.now() + timedelta(minutes=5)
        self.assertEqual((self._call(), self._call()), ("session-1", "session-1"))
        self.assertEqual(self.wire.count, 1)
        self.env.invalidate_all()
        self.assertEqual(self.channel.session_refresh_token, "refresh-1")
        self.assertGreater(self.channel.session_expiry_date, fields.Datetime.now() + timedelta(days=9))

    def test_session_whose_end_nobody_knows_is_exchanged_once(self):
        self.channel.session_expiry_date = False
        self.assertEqual(self._call(), "session-0")
        for _run in range(2):
            self._run_cron("oms_channels.ir_cron_renew_sessions")
        self.assertEqual(self.wire.count, 1)
        self.assertTrue(self.channel.session_expiry_date)

    def test_session_that_nothing_renews_is_left_alone_until_it_ends(self):
        self.channel.session_refresh_token = False
        self._run_cron("oms_channels.ir_cron_renew_sessions")
        self.assertFalse(self.wire.count or self.channel.session_error)
        self.channel.session_expiry_date = fields.Datetime.now() - timedelta(minutes=1)
        with self.assertRaisesRegex(AuthError, "refresh token"):
            self._call()

    def test_another_session_that_is_entered_counts_from_then_on(self):
        self._run_cron("oms_channels.ir_cron_renew_sessions")
        self.channel.write({"session_token": "by-hand", "session_refresh_token": "refresh-1"})
        self.assertFalse(self.channel.session_expiry_date, "the end of the one before says nothing")
        self.assertEqual(self._call(), "by-hand")

    def test_tokens_stay_with_administrators(self):
        with self.assertRaises(AccessError):
            self.channel.with_user(self.manager).read(["session_token"])

    def test_adapter_is_given_the_session(self):
        self.assertEqual(self.channel._get_adapter().config.credentials["session_token"], "session-0")

    def test_form_of_such_a_platform_knows_its_address(self):
        with Form(self.env["oms.channel"]) as form:
            form.name, form.code, form.provider = "JD shop", "jd_shop", "jd"
        channel = form.record
        self.assertEqual((channel.base_url, channel.pull_interval), ("https://api.jd.com", 1))
        self.assertTrue(channel.is_session_needed)
        self.assertIn("pull every minute", channel.platform_webhook_help)
        self.assertIn("Its webhooks", channel.platform_cannot)
        self.assertIn("leaves as a whole", channel.platform_cannot)

    def test_trade_is_imported_to_the_cent(self):
        self.env["product.product"].create(
            [{"name": sku, "default_code": sku, "is_storable": True, "taxes_id": False} for sku in ("MOUSE-W1", "PAD")]
        )
        order = self.env["sale.order"]._oms_create_from_channel(
            self.channel, [mapper.map_order(read_data("taobao/trade"))]
        )
        self.assertEqual(order.channel_amount_difference, 0.0)
        self.assertTrue(order.channel_is_masked)
        self.assertEqual(order.oms_coupon_codes, "shopbonus-51_886")
        line = order.order_line.filtered(lambda line: line.product_id.default_code == "PAD")
        self.assertEqual(line.product_uom_qty, 0)
