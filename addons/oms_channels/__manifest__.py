{
    "name": "OMS Channels",
    "summary": "Shops: orders in, shipments and refunds out, products, stock, payments and invoices",
    "author": "OMS",
    "category": "Supply Chain/OMS",
    "version": "19.0.1.1.0",
    "license": "LGPL-3",
    "depends": ["oms_base", "stock_delivery"],
    "external_dependencies": {"python": ["jmespath", "jsonschema", "openpyxl", "xlsxwriter"]},
    "data": [
        "security/oms_channels_security.xml",
        "security/oms_connector_security.xml",
        "security/ir.model.access.csv",
        "data/product_data.xml",
        "data/ir_cron_data.xml",
        "data/oms_connector_ready_data.xml",
        "data/oms_shop_platform_data.xml",
        "views/oms_channel_message_views.xml",
        "views/oms_channel_push_views.xml",
        "views/oms_channel_listing_views.xml",
        "views/oms_channel_payment_views.xml",
        "views/oms_stock_change_views.xml",
        "views/res_config_settings_views.xml",
        "views/oms_api_views.xml",
        "views/oms_channel_audit_views.xml",
        "views/oms_channel_alert_views.xml",
        "views/oms_channel_views.xml",  # Depends on the actions of the views above
        "views/oms_channel_match_views.xml",  # Depends on `oms_channel_views.xml`
        "views/oms_connector_views.xml",
        "views/oms_connector_ready_views.xml",  # Depends on `oms_connector_views.xml`
        "views/oms_connector_channel_views.xml",  # Depends on `oms_channel_views.xml`
        "views/oms_channel_session_views.xml",
        "views/oms_channel_platform_views.xml",
        "views/oms_channel_machine_views.xml",
        "views/oms_channel_setup_views.xml",  # Depends on `oms_channel_views.xml`
        "views/sale_order_views.xml",
        "views/oms_channel_discount_views.xml",  # Depends on `sale_order_views.xml`
        "views/oms_channel_payout_views.xml",  # Depends on `oms_channel_views.xml` and `sale_order_views.xml`
        "wizard/oms_order_import_views.xml",
        "views/oms_channels_menus.xml",
    ],
    "assets": {
        "web.assets_backend": ["oms_channels/static/src/**/*"],
        "web.assets_tests": ["oms_channels/static/tests/tours/*.js"],
        "web.assets_unit_tests": ["oms_channels/static/tests/*.test.js"],
    },
}
