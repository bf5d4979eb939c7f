from unittest.mock import patch

from odoo import fields
from odoo.fields import Command
from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestJournalItems(TransactionCase):
    """Lines of invoices are written often: that costs no description of all their fields, and no tracked change."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": cls.env["res.partner"].create({"name": "Buyer"}).id,
                "invoice_line_ids": [Command.create({"name": "Goods", "quantity": 2, "price_unit": 10, "tax_ids": []})],
            }
        )
        cls.invoice.action_post()
        cls.line = cls.invoice.invoice_line_ids

    def count_descriptions(self, vals):
        described = []
        describe = fields.Field.get_description

        def get_description(field, env, attributes=None):
            if field.model_name == "account.move.line":
                described.append(field.name)
            return describe(field, env, attributes)

        with patch.object(fields.Field, "get_description", get_description):
            self.line.write(vals)
        return described

    def test_nothing_is_described_where_nothing_is_tracked(self):
        self.assertEqual(self.count_descriptions({"sequence": 7}), [])
        self.assertEqual(self.line.sequence, 7)

    def test_tracked_changes_are_described_and_told(self):
        messages = self.invoice.message_ids
        self.assertIn("name", self.count_descriptions({"name": "Other goods"}))
        self.env.flush_all()
        told = (self.invoice.message_ids - messages).sudo().tracking_value_ids
        self.assertEqual(told.mapped("new_value_char"), ["Other goods"])

    def test_descriptions_asked_for_without_names_are_those_of_all_fields(self):
        all_fields = self.env["account.move.line"].fields_get()
        self.assertEqual(self.env["account.move.line"].fields_get([]).keys(), all_fields.keys())
