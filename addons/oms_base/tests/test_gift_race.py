from psycopg2.errors import SerializationFailure

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import RealTransactionsCase


@tagged("post_install", "-at_install", "oms_concurrency")
class TestLastGift(RealTransactionsCase):
    """Two real transactions and one last gift. What they commit is taken away again."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self._clean)
        self.created = []
        with self._cursor() as env:
            company = env["res.company"].search([], limit=1)
            product, mug = env["product.product"].create(
                [{"name": name, "list_price": 100.0, "taxes_id": False} for name in ("Racing", "Last Mug")]
            )
            partners = env["res.partner"].create([{"name": "First"}, {"name": "Second"}])
            channel = env["oms.channel"].create({"name": "Race", "code": "gift_race", "company_id": company.id})
            gift = env["oms.gift"].create(
                {
                    "name": "Last Mug",
                    "max_quantity": 1,
                    "is_while_stock_lasts": False,
                    "tier_ids": [
                        Command.create({"threshold": 50, "line_ids": [Command.create({"product_id": mug.id})]})
                    ],
                }
            )
            rule = env["oms.rule"].create(
                {
                    "name": "Last Mug",
                    "state": "live",
                    "channel_ids": [Command.set(channel.ids)],
                    "action_ids": [Command.create({"type": "gift", "gift_id": gift.id})],
                }
            )
            orders = env["sale.order"].create(
                [
                    {
                        "partner_id": partner.id,
                        "channel_id": channel.id,
                        "company_id": company.id,
                        "order_line": [Command.create({"product_id": product.id})],
                    }
                    for partner in partners
                ]
            )
            self.order_ids = orders.ids
            records = (orders, rule, gift, channel, partners, product | mug)
            self.created = [(record._name, record.ids) for record in records]

    def _clean(self):
        with self._cursor() as env:
            for name, ids in self.created:
                env[name].browse(ids).exists().unlink()

    def _give(self, env, number):
        order = env["sale.order"].browse(self.order_ids[number])
        order._oms_review()
        env.flush_all()
        return len(order._get_gift_lines())

    def test_only_one_of_two_orders_gets_the_last_one(self):
        with self._cursor() as first, self._cursor() as second:
            # Both count before either gives: the snapshot of the second transaction is taken here.
            for env in (first, second):
                self.assertFalse(env["sale.order"].browse(self.order_ids)._get_gift_lines())
            self.assertEqual(self._give(first, 0), 1)
            first.cr.commit()
            # The second is told to start again; nothing of it is kept ...
            with self.assertRaises(SerializationFailure), mute_logger("odoo.sql_db"):
                self._give(second, 1)
            second.cr.rollback()
            second.invalidate_all()
            # ... and started again, it sees that none is left.
            self.assertEqual(self._give(second, 1), 0)
            second.cr.rollback()
