"""Where orders are sent from: zones, costs and capacities of the warehouses, a strategy for each kind of shop, what is
kept for whom; and, once orders came in, what a warehouse did not find and a trial of another strategy."""

from odoo.fields import Command

# name, provinces (codes of res.country.state): each is served by the warehouse at the same place
ZONES = [
    ("华东与华北", "浙沪苏皖闽赣鲁京津冀晋蒙辽吉黑豫"),
    ("华南", "粤桂琼湘鄂"),
    ("西部", "蜀渝黔滇藏陕甘青宁新"),
]


def make_sourcing(env, channels, warehouses):
    """Give the first shop the standard way, the second the cheapest, the third whole orders."""
    _make_zones(env, warehouses)
    for number, warehouse in enumerate(warehouses):
        warehouse.write(
            {
                "oms_order_cost": 1.2 + 0.3 * number,
                "oms_line_cost": 0.4,
                "oms_parcel_cost": 1.5,
                "oms_cutoff_hour": 17.0,
                "oms_tz": "Asia/Shanghai",
                "oms_daily_capacity": 3000,
            }
        )
    cheap = env["oms.sourcing.strategy"].create(
        {
            "name": "运费最省",
            "aim_mode": "weighted",
            "aim_ids": [
                (0, 0, {"type": "cost", "weight": 1.0, "sequence": 1}),
                (0, 0, {"type": "days", "weight": 0.8, "sequence": 2}),
            ],
            "split_cost": 2.0,
            "rule_ids": [(0, 0, {"type": "zone", "name": "本区仓优先", "is_preference": True})],
            "cancel_days": 15,
        }
    )
    whole = env["oms.sourcing.strategy"].create(
        {
            "name": "整单发货",
            "split": "never",
            "on_shortage": "wait",
            "wait_days": 2,
            "after_wait": "ask",
            "aim_ids": [(0, 0, {"type": "distance"})],
        }
    )
    channels[1].oms_strategy_id, channels[2].oms_strategy_id = cheap, whole


def _make_zones(env, warehouses):
    states = env["res.country.state"].search([("country_id", "=", env.ref("base.cn").id)])
    by_code = {state.code: state for state in states}
    for (name, codes), warehouse in zip(ZONES, warehouses, strict=True):
        env["oms.zone"].create(
            {
                "name": name,
                "country_ids": [(6, 0, env.ref("base.cn").ids)],
                "state_ids": [(6, 0, [by_code[code].id for code in codes])],
                "warehouse_ids": [(6, 0, warehouse.ids)],
            }
        )


def keep_stock(env, channels, products):
    """Keep some of what sells best for the first shop, and a few of everything for nobody."""
    env["oms.stock.pool"].create(
        {
            "name": "旗舰店专属",
            "mode": "keep",
            "channel_ids": [Command.set(channels[:1].ids)],
            "borrow_percent": 50,
            "line_ids": [Command.create({"product_id": product.id, "quantity": 12}) for product in products[:6]],
        }
    )
    env["oms.stock.safety"].create({"quantity": 1})


def reject_some(env):
    """A picker does not find what one transfer asks for; the order is sent from elsewhere."""
    pickings = env["stock.picking"].search(
        [
            ("state", "=", "assigned"),
            ("picking_type_code", "=", "outgoing"),
            ("sale_id.channel_id", "!=", False),
            ("oms_parcel_ids", "=", False),
        ],
        order="id desc",
        limit=50,
    )
    if picking := pickings.filtered(lambda picking: not any(picking.move_ids.mapped("picked")))[:1]:
        reason = env["oms.reject.reason"].search([], limit=1)
        env["oms.warehouse.rejection"]._reject(picking.move_ids, reason)


def try_strategy(env):
    """See what the cheapest way would have done with the orders of the last days."""
    strategy = env["oms.sourcing.strategy"].search([("name", "=", "运费最省")])
    env["oms.sourcing.trial"].create({"strategy_id": strategy.id, "source": "period", "days": 7}).action_start()
    env.cr.commit()
    env.ref("oms_allocation.ir_cron_run_trials").method_direct_trigger()
