"""Every screen behind a menu opens for everybody who sees the menu: the views load, what they show can be read, every
filter and grouping works, and every figure of the overview opens its records."""

from screens import GROUPS, Screens, ScreensCommon


class TestMenus(ScreensCommon):
    def _open_all(self, group):
        screens = Screens(self._create_user(f"menus_{group}", GROUPS[group]))
        screens.open_menus(self.env.ref("oms_base.oms_base_menu_root"))
        self.assertFalse(screens.problems, "\n".join(screens.problems))
        return screens.opened

    def test_customer_service_opens_every_menu(self):
        opened = self._open_all("user")
        self.assertIn("oms_base.oms_hold_menu", opened)
        self.assertNotIn("oms_base.oms_rule_menu", opened)

    def test_warehouse_operator_opens_every_menu(self):
        opened = self._open_all("warehouse")
        self.assertIn("oms_fulfillment.oms_parcel_menu", opened)
        self.assertNotIn("oms_channels.oms_channel_message_menu", opened)

    def test_accountant_opens_every_menu(self):
        opened = self._open_all("accountant")
        self.assertIn("oms_channels.oms_channel_payment_menu", opened)
        self.assertNotIn("oms_fulfillment.oms_parcel_menu", opened)

    def test_manager_opens_every_menu(self):
        opened = self._open_all("manager")
        self.assertIn("oms_base.oms_rule_menu", opened)
        self.assertNotIn("oms_base.res_config_settings_menu", opened)

    def test_administrator_opens_every_menu(self):
        opened = self._open_all("administrator")
        menus = self.env["ir.ui.menu"].search([("id", "child_of", self.env.ref("oms_base.oms_base_menu_root").id)])
        with_action = menus.filtered("action")
        self.assertEqual(
            set(with_action.get_external_id().values()), set(opened), "The administrator sees all there is."
        )

    def test_what_the_actions_menu_offers_opens(self):
        for group, wanted in (
            ("user", {"oms_allocation.oms_reject_action", "oms_allocation.oms_resource_action"}),
            ("warehouse", {"oms_allocation.oms_reject_action"}),
        ):
            screens = Screens(self._create_user(f"menus_{group}", GROUPS[group]))
            screens.open_bound()
            self.assertFalse(screens.problems, "\n".join(screens.problems))
            self.assertTrue(wanted <= set(screens.opened), screens.opened)
