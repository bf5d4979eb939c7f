import base64
import json
import re

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import HttpCase, tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestRulePacks(OmsBaseCommon):
    def test_every_pack_installs_entirely(self):
        packs = self.env["oms.rule.pack"].search([])
        self.assertGreaterEqual(len(packs), 5)
        created, problems = packs._install()
        self.assertEqual(problems, [])
        self.assertEqual(len(created), sum(packs.mapped("rule_count")))
        self.assertEqual(set(created.mapped("state")), {"draft"})
        created.action_go_live()
        self._create_order()._oms_review()
        self.assertFalse([rule.name for rule in created if rule.problem])

    def test_packs_give_gifts_and_group_parcels(self):
        """What was bought for earns the gift of the pack once some are in stock, and goes with the buyer's other order;
        a pre-sale sends what is there."""
        packs = self.env["oms.rule.pack"].search([("code", "in", ("consumer", "flash_sale", "presale"))])
        created, _problems = packs._install()
        types = {code: set(rules.action_ids.mapped("type")) for code, rules in created.grouped("pack_code").items()}
        self.assertLessEqual({"gift", "merge"}, types["consumer"] & types["flash_sale"])
        self.assertIn("split", types["presale"])
        self.env["oms.rule"].search([("state", "=", "live")]).action_to_draft()
        standing = created.filtered(lambda rule: not rule.set_id)
        standing.filtered(lambda rule: rule.pack_rule_code in ("gift", "merge", "split")).action_go_live()
        self.keyboard.oms_presale_date = "2040-01-01"
        orders = self._create_order([(self.mouse, 20)]) | self._create_order([(self.mouse, 1)])
        orders._oms_review()
        self.assertEqual(orders.oms_delivery_group_ids.order_ids, orders)
        self.assertFalse(orders.order_line.filtered("oms_gift_id"), "none is in stock")
        gift = self.env.ref("oms_base.product_gift")
        self._set_stock(gift, 5)
        orders._oms_review()
        given = orders.order_line.filtered("oms_gift_id")
        self.assertEqual((given.order_id, given.product_id, given.product_uom_qty), (orders[0], gift, 1))
        presale = self._create_order(partner_id=self._create_buyer("李四", street="龙井路 1 号").id)
        presale._oms_review()
        self.assertEqual(presale.oms_delivery_group_ids.sorted("id").mapped("is_waiting"), [False, True])

    def test_every_recipe_can_be_used(self):
        recipes = self.env["oms.rule.recipe"]._create_for_user()
        self.assertEqual([line.problem for line in recipes.line_ids if line.problem], [])

    def test_packs_are_whole_in_both_languages(self):
        """Each text of the data files is there in English and Chinese, each rule has a code of its own."""
        recipes = list(self.env["oms.rule.recipe"]._get_recipes().values())
        for pack in self.env["oms.rule.pack"].search([]):
            data = pack._get_data()
            codes = [rule["_code"] for rule in data["rules"]]
            self.assertEqual(len(codes), len(set(codes)), pack.code)
            actions = [action for rule in data["rules"] for action in rule["actions"]]
            gifts = [action["gift"] for action in actions if "gift" in action]
            for record in (data, *data["rules"], *actions, *gifts):
                self._check_texts(record)
        for record in (*recipes, *(action for recipe in recipes for action in recipe["actions"])):
            self._check_texts(record)

    def _check_texts(self, record):
        for name in ("name", "description", "reason", "note"):
            if name in record:
                self.assertEqual(set(record[name]), {"en_US", "zh_CN"}, record)
                self.assertTrue(re.search("[\u4e00-\u9fff]", record[name]["zh_CN"]), record)

    def _patch_pack(self, rules, **values):
        data = {"name": {"en_US": "Test"}, "description": {"en_US": "Test"}, "rules": rules, **values}
        self.patch(self.registry["oms.rule.pack"], "_get_data", lambda pack: data)
        return self.env["oms.rule.pack"].with_user(self.manager).search([], limit=1)

    def _prepare_rule(self, code="large", **values):
        return {
            "_code": code,
            "name": {"en_US": "Large", "zh_CN": "大额"},
            "domain": [["amount_total", ">", 5000]],
            "actions": [
                {"type": "hold", "hold_type_id": {"code": "manual"}, "reason": {"en_US": "Look", "zh_CN": "请看"}}
            ],
            **values,
        }

    def test_installed_twice_changes_nothing(self):
        pack = self._patch_pack([self._prepare_rule()])
        action = pack.action_install()
        self.assertEqual(action["params"]["type"], "success")
        rule = self.env["oms.rule"].search([("pack_code", "=", pack.code)])
        self.assertEqual((rule.name, rule.domain, rule.state), ("Large", "[('amount_total', '>', 5000)]", "draft"))
        rule.write({"name": "Ours", "domain": "[]"})
        rule.active = False
        self._patch_pack([self._prepare_rule(), self._prepare_rule("more")]).action_install()
        rules = self.env["oms.rule"].with_context(active_test=False).search([("pack_code", "=", pack.code)])
        self.assertEqual(rules.sorted("id").mapped("pack_rule_code"), ["large", "more"])
        self.assertEqual((rule.name, rule.domain), ("Ours", "[]"))

    def test_texts_are_there_in_all_languages(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        pack = self._patch_pack([self._prepare_rule()])
        pack.with_context(lang="zh_CN").action_install()
        rule = self.env["oms.rule"].search([("pack_code", "=", pack.code)])
        self.assertEqual(
            (rule.with_context(lang="zh_CN").name, rule.with_context(lang="en_US").name), ("大额", "Large")
        )
        self.assertEqual(rule.action_ids.with_context(lang="zh_CN").reason, "请看")

    def test_what_is_missing_here_is_named(self):
        unknown = self._prepare_rule("unknown", domain=[["no_such_fact", "=", True]])
        other = self._prepare_rule("other", actions=[{"type": "hold", "hold_type_id": {"code": "no_such_type"}}])
        pack = self._patch_pack([unknown, other, self._prepare_rule()])
        message = pack.action_install()["params"]["message"]
        self.assertIn("no_such_fact", message)
        self.assertIn("no_such_type", message)
        self.assertEqual(self.env["oms.rule"].search([("pack_code", "=", pack.code)]).pack_rule_code, "large")
        self.assertIn("no_such_fact", str(pack.content))

    def test_set_is_made_once_with_its_next_days(self):
        rule_set = {
            "name": {"en_US": "Sale", "zh_CN": "大促"},
            "mode": "add",
            "periods": [{"name": "618", "from": "06-17", "days": 3}],
        }
        pack = self._patch_pack([self._prepare_rule()], set=rule_set)
        pack.env.user.tz = "Asia/Shanghai"
        pack.action_install()
        found = self.env["oms.rule.set"].search([("pack_code", "=", pack.code)])
        self.assertEqual(found.rule_ids.pack_rule_code, "large")
        start, end = found.period_ids.date_from, found.period_ids.date_to
        self.assertEqual((start.month, start.day, start.hour), (6, 16, 16), "midnight in Shanghai")
        self.assertEqual((end - start).days, 3)
        self.assertTrue(found.next_date)
        found.rule_ids.unlink()
        pack.action_install()
        self.assertEqual(self.env["oms.rule.set"].search_count([("pack_code", "=", pack.code)]), 1)

    def test_only_a_manager_installs(self):
        pack = self._patch_pack([self._prepare_rule()])
        self.assertEqual(pack.with_user(self.user).name, "Test")
        with self.assertRaises(AccessError):
            pack.with_user(self.user).action_install()


@tagged("post_install", "-at_install")
class TestRuleRecipes(OmsBaseCommon):
    def _open(self):
        action = self.env["oms.rule"].with_user(self.manager).action_new_from_recipe()
        return self.env["oms.rule.recipe"].with_user(self.manager).browse(action["res_id"])

    def test_number_is_chosen_in_the_sentence(self):
        recipes = self._open()
        line = recipes.line_ids.filtered(lambda line: line.code == "urgent")
        self.assertIn("above 2000", line.sentence)
        line.amount = 300.5
        self.assertIn("above 300.5", line.sentence)
        rule = self.env["oms.rule"].browse(line.action_use()["res_id"])
        self.assertEqual((rule.state, rule.domain), ("draft", "[('amount_total', '>', 300.5)]"))
        self.assertEqual(rule.sentence, line.sentence)
        recipes.is_live = True
        rule = self.env["oms.rule"].browse(line.action_use()["res_id"])
        self.assertEqual((rule.state, rule.version), ("live", 1))

    def test_rule_like_an_order(self):
        """From the list of orders or the desk: what would match the order comes first."""
        order = self._create_order([(self.mouse, 400)])
        action = order.with_user(self.manager).action_oms_new_rule()
        recipes = self.env["oms.rule.recipe"].browse(action["res_id"])
        matching = recipes.line_ids.filtered("is_match")
        self.assertTrue(matching)
        self.assertEqual(recipes.line_ids.sorted()[: len(matching)], matching.sorted())
        urgent = recipes.line_ids.filtered(lambda line: line.code == "urgent")
        self.assertIn(urgent, matching)
        urgent.amount = 9000
        self.assertFalse(urgent.is_match)
        self.assertFalse(any(self._open().line_ids.mapped("is_match")))
        names = [button["name"] for button in order.with_user(self.manager)._get_desk_actions()]
        self.assertIn("action_oms_new_rule", names)
        names = [button["name"] for button in order.with_user(self.user)._get_desk_actions()]
        self.assertNotIn("action_oms_new_rule", names)
        with self.assertRaises(AccessError):
            order.with_user(self.user).action_oms_new_rule()

    def test_recipe_that_lacks_something_is_refused(self):
        data = {
            "_code": "odd",
            "_parameters": {},
            "name": {"en_US": "Odd"},
            "domain": [["no_such_fact", "=", True]],
            "actions": [{"type": "seal"}],
        }
        self.patch(self.registry["oms.rule.recipe"], "_get_recipes", lambda recipe: {"odd": data})
        line = self._open().line_ids
        self.assertIn("no_such_fact", line.sentence)
        with self.assertRaisesRegex(UserError, "no_such_fact"):
            line.action_use()

    def test_only_a_manager_uses_recipes(self):
        with self.assertRaises(AccessError):
            self.env["oms.rule"].with_user(self.user).action_new_from_recipe()


@tagged("post_install", "-at_install")
class TestRuleTransfer(OmsBaseCommon):
    def _import(self, data):
        content = data if isinstance(data, bytes) else json.dumps(data).encode()
        transfer = self.env["oms.rule.transfer"].with_user(self.manager).create({"file": base64.b64encode(content)})
        transfer.action_import()
        return transfer

    def test_exported_rule_comes_back_the_same(self):
        tag = self.env["crm.tag"].create({"name": "VIP"})
        gift_set = self.env["oms.rule.set"].create({"name": "双11"})
        rule = self._create_rule(
            f"['|', ('tag_ids', 'in', [{tag.id}]), ('order_line', 'any', [('product_uom_qty', '>', 3)])]",
            actions=[
                {"type": "hold", "hold_type_id": self.env.ref("oms_base.oms_hold_type_total").id, "release_hours": 2.5},
                {"type": "tag", "tag_ids": [Command.set(tag.ids)]},
                {"type": "notify", "user_ids": [Command.set(self.user.ids)], "note": "Look"},
            ],
            channel_ids=[Command.set(self.channel.ids)],
            set_id=gift_set.id,
            date_to="2040-01-01 10:00:00",
            sun=False,
            hour_from=8.5,
            is_stop=True,
            sequence=3,
        )
        action = rule.with_user(self.manager).action_export()
        transfer_id = int(re.search(r"oms\.rule\.transfer/(\d+)/", action["url"]).group(1))
        content = base64.b64decode(self.env["oms.rule.transfer"].browse(transfer_id).file)
        self.assertNotIn(f"[{tag.id}]".encode(), content)
        copy = self._import(content).rule_ids
        self.assertEqual((copy.state, copy.sequence), ("draft", 3))
        versions = self.env["oms.rule.version"]
        self.assertEqual(versions._prepare_content(copy), versions._prepare_content(rule))
        self.assertEqual(copy.domain.replace(" ", ""), rule.domain.replace(" ", ""))

    def test_no_secret_leaves(self):
        webhook = self.env["oms.webhook"].create({"name": "Hook", "url": "https://example.com/s3cret"})
        rule = self._create_rule("[]", actions=[{"type": "webhook", "webhook_id": webhook.id}])
        self.assertNotIn("s3cret", json.dumps(self.env["oms.rule.exchange"]._export_rules(rule)))

    def test_what_could_not_be_understood_is_said_rule_by_rule(self):
        data = self.env["oms.rule.exchange"]._export_rules(self._create_rule("[]"))
        good = data["rules"][0]
        data["rules"] = [
            good,
            {**good, "name": "No channel", "channel_ids": [{"code": "no_such_shop"}]},
            {**good, "name": "No field", "domain": [["no_such_fact", "=", 1]]},
            {**good, "name": "Odd domain", "domain": "__import__('os')"},
            {**good, "name": "No trigger", "trigger": "never"},
            {**good, "name": "Half an action", "actions": [{"type": "hold"}]},
        ]
        transfer = self._import(data)
        self.assertEqual(transfer.rule_ids.mapped("name"), ["Large order", "No channel", "No trigger"])
        for words in ("no_such_shop", "no_such_fact", "Odd domain", "never", "Half an action"):
            self.assertIn(words, str(transfer.report))
        self.assertEqual(set(transfer.rule_ids.mapped("state")), {"draft"})

    def test_other_files_are_refused(self):
        for data in (b"", b"{", {"rules": []}, [], {"format": "oms-rules-1"}):
            with self.assertRaises(UserError):
                self._import(data)

    def test_only_a_manager_imports_and_exports(self):
        rule = self._create_rule("[]")
        with self.assertRaises(AccessError):
            rule.with_user(self.user).action_export()
        with self.assertRaises(AccessError):
            self.env["oms.rule.transfer"].with_user(self.user).create({})


@tagged("post_install", "-at_install")
class TestRecipeTour(OmsBaseCommon, HttpCase):
    def test_seed_case_is_three_clicks(self):
        """New from a recipe, Use, Go live: then a large order to a new address is held, a smaller one is not."""
        self._create_order(partner_id=self._create_buyer("Known").id)
        self.start_tour("/odoo/action-oms_base.oms_rule_action", "oms_base_recipe_tour", login="oms_manager")
        self._check_seed_case()

    def test_seed_case_clicked_together(self):
        """Without a recipe: each condition and the action chosen in the form's own editors."""
        self._create_order(partner_id=self._create_buyer("Known").id)
        self.start_tour("/odoo/action-oms_base.oms_rule_action", "oms_base_conditions_tour", login="oms_manager")
        self._check_seed_case()

    def _check_seed_case(self):
        rule = self.env["oms.rule"].search([("domain", "like", "oms_is_new_address")])
        self.assertEqual(rule.state, "live")
        self.keyboard.list_price = 3000
        address = {"street": "龙井路 1 号"}
        large = self._create_order([(self.keyboard, 2)], partner_id=self._create_buyer("李四", **address).id)
        address["street"] = "南京路 2 号"
        small = self._create_order([(self.keyboard, 1)], partner_id=self._create_buyer("王五", **address).id)
        (large | small)._oms_review()
        self.assertEqual((large.oms_hold_ids.rule_id, large.oms_hold_ids.type_id.code), (rule, "review"), rule.sentence)
        self.assertFalse(small.oms_hold_ids)
