{
    "name": "OMS Base",
    "summary": "One pool of orders: channels, stages, events, holds, gates, review rules and decisions",
    "author": "OMS",
    "category": "Supply Chain/OMS",
    "version": "19.0.1.0.0",
    "license": "LGPL-3",
    "application": True,
    "depends": ["sale_stock"],
    "data": [
        "security/oms_base_groups.xml",
        "security/oms_base_security.xml",
        "security/ir.model.access.csv",
        "data/oms_hold_type_data.xml",
        "data/oms_rule_data.xml",  # Depends on `oms_hold_type_data.xml`
        "data/ir_cron_data.xml",
        "views/oms_event_views.xml",
        "views/oms_hold_views.xml",
        "views/oms_hold_type_views.xml",
        "views/oms_decision_views.xml",
        "views/oms_rule_views.xml",
        "views/sale_order_views.xml",
        "views/oms_channel_views.xml",  # Depends on `sale_order_views.xml`
        "views/oms_overview_views.xml",
        "views/res_config_settings_views.xml",
        "views/oms_base_menus.xml",
    ],
    "demo": ["demo/oms_base_demo.xml"],
    "assets": {
        "web.assets_backend": ["oms_base/static/src/**/*"],
        "web.assets_unit_tests": ["oms_base/static/tests/*.test.js"],
        "web.assets_tests": ["oms_base/static/tests/tours/*.js"],
    },
}
