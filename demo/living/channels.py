"""The shops: three on the simulated marketplace, and the telephone."""

import secrets
from datetime import timedelta

from market.settings import SHOPS

from odoo import fields

COLORS = {"tmall": 1, "jd": 9, "mini": 10}


def make_channels(env, marketplace_url, warehouses):
    """Return the channels of the marketplace's shops. Each collects its buyers' money in a journal of its own."""
    responsible = env["res.users"].search([("login", "=", "service")])
    channels = env["oms.channel"]
    for sequence, shop in enumerate(SHOPS, start=1):
        journal = env["account.journal"].create(
            {"name": f"{shop.name}收款", "code": shop.code[:5].upper(), "type": "bank", "company_id": env.company.id}
        )
        channels |= env["oms.channel"].create(
            {
                "name": shop.name,
                "code": shop.code,
                "sequence": sequence,
                "color": COLORS[shop.code],
                "user_id": responsible.id,
                "provider": "marketplace",
                "base_url": marketplace_url,
                "api_key": shop.app_key,
                "api_secret": shop.app_secret,
                "webhook_secret": secrets.token_urlsafe(24),
                "journal_id": journal.id,
                # The accountant invoices the small shop by hand: its delivered orders wait to be looked at.
                "invoice_policy": "manual" if shop.code == "mini" else "shipped",
                "warehouse_ids": [(6, 0, warehouses.ids)],
                "pull_interval": 1,
                "reread_interval": 5,
                "is_publishing_stock": True,
                "pull_start_date": fields.Datetime.now() - timedelta(days=2),
            }
        )
    env["oms.channel"].create(
        {"name": "电话订单", "code": "phone", "sequence": 9, "user_id": responsible.id, "auto_confirm": False}
    )
    return channels
