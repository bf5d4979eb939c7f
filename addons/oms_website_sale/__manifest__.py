{
    "name": "OMS Website Sales",
    "summary": "Odoo's own website is a channel: its paid orders share the review, the pool and the stock",
    "author": "OMS",
    "category": "Supply Chain/OMS",
    "version": "19.0.1.0.0",
    "license": "LGPL-3",
    "depends": ["oms_base", "website_sale_stock"],
    "data": [
        "security/ir.model.access.csv",
        "views/website_views.xml",
    ],
    "auto_install": True,
}
