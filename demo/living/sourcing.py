"""Where orders are sent from: zones, costs and capacities of the warehouses, and a strategy for each kind of shop."""

ZONES = [
    ("华东", ("ZJ", "SH", "JS", "AH", "FJ", "JX", "SD")),
    ("华北", ("BJ", "TJ", "HE", "SX", "NM", "LN", "JL", "HL")),
    ("华南", ("GD", "GX", "HI", "HN", "HB")),
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
                "state_ids": [(6, 0, [by_code[code].id for code in codes if code in by_code])],
                "warehouse_ids": [(6, 0, warehouse.ids)],
            }
        )
