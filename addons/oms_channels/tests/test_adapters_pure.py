import ast
import json
from decimal import Decimal
from pathlib import Path

from odoo.tests import BaseCase

from odoo.addons.oms_channels import adapters
from odoo.addons.oms_channels.adapters.refunding import join_names, share_out


class TestAdaptersPure(BaseCase):
    def test_adapters_import_no_odoo(self):
        """The adapters are plain Python: nothing there may reach for the ORM."""
        folder = Path(adapters.__file__).parent
        for path in sorted(folder.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and not node.level:
                    names = [node.module or ""]
                odd = [name for name in names if name.split(".")[0] == "odoo"]
                self.assertFalse(odd, f"{path.relative_to(folder)}:{getattr(node, 'lineno', 0)}")

    def test_every_provider_has_a_whole_adapter(self):
        for provider in adapters.get_providers():
            adapter_class = adapters.get_adapter_class(provider)
            self.assertEqual(adapter_class.provider, provider)
            for capability, method in (
                ("orders", "fetch_orders_page"),
                ("webhook", "verify_and_parse_webhook"),
                ("listings", "fetch_listings"),
                ("stock", "push_stock"),
                ("shipment", "push_shipment"),
                ("delivered", "push_delivered"),
                ("cancel", "push_cancel"),
                ("cancel_lines", "push_cancel_lines"),
                ("answer", "push_answer"),
                ("return_received", "push_return_received"),
                ("refund", "push_refund"),
                ("webhook_setup", "ensure_webhooks"),
                ("webhook_setup", "fetch_webhooks"),
            ):
                self.assertEqual(
                    capability in adapter_class.capabilities,
                    getattr(adapter_class, method) is not getattr(adapters.base.ChannelAdapter, method),
                    f"{provider}: {capability}",
                )

    def test_refund_is_shared_over_payments_the_largest_first(self):
        left = {"card": Decimal(50), "voucher": Decimal("60.5"), "empty": Decimal(0)}
        for amount, shares in (
            ("60.5", [("voucher", "60.5")]),
            ("70", [("voucher", "60.5"), ("card", "9.5")]),
            ("110.5", [("voucher", "60.5"), ("card", "50")]),
            ("200", [("voucher", "60.5"), ("card", "50")]),
            ("0", []),
            ("-1", []),
        ):
            wanted = [(payment, Decimal(part)) for payment, part in shares]
            self.assertEqual(share_out(Decimal(amount), left), wanted, amount)
        self.assertEqual(share_out(Decimal(1), {}), [])
        self.assertEqual(join_names(["refund-2", "refund-1"]), "refund-1,refund-2")

    def test_texts_of_json_can_be_kept(self):
        """However the body writes them: escaped, as bytes, in UTF-16."""
        for body, expected in (
            (rb'{"a\u0000": ["b\u0000c", {"d": "\ud83d"}]}', {"a": ["bc", {"d": "\ufffd"}]}),
            (rb'"\uD83D\uDE00 \ude00\ud83d"', "😀 \ufffd\ufffd"),
            (b'"\xed\xa0\xbd|\xf0\x9f\x98\x80"', "\ufffd|😀"),
            ('"half \ud83d"', "half \ufffd"),
            ('{"x": "a\\u0000b"}'.encode("utf-16"), {"x": "ab"}),
            (rb'["\ud55c\uae00", 1, null]', ["한글", 1, None]),
        ):
            value = adapters.values.load_json(body)
            self.assertEqual(value, expected)
            json.dumps(value, ensure_ascii=False).encode()
        for body in (b"NaN", b"[" * 100000, b"{"):
            with self.assertRaises((ValueError, RecursionError)):
                adapters.values.load_json(body)
