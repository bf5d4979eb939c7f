import ast
from pathlib import Path

from odoo.tests import BaseCase

from odoo.addons.oms_channels import adapters


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
