{
    "name": "OMS Kits",
    "summary": "Kits in channel orders: short by their parts, split and merged as a whole, told to shops as sold",
    "author": "OMS",
    "category": "Supply Chain/OMS",
    "version": "19.0.1.0.0",
    "license": "LGPL-3",
    "depends": ["oms_base", "sale_mrp"],
    "data": ["security/ir.model.access.csv"],
    "auto_install": True,
}
