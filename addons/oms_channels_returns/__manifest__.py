{
    "name": "OMS Channels and Returns",
    "summary": "What buyers ask back in a shop becomes a return, and the return answers the shop's request",
    "author": "OMS",
    "category": "Supply Chain/OMS",
    "version": "19.0.1.0.0",
    "license": "LGPL-3",
    "depends": ["oms_channels", "oms_returns"],
    "data": [
        "security/ir.model.access.csv",
        "views/oms_return_views.xml",
    ],
    "auto_install": True,
}
