"""What each platform's shop hands out becomes an order here, to the cent: the mapper's tests end at `ChannelOrder`."""

from decimal import Decimal

import pytest
from servers import shopify_schema
from servers.shops import make_drivers

from odoo.fields import Command

DRIVERS = make_drivers()
# What Amazon's test account charges, and tells in amounts only.
UNTOLD_RATE = Decimal("8.25")
# Those that need no server of their own: the other two go the whole way in test_way_of_an_order.py and in the bench.
NAMES = ["woocommerce", "amazon", "amazon-v0", "marketplace", "taobao", "jd", "wechat"]
if shopify_schema.is_installed():
    NAMES.append("shopify")


@pytest.mark.parametrize("name", NAMES)
def test_order_of_the_shop_becomes_one_here(env, name):
    with DRIVERS[name]() as shop:
        adapter = shop.make_adapter()
        order_id = shop.place()
        raw = adapter.fetch_order(order_id)
    told = adapter.parse_order(raw)
    env["res.currency"].with_context(active_test=False).search([("name", "=", told.currency)]).active = True
    channel = _make_channel(env, shop.provider, told)
    message = env["oms.channel.message"]._store(channel, [(order_id, told.version, raw)], "poll")
    message._process_queue_row()
    assert (message.state, message.last_error) == ("done", False)
    order = message.order_id
    assert (order.channel_order_id, order.currency_id.name) == (told.external_id, told.currency)
    assert order.currency_id.compare_amounts(order.amount_total, float(told.total)) == 0
    assert order.channel_amount_difference == 0
    skus = {line.sku: float(line.quantity) for line in told.lines}
    assert {
        line.product_id.default_code: line.product_uom_qty
        for line in order.order_line
        if line.product_id.default_code in skus
    } == skus
    again = env["oms.channel.message"]._store(channel, [(order_id, told.version, {**raw, "oms_again": 1})], "reread")
    again._process_queue_row()
    assert (again.state, again.order_id) == ("done", order)
    assert len(channel.order_ids) == 1 and order.channel_amount_difference == 0


def _make_channel(env, provider, told):
    """A channel that knows the order's products and taxes."""
    env["product.product"].create(
        [{"name": line.title or line.sku, "default_code": line.sku, "is_storable": True} for line in told.lines]
    )
    parts = (*told.lines, *told.shippings)
    rates = {row.tax_rate for row in parts if row.tax_rate}
    if any(row.tax_amount and row.tax_rate is None for row in parts):
        rates.add(UNTOLD_RATE)
    taxes = env["account.tax"].create(
        [{"name": f"Shop {rate}%", "amount": float(rate), "type_tax_use": "sale"} for rate in sorted(rates)]
    )
    return env["oms.channel"].create(
        {
            "name": provider,
            "code": f"test_{provider}",
            "provider": provider,
            "base_url": "https://shop.test",
            "tax_ids": [Command.create({"rate": tax.amount, "tax_id": tax.id}) for tax in taxes],
        }
    )
