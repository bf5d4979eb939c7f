"""Pure: products of WooCommerce and their variations -> Listing."""

import html
from decimal import Decimal

from ..types import Listing
from ..values import required, rows, to_text


def map_listings(product, variations=()):
    """Product with the variations it is sold as -> [Listing]. A grouped or external product is nothing to ship."""
    if product.get("type") in ("grouped", "external"):
        return []
    if product.get("type") in ("variable", "variable-subscription"):
        return [_map_listing(row, product) for row in variations]
    return [_map_listing(product, None)]


def _map_listing(row, parent):
    row_id = to_text(required(row, "id", "The id of a product"))
    title = html.unescape(to_text((parent or row).get("name")))
    if parent:
        options = [to_text(attribute.get("option")) for attribute in rows(row, "attributes")]
        title = " - ".join(filter(None, (title, ", ".join(filter(None, options)))))
    price = to_text(row.get("price"))
    parent_id = to_text(parent.get("id")) if parent else ""
    return Listing(
        external_id=row_id,
        sku=to_text(row.get("sku")),
        title=title,
        barcode=to_text(row.get("global_unique_id")),
        price=Decimal(price) if _is_number(price) else None,
        product_external_id=parent_id or row_id,
        inventory_external_id=f"{parent_id}/{row_id}" if parent_id else row_id,
        is_active=row.get("status") == "publish" and (not parent or parent.get("status") == "publish"),
        quantity=get_quantity(row),
    )


def get_quantity(row):
    """What a product or variation may sell, None where the shop does not count it. A variation that says "parent"
    shares its product's stock."""
    quantity = row.get("stock_quantity")
    return Decimal(str(quantity)) if row.get("manage_stock") is True and _is_number(str(quantity)) else None


def _is_number(text):
    try:
        return Decimal(text).is_finite()
    except ArithmeticError:
        return False
