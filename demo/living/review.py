"""What the people of the review have set up: rules of a pack, gifts, lists, a sale to come, and a rule being tried."""

from datetime import timedelta

from odoo import fields
from odoo.fields import Command

# Rules of the consumer pack that stay drafts here: one would hold every order for half an hour.
RESTING = ("delay", "burst")


def make_review(env, channels, products):
    """Put rules to work, and lists and gifts they need."""
    packs = env["oms.rule.pack"].search([])
    (packs.filtered(lambda pack: pack.code in ("consumer", "flash_sale")))._install()
    rules = env["oms.rule"].search([("pack_code", "=", "consumer"), ("state", "=", "draft")])
    rules.filtered(lambda rule: rule.pack_rule_code not in RESTING).action_go_live()
    env["oms.keyword"].create([{"name": "发票", "kind": "发票"}, {"name": "尽快", "kind": "催发货"}])
    env["oms.blacklist"].create({"kind": "phone", "value": "13800000000", "reason": "多次拒收"})
    env["oms.area"].create(
        {"kind": "remote", "country_id": env.ref("base.cn").id, "city": "伊犁", "note": "快递约 7 天送达"}
    )
    now = fields.Datetime.now()
    env["oms.coupon"].create(
        [{"code": f"SAVE{amount}"} for amount in (5, 10, 20)]
        + [{"code": "OLD-FRIEND", "date_to": now - timedelta(days=30), "note": "去年的老客券"}]
    )
    env["oms.substitute"].create(
        {
            "user_id": _get_user(env, "manager").id,
            "substitute_id": _get_user(env, "accountant").id,
            "date_from": fields.Date.today(),
            "date_to": fields.Date.today() + timedelta(days=7),
        }
    )
    _make_gifts(env, products)
    _make_own_rules(env, channels)


def _get_user(env, login):
    return env["res.users"].search([("login", "=", login)])


def _make_gifts(env, products):
    """From 299 a cable, from 599 two: given by a rule, while stock lasts."""
    present = products.sorted("list_price")[0]
    gift = env["oms.gift"].create(
        {
            "name": "满 299 赠好礼",
            "basis": "amount",
            "mode": "highest",
            "max_quantity": 500,
            "is_while_stock_lasts": True,
            "date_to": fields.Datetime.now() + timedelta(days=30),
            "tier_ids": [
                Command.create(
                    {
                        "threshold": threshold,
                        "line_ids": [Command.create({"product_id": present.id, "quantity": quantity})],
                    }
                )
                for threshold, quantity in ((299, 1), (599, 2))
            ],
        }
    )
    env["oms.rule"].create(
        {
            "name": "满赠",
            "domain": "[('amount_total', '>=', 299)]",
            "tz": "Asia/Shanghai",
            "action_ids": [Command.create({"type": "gift", "gift_id": gift.id})],
        }
    ).action_go_live()


def _make_own_rules(env, channels):
    """Orders of one buyer travel together; large ones go first; and one rule is still a draft, to be rehearsed."""
    rules = env["oms.rule"].create(
        [
            {
                "name": "同一买家合并发货",
                "domain": "[('amount_total', '>', 0)]",
                "channel_ids": [Command.set(channels.ids)],
                "tz": "Asia/Shanghai",
                "action_ids": [Command.create({"type": "merge"})],
            },
            {
                "name": "大额订单优先",
                "domain": "[('amount_total', '>', 800)]",
                "tz": "Asia/Shanghai",
                "action_ids": [Command.create({"type": "priority", "priority": "2"})],
            },
        ]
    )
    rules.action_go_live()
    env["oms.rule"].create(
        {
            "name": "首单大额人工审核",
            "domain": "[('amount_total', '>', 500), ('oms_is_first_order', '=', True)]",
            "tz": "Asia/Shanghai",
            "action_ids": [
                Command.create({"type": "hold", "hold_type_id": env.ref("oms_base.oms_hold_type_review").id})
            ],
        }
    )


def rehearse(env):
    """Try the draft on what came in, beside the rules of today."""
    draft = env["oms.rule"].search([("name", "=", "首单大额人工审核"), ("state", "=", "draft")])
    env["oms.rehearsal"].create({"rule_ids": [Command.set(draft.ids)], "days": 7}).action_start()
    env.cr.commit()
    env.ref("oms_base.ir_cron_run_rehearsals").method_direct_trigger()
    env.ref("oms_base.ir_cron_check_rules").method_direct_trigger()
