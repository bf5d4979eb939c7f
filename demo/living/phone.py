"""Orders taken by phone: what a person types in, and what the marketplace's orders of the day do not show by chance."""

from odoo.fields import Command

CUSTOMERS = [
    ("杭州湖畔咖啡馆", "浙", "杭州市", "西湖区北山街 12 号", "310007", "+86 571 8700 1200"),
    ("广州天河办公用品店", "粤", "广州市", "天河区体育西路 103 号", "510620", "+86 20 8755 6600"),
    ("成都锦里礼品店", "蜀", "成都市", "武侯区武侯祠大街 231 号", "610041", "+86 28 8553 7700"),
]


def make_phone_orders(env):
    """Some wait for review, one is short and held, one waits for stock, one goes in two parts, one is cancelled."""
    channel = env["oms.channel"].search([("code", "=", "phone")])
    customers = _make_customers(env)
    products = env["product.product"].search([("default_code", "!=", False), ("is_storable", "=", True)], order="id")
    sellable = _get_sellable(products, channel._get_warehouses())
    plenty = [product for product in products if sum(sellable[product]) > 60][:3]
    scattered = next(
        product for product in products if sorted(sellable[product])[-2] >= 4 and product.tracking == "none"
    )
    short = products[-1]
    new = [
        _take_order(env, channel, customer, [(product, 2)]) for customer, product in zip(customers, plenty, strict=True)
    ]
    held = _take_order(env, channel, customers[0], [(short, sum(sellable[short]) + 20)])
    waiting = _take_order(env, channel, customers[1], [(short, sum(sellable[short]) + 50)])
    parted = _take_order(env, channel, customers[2], [(scattered, max(sellable[scattered]) + 2)])
    cancelled = _take_order(env, channel, customers[0], [(plenty[0], 1)])
    (new[0] | held | waiting | parted)._oms_review()
    waiting.oms_hold_ids.action_release("客户同意等待补货")
    (waiting | parted).action_confirm()
    waiting.picking_ids.do_unreserve()
    _ship_one_of(parted)
    cancelled.with_context(disable_cancel_warning=True).action_cancel()
    env.cr.commit()


def _make_customers(env):
    china = env.ref("base.cn")
    states = {state.code: state.id for state in env["res.country.state"].search([("country_id", "=", china.id)])}
    return env["res.partner"].create(
        [
            {
                "name": name,
                "is_company": True,
                "state_id": states[state],
                "city": city,
                "street": street,
                "zip": postcode,
                "phone": phone,
                "country_id": china.id,
            }
            for name, state, city, street, postcode, phone in CUSTOMERS
        ]
    )


def _get_sellable(products, warehouses):
    """Return {product: [quantity that may be promised, a figure a warehouse]}."""
    quantities = products._oms_get_sellable_quantities(warehouses)
    return {
        product: [int(max(0, quantities.get((product.id, warehouse.id), 0))) for warehouse in warehouses]
        for product in products
    }


def _take_order(env, channel, customer, lines):
    return env["sale.order"].create(
        {
            "partner_id": customer.id,
            "channel_id": channel.id,
            "order_line": [
                Command.create({"product_id": product.id, "product_uom_qty": quantity}) for product, quantity in lines
            ],
        }
    )


def _ship_one_of(order):
    """Send the first of the deliveries; the other one is still to be picked."""
    picking = order.picking_ids.filtered(lambda one: one.state == "assigned")[:1]
    picking.move_ids.picked = True
    picking.with_context(skip_sms=True)._action_done()
