"""The main job, end to end: from a buyer's checkout in a real shop to the refund, in a real Odoo and a real browser.

At every stage the shop, the stock quants and the journal entries are checked to the cent. Nothing is called that a
person or a shop could not do: the shop's API as the buyer, Odoo's web client and portal, RPC as the users of each job.
"""

import hashlib
import hmac
import json
import os
import unicodedata
import unittest

import pypdfium2
import requests
from servers.browser import Browser
from servers.medusa_server import MedusaServer
from servers.odoo_server import OdooServer, wait_until
from servers.ports import free_port

ADDRESS = {
    "first_name": "晓明",
    "last_name": "王",
    "address_1": "天府大道 100 号",
    "city": "成都市",
    "province": "四川省",
    "postal_code": "610000",
    "country_code": "cn",
    "phone": "+8613800138000",
}
EMAIL = "xiaoming@example.com"
TAX = 13.0
MOUSE = {"sku": "E2E-MOUSE", "title": "Wireless Mouse", "price": "113.00", "stock": 50, "barcode": "6900000000011"}
MUG = {"sku": "E2E-MUG", "title": "Ceramic Mug", "price": "39.90", "stock": 50, "barcode": "6900000000028"}
SHIPPING = "12.00"
CARRIER_SECRET = "carrier-secret"
SCREENSHOTS = os.environ.get("OMS_SCREENSHOTS")


class TestWayOfAnOrder(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.odoo = cls.enterClassContext(OdooServer(f"oms_e2e_{os.getpid()}"))
        cls.shop = cls.enterClassContext(
            MedusaServer(os.environ["OMS_MEDUSA_HOME"], free_port(), f"oms_e2e_shop_{os.getpid()}")
        )
        cls.shop_keys = cls.shop.seed(
            [MOUSE, MUG], currency="cny", countries=("cn",), shipping_price=SHIPPING, tax_rate=TAX, tax_included=True
        )
        cls.browser = cls.enterClassContext(Browser())
        cls.admin = cls.odoo.login("admin", "admin")

    def test_from_checkout_to_refund(self):
        self._set_up_company()
        self._connect_shop()
        self._match_products()
        order = self._capture_order()
        self._release_hold(order)
        self._check_allocation(order)
        parcel = self._pick_pack_and_ship(order)
        self._check_shipped(order, parcel)
        self._deliver(order, parcel)
        self._check_books(order)
        oms_return = self._ask_for_return(order)
        self._receive_and_inspect(oms_return)
        self._check_refund(order, oms_return)

    # === SET-UP: what an administrator does once === #

    def _set_up_company(self):
        admin = self.admin
        china, self.cny = admin.ref("base.cn"), admin.ref("base.CNY")
        admin.call("res.currency", "write", [self.cny], {"active": True})
        company = admin.read("res.company", [], ["partner_id"], limit=1)[0]
        self.company = company["id"]
        # Without text messages: Odoo would ask the first picker whether to send them.
        values = {"currency_id": self.cny, "country_id": china, "stock_text_confirmation": False}
        admin.call("res.company", "write", [self.company], values)
        states = admin.read("res.country.state", [["country_id", "=", china], ["code", "in", ["蜀", "浙"]]], ["code"])
        self.states = {state["code"]: state["id"] for state in states}
        far = admin.read("stock.warehouse", [["company_id", "=", self.company]], ["lot_stock_id"], limit=1)[0]
        self._write_warehouse(far["id"], "Hangzhou", "HZ", "浙", 30.27, 120.16)
        near_id = admin.create("stock.warehouse", {"name": "Chengdu", "code": "CD"})
        self._write_warehouse(near_id, "Chengdu", "CD", "蜀", 30.57, 104.07)
        self.warehouses = {
            warehouse["code"]: warehouse for warehouse in admin.read("stock.warehouse", [], ["code", "lot_stock_id"])
        }
        tax = admin.create(
            "account.tax",
            {
                "name": "VAT 13% included",
                "amount": TAX,
                "type_tax_use": "sale",
                "price_include_override": "tax_included",
            },
        )
        self.products = {}
        for item in (MOUSE, MUG):
            self.products[item["sku"]] = admin.create(
                "product.product",
                {
                    "name": item["title"],
                    "default_code": item["sku"] if item is MOUSE else False,
                    "barcode": item["barcode"] if item is MOUSE else "",
                    "is_storable": True,
                    "weight": 0.25,
                    "standard_price": 10.0,
                    "taxes_id": [[6, 0, [tax]]],
                },
            )
        for code in ("HZ", "CD"):
            for product in self.products.values():
                self._count_stock(product, code, 20)
        self._create_users()
        self._create_carrier()
        self._create_rule()

    def _create_rule(self):
        """The company wants a person to look at orders above 200."""
        hold_type = self.admin.ref("oms_base.oms_hold_type_review")
        rule = self.admin.create(
            "oms.rule",
            {
                "name": "Large order",
                "domain": "[('amount_total', '>', 200)]",
                "action_ids": [[0, 0, {"type": "hold", "hold_type_id": hold_type, "reason": "Above 200"}]],
            },
        )
        self.admin.call("oms.rule", "action_go_live", [rule])

    def _write_warehouse(self, warehouse, name, code, state, latitude, longitude):
        partner = self.admin.create(
            "res.partner",
            {
                "name": f"Warehouse {name}",
                "street": "Logistics Park 1",
                "city": name,
                "zip": "310000",
                "phone": "+86 571 8888 0000",
                "state_id": self.states[state],
                "country_id": self.admin.ref("base.cn"),
                "partner_latitude": latitude,
                "partner_longitude": longitude,
            },
        )
        self.admin.call("stock.warehouse", "write", [warehouse], {"name": name, "code": code, "partner_id": partner})

    def _count_stock(self, product, warehouse, quantity):
        quant = self.admin.call(
            "stock.quant",
            "create",
            [
                {
                    "product_id": product,
                    "location_id": self.warehouses[warehouse]["lot_stock_id"][0],
                    "inventory_quantity": quantity,
                }
            ],
            context={"inventory_mode": True},
        )
        self.admin.call("stock.quant", "action_apply_inventory", quant)

    def _create_users(self):
        groups = {"service": "user", "picker": "warehouse", "accountant": "accountant"}
        for login, group in groups.items():
            self.admin.create(
                "res.users",
                {
                    "name": login,
                    "login": login,
                    "password": login,
                    "group_ids": [
                        [6, 0, [self.admin.ref("base.group_user"), self.admin.ref(f"oms_base.oms_base_group_{group}")]]
                    ],
                },
            )
        self.service, self.picker, self.accountant = (self.odoo.login(login, login) for login in groups)

    def _create_carrier(self):
        service = self.admin.create("product.product", {"name": "Freight", "type": "service"})
        self.carrier = self.admin.create(
            "delivery.carrier",
            {
                "name": "Test Express",
                "delivery_type": "oms_waybill",
                "product_id": service,
                "oms_code": "test",
                "oms_tracking_secret": CARRIER_SECRET,
            },
        )
        self.admin.create(
            "oms.waybill.range",
            {"carrier_id": self.carrier, "prefix": "TE", "digits": 10, "first": "100", "last": "999"},
        )
        self.admin.create(
            "oms.carrier.tariff",
            {
                "carrier_id": self.carrier,
                "first_price": 8.0,
                "step_price": 2.0,
                "country_id": self.admin.ref("base.cn"),
            },
        )

    def _connect_shop(self):
        """An administrator connects the shop and the test button says who it is."""
        self.journal = self.admin.create(
            "account.journal", {"name": "Shop Collections", "code": "SHOP", "type": "bank", "company_id": self.company}
        )
        self.channel = self.admin.create(
            "oms.channel",
            {
                "name": "Medusa Shop",
                "code": "medusa",
                "provider": "medusa",
                "base_url": self.shop.url,
                "api_key": self.shop_keys["secret_key"],
                "webhook_secret": self.shop.webhook_secret,
                "location_ref": self.shop_keys["location_id"],
                "sales_channel_ref": self.shop_keys["sales_channel_id"],
                "journal_id": self.journal,
                "warehouse_ids": [[6, 0, [warehouse["id"] for warehouse in self.warehouses.values()]]],
            },
        )
        answer = self.admin.call("oms.channel", "action_test_connection", [self.channel])
        self.assertEqual(answer["params"]["type"], "success")
        url = self.admin.read("oms.channel", [["id", "=", self.channel]], ["webhook_url"])[0]["webhook_url"]
        self.shop.set_webhook_url(f"{self.odoo.url}/oms/webhook/{self.channel}")
        self.assertTrue(url.endswith(f"/oms/webhook/{self.channel}"))

    def _match_products(self):
        """The mouse is found by its SKU; the mug waits in the work list until a person matches it."""
        self.admin.call("oms.channel", "action_import_listings", [self.channel])

        def listings():
            found = self.admin.read(
                "oms.channel.listing", [["channel_id", "=", self.channel]], ["sku", "state", "product_id"]
            )
            return {row["sku"]: row for row in found} if len(found) == 2 else None

        rows = wait_until(listings, "the shop's products are listed")
        self.assertEqual((rows[MOUSE["sku"]]["state"], rows[MUG["sku"]]["state"]), ("matched", "unmatched"))
        self.mug_listing = rows[MUG["sku"]]["id"]

    # === CAPTURE AND REVIEW === #

    def _capture_order(self):
        """The buyer pays in the shop. The order waits for the unmatched mug, visibly, and comes once it is matched."""
        items = {MOUSE["sku"]: 2, MUG["sku"]: 1}
        self.shop_order = self.shop.checkout(EMAIL, {**ADDRESS, "phone": "123"}, items, capture=True)

        def failed():
            return self.admin.read(
                "oms.channel.message", [["external_id", "=", self.shop_order], ["state", "=", "failed"]], ["last_error"]
            )

        message = wait_until(failed, "the message of the unknown SKU is there to be seen")[0]
        self.assertIn(MUG["sku"], message["last_error"])
        self.assertFalse(self.admin.read("sale.order", [["channel_id", "=", self.channel]], ["name"]))
        self.admin.call("oms.channel.listing", "write", [self.mug_listing], {"product_id": self.products[MUG["sku"]]})
        self.admin.call("product.product", "write", [self.products[MUG["sku"]]], {"barcode": MUG["barcode"]})
        order = wait_until(self._read_order, "the order is there")
        self.assertEqual(order["channel_order_id"], self.shop_order)
        self.assertEqual(order["amount_total"], 2 * 113.00 + 39.90 + 12.00)
        self.assertEqual(order["channel_amount_difference"], 0)
        return wait_until(lambda: self._read_order(oms_stage="held"), "the order is held for its phone number")

    def _read_order(self, **values):
        domain = [["channel_id", "=", self.channel], *([key, "=", value] for key, value in values.items())]
        fields = [
            "name", "state", "oms_stage", "amount_total", "channel_order_id", "channel_amount_difference", "partner_id",
            "partner_shipping_id", "invoice_ids", "picking_ids", "order_line", "access_url",
        ]  # fmt: skip
        orders = self.admin.read("sale.order", domain, fields)
        self.assertLessEqual(len(orders), 1, "one order of the shop is one order here")
        return orders[0] if orders else None

    def _release_hold(self, order):
        """Customer service sees the holds in the overview, mends the phone number, which settles the one, and releases
        the other at the review desk: the order goes on."""
        browser = self.browser
        browser.log_in(self.odoo.url, "service", "service")
        browser.open(f"{self.odoo.url}/odoo/oms")
        browser.click("section[data-section=holds] button[data-key=address]")
        browser.see(order["name"])
        self._screenshot("holds")
        self.service.call("res.partner", "write", [order["partner_shipping_id"][0]], {"phone": ADDRESS["phone"]})
        active = [["order_id", "=", order["id"]], ["state", "=", "active"]]
        wait_until(lambda: len(self.admin.read("oms.hold", active, ["state"])) == 1, "the address hold is settled")
        browser.open(f"{self.odoo.url}/odoo/oms-desk")
        browser.click(".o_oms_queue[data-queue=review]")
        browser.click(".o_oms_case", order["name"])
        browser.see("Above 200")
        browser.fill(".o_oms_comment textarea", "Asked the buyer, all well.")
        self._screenshot("review_desk")
        browser.click("button[name=release]")
        wait_until(lambda: self._read_order(state="sale"), "the order is confirmed")
        holds = self.admin.read(
            "oms.hold",
            [["order_id", "=", order["id"]], ["state", "=", "released"]],
            ["release_user_id", "release_comment"],
        )
        comments = {hold["release_comment"]: hold["release_user_id"] for hold in holds}
        self.assertEqual(comments["Asked the buyer, all well."][1], "service")

    def _check_allocation(self, order):
        """Both lines come from Chengdu, the warehouse nearest to the buyer, and are reserved there."""
        rows = self.admin.read(
            "oms.allocation", [["order_id", "=", order["id"]]], ["warehouse_id", "quantity", "product_id"]
        )
        self.assertEqual({row["warehouse_id"][1] for row in rows}, {"Chengdu"})
        self.assertEqual(sum(row["quantity"] for row in rows), 3)
        self._check_quants({"HZ": (20, 0, 20, 0), "CD": (20, 2, 20, 1)})
        why = self.admin.read(
            "oms.decision", [["order_id", "=", order["id"]], ["kind", "=", "allocation"]], ["summary"]
        )
        self.assertIn("Chengdu", why[0]["summary"])
        self.assertEqual(self._read_order()["oms_stage"], "ready")

    def _check_quants(self, expected):
        """:param expected: {warehouse: (mice on hand, reserved, mugs on hand, reserved)}, read from the table itself"""
        found = {}
        for code in expected:
            figures = ()
            for sku in (MOUSE["sku"], MUG["sku"]):
                rows = self.odoo.query(
                    "SELECT COALESCE(SUM(quantity), 0), COALESCE(SUM(reserved_quantity), 0) FROM stock_quant"
                    " WHERE product_id = %s AND location_id = %s",
                    self.products[sku],
                    self.warehouses[code]["lot_stock_id"][0],
                )
                figures += tuple(map(int, rows[0]))
            found[code] = figures
        self.assertEqual(found, expected)

    def _screenshot(self, name, browser=None):
        if SCREENSHOTS:
            (browser or self.browser).screenshot(f"{SCREENSHOTS}/{name}.png")

    # === WAREHOUSE === #

    def _pick_pack_and_ship(self, order):
        """The picker scans the transfer, every piece twice (picked, checked into the parcel), weighs, labels, ships."""
        pickings = self.admin.read(
            "stock.picking", [["id", "in", self._read_order()["picking_ids"]]], ["name", "state"]
        )
        self.assertEqual([picking["state"] for picking in pickings], ["assigned"])
        with Browser(width=412, height=900) as phone:
            phone.log_in(self.odoo.url, "picker", "picker")
            phone.open(f"{self.odoo.url}/odoo/oms-scan")
            self._choose_warehouse(phone, "Chengdu")
            self._scan(phone, pickings[0]["name"], "pick")
            self._scan(phone, "0000000000000", "pick", message="unknown")
            self._screenshot("scan_refused", phone)
            self._scan(phone, MOUSE["barcode"], "pick", message="picked")
            self._scan(phone, MOUSE["barcode"], "pick", message="line_done")
            self._screenshot("scan_pick", phone)
            self._scan(phone, MUG["barcode"], "check")
            for barcode in (MOUSE["barcode"], MOUSE["barcode"]):
                self._scan(phone, barcode, "check", message="checked")
            self._scan(phone, MUG["barcode"], "weigh", message="check_done")
            phone.fill("input[name=oms_scan_weight]", "0.76")
            phone.click(".oms_scan_footer .primary")
            self._wait_for_state(phone, "label")
            phone.click(".oms_scan_print_label")
            self._wait_for_state(phone, "ship")
            self._screenshot("scan_ship", phone)
            phone.click(".oms_scan_ship")
            self._wait_for_state(phone, "choose")
        fields = ["name", "tracking_number", "state", "weight_gross", "carrier_id", "picking_id"]
        parcels = self.admin.read("oms.parcel", [["picking_id", "=", pickings[0]["id"]]], fields)
        self.assertEqual(len(parcels), 1)
        self.assertEqual((parcels[0]["state"], parcels[0]["weight_gross"]), ("shipped", 0.76))
        return parcels[0]

    def _choose_warehouse(self, phone, name):
        self._wait_for_state(phone, "choose")
        phone.choose(".oms_scan_filters select", name)
        phone.wait(f"document.querySelector('.oms_scan_title').innerText.includes({json.dumps(name)})", f"in {name}")

    def _wait_for_state(self, phone, state):
        phone.wait(f"!!document.querySelector('.o_oms_scan[data-state={state}]')", f"the app shows {state}")

    def _scan(self, phone, code, state, message=None):
        """Scan and wait for the answer: the state of the app, and the message it says."""
        phone.evaluate("document.querySelector('.oms_scan_message')?.setAttribute('data-code', 'seen')")
        phone.scan(code)
        if message:
            phone.wait(f"!!document.querySelector('.oms_scan_message[data-code={message}]')", f"{code}: {message}")
        self._wait_for_state(phone, state)

    def _check_shipped(self, order, parcel):
        """The goods left the shelf; the waybill is a PDF that bears its number; the shop knows the number."""
        self._check_quants({"HZ": (20, 0, 20, 0), "CD": (18, 0, 19, 0)})
        self.assertTrue(parcel["tracking_number"].startswith("TE"))
        pdf = self.picker.get(f"/report/pdf/oms_fulfillment.report_waybill/{parcel['id']}")
        self.assertEqual(pdf.headers["Content-Type"], "application/pdf")
        text = pypdfium2.PdfDocument(pdf.content)[0].get_textpage().get_text_range()
        text = unicodedata.normalize("NFKC", text)
        self.assertIn(parcel["tracking_number"], text.replace(" ", ""))
        self.assertIn("天府大道", text)

        def fulfilled():
            shop_order = self.shop.get_order(self.shop_order)
            return shop_order if shop_order["fulfillment_status"] == "shipped" else None

        shop_order = wait_until(fulfilled, "the shop knows that the order is shipped")
        labels = [label["tracking_number"] for f in shop_order["fulfillments"] for label in f["labels"]]
        self.assertEqual(labels, [parcel["tracking_number"]])
        self.assertIn(self._read_order()["oms_stage"], ("shipped", "delivered"))

    def _deliver(self, order, parcel):
        """The carrier tells, signed and twice, that the parcel arrived; an unsigned voice is refused."""
        event = {
            "tracking_number": parcel["tracking_number"],
            "code": "签收",
            "time": "2026-11-25T10:00:00+08:00",
            "place": "成都市",
            "text": "已签收",
        }
        body = json.dumps({"events": [event]}).encode()
        url = f"{self.odoo.url}/oms/tracking/test"
        self.assertEqual(requests.post(url, data=body, headers={"X-OMS-Signature": "sha256=0"}).status_code, 401)
        signature = "sha256=" + hmac.new(CARRIER_SECRET.encode(), body, hashlib.sha256).hexdigest()
        for _time in range(2):
            self.assertEqual(requests.post(url, data=body, headers={"X-OMS-Signature": signature}).status_code, 200)
        wait_until(lambda: self._read_order()["oms_stage"] in ("delivered", "done"), "the order is delivered")
        wait_until(
            lambda: self.shop.get_order(self.shop_order)["fulfillment_status"] == "delivered",
            "the shop knows of the delivery",
        )
        codes = self.admin.read("oms.event", [["order_id", "=", order["id"]]], ["code"], order="id")
        self.assertEqual([row["code"] for row in codes].count("delivered"), 1)

    # === MONEY === #

    def _check_books(self, order):
        """One posted invoice of what the buyer paid, settled by the shop's payment in the channel's journal."""

        def settled():
            moves = self._read_moves(order)
            return moves if moves and moves[0]["payment_state"] in ("paid", "in_payment") else None

        invoice = wait_until(settled, "the invoice is posted and settled")
        self.assertEqual([(move["move_type"], move["state"]) for move in invoice], [("out_invoice", "posted")])
        self.assertEqual((invoice[0]["amount_total"], invoice[0]["amount_residual"]), (277.90, 0.0))
        net, tax = self.odoo.query(
            "SELECT -SUM(balance) FILTER (WHERE display_type = 'product'),"
            " -SUM(balance) FILTER (WHERE display_type = 'tax') FROM account_move_line WHERE move_id = %s",
            invoice[0]["id"],
        )[0]
        self.assertEqual((float(net), float(tax)), (245.93, 31.97))
        payment = self.accountant.read(
            "account.payment", [["journal_id", "=", self.journal]], ["amount", "payment_type", "state"]
        )
        self.assertEqual([(row["amount"], row["payment_type"]) for row in payment], [(277.90, "inbound")])
        wait_until(lambda: self._read_order()["oms_stage"] == "done", "the order is done")
        self._check_ledger()

    def _read_moves(self, order):
        fields = ["name", "move_type", "state", "payment_state", "amount_total", "amount_residual"]
        ids = self._read_order()["invoice_ids"]
        return self.accountant.read("account.move", [["id", "in", ids]], fields, order="id") if ids else []

    def _check_ledger(self):
        """Every journal entry balances, and nothing is left open on the buyer's account."""
        unbalanced = self.odoo.query(
            "SELECT move_id FROM account_move_line WHERE parent_state = 'posted' GROUP BY move_id"
            " HAVING ROUND(SUM(balance), 2) <> 0"
        )
        self.assertEqual(unbalanced, [])
        open_lines = self.odoo.query(
            "SELECT SUM(line.amount_residual) FROM account_move_line line"
            " JOIN account_account account ON account.id = line.account_id"
            " WHERE account.account_type = 'asset_receivable' AND line.parent_state = 'posted'"
        )
        self.assertEqual(float(open_lines[0][0] or 0), 0.0)

    # === RETURN === #

    def _ask_for_return(self, order):
        """The buyer asks in the portal for one of the two mice to go back; customer service approves."""
        self.admin.create(
            "res.users",
            {
                "name": "王晓明",
                "login": EMAIL,
                "password": "buyer-password",
                "partner_id": order["partner_id"][0],
                "group_ids": [[6, 0, [self.admin.ref("base.group_portal")]]],
            },
        )
        line = self.admin.read(
            "sale.order.line",
            [["order_id", "=", order["id"]], ["product_id", "=", self.products[MOUSE["sku"]]]],
            ["product_uom_qty"],
        )[0]["id"]
        with Browser(width=412, height=900) as phone:
            phone.log_in(self.odoo.url, EMAIL, "buyer-password")
            phone.open(f"{self.odoo.url}/my/orders/{order['id']}")
            phone.click("a[href*='/return']")
            phone.fill(f"#quantity_{line}", "1")
            phone.wait(f"document.querySelector('#reason_{line}').options.length > 1", "there are reasons")
            phone.evaluate(
                f"(() => {{ const e = document.querySelector('#reason_{line}');"
                " e.value = [...e.options].find(o => o.value && !o.text.includes('photo')).value;"
                " e.dispatchEvent(new Event('change', {bubbles: true})); })()"
            )
            self._screenshot("portal_return", phone)
            phone.click("button[name=oms_return_submit]")
            phone.wait("location.pathname.startsWith('/my/returns/')", "the return is asked for")
        rows = self.admin.read("oms.return", [["order_ids", "in", [order["id"]]]], ["name", "state"])
        self.assertEqual(len(rows), 1)
        self.assertIn(rows[0]["state"], ("requested", "approved"))
        if rows[0]["state"] == "requested":
            self.service.call("oms.return", "action_approve", [rows[0]["id"]])
        self.assertEqual(self._read_order()["oms_stage"], "returning")
        return rows[0]["id"]

    def _receive_and_inspect(self, oms_return):
        """The parcel comes back to Chengdu; what is inspected as good can be sold again, and not a moment before."""
        pickings = self.picker.read(
            "stock.picking", [["oms_return_id", "=", oms_return], ["picking_type_id.code", "=", "incoming"]], ["state"]
        )
        self.assertEqual(len(pickings), 1)
        self.picker.call("stock.picking", "button_validate", [pickings[0]["id"]])
        self.assertEqual(self._read_return(oms_return)["state"], "received")
        self._check_quants({"HZ": (20, 0, 20, 0), "CD": (18, 0, 19, 0)})
        wizard = self.picker.create("oms.return.inspect", {"return_id": oms_return})
        self.picker.call("oms.return.inspect", "action_inspect", [wizard])
        self._check_quants({"HZ": (20, 0, 20, 0), "CD": (19, 0, 19, 0)})

    def _read_return(self, oms_return):
        return self.admin.read("oms.return", [["id", "=", oms_return]], ["state", "reception_state", "money_state"])[0]

    def _check_refund(self, order, oms_return):
        """One credit note of one mouse, the refund made once in the shop, and the money booked out of its journal."""
        if self._read_return(oms_return)["money_state"] == "due":
            self.accountant.call("oms.return", "action_credit", [oms_return])
        for move in self._read_moves(order):
            if move["state"] == "draft":
                self.accountant.call("account.move", "action_post", [move["id"]])
        wait_until(lambda: self.shop.get_refunds(self.shop_order), "the shop refunded")
        wait_until(lambda: self._read_return(oms_return)["state"] == "done", "the return is done", seconds=300)
        refunds = self.shop.get_refunds(self.shop_order)
        self.assertEqual([float(amount) for amount, _note in refunds], [113.00])
        credit_note = self._read_moves(order)[-1]
        self.assertEqual(
            (
                credit_note["move_type"],
                credit_note["state"],
                credit_note["amount_total"],
                credit_note["amount_residual"],
            ),
            ("out_refund", "posted", 113.00, 0.0),
        )
        payments = self.accountant.read(
            "account.payment", [["journal_id", "=", self.journal]], ["amount", "payment_type"], order="id"
        )
        self.assertEqual(
            [(row["amount"], row["payment_type"]) for row in payments], [(277.90, "inbound"), (113.00, "outbound")]
        )
        self._check_ledger()
        self._check_quants({"HZ": (20, 0, 20, 0), "CD": (19, 0, 19, 0)})
