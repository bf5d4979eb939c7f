from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.oms_base.tests.common import RealTransactionsCase


@tagged("post_install", "-at_install", "oms_concurrency")
class TestLastPlaceOfTheDay(RealTransactionsCase):
    """Two real transactions and one parcel that can still be made today. What they commit is taken away again."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self._clean)
        with self._cursor() as env:
            warehouse = env["stock.warehouse"].search([("company_id", "=", env.company.id)], limit=1)
            self.warehouse_id, self.capacity = warehouse.id, warehouse.oms_daily_capacity
            given = warehouse._oms_query_used(fields.Datetime.now()).get(warehouse.id, 0)
            warehouse.oms_daily_capacity = given + 1
            strategy = env["oms.sourcing.strategy"].create(
                {"name": "Race", "rule_ids": [Command.create({"type": "capacity"})]}
            )
            channel = env["oms.channel"].create(
                {
                    "name": "Race",
                    "code": "capacity_race",
                    "company_id": env.company.id,
                    "warehouse_ids": [Command.set(warehouse.ids)],
                    "oms_strategy_id": strategy.id,
                }
            )
            # Each order has goods of its own, so that no lock of stock keeps the two apart.
            products = env["product.product"].create(
                [{"name": name, "is_storable": True, "taxes_id": False} for name in ("First", "Second")]
            )
            for product in products:
                env["stock.quant"]._update_available_quantity(product, warehouse.lot_stock_id, 1)
            partner = env["res.partner"].create({"name": "Buyer"})
            orders = env["sale.order"].create(
                [
                    {
                        "partner_id": partner.id,
                        "channel_id": channel.id,
                        "company_id": env.company.id,
                        "order_line": [Command.create({"product_id": product.id})],
                    }
                    for product in products
                ]
            )
            self.order_ids, self.product_ids = orders.ids, products.ids
            self.created = [(record._name, record.ids) for record in (orders, channel, strategy, partner)]

    def _clean(self):
        with self._cursor() as env:
            warehouse = env["stock.warehouse"].browse(self.warehouse_id)
            warehouse.oms_daily_capacity = self.capacity
            env["oms.warehouse.turn"].search([("warehouse_id", "=", warehouse.id)]).unlink()
            for name, ids in self.created:
                env[name].browse(ids).exists().unlink()
            products = env["product.product"].browse(self.product_ids)
            env.cr.execute("DELETE FROM stock_quant WHERE product_id = ANY(%s)", [products.ids])
            products.product_tmpl_id.unlink()

    def _allocate(self, env, number):
        """Return whether the order gets its goods: it is held where nobody can make its parcel today."""
        order = env["sale.order"].browse(self.order_ids[number])
        waiting = order._oms_allocate({order.order_line: 1.0})
        env.flush_all()
        return not waiting

    def test_only_one_of_two_orders_gets_the_last_place(self):
        with self._cursor() as first, self._cursor() as second:
            # Both look before either takes: the snapshot of the second transaction is taken here.
            for env in (first, second):
                self.assertFalse(env["sale.order"].browse(self.order_ids).oms_allocation_ids)
            self.assertTrue(self._allocate(first, 0))
            first.cr.commit()
            # The second is told to start again ...
            with self.assertRaises(SerializationFailure):
                self._allocate(second, 1)
            second.cr.rollback()
            second.invalidate_all()
            # ... and started again, it sees that none is left.
            self.assertFalse(self._allocate(second, 1))
            second.cr.rollback()
