from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.oms_channels.models.listing import oms_channel_listing_drift

from .common import ChannelsCommon


@tagged("post_install", "-at_install")
class TestMatchRules(ChannelsCommon):
    """Listings are recognised by rules that a person puts in order, and never by guessing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keyboard.barcode = "4006381333931"

    def _rules(self, *rules):
        self.channel.match_rule_ids.unlink()
        self.env["oms.channel.match.rule"].create(
            [{"channel_id": self.channel.id, "sequence": index, **rule} for index, rule in enumerate(rules)]
        )

    def _listing(self, sku, **values):
        return self.env["oms.channel.listing"].create(
            {
                "channel_id": self.channel.id,
                "external_id": f"v-{sku}-{len(self.channel.listing_ids)}",
                "sku": sku,
                **values,
            }
        )

    def test_each_kind_of_rule(self):
        self.env["oms.channel.code"].create(
            [{"channel_id": self.channel.id, "code": "A1", "product_id": self.mouse.id}]
        )
        for rule, values, product in (
            ({"kind": "sku"}, {"sku": "OMS-MOUSE"}, self.mouse),
            ({"kind": "barcode"}, {"sku": "X", "barcode": "4006381333931"}, self.keyboard),
            ({"kind": "sku_barcode"}, {"sku": "4006381333931"}, self.keyboard),
            ({"kind": "cleaned", "prefix": "shop-", "suffix": "_EU"}, {"sku": "SHOP-oms.mouse_eu"}, self.mouse),
            ({"kind": "code"}, {"sku": "A1"}, self.mouse),
            ({"kind": "title"}, {"sku": "X", "title": self.mouse.name}, self.mouse),
        ):
            with self.subTest(rule["kind"]):
                self._rules(rule)
                listing = self._listing(**values)
                self.assertFalse(self._listing("NOTHING")._match_products())
                listing._match_products()
                self.assertEqual(listing.product_id, product)

    def test_case_and_separators_count_where_a_rule_says_so(self):
        self._rules({"kind": "cleaned", "ignores_case": False, "ignores_separators": False})
        listing = self._listing("oms-mouse")
        listing._match_products()
        self.assertFalse(listing.product_id)

    def test_the_first_rule_that_finds_something_decides(self):
        self.env["oms.channel.code"].create([{"code": "OMS-MOUSE", "product_id": self.keyboard.id}])
        for kinds, product in ((("sku", "code"), self.mouse), (("code", "sku"), self.keyboard)):
            self._rules(*({"kind": kind} for kind in kinds))
            listing = self._listing("OMS-MOUSE")
            listing._match_products()
            self.assertEqual(listing.product_id, product)

    def test_a_channels_own_code_says_more_than_that_of_all(self):
        Code = self.env["oms.channel.code"]
        Code.create(
            [
                {"code": "A1", "product_id": self.keyboard.id},
                {"channel_id": self.channel.id, "code": "A1", "product_id": self.mouse.id},
            ]
        )
        self._rules({"kind": "code"})
        listing = self._listing("A1")
        listing._match_products()
        self.assertEqual(listing.product_id, self.mouse)

    def test_what_fits_several_is_refused_and_named(self):
        self.env["product.product"].create({"name": "Another", "default_code": "OMS MOUSE"})
        self._rules({"kind": "cleaned"}, {"kind": "sku"})
        ambiguous, unknown, matched, clear = (
            self._listing("OMS-MOUSE"),
            self._listing("GHOST"),
            self._listing("SET", product_id=self.mouse.id),
            self._listing("OMS-KEYB"),
        )
        action = (ambiguous | unknown | matched | clear).action_match_each()
        results = self.env["oms.queue.result"].search(action["domain"])
        self.assertEqual(results.mapped("state"), ["left", "left", "left", "done"])
        self.assertIn("OMS MOUSE", results[0].reason)
        self.assertFalse((ambiguous | unknown).product_id)
        self.assertEqual(clear.product_id, self.keyboard)

    def test_preview_tells_what_would_match_and_changes_nothing(self):
        self.env["product.product"].create({"name": "Another", "default_code": "OMS MOUSE"})
        listings = self._listing("oms-mouse") | self._listing("oms-keyb") | self._listing("GHOST")
        self._rules({"kind": "sku"}, {"kind": "cleaned"})
        preview = self.env["oms.match.preview"].browse(self.channel.action_preview_matching()["res_id"])
        self.assertIn("Would match 1 of 3 unmatched; ambiguous 1.", preview.message)
        self.assertEqual([(line.match_count, line.ambiguous_count) for line in preview.line_ids], [(0, 0), (1, 1)])
        self.assertIn("OMS-KEYB", preview.line_ids[1].examples)
        self.assertFalse(listings.product_id)
        preview.action_match()
        self.assertEqual(listings.product_id, self.keyboard)

    def test_what_waited_goes_on_when_a_new_rule_matches_it(self):
        self._import(1, [("SHOP.OMS.MOUSE", 1, 20.0)])
        message = self._message("order_1")
        self.assertEqual(message.state, "failed")
        self._rules({"kind": "cleaned", "prefix": "SHOP."})
        message.listing_ids.action_match_each()
        self.assertEqual(message.state, "pending")
        self._work("message")
        self.assertEqual(self._order("order_1").order_line[0].product_id, self.mouse)

    def test_queries_do_not_grow_with_the_listings(self):
        self._rules({"kind": "code"}, {"kind": "cleaned"}, {"kind": "sku"}, {"kind": "barcode"}, {"kind": "title"})
        listings = self.env["oms.channel.listing"].union(
            *(self._listing(f"NO-{index}", title="T") for index in range(30))
        )
        listings[:2]._find_matches()
        counts = []
        for some in (listings[:3], listings):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            some._find_matches()
            counts.append(self.env.cr.sql_log_count - start)
        self.assertEqual(counts[0], counts[1])

    # === DRIFT === #

    def test_a_title_that_is_not_the_products_name_is_shown_and_can_be_accepted(self):
        listing = self._listing("OMS-MOUSE", title=f"{self.mouse.name} - Red", product_id=self.mouse.id)
        self.assertFalse(listing.is_title_drift)
        listing.title = "Something else"
        self.assertIn(listing, listing.search([("is_title_drift", "=", True)]))
        self.assertEqual(listing.drift_text, "Title")
        listing.with_user(self.user).action_accept_drift()
        self.assertFalse(listing.is_title_drift)
        self.mouse.name = "Another mouse"
        self.assertTrue(listing.is_title_drift, "until one of the two changes")

    def test_a_title_in_another_language_is_the_products_name_whoever_looks(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.mouse.with_context(lang="zh_CN").name = "无线鼠标"
        listing = self._listing("OMS-MOUSE", title="无线鼠标 黑色", product_id=self.mouse.id)
        self.assertFalse(listing.is_title_drift)
        listing.title = "机械键盘"
        self.assertTrue(listing.is_title_drift)
        listing.with_context(lang="zh_CN").action_accept_drift()
        self.mouse.list_price += 1
        listing.modified(["title"])
        self.assertFalse(listing.is_title_drift)

    def test_a_price_that_is_not_ours_is_shown_sent_and_then_right(self):
        pricelist = self.env["product.pricelist"].create(
            {
                "name": "Shop",
                "currency_id": self.usd.id,
                "item_ids": [
                    (0, 0, {"applied_on": "0_product_variant", "product_id": self.mouse.id, "fixed_price": 21.5})
                ],
            }
        )
        listing = self._listing(
            "OMS-MOUSE", product_id=self.mouse.id, price=19.99, currency_id=self.usd.id, product_external_id="prod_1"
        )
        self.assertFalse(listing.is_price_drift, "no price list, nothing to compare")
        self.channel.listing_pricelist_id = pricelist
        self.assertEqual((listing.is_price_drift, listing.expected_price), (True, 21.5))
        listing.action_push_price()
        listing.action_push_price()
        push = self.env["oms.channel.push"].search([("kind", "=", "price")])
        self.assertEqual(len(push), 1, "one waiting push")
        self._work("push")
        self.assertEqual(push.state, "done", push.last_error)
        self.assertEqual((listing.price, listing.is_price_drift), (21.5, False))
        pricelist.item_ids.fixed_price = 22.0
        self._run_cron("oms_channels.ir_cron_refresh_prices")
        self.assertTrue(listing.is_price_drift)
        listing.action_accept_drift()
        self.assertFalse(listing.is_price_drift)

    def test_prices_are_computed_step_by_step_and_once_a_day(self):
        pricelist = self.env["product.pricelist"].create({"name": "Shop", "currency_id": self.usd.id})
        listings = self.env["oms.channel.listing"].union(
            *(
                self._listing(f"P{number}", product_id=self.mouse.id, price=1.0, currency_id=self.usd.id)
                for number in range(3)
            )
        )
        self.channel.listing_pricelist_id = pricelist
        self.env.flush_all()
        self.env.cr.execute("UPDATE oms_channel_listing SET expected_price = 7")
        self.env.invalidate_all()
        self.patch(oms_channel_listing_drift, "STEP_SIZE", 1)
        compute = type(listings)._refresh_price_drift
        # What is wrong with one stops no others, and a run out of time goes on where it was.
        bad, times = listings[1], iter([1, 1, 0])

        def fail_for_one(listing):
            if listing == bad:
                raise ValueError("odd")
            return compute(listing)

        self.patch(type(listings), "_refresh_price_drift", fail_for_one)
        self.patch(type(self.env["ir.cron"]), "_commit_progress", lambda *args, **kwargs: next(times, 1))
        logger = "odoo.addons.oms_channels"
        with mute_logger(f"{logger}.tools", f"{logger}.models.listing.oms_channel_listing_drift"):
            listings._cron_refresh_prices()
            self.assertEqual(self.channel.price_place, bad.id)
            self.assertFalse(self.channel.price_date)
            self.assertEqual([price == 7 for price in listings.mapped("expected_price")], [False, True, True])
            listings._cron_refresh_prices()
        self.assertEqual([price == 7 for price in listings.mapped("expected_price")], [False, True, False])
        self.assertTrue(self.channel.price_date)
        self.env.cr.execute("UPDATE oms_channel_listing SET expected_price = 7")
        self.env.invalidate_all()
        listings._cron_refresh_prices()
        self.assertEqual(set(listings.mapped("expected_price")), {7})

    def test_a_shop_that_takes_no_prices_is_not_sent_any(self):
        self.patch(type(self.env["oms.channel"]), "_get_capabilities", lambda channel: frozenset())
        listing = self._listing("OMS-MOUSE", product_id=self.mouse.id)
        with self.assertRaisesRegex(Exception, "None of these"):
            listing.action_push_price()

    def test_overview_counts_what_differs(self):
        self._listing("GHOST")
        self._listing("OMS-MOUSE", title="Other", product_id=self.mouse.id)
        [section] = [row for row in self.env["oms.overview"]._get_sections() if row["key"] == "listings"]
        tiles = {tile["key"]: tile for tile in section["tiles"]}
        for key in ("unmatched", "title"):
            self.assertEqual(tiles[key]["value"], self.env["oms.channel.listing"].search_count(tiles[key]["domain"]))
            self.assertTrue(tiles[key]["value"])
