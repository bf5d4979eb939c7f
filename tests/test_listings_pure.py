import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from odoo.addons.oms_channels.adapters.shopify import signature as shopify_signature
from odoo.addons.oms_channels.adapters.shopify import webhooks as shopify_webhooks
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
