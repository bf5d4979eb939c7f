"""Run by `odoo shell` on the template: builds the bundles that pages and, with OMS_TEST_BUNDLES, browser tests load.

Bundles made inside a test are rolled back with it, so without this every browser test builds them anew.
"""

import os

PAGES = (
    "web.assets_web",
    "web.assets_web_print",
    "bus.websocket_worker_assets",
    "web.assets_frontend",
    "web.assets_frontend_minimal",
    "web.assets_frontend_lazy",
)
TESTS = ("web.assets_tests", "web.assets_unit_tests_setup", "web.assets_unit_tests")

qweb = env["ir.qweb"]  # noqa: F821 - given by the shell
for bundle in PAGES + (TESTS if os.environ.get("OMS_TEST_BUNDLES") else ()):
    qweb._get_asset_bundle(bundle, css=False, js=True).js()
    qweb._get_asset_bundle(bundle, css=True, js=False).css()
env.cr.commit()  # noqa: F821
