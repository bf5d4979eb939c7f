import json
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.oms_channels.openapi.document import build_document
from odoo.addons.oms_channels.openapi.operations import PREFIX

from .api_common import ApiCase, make_order


@tagged("post_install", "-at_install")
class TestApiAccess(ApiCase):
    """Who may call, how often, and what a bad request is answered."""

    def test_ping(self):
        response = self._call("GET", "/ping")
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json()["channel"], "Test Shop")
        self.assertEqual(response.json()["scopes"], ["orders:write", "orders:read", "stock:read", "cancel"])
        self.assertTrue(self.key.last_used_date)
        self.assertNotIn("session_id", response.headers.get("Set-Cookie", ""))
        head = self._call("HEAD", "/ping")
        self.assertEqual((head.status_code, head.content), (200, b""))

    def test_document_and_page_need_no_key(self):
        document = self.url_open(f"{PREFIX}/openapi.json")
        self.assertEqual(document.json(), json.loads(json.dumps(build_document())))
        page = self.url_open(PREFIX)
        self.assertIn("text/html", page.headers["Content-Type"])
        self.assertIn("/oms/api/v1/orders/{external_id}/cancel", page.text)
        self.assertNotIn("<script", page.text)

    def test_wrong_keys(self):
        other = self.token[:-1] + ("A" if self.token[-1] != "A" else "B")
        for token in ("nonsense", other, "oms_00_x", "oms__", "Ω"):
            response = self._call("GET", "/ping", headers={"Authorization": f"Bearer {token}".encode()})
            self._assert_problem(response, 401, "unauthorized")
            self.assertIn("Bearer", response.headers["WWW-Authenticate"])
        self._assert_problem(self.url_open(f"{PREFIX}/ping"), 401, "unauthorized")
        self._assert_problem(self._call("GET", "/ping", headers={"Authorization": "Basic x"}), 401, "unauthorized")

    def test_expired_revoked_and_archived(self):
        self.key.expiry_date = fields.Datetime.now() - timedelta(seconds=1)
        self._assert_problem(self._call("GET", "/ping"), 401, "unauthorized")
        self.key.expiry_date = fields.Datetime.now() + timedelta(days=1)
        self.assertEqual(self._call("GET", "/ping").status_code, 200)
        self.channel.active = False
        self._assert_problem(self._call("GET", "/ping"), 401, "unauthorized")
        self.channel.active = True
        self.key.action_revoke()
        self._assert_problem(self._call("GET", "/ping"), 401, "unauthorized")
        with self.assertRaises(UserError):
            self.key.action_generate_secret()

    def test_new_secret_ends_the_old_one(self):
        action = self.key.action_generate_secret()
        self._assert_problem(self._call("GET", "/ping"), 401, "unauthorized")
        self.assertEqual(self._call("GET", "/ping", token=action["context"]["default_token"]).status_code, 200)

    def test_new_secret_is_shown_once(self):
        action = self.key.action_generate_secret()
        Show = self.env[action["res_model"]].with_context(**action["context"])
        shown = Show.onchange({}, [], {"token": {}})["value"]["token"]
        self.assertEqual(self._call("GET", "/ping", token=shown).status_code, 200)

    def test_secret_is_nowhere_in_the_database(self):
        self.env.flush_all()
        self.env.cr.execute("SELECT to_jsonb(oms_api_key)::text FROM oms_api_key WHERE id = %s", [self.key.id])
        self.assertNotIn(self.token.split("_", 2)[2], self.env.cr.fetchone()[0])

    def test_keys_are_for_administrators(self):
        for user in (self.user, self.manager):
            with self.assertRaises(AccessError):
                self.key.with_user(user).read(["name"])
            with self.assertRaises(AccessError):
                self.channel.with_user(user).read(["api_key_ids"])
            with self.assertRaises(AccessError):
                self.key.with_user(user).action_generate_secret()

    def test_scopes(self):
        for field, method, path, body in (
            ("can_write_orders", "POST", "/orders", {"orders": [make_order(1)]}),
            ("can_read_orders", "GET", "/orders", None),
            ("can_read_orders", "GET", "/orders/A-1", None),
            ("can_read_stock", "GET", "/stock", None),
            ("can_cancel", "POST", "/orders/A-1/cancel", {}),
        ):
            self.key[field] = False
            self._assert_problem(self._call(method, path, body), 403, "missing_scope")
            self.key[field] = True
        self.assertFalse(self._message("A-1"))

    def test_a_key_sees_its_own_channel_only(self):
        self._send(make_order(1, payments=[]))
        self._work("message")
        other = self.channel.copy({"name": "Other", "code": "other"})
        _key, token = self._create_key(other)
        self._assert_problem(self._call("GET", "/orders/A-1", token=token), 404, "unknown_order")
        self._assert_problem(self._call("POST", "/orders/A-1/cancel", {}, token=token), 404, "unknown_order")
        self.assertFalse(self._call("GET", "/orders", token=token).json()["orders"])
        self.assertEqual(self._send(make_order(1, payments=[]), token=token).json()["accepted"], 1)
        self._work("message")
        self.assertEqual(
            self.env["sale.order"].search_count([("channel_order_id", "=", "A-1"), ("channel_id", "=", other.id)]), 1
        )
        self.assertEqual(self._order("A-1").state, "draft")

    def test_stock_of_another_company_is_not_told(self):
        company = self.env["res.company"].create({"name": "Other"})
        self.mouse.copy({"default_code": "FOREIGN", "company_id": company.id})
        self.assertEqual(self._call("GET", "/stock?sku=FOREIGN").json()["unknown"], ["FOREIGN"])

    def test_rate_limit(self):
        key, token = self._create_key(rate_limit=3)
        for left in ("2", "1", "0"):
            response = self._call("GET", "/ping", token=token)
            self.assertEqual((response.status_code, response.headers["RateLimit-Remaining"]), (200, left))
            self._set_filled(key, seconds_ago=-3600)  # nothing comes back meanwhile
        response = self._call("GET", "/ping", token=token)
        self._assert_problem(response, 429, "too_many_requests")
        self.assertEqual(response.headers["RateLimit-Limit"], "3")
        self.assertTrue(0 < int(response.headers["Retry-After"]) <= 60)
        self.assertEqual(self._call("GET", "/ping").status_code, 200, "another key has its own bucket")
        self._set_filled(key, seconds_ago=21)
        self.assertEqual(self._call("GET", "/ping", token=token).status_code, 200, "tokens come back")

    def _set_filled(self, key, seconds_ago):
        self.env.cr.execute(
            "UPDATE oms_api_bucket SET filled_date = clock_timestamp() AT TIME ZONE 'UTC' - %s * interval '1 second'"
            " WHERE key_id = %s",
            [seconds_ago, key.id],
        )

    def test_unknown_routes_and_methods(self):
        for path in (
            "/nothing",
            "/orders/A-1/nothing",
            "/orders/a/b/c",
            "/a%0A",
            "/a//b",
            "/%00",
            "/%FF",
            "/orders/../x",
        ):
            self._assert_problem(self._call("GET", path), 404, "not_found")
        for method, path in (("DELETE", "/orders/A-1"), ("PUT", "/orders"), ("TRACE", "/ping"), ("OPTIONS", "/stock")):
            response = self._call(method, path)
            self._assert_problem(response, 405, "method_not_allowed")
            self.assertIn("GET", response.headers["Allow"])
        self._assert_problem(self._call("POST", "/openapi.json", {}), 405, "method_not_allowed")

    def test_bad_parameters(self):
        for path in (
            "/orders?limit=0",
            "/orders?limit=x",
            "/orders?limit=1&limit=2",
            "/orders?cursor=-1",
            "/orders?updated_since=yesterday",
            "/orders?updated_since=2026-02-31T00:00:00Z",
            "/orders?nonsense=1",
            "/orders/",
            "/orders/%00",
            "/stock?sku=%00",
            "/stock?sku=",
            f"/stock?{'&'.join(f'sku={n}' for n in range(101))}",
        ):
            problem = self._assert_problem(self._call("GET", path), 400, "invalid_parameter")
            self.assertTrue(problem["errors"], path)

    def test_bad_bodies(self):
        deep = b"[" * 100000 + b"]" * 100000
        for raw, code in (
            (b"{", "bad_json"),
            (b"", "bad_json"),
            (b'{"orders": NaN}', "bad_json"),
            (b'{"orders": [], "orders": []}', "bad_json"),
            (b'{"orders": ["\\ud800"]}', "bad_json"),
            (b'{"orders": "\xff"}', "bad_encoding"),
            (deep, "too_deep"),
            (b"[]", "invalid_request"),
            (b'"text"', "invalid_request"),
            (b"null", "invalid_request"),
            (b'{"orders": {}}', "invalid_request"),
            (b'{"orders": [{}], "more": 1}', "invalid_request"),
        ):
            self._assert_problem(self._call("POST", "/orders", raw=raw), 400, code)
        self._assert_problem(
            self._call("POST", "/orders", raw=b"{}", headers={"Content-Type": "text/xml"}),
            415,
            "unsupported_media_type",
        )
        self._assert_problem(
            self._call("POST", "/orders", raw=b"a=1", headers={"Content-Type": "multipart/form-data; boundary=x"}),
            415,
            "unsupported_media_type",
        )
        self._assert_problem(self._call("POST", "/orders", raw=b" " * (2 * 1024 * 1024 + 1)), 413, "body_too_large")
        self._assert_problem(
            self._send(make_order(1), headers={"Idempotency-Key": "x" * 129}), 400, "invalid_parameter"
        )
        self.assertFalse(self.env["oms.channel.message"].search([("channel_id", "=", self.channel.id)]))
