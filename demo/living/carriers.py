"""Three carriers with waybill ranges and tariffs by zone, as carriers in China price: first and further kilograms."""

# name, code, prefix, first number, check digit; {zone: (first kg, each further kg, days)}
CARRIERS = [
    ("顺丰速运", "sf", "SF", 1300000000000, 13, {"near": (13, 3, 1), "country": (20, 8, 2), "far": (26, 16, 4)}),
    ("中通快递", "zto", "ZT", 750000000000, 12, {"near": (6, 1.5, 2), "country": (9, 4, 3), "far": (18, 12, 6)}),
    ("邮政 EMS", "ems", "EM", 980000000000, 12, {"near": (9, 2, 2), "country": (12, 5, 3), "far": (16, 9, 5)}),
]
ZONES = {
    "near": list("浙沪苏皖闽赣粤桂湘蜀渝黔"),
    "far": list("新藏蒙青宁港澳台"),
}


def make_carriers(env):
    """Return the carriers, each with its range of waybill numbers and its tariff."""
    china = env.ref("base.cn")
    states = {state.code: state.id for state in env["res.country.state"].search([("country_id", "=", china.id)])}
    service = env["product.product"].create(
        {"name": "Shipping", "type": "service", "default_code": "SHIPPING", "list_price": 0, "invoice_policy": "order"}
    )
    service.with_context(lang="zh_CN").name = "运费"
    carriers = env["delivery.carrier"]
    for name, code, prefix, first, digits, prices in CARRIERS:
        carrier = env["delivery.carrier"].create(
            {
                "name": name,
                "oms_code": code,
                "delivery_type": "oms_waybill",
                "product_id": service.id,
                "company_id": env.company.id,
                "oms_tracking_secret": f"demo-{code}",
                "oms_volume_divisor": 6000,
            }
        )
        env["oms.waybill.range"].create(
            {
                "carrier_id": carrier.id,
                "prefix": prefix,
                "digits": digits,
                "first": str(first),
                "last": str(first + 99999),
                "check_digit": "luhn",
            }
        )
        env["oms.carrier.tariff"].create(
            [
                {
                    "carrier_id": carrier.id,
                    "sequence": sequence,
                    "country_id": china.id,
                    "state_ids": [(6, 0, [states[code] for code in ZONES.get(zone, []) if code in states])],
                    "first_price": prices[zone][0],
                    "step_price": prices[zone][1],
                    "days": prices[zone][2],
                }
                for sequence, zone in enumerate(("near", "far", "country"), start=1)
            ]
        )
        carriers |= carrier
    return carriers
