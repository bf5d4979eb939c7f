"""The goods of `catalogue.json`: with barcodes and weights, some with lots and expiry, on hand in each warehouse."""

import json
import random
from datetime import datetime, timedelta
from pathlib import Path

CATALOGUE = Path(__file__).parent.parent / "catalogue.json"


def make_products(env):
    """Return the products of the catalogue, named in English and Chinese."""
    items = json.loads(CATALOGUE.read_text())
    categories = {}
    for item in items:
        if item["category"] not in categories:
            category = env["product.category"].create({"name": item["category"]})
            category.with_context(lang="zh_CN").name = item["category_zh"]
            categories[item["category"]] = category
    products = env["product.product"].create([_prepare_product(item, categories[item["category"]]) for item in items])
    for product, item in zip(products, items, strict=True):
        product.with_context(lang="zh_CN").name = item["name_zh"]
    return products


def _prepare_product(item, category):
    values = {
        "name": item["name"],
        "default_code": item["sku"],
        "barcode": item["barcode"],
        "type": "consu",
        "is_storable": True,
        "categ_id": category.id,
        "list_price": item["price"],
        "standard_price": item["cost"],
        "weight": item["weight"],
        "invoice_policy": "delivery",
    }
    if "shelf_days" in item:
        values |= {
            "tracking": "lot",
            "use_expiration_date": True,
            "expiration_time": item["shelf_days"],
            "removal_time": max(30, item["shelf_days"] // 6),
        }
    return values


def make_stock(env, products, warehouses, seed=1):
    """Count stock into each warehouse: plenty of most, little of some, none of a few: allocation has to choose."""
    choice = random.Random(seed)
    quants = env["stock.quant"].with_context(inventory_mode=True)
    vals_list = []
    for product in products:
        lots = _make_lots(env, product, choice) if product.tracking == "lot" else [None]
        for warehouse in warehouses:
            share = (
                choice.choice([0, 4, 40, 120, 200]) if warehouse != warehouses[0] else choice.choice([6, 60, 150, 250])
            )
            for lot in lots:
                if share:
                    vals_list.append(
                        {
                            "product_id": product.id,
                            "location_id": warehouse.lot_stock_id.id,
                            "lot_id": lot.id if lot else False,
                            "inventory_quantity": max(1, share // len(lots)),
                        }
                    )
    quants.create(vals_list).action_apply_inventory()


def _make_lots(env, product, choice):
    """Two lots of a product: one that is older and leaves first, one fresh."""
    now = datetime.now().replace(microsecond=0)
    lots = []
    for number, age in enumerate((choice.randint(60, 120), choice.randint(1, 20)), start=1):
        made = now - timedelta(days=age)
        lots.append(
            env["stock.lot"].create(
                {
                    "name": f"{product.default_code}-{made:%y%m%d}-{number}",
                    "product_id": product.id,
                    "company_id": env.company.id,
                    "expiration_date": made + timedelta(days=product.expiration_time),
                }
            )
        )
    return lots
