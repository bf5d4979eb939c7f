"""Every button that a form or a list shows somebody may be pressed by them: it works, or says in words why not."""

from screens import GROUPS, Screens, ScreensCommon


class TestButtons(ScreensCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        packed = cls._create_order()
        packed.action_confirm()
        packed.picking_ids.action_oms_pack()
        cls.delivered._create_invoices().action_post()
        views = cls.env["ir.ui.view"].search([("type", "=", "form")])
        names = {view.model for view in views if (view.xml_id or "").startswith("oms_")}
        models = [cls.env[name] for name in names if name in cls.env]
        cls.models = sorted(model._name for model in models if model._auto and not model._transient)

    def _press_all(self, group):
        screens = Screens(self._create_user(f"buttons_{group}", GROUPS[group]))
        for name in self.models:
            screens.press_buttons(name)
        self.assertFalse(screens.problems, "\n".join(screens.problems))
        return screens.pressed

    def test_customer_service_presses_every_button(self):
        pressed = self._press_all("user")
        self.assertLess({"sale.order action_cancel", "oms.hold action_release"}, pressed)
        self.assertNotIn("oms.rule action_to_draft", pressed)

    def test_warehouse_operator_presses_every_button(self):
        self.assertIn("oms.parcel action_pack", self._press_all("warehouse"))

    def test_accountant_presses_every_button(self):
        self.assertIn("account.move action_reverse", self._press_all("accountant"))

    def test_manager_presses_every_button(self):
        self.assertIn("oms.rule action_to_draft", self._press_all("manager"))
