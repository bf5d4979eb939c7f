from odoo.tests import HttpCase, no_retry, tagged


@tagged("post_install", "-at_install")
class TestSampleTreeUnits(HttpCase):
    @no_retry
    def test_paths_of_the_sample_tree(self):
        """The JavaScript units of the addon, in HOOT."""
        self.browser_js(
            f"/web/tests?headless&loglevel=2&preset=desktop&timeout=15000&id={self._get_hoot_id('@oms_channels')}",
            "",
            "",
            login="admin",
            timeout=600,
            success_signal="[HOOT] Test suite succeeded",
            error_checker=lambda message: "[HOOT]" not in message,
        )

    @staticmethod
    def _get_hoot_id(suite):
        """Return HOOT's id of a suite; its text filter is fuzzy and would run far more."""
        value = 0
        for char in suite:
            value = ((value << 5) - value + ord(char)) & 0xFFFFFFFF
        return f"{value:08x}"
