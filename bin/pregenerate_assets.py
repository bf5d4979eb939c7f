"""Run by `odoo shell` on the template: builds the bundles that pages and browser tests load.

Bundles made inside a test are rolled back with it, so without this every browser test builds them anew.
"""

qweb = env["ir.qweb"]  # noqa: F821 - given by the shell
for bundle in (
    "web.assets_web",
    "web.assets_web_print",
    "web.assets_tests",
    "bus.websocket_worker_assets",
    "web.assets_frontend",
    "web.assets_frontend_minimal",
    "web.assets_frontend_lazy",
    "web.assets_unit_tests_setup",
    "web.assets_unit_tests",
):
    qweb._get_asset_bundle(bundle, css=False, js=True).js()
    qweb._get_asset_bundle(bundle, css=True, js=False).css()
env.cr.commit()  # noqa: F821
