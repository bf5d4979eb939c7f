import base64
import json

from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.oms_base.tests.test_gifts import GiftCommon


@tagged("post_install", "-at_install")
class TestGiftTransfer(GiftCommon):
    """Files of rules carry the gifts that the rules give."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mug.write({"barcode": "6901234567892", "default_code": "MUG"})
        cls.pen.default_code = "PEN-BLUE"
        cls.gift = cls._create_gift(
            {100: [(cls.pen, 2)], 200: [(cls.pen, 1), (cls.mug, 1)]},
            name="Autumn",
            mode="all",
            scope="domain",
            product_domain=f"[('id', 'in', [{cls.keyboard.id}])]",
            max_per_buyer=3,
            date_to="2040-01-01 10:00:00",
            excluded_channel_ids=[Command.set(cls.channel.ids)],
        )
        cls.rule = cls._create_gift_rule(cls.gift)

    def _export(self):
        return self.env["oms.rule.exchange"]._export_rules(self.rule)

    def _import(self, data):
        content = base64.b64encode(json.dumps(data).encode())
        transfer = self.env["oms.rule.transfer"].with_user(self.manager).create({"file": content})
        transfer.action_import()
        return transfer

    def _get_terms(self, gift):
        return self.env["oms.rule.version"]._prepare_gift_content(gift)

    def test_gift_comes_along(self):
        data = self._export()
        self.gift.name = "Another"
        gift = self._import(data).rule_ids.action_ids.gift_id
        self.assertEqual(gift.name, "Autumn")
        self.assertNotEqual(gift, self.gift)
        self.assertEqual(self._get_terms(gift), self._get_terms(self.gift))
        self.assertNotIn(str(self.keyboard.id), json.dumps(data["rules"][0]["actions"][0]["gift"]["product_domain"]))

    def test_equal_gift_is_given_again(self):
        data = self._export()
        self.assertEqual(self._import(data).rule_ids.action_ids.gift_id, self.gift)
        self.gift.max_per_buyer = 4
        first = self._import(data).rule_ids.action_ids.gift_id
        self.assertNotEqual(first, self.gift)
        self.assertEqual(self._import(data).rule_ids.action_ids.gift_id, first)

    def test_product_is_found_by_barcode_code_or_name(self):
        data = self._export()
        self.gift.active = False
        self.mug.write({"default_code": "OTHER", "name": "Cup"})
        self.pen.default_code = False
        self.pen.name = "Pen"
        gift = self._import(data).rule_ids.action_ids.gift_id
        self.assertEqual(gift.tier_ids.line_ids.product_id, self.pen | self.mug)

    def test_product_that_is_not_there_is_named(self):
        data = self._export()
        self.gift.name = "Another"
        self.mug.write({"barcode": False, "default_code": False, "name": "Cup"})
        before = self.env["oms.gift"].search_count([])
        transfer = self._import(data)
        self.assertFalse(transfer.rule_ids.action_ids)
        self.assertEqual(self.env["oms.gift"].search_count([]), before)
        for words in ("The gift “Autumn” can", "6901234567892", "MUG", "Mug"):
            self.assertIn(words, str(transfer.report))

    def test_conditions_that_can_not_be_read_are_named(self):
        for conditions, words in (([["no_such_field", "=", 1]], "no_such_field"), (["&"], "can't be read"), (7, "7")):
            data = self._export()
            data["rules"][0]["actions"][0]["gift"] |= {"name": "Another", "product_domain": conditions}
            transfer = self._import(data)
            self.assertFalse(transfer.rule_ids.action_ids)
            self.assertIn(words, str(transfer.report).replace("&#39;", "'"))

    def test_several_products_of_a_name_are_none(self):
        data = self._export()
        self.gift.name = "Another"
        self.pen.default_code = False
        self.env["product.product"].create({"name": "Pen"})
        self.assertIn("PEN-BLUE / Pen", str(self._import(data).report))

    def test_gift_of_a_rule_that_can_not_be_made_is_not_made(self):
        data = self._export()
        self.gift.name = "Another"
        data["rules"][0]["domain"] = [["no_such_fact", "=", 1]]
        self.assertFalse(self._import(data).rule_ids)
        self.assertFalse(self.env["oms.gift"].search([("name", "=", "Autumn")]))
