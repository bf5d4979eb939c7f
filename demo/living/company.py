"""The company: its name and currency, three warehouses in different provinces, the people who work there."""

from odoo.fields import Command

COMPANY = {
    "name": "云栖百货贸易有限公司",
    "street": "文三路 478 号华星时代广场",
    "city": "杭州市",
    "zip": "310013",
    "phone": "+86 571 8888 0000",
    "email": "service@yunqi.example.com",
    "website": "https://yunqi.example.com",
}
# name, code, province (code of res.country.state), city, street, postcode, phone, latitude, longitude
WAREHOUSES = [
    ("杭州仓", "HZ", "浙", "杭州市", "余杭区仓前街道物流园 1 号", "311121", "+86 571 8888 0101", 30.2741, 120.1551),
    ("广州仓", "GZ", "粤", "广州市", "白云区太和镇物流中心 6 号", "510540", "+86 20 8888 0202", 23.1291, 113.2644),
    ("成都仓", "CD", "蜀", "成都市", "双流区空港物流园 3 号", "610200", "+86 28 8888 0303", 30.5728, 104.0668),
]
# login, name, groups
PEOPLE = [
    ("service", "林小雨（客服）", ["oms_base.oms_base_group_user"]),
    ("picker", "王大力（仓库）", ["oms_base.oms_base_group_warehouse"]),
    ("accountant", "陈静（财务）", ["oms_base.oms_base_group_accountant"]),
    ("manager", "赵敏（主管）", ["oms_base.oms_base_group_manager"]),
]


def make_company(env):
    """Name the company, give it Chinese currency and accounts, and return it."""
    company = env.company
    china = env.ref("base.cn")
    currency = env.ref("base.CNY")
    currency.active = True
    state = _find_state(env, "浙")
    company.write({**COMPANY, "country_id": china.id, "state_id": state.id, "currency_id": currency.id})
    env["account.chart.template"].try_loading("cn", company=company, install_demo=False)
    company.currency_id = currency
    env["product.pricelist"].search([]).write({"name": "零售价", "currency_id": currency.id})
    # Buyers are told by mail; Odoo would ask the first picker about text messages.
    company.stock_text_confirmation = False
    # Nobody is greeted by OdooBot: on a phone its chat covers the screen.
    env.ref("base.user_admin").write({"tz": "Asia/Shanghai", "odoobot_state": "disabled"})
    return company


def make_warehouses(env, company):
    """Return the three warehouses; the one Odoo made with the company becomes the first."""
    warehouses = env["stock.warehouse"]
    first = env["stock.warehouse"].search([("company_id", "=", company.id)], limit=1)
    for index, (name, code, state, city, street, postcode, phone, latitude, longitude) in enumerate(WAREHOUSES):
        partner = env["res.partner"].create(
            {
                "name": f"{company.name} {name}",
                "is_company": True,
                "street": street,
                "city": city,
                "zip": postcode,
                "phone": phone,
                "state_id": _find_state(env, state).id,
                "country_id": env.ref("base.cn").id,
                "partner_latitude": latitude,
                "partner_longitude": longitude,
            }
        )
        values = {"name": name, "code": code, "partner_id": partner.id, "oms_priority": 10 * (index + 1)}
        if index == 0:
            first.write(values)
            warehouses |= first
        else:
            warehouses |= env["stock.warehouse"].create({**values, "company_id": company.id})
    return warehouses


def make_people(env):
    """Create a login for each job; the password is the login."""
    for login, name, groups in PEOPLE:
        env["res.users"].with_context(no_reset_password=True).create(
            {
                "name": name,
                "login": login,
                "password": login,
                "email": f"{login}@yunqi.example.com",
                "tz": "Asia/Shanghai",
                "odoobot_state": "disabled",
                "group_ids": [
                    Command.link(env.ref(xmlid).id)
                    for xmlid in ("base.group_user", "stock.group_stock_multi_locations", *groups)
                ],
            }
        )


def _find_state(env, code):
    return env["res.country.state"].search([("country_id", "=", env.ref("base.cn").id), ("code", "=", code)], limit=1)
