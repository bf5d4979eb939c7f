from odoo.tests import HttpCase, tagged

from .common import ChannelsCommon


@tagged("post_install", "-at_install")
class TestTours(ChannelsCommon, HttpCase):
    """Screens as a person uses them; the set-up has a file of its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.channel.write({"provider": False, "base_url": False, "auto_confirm": False})

    def test_api_key_is_shown_once_and_revoked(self):
        key = self.env["oms.api.key"].create({"name": "Mini program", "channel_id": self.channel.id})
        path = f"/odoo/action-oms_base.oms_channel_action/{self.channel.id}"
        self.start_tour(path, "oms_api_key_tour", login="admin")
        self.assertTrue(key.secret_hash and key.revoked_date)

    def test_orders_of_a_file_are_checked_then_imported(self):
        self.start_tour("/odoo/action-oms_channels.oms_order_import_action", "oms_order_import_tour", login="oms_user")
        self.assertEqual(self._message("T-1").source, "file")
        self.assertFalse(self._message("T-2"))
