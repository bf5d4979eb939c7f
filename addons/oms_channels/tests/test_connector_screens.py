"""Connectors in Odoo: what is checked when saved, who may do what, the live preview, files, and a whole shop."""

import base64
import json
from datetime import UTC, datetime

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.oms_channels.adapters.custom import signing, spec, targets

from .common import ChannelsCommon
from .connector_common import ORDER, read_ready


class ConnectorCommon(ChannelsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ready = cls.env.ref("oms_channels.oms_connector_ready_medusa")
        cls.connector = cls.env["oms.connector"].browse(cls.ready.action_install()["res_id"])
        cls.connector.sample_channel_id = cls.channel
        cls.channel.write(
            {
                "provider": "custom",
                "connector_id": cls.connector.id,
                "api_secret": "s3cret-v4lue",
                "api_token": "t0ken-v4lue",
                "location_ref": "sloc_1",
            }
        )

    def _create_connector(self, **values):
        rows = {"order.external_id": "id", "order.lines": "items", "line.sku": "sku", "line.quantity": "qty"}
        return self.env["oms.connector"].create(
            {
                "name": "My Shop",
                "code": "myshop",
                "order_field_ids": [
                    Command.create({"target": target, "expression": expression, "sequence": index})
                    for index, (target, expression) in enumerate(rows.items())
                ],
                **values,
            }
        )

    def _field(self, connector, target):
        rows = connector.order_field_ids | connector.listing_field_ids
        return rows.filtered(lambda row: row.target == target)


@tagged("post_install", "-at_install")
class TestConnectorModels(ConnectorCommon):
    def test_targets_are_those_of_the_engine(self):
        self.assertEqual(
            [key for key, _label in self.env["oms.connector.field"]._fields["target"].selection], list(targets.TARGETS)
        )

    def test_selections_are_those_of_the_engine(self):
        for model in ("oms.connector", "oms.connector.endpoint", "oms.connector.field"):
            record_class = {
                "oms.connector": "ConnectorSpec", "oms.connector.endpoint": "EndpointSpec",
                "oms.connector.field": "FieldSpec",
            }[model]  # fmt: skip
            fields = self.env[model]._fields
            for name, one in getattr(spec, record_class).__dataclass_fields__.items():
                if "choices" in one.metadata:
                    choices = [key for key, _label in fields[name]._description_selection(self.env)]
                    self.assertEqual(set(choices), set(one.metadata["choices"]), f"{model}.{name}")

    def _refuse(self, sentence, record, values):
        with self.assertRaises(ValidationError) as raised:
            record.write(values)
        self.assertRegex(str(raised.exception), sentence)

    def test_mistakes_are_refused_when_saved(self):
        connector = self._create_connector()
        sku = self._field(connector, "line.sku")
        self._refuse("Line: SKU can't be saved .*\n.*can't be read at character", sku, {"expression": "a..b"})
        self._refuse("Answer: There is no function", sku, {"expression": "frobnicate(a)"})
        for sentence, calls in (
            ("“order_id” is not known here", [{"kind": "list_orders", "path": "/o/{{ order_id }}"}]),
            ("Body: this is no JSON", [{"kind": "ship", "path": "/o", "body": "{"}]),
            ("more than one of the kind test", [{"kind": "test", "path": "/o"}] * 2),
            ("Already Done When: .*paid once more", [{"kind": "refund", "method": "POST", "path": "/o"}]),
        ):
            self._refuse(sentence, connector, {"endpoint_ids": [Command.create(call) for call in calls]})
        self._refuse("Header or Parameter: ", connector, {"auth_kind": "header"})

    def test_what_may_happen_twice_is_said_while_it_is_built(self):
        connector = self._create_connector()
        connector.endpoint_ids = [Command.create({"kind": "ship", "method": "POST", "path": "/ship"})]
        self.assertRegex(connector.warning, r"\d+\. Already Done When: .*have the parcel twice")
        connector.idempotency_header = "Idempotency-Key"
        self.assertFalse(connector.warning or connector.problem)
        connector.endpoint_ids = [Command.create({"kind": "refund", "method": "POST", "path": "/refund"})]
        self._refuse("paid once more", connector, {"idempotency_header": False})

    def test_new_connector_has_the_usual_lines_to_fill_in(self):
        connector = Form(self.env["oms.connector"])
        connector.name, connector.code = "New", "new"
        connector = connector.save()
        self.assertIn("order.total", connector.order_field_ids.mapped("target"))
        self.assertIn("listing.sku", connector.listing_field_ids.mapped("target"))
        self.assertTrue(self._field(connector, "order.total").is_required)

    def test_channel_needs_a_connector(self):
        with self.assertRaises(ValidationError):
            self.channel.connector_id = False
        self.channel.write({"provider": False, "connector_id": False})

    def test_connector_in_use_stays(self):
        with self.assertRaisesRegex(UserError, "is used by"):
            self.connector.unlink()
        self.connector.active = False
        with self.assertRaisesRegex(UserError, "archived"):
            self.channel._get_adapter()

    def test_copy_is_of_its_own(self):
        first, second = self.connector.copy(), self.connector.copy()
        self.assertEqual(len({self.connector.code, first.code, second.code}), 3)
        self.assertEqual(len(first.endpoint_ids), len(self.connector.endpoint_ids))
        self.assertFalse(first.sample or first.sample_channel_id)
        status = self._field(first, "order.status")
        self.assertEqual(len(status.value_ids), 3)

    def test_what_is_changed_counts_at_once(self):
        """The values the adapter works from are cached: every part of a connector ends the cache."""
        before = self.connector._get_spec()
        self.assertIs(self.connector._get_spec(), before)
        status = self._field(self.connector, "order.status")
        for change in (
            lambda: self.connector.write({"page_size": 7}),
            lambda: self.connector.endpoint_ids[0].write({"path": "/admin/other"}),
            lambda: status.write({"default": "completed"}),
            lambda: status.value_ids[0].write({"result": "open"}),
            lambda: status.value_ids[1].unlink(),
            lambda: self.connector.endpoint_ids[-1].unlink(),
        ):
            change()
            changed = self.connector._get_spec()
            self.assertNotEqual(changed, before)
            before = changed

    def test_adapter_of_a_known_connector_costs_no_more_with_more_fields(self):
        self.channel._get_adapter()
        self.env.invalidate_all()
        self.channel.read(["provider"])
        with self.assertQueryCount(4):
            self.channel._get_adapter()

    def test_cancellation_overtakes_by_the_connectors_words(self):
        store = self.env["oms.channel.message"]._store
        self.assertTrue(store(self.channel, [("a", "1", {"id": "a", "status": "canceled"})], "poll").is_urgent)
        self.assertFalse(store(self.channel, [("b", "1", {"id": "b", "status": "pending"})], "poll").is_urgent)
        # What is wrong with the connector keeps no order out.
        self.connector.endpoint_ids.flush_recordset()
        self.env.cr.execute("UPDATE oms_connector_endpoint SET path = 'nowhere'")
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        self.assertFalse(store(self.channel, [("c", "1", {"id": "c", "status": "canceled"})], "poll").is_urgent)


@tagged("post_install", "-at_install")
class TestConnectorRights(ConnectorCommon):
    def test_managers_build_users_look(self):
        self.connector.with_user(self.manager).name = "Changed"
        connector = self.connector.with_user(self.user)
        self.assertTrue(connector.name)
        for values in ({"name": "Mine"}, {"sample": "{}"}):
            with self.assertRaises(AccessError):
                connector.write(values)
        with self.assertRaises(AccessError):
            connector.read(["sample"])  # a buyer's name, address and phone
        for model in ("oms.connector.endpoint", "oms.connector.field", "oms.connector.ready"):
            self.assertFalse(self.env[model].with_user(self.user).has_access("read"))
            self.assertTrue(self.env[model].with_user(self.manager).has_access("read"))
        self.assertFalse(connector.with_user(self.operator).has_access("read"))

    def test_another_companys_connector_is_not_seen(self):
        other = self.env["res.company"].create({"name": "Other"})
        connector = self._create_connector(company_id=other.id)
        self.assertNotIn(connector, self.env["oms.connector"].with_user(self.manager).search([]))
        self.assertIn(self.connector, self.env["oms.connector"].with_user(self.manager).search([]))
        field = self.env["oms.connector.field"].with_user(self.manager)
        self.assertFalse(field.search([("connector_id", "=", connector.id)]))
        with self.assertRaises(UserError):
            self.channel.connector_id = connector

    def test_token_is_for_administrators(self):
        for user in (self.user, self.manager):
            with self.assertRaises(AccessError):
                self.channel.with_user(user).read(["api_token"])
        self.assertFalse(self.channel.copy({"code": "copy"}).api_token)

    def test_manager_uses_keys_that_he_does_not_see(self):
        self.shop.place(1, [("OMS-MOUSE", 1, 5.0)])
        self.connector.with_user(self.manager).action_fetch_sample()
        self.assertEqual(json.loads(self.connector.sample)["id"], "order_1")


@tagged("post_install", "-at_install")
class TestConnectorPreviewScreen(ConnectorCommon):
    def test_sample_is_fetched_with_a_channels_keys(self):
        self.shop.variants = [{"id": "variant_OMS-MOUSE", "sku": "OMS-MOUSE", "product": {"status": "published"}}]
        with self.assertRaisesRegex(UserError, "no orders yet"):
            self.connector.action_fetch_sample()
        self.shop.place(1, [("OMS-MOUSE", 2, 19.99)])
        self.connector.action_fetch_sample()
        self.assertEqual(self._field(self.connector, "line.sku").preview, "OMS-MOUSE")
        self.assertEqual(self._field(self.connector, "order.total").preview, "49.98")
        self.assertEqual(self._field(self.connector, "listing.sku").preview, "OMS-MOUSE")
        for words in ("buyer1@example.com", "OMS-MOUSE", "49.98", "文三路", "make the shop's total"):
            self.assertIn(words, self.connector.order_preview.replace("&#39;", "'"))

    def test_failures_are_told_in_words(self):
        self.shop.failure = (401, {})
        with self.assertRaisesRegex(UserError, "refused the key"):
            self.connector.action_fetch_sample()
        other = self._create_connector()
        with self.assertRaisesRegex(UserError, "Choose the channel"):
            other.action_fetch_sample()
        other.sample_channel_id = self.channel
        with self.assertRaisesRegex(UserError, "uses another connector"):
            other.action_fetch_sample()

    def test_preview_follows_while_it_is_edited(self):
        connector = self._create_connector()
        form = Form(connector.with_user(self.manager))
        form.sample = json.dumps({**ORDER, "number": "N-1"})
        self.assertIn("order.placed_at", str(form.order_preview) + "order.placed_at")
        with form.order_field_ids.edit(0) as line:
            self.assertEqual((line.preview, line.problem), ("A1", False))
            line.expression = "number"
            self.assertEqual(line.preview, "N-1")
            line.expression = "number.."
            self.assertRegex(line.problem, "The expression")
            line.expression = "nowhere"
            self.assertRegex(line.problem, "Nothing is at nowhere")
            line.expression = "number"
        connector = form.save()
        self.assertEqual(self._field(connector, "order.external_id").preview, "N-1")
        self.assertEqual(self._field(connector, "line.sku").preview, "MUG")
        self.assertIn("Placed On", connector.order_preview)  # what is still missing, by the form's own names

    def test_sums_that_do_not_fit_are_said(self):
        self.shop.place(1, [("OMS-MOUSE", 1, 5.0)])
        self.connector.action_fetch_sample()
        self._field(self.connector, "order.shippings").expression = "nothing"
        self.assertIn("would be held", self.connector.order_preview)

    def test_sample_that_is_no_order_is_refused(self):
        for text in ("{", "[]", "5", "x" * 600_000):
            with self.assertRaises(ValidationError):
                self.connector.sample = text

    def test_many_lines_cost_no_more_queries(self):
        self.shop.place(1, [("OMS-MOUSE", 1, 5.0)])
        self.connector.action_fetch_sample()
        rows = self.connector.order_field_ids
        counts = []
        for part in (rows[:5], rows):
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            part.mapped("preview")
            counts.append(self.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 1)


@tagged("post_install", "-at_install")
class TestConnectorFiles(ConnectorCommon):
    def _import(self, content, **values):
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        transfer = self.env["oms.connector.transfer"].create({"file": base64.b64encode(content), **values})
        return self.env["oms.connector"].browse(transfer.action_import()["res_id"])

    def test_file_holds_all_but_keys_and_samples(self):
        self.shop.place(1, [("OMS-MOUSE", 1, 5.0)])
        self.connector.action_fetch_sample()
        url = self.connector.action_export()["url"]
        transfer = self.env["oms.connector.transfer"].browse(int(url.split("/")[4]))
        content = base64.b64decode(transfer.file)
        for secret in (b"sk_test", b"v4lue", b"buyer1@example.com"):
            self.assertNotIn(secret, content)
        copy = self._import(content, code="medusa2")
        self.assertEqual(copy._get_spec(), self.connector._get_spec())
        self.assertEqual(copy.code, "medusa2")

    def test_ready_one_is_its_file(self):
        content, expected = read_ready()
        self.assertEqual(self.connector._get_spec(), expected)
        data = json.loads(content)
        exported = self.connector._export()
        self.assertEqual({**exported, "description": ""}, {**data, "description": ""})

    def test_ready_one_is_installed_once(self):
        self.assertEqual(self.ready.action_install()["res_id"], self.connector.id)
        self.assertEqual(self.ready.connector_id, self.connector)

    def test_same_code_is_updated_only_when_asked(self):
        data = {**json.loads(read_ready()[0]), "page_size": 33}
        with self.assertRaisesRegex(UserError, "already: choose to update"):
            self._import(data)
        data["fields"] = data["fields"][:3]
        connector = self._import(data, mode="update")
        self.assertEqual((connector, connector.page_size), (self.connector, 33))
        self.assertEqual(len(connector.order_field_ids), 3)
        self.assertFalse(connector.listing_field_ids)
        self.assertEqual(self.channel.connector_id, connector)
        with self.assertRaisesRegex(UserError, "import it as new"):
            self._import({**data, "code": "unknown"}, mode="update")

    def test_errors_name_the_key(self):
        data = json.loads(read_ready()[0])
        for sentence, change in (
            ("There is no connector", {"format": "x"}),
            ("version: the file is of version 99", {"version": 99}),
            ("version: ", {"version": "1"}),
            ("code: this is a text", {"code": 5}),
            ("colour: this is not known", {"colour": "red"}),
            (r"endpoints\[0\].path", {"endpoints": [{"kind": "test", "path": "x"}]}),
            (r"fields\[1\].expression: The expression", {"fields": [
                {"target": "order.total"}, {"target": "order.note", "expression": "a..b"}
            ]}),
        ):  # fmt: skip
            with self.assertRaisesRegex(UserError, sentence):
                self._import({**data, "code": "other", **change})
        for content in (b"", b"{", b"[]", b"\xff" * 10, b" " * 2_000_000, b"[" * 200_000):
            with self.assertRaises(UserError):
                self._import(content)
        self.assertFalse(self.env["oms.connector"].search([("code", "=", "other")]))


@tagged("post_install", "-at_install")
class TestConnectorShop(ConnectorCommon):
    """A shop that is reached by the ready connector alone, through the same inbox and outbox as every other."""

    def test_test_button_names_the_shop(self):
        answer = self.connector.action_test_channel()
        self.assertIn("Test Store", answer["params"]["title"])

    def test_orders_come_in_once(self):
        order = self._import(1, captured=True)
        self._assert_totals(order, 2 * 19.99 + 49.5 + 10)
        self.assertEqual(order.channel_payment_ids.captured_amount, 99.48)
        self._pull()
        self.assertEqual(len(self._order("order_1")), 1)
        self.assertEqual(order.partner_shipping_id.name, "张三")

    def test_wrong_mapping_is_said_at_the_message_and_mended_there(self):
        self._field(self.connector, "order.total").expression = "nowhere"
        self.shop.place(1, [("OMS-MOUSE", 1, 5.0)])
        self._pull()
        message = self._message("order_1")
        self.assertEqual(message.state, "failed")
        self.assertIn("nothing is at nowhere", message.last_error)
        self._field(self.connector, "order.total").expression = "total"
        message.action_retry()
        self._work("message")
        self.assertEqual(self._order("order_1").amount_total, 15)

    def test_shipment_goes_out_once(self):
        self._set_buyer_stock(10)
        order = self._import(1, captured=True)
        order.action_confirm()
        picking = order.picking_ids
        picking.carrier_tracking_ref = "SF100"
        picking.button_validate()
        self._work("push")
        push = self.env["oms.channel.push"].search([("order_id", "=", order.id), ("kind", "=", "shipment")])
        self.assertEqual((push.state, push.external_ref), ("done", "ful_1"))
        [row] = self.shop.orders["order_1"]["fulfillments"]
        self.assertEqual(row["labels"][0]["tracking_number"], "SF100")
        push.write({"state": "pending"})  # as if the worker had died before its commit
        self._work("push")
        self.assertEqual(len(self.shop.orders["order_1"]["fulfillments"]), 1)

    def test_stock_goes_out_where_it_changed(self):
        listings = self.env["oms.channel.listing"].create(
            [
                {
                    "channel_id": self.channel.id,
                    "external_id": f"variant_{product.default_code}",
                    "inventory_external_id": f"iitem_{product.default_code}",
                    "sku": product.default_code,
                    "product_id": product.id,
                }
                for product in (self.mouse, self.keyboard)
            ]
        )
        self.shop.variants = [{"id": row.external_id, "sku": row.sku} for row in listings]
        for quantity, expected in ((4, {"iitem_OMS-MOUSE": 4, "iitem_OMS-KEYB": 10}), (3, {"iitem_OMS-MOUSE": 3})):
            self.shop.levels.clear()
            self._set_stock(self.mouse, quantity)
            self.channel.action_publish_stock()
            self._publish()
            found = {row["inventory_item_id"]: row["stocked_quantity"] for row in self.shop.levels}
            self.assertEqual(found, expected)
            self.assertFalse(any(listings.mapped("publish_error")))


@tagged("post_install", "-at_install")
class TestConnectorWebhook(ConnectorCommon, HttpCase):
    """The one door for webhooks, with the signature that the connector names."""

    def _post(self, secret="test-secret"):
        moment = datetime.now(UTC).isoformat()
        body = json.dumps({"event": "order.placed", "data": {"id": "order_1"}, "at": moment}).encode()
        signed = signing.sign_webhook("hmac_base64", secret, body)
        headers = {"Content-Type": "application/json", "X-Medusa-Hmac-SHA256": signed}
        return self.url_open(f"/oms/webhook/{self.channel.id}", data=body, headers=headers).status_code

    def test_signed_webhook_brings_the_order(self):
        self.shop.place(1, [("OMS-MOUSE", 1, 5.0)])
        self.assertEqual(self._post(), 200)
        self._work("message")
        self.assertEqual(self._order("order_1").amount_total, 15)

    def test_wrong_signature_is_refused(self):
        with mute_logger("odoo.addons.oms_channels.controllers.oms_channels"):
            self.assertEqual(self._post("wrong"), 401)
            self.connector.webhook_kind = "none"
            self.assertEqual(self._post(), 401)
        self.assertFalse(self._message("order_1"))
