{
    "name": "OMS Point of Sale",
    "summary": "Tills are channels: what they sell leaves the stock of all others at once, and counts in their figures",
    "author": "OMS",
    "category": "Supply Chain/OMS",
    "version": "19.0.1.0.0",
    "license": "LGPL-3",
    "depends": ["oms_base", "point_of_sale"],
    "data": [
        "security/ir.model.access.csv",
        "views/pos_config_views.xml",
        "views/oms_channel_views.xml",
    ],
    "auto_install": True,
}
