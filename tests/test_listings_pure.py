import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from servers.top_server import KEY, REFRESH, SECRET, SESSION, TopServer

from odoo.addons.oms_channels.adapters import get_adapter_class
from odoo.addons.oms_channels.adapters.amazon import mapper as amazon_mapper
from odoo.addons.oms_channels.adapters.notices import StockLevel
from odoo.addons.oms_channels.adapters.shopify import signature as shopify_signature
from odoo.addons.oms_channels.adapters.shopify import webhooks as shopify_webhooks
from odoo.addons.oms_channels.adapters.types import ChannelConfig
from odoo.addons.oms_channels.adapters.woocommerce import signature as woo_signature
from odoo.addons.oms_channels.adapters.woocommerce import webhooks as woo_webhooks
from odoo.addons.oms_channels.matching import MatchRule, is_other_title

pytestmark = pytest.mark.nodb

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_rule_cleans_what_makes_no_difference():
    rule = MatchRule("cleaned", prefix="tb_", suffix="-CN")
    assert rule.get_key("TB_Oms Mouse.1-cn", "", "") == rule.normalise("OMS-MOUSE-1") == "omsmouse1"
    assert MatchRule("cleaned", ignores_case=False, ignores_separators=False).get_key("A-b", "", "") == "A-b"
    assert MatchRule("barcode").get_key("A", None, None) == ""


def test_a_title_may_say_more_than_the_name():
    assert not is_other_title("【新品】无线 鼠标，黑色", "无线鼠标")
    assert not is_other_title("T-Shirt - Red / M", "t shirt")
    assert is_other_title("Mug", "T-Shirt")
    assert not is_other_title("", "T-Shirt") and not is_other_title("Mug", "")


def _woo_event(body):
    raw = json.dumps(body).encode()
    headers = {"x-wc-webhook-topic": "product.updated", woo_signature.HEADER: woo_signature.sign_webhook("s", raw)}
    return woo_webhooks.parse(headers, raw, "s", NOW)


def test_woocommerce_says_how_many_of_a_changed_product_there_are():
    event = _woo_event({"id": 12, "manage_stock": True, "stock_quantity": 7})
    assert event.stock == {"12": Decimal(7)} and not event.concerns_order
    assert _woo_event({"id": 12, "manage_stock": "parent", "stock_quantity": 7}).stock == {}
    assert _woo_event({"id": 12, "manage_stock": True, "stock_quantity": None}).stock == {}
    assert _woo_event({"id": "x", "manage_stock": True, "stock_quantity": 1}).stock == {}


def test_shopify_says_how_many_of_a_changed_level_there_are():
    def read(body, topic="inventory_levels/update"):
        raw = json.dumps(body).encode()
        headers = {"x-shopify-topic": topic, shopify_signature.HEADER: shopify_signature.sign("s", raw)}
        return shopify_webhooks.parse(headers, raw, ["s"], NOW)

    event = read({"inventory_item_id": 99, "available": 4, "location_id": 1})
    assert event.stock == {"99": Decimal(4)} and not event.concerns_order
    assert read({"inventory_item_id": 99, "available": None}).stock == {}
    assert read({"inventory_item_id": 99, "available": 4}, "products/update").stock == {}


@pytest.mark.parametrize(
    "status, quantity, is_active",
    [
        (["BUYABLE", "DISCOVERABLE"], 5, True),
        (["DISCOVERABLE"], 0, True),  # what is sold out can't be bought
        ([], 0, True),
        ([], 5, False),
    ],
)
def test_amazon_listing_that_is_sold_out_is_told_again(status, quantity, is_active):
    item = {
        "sku": "TEE",
        "summaries": [{"status": status}],
        "fulfillmentAvailability": [{"fulfillmentChannelCode": "DEFAULT", "quantity": quantity}],
    }
    assert amazon_mapper.map_listing(item).is_active is is_active


def test_taobao_lists_what_is_sold_out_and_what_is_off_the_shelf():
    keys = {"api_key": KEY, "api_secret": SECRET, "session_token": SESSION, "session_refresh_token": REFRESH}
    with TopServer() as shop:
        shop.add_item("ON", "On", "1.00", stock=3)
        shop.add_item("GONE", "Gone", "1.00", stock=0, options=("S", "M"))
        shop.add_item("OFF", "Off", "1.00", stock=9, options=("S",))
        shop.items[shop.find("OFF")["num_iid"]]["approve_status"] = "instock"
        adapter = get_adapter_class("taobao")(ChannelConfig(shop.url, keys), clock=lambda: shop.clock)
        found, cursor = [], None
        while True:
            page = adapter.fetch_listings(cursor, limit=1)
            found += page.items
            if not (cursor := page.next_cursor):
                break
        assert {row.sku: row.is_active for row in found} == {
            "ON": True,
            "GONE-S": True,
            "GONE-M": True,
            "OFF-S": False,
        }
        gone = next(row for row in found if row.sku == "GONE-M")
        level = StockLevel("GONE-M", Decimal(4), gone.external_id, gone.inventory_external_id)
        assert adapter.fetch_stock((level,)) == (Decimal(0),)
        assert adapter.push_stock((level,)).errors == ("",)
        assert shop.find("GONE-M")["quantity"] == 4
