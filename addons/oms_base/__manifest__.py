{
    "name": "OMS Base",
    "summary": "One pool of orders: channels, stages, events, holds, gates, review rules and decisions",
    "author": "OMS",
    "category": "Supply Chain/OMS",
    "version": "19.0.2.2.0",
    "license": "LGPL-3",
    "application": True,
    "uninstall_hook": "uninstall_hook",
    "depends": ["sale_stock"],
    "external_dependencies": {"python": ["phonenumbers"]},
    "data": [
        "security/oms_base_groups.xml",
        "security/oms_base_security.xml",
        "security/oms_gift_security.xml",
        "security/oms_delivery_group_security.xml",
        "security/ir.model.access.csv",
        "data/oms_hold_type_data.xml",
        "data/oms_gift_data.xml",
        "data/oms_rule_data.xml",  # Depends on `oms_hold_type_data.xml`
        "data/oms_rule_pack_data.xml",
        "data/ir_cron_data.xml",
        "data/oms_delivery_group_data.xml",
        "wizard/oms_delivery_split_views.xml",
        "wizard/oms_desk_correction_views.xml",
        "wizard/oms_desk_split_views.xml",
        "wizard/oms_merge_proposals_views.xml",
        "views/oms_event_views.xml",
        "views/oms_hold_views.xml",
        "views/oms_hold_type_views.xml",
        "views/oms_substitute_views.xml",
        "views/oms_decision_views.xml",
        "views/oms_rule_version_views.xml",
        "views/oms_rule_hit_views.xml",
        "views/oms_rule_action_views.xml",
        "views/oms_gift_views.xml",  # Depends on `oms_rule_action_views.xml`
        "views/oms_webhook_views.xml",
        "views/oms_rule_views.xml",  # Depends on the four above
        "views/oms_rule_set_views.xml",  # Depends on `oms_rule_views.xml`
        "views/oms_rule_pack_views.xml",  # Depends on `oms_rule_views.xml`
        "views/oms_rehearsal_line_views.xml",
        "views/oms_rehearsal_views.xml",  # Depends on `oms_rehearsal_line_views.xml`
        "views/oms_rule_finding_views.xml",
        "views/oms_rule_report_views.xml",
        "views/oms_review_report_views.xml",
        "views/oms_proof_views.xml",  # Depends on the five above and on the views of rules and sets
        "views/account_move_views.xml",
        "views/stock_picking_views.xml",
        "views/sale_order_views.xml",
        "views/oms_channel_views.xml",  # Depends on `sale_order_views.xml`
        "views/sale_order_fact_views.xml",  # Depends on `sale_order_views.xml`
        "views/oms_area_views.xml",
        "views/oms_blacklist_views.xml",
        "views/oms_coupon_views.xml",
        "views/oms_keyword_views.xml",
        "views/oms_delivery_group_views.xml",
        "views/delivery_group_order_views.xml",  # Depends on `sale_order_views.xml`, `oms_channel_views.xml`
        "views/oms_overview_views.xml",
        "views/oms_review_desk_views.xml",
        "views/res_config_settings_views.xml",
        "views/oms_base_menus.xml",
        "views/oms_fact_menus.xml",  # Depends on `oms_base_menus.xml`
    ],
    "demo": ["demo/oms_base_demo.xml"],
    "assets": {
        "web.assets_backend": ["oms_base/static/src/**/*", ("remove", "oms_base/static/src/pass_rate/**/*")],
        "web.assets_backend_lazy": ["oms_base/static/src/pass_rate/**/*"],  # graph views are loaded when first opened
        "web.assets_unit_tests": ["oms_base/static/tests/*.test.js"],
        "web.assets_tests": ["oms_base/static/tests/tours/*.js"],
    },
}
