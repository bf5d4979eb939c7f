"""Any other system without code: a person connects a real Medusa shop in the browser, by a connector of the list that
is nothing but values. Orders come in, a shipment and the stock go out; nothing here knows of Medusa but the shop.
"""

import json
import os
import unittest
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from servers.browser import Browser
from servers.medusa_server import MedusaServer
from servers.odoo_server import OdooServer, wait_until
from servers.ports import free_port

from odoo.addons.oms_channels import adapters
from odoo.addons.oms_channels.adapters.notices import (
    CancelNotice,
    DeliveryNotice,
    RefundNotice,
    ShipmentNotice,
    StockLevel,
)
from odoo.addons.oms_channels.adapters.types import ChannelConfig
from odoo.addons.oms_channels.tests.connector_common import read_ready

ADDRESS = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "address_1": "12 Main St",
    "city": "New York",
    "province": "us-ny",
    "postal_code": "10001",
    "country_code": "us",
    "phone": "+12125550123",
}
TEE = {"sku": "NC-TEE", "title": "T-Shirt", "price": "19.99", "stock": 50}
MUG = {"sku": "NC-MUG", "title": "Mug", "price": "8.50", "stock": 50}
SCREENSHOTS = os.environ.get("OMS_SCREENSHOTS")


class TestConnector(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shop = cls.enterClassContext(
            MedusaServer(os.environ["OMS_MEDUSA_HOME"], free_port(), f"oms_connector_shop_{os.getpid()}")
        )
        cls.keys = cls.shop.seed([TEE, MUG])

    def _place(self, items, capture=True):
        return self.shop.checkout("ada@example.com", ADDRESS, items, capture=capture)

    # === THE ENGINE AGAINST THE SHOP === #

    def _make_adapter(self, transport=None):
        config = ChannelConfig(
            self.shop.url,
            {"api_key": self.keys["secret_key"]},
            {"connector": read_ready()[1], "location_id": self.keys["location_id"], "currency": "USD"},
        )
        return adapters.get_adapter_class("custom")(config, transport)

    def test_engine_does_what_the_programmed_adapter_does(self):
        """Each call, and each again: the second changes nothing in the shop."""
        adapter = self._make_adapter()
        self.assertTrue(adapter.test_connection()["shop"])
        since = datetime.now(UTC) - timedelta(minutes=5)
        ids = [self._place({TEE["sku"]: 1, MUG["sku"]: 2}) for _index in range(3)]
        found = [item.external_id for page in adapter.iter_orders_since(since, limit=2) for item in page.items]
        self.assertLessEqual(set(ids), set(found))
        self._compare(ids[0])
        self._check_shipment(adapter, ids[0])
        self._check_cancel_and_refund(adapter, ids[1], ids[2])
        self._check_stock(adapter)

    def _compare(self, order_id):
        """The order is read as the programmed adapter reads it."""
        config = ChannelConfig(self.shop.url, {"api_key": self.keys["secret_key"]})
        programmed = adapters.get_adapter_class("medusa")(config)
        expected = programmed.parse_order(programmed.fetch_order(order_id))
        adapter = self._make_adapter()
        order = adapter.parse_order(adapter.fetch_order(order_id))
        # A mapping reads the lines in the shop's order, of which Medusa keeps none.
        lines = tuple(sorted(order.lines, key=lambda line: line.external_id))
        self.assertEqual(replace(order, version="", lines=lines), replace(expected, version=""))
        self.assertTrue(order.is_paid)

    def _check_shipment(self, adapter, order_id):
        order = adapter.parse_order(adapter.fetch_order(order_id))
        first, second = order.lines
        for number, line in (("NC100", first), ("NC200", second)):
            notice = ShipmentNotice(order_id, ((line.external_id, line.quantity),), number, "UPS", f"key-{number}")
            shipped, again = adapter.push_shipment(notice), adapter.push_shipment(notice)
            self.assertEqual((shipped.is_repeat, again.is_repeat), (False, True))
            self.assertEqual(shipped.external_id, again.external_id)
            delivered = DeliveryNotice(order_id, f"del-{number}", number, shipped.external_id)
            self.assertFalse(adapter.push_delivered(delivered).is_repeat)
            self.assertTrue(adapter.push_delivered(delivered).is_repeat)
        rows = self.shop.get_order(order_id)["fulfillments"]
        self.assertEqual(sorted(row["labels"][0]["tracking_number"] for row in rows), ["NC100", "NC200"])
        self.assertTrue(all(row["delivered_at"] for row in rows))

    def _check_cancel_and_refund(self, adapter, cancelled_id, refunded_id):
        cancel = CancelNotice(cancelled_id, "key-cancel")
        self.assertEqual([adapter.push_cancel(cancel).is_repeat for _index in range(2)], [False, True])
        order = adapter.parse_order(adapter.fetch_order(cancelled_id))
        self.assertEqual(order.status, "cancelled")
        refund = RefundNotice(refunded_id, Decimal("5.25"), "USD", "key-refund", note="RF1")
        self.assertEqual([adapter.push_refund(refund).is_repeat for _index in range(2)], [False, True])
        self.assertEqual(self.shop.get_refunds(refunded_id), [(Decimal("5.25"), "RF1 [key-refund]")])
        order = adapter.parse_order(adapter.fetch_order(refunded_id))
        self.assertEqual(order.payments[0].refunded_amount, Decimal("5.25"))

    def _check_stock(self, adapter):
        listings = [item for item in adapter.fetch_listings().items if item.sku in (TEE["sku"], MUG["sku"])]
        self.assertEqual(len(listings), 2)
        levels = [StockLevel(item.sku, Decimal(7), item.external_id, item.inventory_external_id) for item in listings]
        unknown = StockLevel("NC-NONE", Decimal(1), "variant_none", "iitem_none")
        errors = adapter.push_stock([*levels, unknown]).errors
        self.assertEqual(errors[:2], ("", ""))
        self.assertIn("no stock item", errors[2])
        for sku in (TEE["sku"], MUG["sku"]):  # what the shop keeps for its orders is added
            stocked, reserved = self.shop.get_stock(sku)
            self.assertEqual(stocked - reserved, 7)
        requests = []
        counting = self._make_adapter(lambda request: requests.append(request) or adapters.http.send(request))
        self.assertEqual(counting.push_stock(levels).errors, ("", ""))
        self.assertEqual([request.method for request in requests], ["GET"], "nothing changed, nothing is told")

    # === A PERSON IN THE BROWSER === #

    def test_person_connects_a_shop_without_code(self):
        self.odoo = self.enterContext(OdooServer(f"oms_connector_{os.getpid()}"))
        self.browser = self.enterContext(Browser())
        self.admin = self.odoo.login("admin", "admin")
        self._set_up_company()
        self._place({TEE["sku"]: 1})
        self.browser.log_in(self.odoo.url, "admin", "admin")
        self._install_connector()
        self._make_channel()
        sample = self._look_at_a_sample()
        self._map_by_a_click(sample["id"])
        self._change_what_it_reads(sample["display_id"])
        order_id = self._place({TEE["sku"]: 2, MUG["sku"]: 1})
        order = self._pull_orders(order_id)
        self._ship(order, order_id)
        self._publish_stock()

    def _set_up_company(self):
        admin = self.admin
        usd = admin.ref("base.USD")
        admin.call("res.currency", "write", [usd], {"active": True})
        company = admin.read("res.company", [], ["currency_id"], limit=1)[0]
        self.assertEqual(company["currency_id"][0], usd)
        admin.call("res.company", "write", [company["id"]], {"stock_text_confirmation": False})
        admin.create("account.journal", {"name": "Shop Collections", "code": "SHOP", "type": "bank"})
        self.warehouse = admin.read("stock.warehouse", [], ["lot_stock_id"], limit=1)[0]
        self.products = {}
        for item in (TEE, MUG):
            product = self.products[item["sku"]] = admin.create(
                "product.product",
                {"name": item["title"], "default_code": item["sku"], "is_storable": True, "taxes_id": False},
            )
            values = {"product_id": product, "location_id": self.warehouse["lot_stock_id"][0], "inventory_quantity": 20}
            quant = admin.call("stock.quant", "create", [values], context={"inventory_mode": True})
            admin.call("stock.quant", "action_apply_inventory", quant)

    def _open_action(self, xmlid, path=""):
        self.browser.open(f"{self.odoo.url}/odoo/action-{xmlid}{path}")

    def _choose(self, field, text):
        """Choose an entry of a selection as a person does: open it, click."""
        self.browser.click(f"div[name={field}] input")
        self.browser.click(".o_select_menu_item", text)

    def _link(self, field, text):
        """Choose another record as a person does: type its name, click."""
        self.browser.fill(f"div[name={field}] input", text)
        self.browser.click(".o-autocomplete--dropdown-item", text)

    def _screenshot(self, name):
        if SCREENSHOTS:
            self.browser.screenshot(str(Path(SCREENSHOTS) / f"{name}.png"))

    def _save(self):
        self.browser.click(".o_form_button_save")
        self.browser.wait("!document.querySelector('.o_form_status_indicator_buttons:not(.invisible)')", "it is saved")

    def _install_connector(self):
        """From the list of ready connectors, which are values in a file."""
        self._open_action("oms_channels.oms_connector_ready_action")
        self.browser.see("Medusa v2")
        self._screenshot("ready_connectors")
        self.browser.click("button[name=action_install]", "Install")
        self.browser.wait(
            "[...document.querySelectorAll('div[name=name] input')].some(e => e.value == 'Medusa')", "it is installed"
        )
        [connector] = self.admin.read("oms.connector", [], ["name"])
        self.connector = connector["id"]

    def _make_channel(self):
        """Address and keys are entered on the channel; the connector has none."""
        browser = self.browser
        self._open_action("oms_base.oms_channel_action", "/new")
        browser.fill("div[name=name] input, div[name=name] textarea", "No Code Shop")
        browser.fill("div[name=code] input", "nocode")
        browser.click(".o_notebook a[name=connection]")
        self._choose("provider", "Any shop, by a connector")
        self._link("connector_id", "Medusa")
        browser.fill("div[name=base_url] input", self.shop.url)
        browser.fill("div[name=api_key] input", self.keys["secret_key"])
        browser.fill("div[name=location_ref] input", self.keys["location_id"])
        self._save()
        [channel] = self.admin.read("oms.channel", [["code", "=", "nocode"]], ["connector_id", "provider"])
        self.channel = channel["id"]
        self.assertEqual(channel["connector_id"][0], self.connector)
        browser.click("button[name=action_test_connection]")
        browser.see("Connected to")

    def _look_at_a_sample(self):
        """One click, and the mapping shows what each line gives and the order as it would be imported."""
        browser = self.browser
        self._open_action("oms_channels.oms_connector_action", f"/{self.connector}")
        self._link("sample_channel_id", "No Code Shop")
        browser.click("button[name=action_fetch_sample]")
        browser.click(".o_notebook a[name=mapping]")
        browser.see("ada@example.com")
        [connector] = self.admin.read("oms.connector", [["id", "=", self.connector]], ["sample"])
        sample = json.loads(connector["sample"])
        browser.see(sample["id"])
        self._screenshot("connector_mapping")
        browser.click(".o_notebook a[name=preview]")
        browser.see("Lines and charges make the shop's total.")
        browser.see(str(sample["total"]))
        browser.see("Ada Lovelace")
        self._screenshot("connector_order")
        return sample

    def _map_by_a_click(self, sample):
        """A line is spoilt by hand, which is said in words, and put right by a click on a key of the sample."""
        browser = self.browser
        browser.click(".o_notebook a[name=mapping]")
        self._edit_expression("Order: ID in the Shop", "id..")
        browser.see("The expression")
        browser.choose(".o_oms_sample_tree select", "Order: ID in the Shop")
        browser.click(".o_oms_key[data-path=id]")
        browser.wait(
            "[...document.querySelectorAll('div[name=order_field_ids] tr.o_data_row')].some(row =>"
            f" row.innerText.includes('Order: ID in the Shop') && row.innerText.includes('{sample}')"
            " && !row.innerText.includes('The expression'))",
            "the click filled the line and the line shows what it gives",
        )
        self._save()

    def _edit_expression(self, label, expression):
        row = "div[name=order_field_ids] tr.o_data_row"
        self.browser.click(row, label, inside="td[name=expression]")
        self.browser.fill("tr.o_selected_row td[name=expression] input", expression)

    def _change_what_it_reads(self, number):
        """What a person changes is what the next order is read by: here the number the buyer sees."""
        self._edit_expression("Order: Number the Buyer Sees", "join('-', ['NC', to_string(display_id)])")
        self.browser.see(f"NC-{number}")
        self._save()

    def _pull_orders(self, order_id):
        browser = self.browser
        self._open_action("oms_base.oms_channel_action", f"/{self.channel}")
        browser.click(".o_notebook a[name=connection]")
        self.admin.call("oms.channel", "write", [self.channel], {"pull_start_date": "2020-01-01 00:00:00"})
        browser.click("button[name=action_import_listings]")
        browser.see("read in the background")

        def listings():
            return self.admin.read("oms.channel.listing", [["channel_id", "=", self.channel]], ["state", "product_id"])

        wait_until(lambda: [row for row in listings() if row["state"] == "matched"][1:], "the products are matched")
        browser.click("button[name=action_pull_now]")
        fields = ["name", "amount_total", "channel_order_ref", "state", "picking_ids", "channel_amount_difference"]
        domain = [["channel_id", "=", self.channel], ["channel_order_id", "=", order_id]]
        [order] = wait_until(lambda: self.admin.read("sale.order", domain, fields), "the order is there")
        self.assertEqual((order["amount_total"], order["channel_amount_difference"]), (2 * 19.99 + 8.50 + 7.50, 0))
        self.assertRegex(order["channel_order_ref"], r"^NC-\d+$")
        return order

    def _ship(self, order, order_id):
        admin = self.admin
        confirmed = [["id", "=", order["id"]], ["state", "=", "sale"]]
        [order] = wait_until(
            lambda: admin.read("sale.order", confirmed, ["picking_ids"]), "the order is confirmed by itself"
        )
        for picking in order["picking_ids"]:
            admin.call("stock.picking", "write", [picking], {"carrier_tracking_ref": "NC300"})
            admin.call("stock.picking", "button_validate", [picking])

        def shipped():
            rows = self.shop.get_order(order_id)["fulfillments"]
            return [row for row in rows if row["shipped_at"]]

        [row] = wait_until(shipped, "the shop knows of the shipment")
        self.assertEqual([label["tracking_number"] for label in row["labels"]], ["NC300"])
        pushes = wait_until(
            lambda: admin.read(
                "oms.channel.push",
                [["channel_id", "=", self.channel], ["kind", "=", "shipment"], ["state", "=", "done"]],
                ["external_ref"],
            ),
            "the push is done",
        )
        self.assertEqual([push["external_ref"] for push in pushes], [row["id"]])

    def _publish_stock(self):
        """What may be sold here is what may be sold there."""
        self._open_action("oms_base.oms_channel_action", f"/{self.channel}")
        self.browser.click(".o_notebook a[name=connection]")
        self.browser.click("div[name=is_publishing_stock] input")
        self._save()
        self.browser.click("button[name=action_publish_stock]")

        def published():
            return self.admin.read(
                "oms.channel.listing",
                [["channel_id", "=", self.channel], ["published_date", "!=", False]],
                ["sku", "published_quantity", "publish_error"],
            )

        rows = wait_until(lambda: published()[1:] and published(), "the stock is published")
        for row in rows:
            self.assertFalse(row["publish_error"])
            stocked, reserved = self.shop.get_stock(row["sku"])
            self.assertEqual(stocked - reserved, row["published_quantity"])
        quantities = {row["sku"]: row["published_quantity"] for row in rows}
        self.assertLess(quantities[TEE["sku"]], 20)  # two have left, one is promised to the sample's buyer
