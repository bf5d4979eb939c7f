import base64
import re

from odoo.tests import HttpCase, new_test_user, tagged

from .common import OmsReturnsCommon

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@tagged("post_install", "-at_install")
class TestPortal(OmsReturnsCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.portal_user = new_test_user(cls.env, "oms_buyer", groups="base.group_portal", partner_id=cls.buyer.id)
        cls.photo_reason = cls.env["oms.return.reason"].create({"name": "Test broken", "needs_photo": True})

    def setUp(self):
        super().setUp()
        self.order = self._sell([(self.mouse, 2), (self.keyboard, 1)])
        self.line = self.order.order_line[0]
        self.url = f"/my/orders/{self.order.id}/return"

    def _get_hidden(self, html):
        return dict(re.findall(r'name="(csrf_token|request_key)" value="([^"]+)"', html))

    def _post(self, values, files=None, url=None, **hidden):
        form = self.url_open(url or self.url)
        data = {**self._get_hidden(form.text), f"reason_{self.line.id}": self.reason.id, **values, **hidden}
        return self.url_open(url or self.url, data=data, files=files)

    def _get_returns(self):
        return self.env["oms.return"].search([("order_ids", "in", self.order.ids)])

    def test_buyer_asks_for_a_return(self):
        self.authenticate("oms_buyer", "oms_buyer")
        page = self.url_open(f"/my/orders/{self.order.id}")
        self.assertIn(f"/my/orders/{self.order.id}/return", page.text)
        page = self._post(
            {f"quantity_{self.line.id}": "1", f"note_{self.line.id}": "Too loud", "buyer_note": "Please hurry"},
            files=[(f"photos_{self.line.id}", ("mouse.png", PIXEL, "image/png"))],
        )
        oms_return = self._get_returns()
        self.assertRecordValues(
            oms_return, [{"state": "requested", "partner_id": self.buyer.id, "buyer_note": "Please hurry"}]
        )
        self.assertRecordValues(
            oms_return.line_ids,
            [{"quantity": 1.0, "reason_id": self.reason.id, "buyer_note": "Too loud", "product_id": self.mouse.id}],
        )
        self.assertEqual(oms_return.line_ids.photo_ids.mapped("name"), ["mouse.png"])
        self.assertIn(f"/my/returns/{oms_return.id}", page.url)
        self.assertIn("We look at your request", page.text)
        photo = oms_return.line_ids.photo_ids
        self.assertEqual(
            self.url_open(f"/web/image/{photo.id}?access_token={photo.access_token}").headers["Content-Type"],
            "image/png",
        )
        self.assertIn(oms_return.name, self.url_open("/my/returns").text)

    def test_the_same_form_twice_makes_one_return(self):
        self.authenticate("oms_buyer", "oms_buyer")
        hidden = self._get_hidden(self.url_open(self.url).text)
        for _time in range(2):
            page = self._post({f"quantity_{self.line.id}": "1"}, **hidden)
            self.assertIn("/my/returns/", page.url)
        self.assertEqual(len(self._get_returns()), 1)

    def test_what_is_wrong_is_told_and_what_was_typed_is_kept(self):
        self.authenticate("oms_buyer", "oms_buyer")
        cases = {
            "You can still return 2 of": {f"quantity_{self.line.id}": "3"},
            "Choose what you want to return": {f"quantity_{self.line.id}": ""},
            "how many of [OMS-MOUSE] Mouse as a number": {f"quantity_{self.line.id}": "nan"},
            "Choose why you return": {f"quantity_{self.line.id}": "1", f"reason_{self.line.id}": "x"},
            "Add a photo of": {f"quantity_{self.line.id}": "1", f"reason_{self.line.id}": self.photo_reason.id},
            "Enter how many of": {f"quantity_{self.line.id}": "-1"},
        }
        for sentence, values in cases.items():
            page = self._post({**values, "buyer_note": "Kept words"})
            self.assertIn(sentence, page.text)
            self.assertIn("Kept words", page.text)
        page = self._post(
            {f"quantity_{self.line.id}": "1"}, files=[(f"photos_{self.line.id}", ("x.png", b"<script>", "image/png"))]
        )
        self.assertIn("is not a photo", page.text)
        self.assertFalse(self._get_returns())
        self.assertFalse(self.env["ir.attachment"].search([("name", "=", "x.png")]))

    def test_a_quantity_that_is_no_number_is_not_left_out(self):
        self.authenticate("oms_buyer", "oms_buyer")
        keyboard = self.order.order_line[1]
        for text in ("1,5", "two", "1_0", "-", "1.5.0"):
            page = self._post(
                {
                    f"quantity_{self.line.id}": "1",
                    f"quantity_{keyboard.id}": text,
                    f"reason_{keyboard.id}": self.reason.id,
                }
            )
            self.assertIn("Enter how many of [OMS-KEYB] Keyboard as a number.", page.text)
        self.assertFalse(self._get_returns())

    def test_decimals_are_those_of_the_visitors_language(self):
        lang = self.env["res.lang"]._activate_lang("de_DE")
        self.assertEqual(lang.decimal_point, ",")
        self.buyer.lang = "de_DE"
        self.authenticate("oms_buyer", "oms_buyer")
        for text in ("1,5", "0.5"):
            page = self._post({f"quantity_{self.line.id}": text})
            self.assertIn("/my/returns/", page.url)
        returns = self._get_returns().sorted("id")
        self.assertEqual(returns.line_ids.mapped("quantity"), [1.5, 0.5])
        self.assertIn("1,5 ", self.url_open(returns[0].get_portal_url()).text)

    def test_quantities_are_written_out(self):
        oms_return = self._ask(self.order, {self.mouse: 1})
        oms_return.line_ids.quantity = 1234567.25
        oms_return.sudo().state = "requested"
        self.assertIn("1,234,567.25", self.url_open(oms_return.get_portal_url()).text)

    def test_who_posts_without_the_form_gets_no_further(self):
        self.authenticate("oms_buyer", "oms_buyer")
        hidden = self._get_hidden(self.url_open(self.url).text)
        values = {f"quantity_{self.line.id}": "1", f"reason_{self.line.id}": self.reason.id, **hidden}
        plain = self._sell([(self.mouse, 1)], channel_id=False)
        plain_values = {
            f"quantity_{plain.order_line.id}": "1",
            f"reason_{plain.order_line.id}": self.reason.id,
            **hidden,
        }
        page = self.url_open(f"/my/orders/{plain.id}/return", data=plain_values)
        self.assertIn(f"ask for a return of {plain.name} here", page.text)
        self.assertFalse(plain.return_line_ids)
        self.env.company.oms_portal_returns = False
        page = self.url_open(self.url, data=values)
        self.assertIn(f"ask for a return of {self.order.name} here", page.text)
        self.assertFalse(self._get_returns())
        self.env.company.oms_portal_returns = True
        self.assertIn("/my/returns/", self.url_open(self.url, data=values).url)
        self.env.company.oms_portal_returns = False
        self.assertIn("/my/returns/", self.url_open(self.url, data=values).url, "the same form, sent again")
        self.assertEqual(len(self._get_returns()), 1)

    def test_form_without_its_token_is_refused(self):
        self.authenticate("oms_buyer", "oms_buyer")
        page = self._post({f"quantity_{self.line.id}": "1"}, csrf_token="wrong")
        self.assertEqual(page.status_code, 400)
        self.assertFalse(self._get_returns())

    def test_strangers_are_sent_away(self):
        new_test_user(self.env, "oms_stranger", groups="base.group_portal")
        oms_return = self._ask(self.order)
        oms_return.action_request()
        for login in ("oms_stranger", None):
            self.authenticate(login, login)
            for url in (self.url, f"/my/returns/{oms_return.id}", f"/my/returns/{oms_return.id}?access_token=wrong"):
                page = self.url_open(url)
                self.assertNotIn("Mouse", page.text)
                self.assertNotIn(oms_return.name, page.text)

    def test_the_link_of_the_order_is_enough(self):
        self.authenticate(None, None)
        url = f"{self.url}?access_token={self.order._portal_ensure_token()}"
        page = self._post({f"quantity_{self.line.id}": "2"}, url=url)
        self.assertEqual(self._get_returns().line_ids.quantity, 2.0)
        self.assertIn(self._get_returns().name, page.text)

    def test_no_button_without_a_channel_or_within_no_policy(self):
        self.authenticate("oms_buyer", "oms_buyer")
        self.policy.window_days = 0
        for move in self.order.order_line.move_ids:
            move.date = "2020-01-01"
        self.assertNotIn("oms_return_button", self.url_open(f"/my/orders/{self.order.id}").text)
        self.assertNotIn("oms_return_submit", self.url_open(self.url).text)
        plain = self._sell([(self.mouse, 1)], channel_id=False)
        self.assertNotIn("oms_return_button", self.url_open(f"/my/orders/{plain.id}").text)
        self.assertNotIn("oms_return_submit", self.url_open(f"/my/orders/{plain.id}/return").text)

    def test_buyer_withdraws(self):
        self.authenticate("oms_buyer", "oms_buyer")
        self._post({f"quantity_{self.line.id}": "1"})
        oms_return = self._get_returns()
        page = self.url_open(f"/my/returns/{oms_return.id}")
        self.url_open(f"/my/returns/{oms_return.id}/cancel", data=self._get_hidden(page.text))
        self.assertEqual(oms_return.state, "cancelled")

    def test_buyer_follows_the_return_to_its_refund(self):
        self.authenticate("oms_buyer", "oms_buyer")
        self.policy.instructions = "<p>Use the old box.</p>"
        self.policy.auto_approve_amount = 1000.0
        page = self._post({f"quantity_{self.line.id}": "1"})
        oms_return = self._get_returns()
        self.assertEqual(oms_return.state, "approved")
        self.assertIn("Use the old box.", page.text)
        self._receive(oms_return)
        self._inspect(oms_return)
        self._pay(oms_return.credit_note_ids)
        page = self.url_open(f"/my/returns/{oms_return.id}")
        self.assertIn(oms_return.credit_note_ids.name, page.text)
        self.assertIn("Refunded", page.text)

    def test_buyer_is_told_each_address_and_what_goes_there(self):
        second = self._create_second_warehouse()
        self.warehouse.partner_id.street = "1 First Street"
        oms_return = self._approve(self._sell_from_two_warehouses(second))
        addresses = oms_return._get_return_addresses()
        self.assertEqual(
            addresses,
            [(warehouse.partner_id, "1 Units [OMS-MOUSE] Mouse") for warehouse in (second, self.warehouse)],
        )
        template = self.env.ref("oms_returns.mail_template_return_approved")
        mail = template._render_field("body_html", oms_return.ids)[oms_return.id]
        for text in (mail, self.url_open(oms_return.get_portal_url()).text):
            self.assertEqual(text.count("Send 1 Units [OMS-MOUSE] Mouse to:"), 2)
            self.assertLess(text.index("2 Second Street"), text.index("1 First Street"))
        one = self.url_open(self._approve(self._sell([(self.keyboard, 1)])).get_portal_url()).text
        self.assertIn("Send it to:", one)
        self.assertIn("1 First Street", one)

    def test_counter_of_the_portal_home(self):
        self.authenticate("oms_buyer", "oms_buyer")
        self._ask(self.order).action_request()
        result = self.make_jsonrpc_request("/my/counters", {"counters": ["return_count"]})
        self.assertEqual(result["return_count"], 1)

    def test_employees_who_handle_no_returns_see_their_own(self):
        partner = self._create_buyer("李四")
        new_test_user(self.env, "oms_shopping", groups="base.group_user", partner_id=partner.id)
        oms_return = self._ask(self._sell([(self.mouse, 1)], partner_id=partner.id))
        oms_return.action_request()
        self.authenticate("oms_shopping", "oms_shopping")
        self.assertIn(oms_return.name, self.url_open("/my/returns").text)

    def test_tour(self):
        self.start_tour(f"/my/orders/{self.order.id}", "oms_returns_portal_tour", login="oms_buyer")
        self.assertEqual(self._get_returns().state, "requested")

    def test_tour_on_a_phone(self):
        self.browser_size = "375x667"
        self.touch_enabled = True
        self.start_tour(f"/my/orders/{self.order.id}", "oms_returns_portal_tour", login="oms_buyer")
        self.assertEqual(self._get_returns().state, "requested")
