from psycopg2.errors import SerializationFailure

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.oms_base.tests.common import RealTransactionsCase


@tagged("post_install", "-at_install", "oms_concurrency")
class TestConcurrentRequests(RealTransactionsCase):
    """Two real transactions. What they commit is taken away again."""

    def setUp(self):
        super().setUp()
        with self._cursor() as env:
            company = env["res.company"].search([], limit=1)
            warehouse = env["stock.warehouse"].search([("company_id", "=", company.id)], limit=1)
            product = env["product.product"].create({"name": "Concurrent", "is_storable": True, "taxes_id": False})
            env["stock.quant"]._update_available_quantity(product, warehouse.lot_stock_id, 2)
            partner = env["res.partner"].create(
                {
                    "name": "王五",
                    "street": "文三路 90 号",
                    "city": "杭州市",
                    "zip": "310012",
                    "phone": "+86 138 0000 0000",
                    "country_id": env.ref("base.cn").id,
                    "state_id": env.ref("base.state_cn_ZJ").id,
                }
            )
            channel = env["oms.channel"].create({"name": "Concurrent", "code": "concurrent", "company_id": company.id})
            policy = env["oms.return.policy"].create(
                {"name": "Concurrent", "sequence": -1, "company_id": company.id, "channel_ids": channel.ids}
            )
            order = env["sale.order"].create(
                {
                    "partner_id": partner.id,
                    "channel_id": channel.id,
                    "company_id": company.id,
                    "warehouse_id": warehouse.id,
                    "order_line": [Command.create({"product_id": product.id, "product_uom_qty": 2})],
                }
            )
            order.action_confirm()
            order.picking_ids.move_ids.picked = True
            order.picking_ids.with_context(skip_sms=True).button_validate()
            self.order_id = order.id
            self.created = [(record._name, record.ids) for record in (policy, channel, partner, product)]
        self.addCleanup(self._clean)

    def _clean(self):
        """Take the rows away with SQL: delivered orders can't be deleted, and nothing else knows of these."""
        with self._cursor() as env:
            order = env["sale.order"].browse(self.order_id)
            (_policy, policy_ids), (_channel, channel_ids), (_partner, partner_ids), (_product, product_ids) = (
                self.created
            )
            returns = order.return_line_ids.return_id
            pickings = order.picking_ids | returns.picking_ids
            moves = pickings.move_ids
            reference_ids = order.stock_reference_ids.ids
            template_ids = env["product.product"].browse(product_ids).product_tmpl_id.ids
            for table, column, ids in (
                ("oms_event", "order_id", order.ids),
                ("stock_move_line", "move_id", moves.ids),
                ("stock_move", "origin_returned_move_id", moves.ids),
                ("stock_move", "id", moves.ids),
                ("stock_picking", "id", pickings.ids),
                ("oms_return", "id", returns.ids),
                ("sale_order", "id", order.ids),
                ("stock_quant", "product_id", product_ids),
                ("stock_reference", "id", reference_ids),
                ("oms_return_policy", "id", policy_ids),
                ("oms_channel", "id", channel_ids),
                ("res_partner", "id", partner_ids),
                ("product_product", "id", product_ids),
                ("product_template", "id", template_ids),
            ):
                if ids:
                    env.cr.execute(f'DELETE FROM "{table}" WHERE "{column}" IN %s', [tuple(ids)])

    def _ask(self, env, quantity):
        order = env["sale.order"].browse(self.order_id)
        oms_return = env["oms.return"].create(
            {
                "partner_id": order.partner_id.id,
                "company_id": order.company_id.id,
                "line_ids": [Command.create({"sale_line_id": order.order_line.id, "quantity": quantity})],
            }
        )
        oms_return._request()
        return oms_return

    def test_two_requests_at_once_do_not_exceed_what_was_delivered(self):
        with self._cursor() as first, self._cursor() as second:
            # Both read before either writes: the snapshot of the second transaction is taken here.
            for env in (first, second):
                line = env["sale.order"].browse(self.order_id).order_line
                self.assertEqual(line._oms_get_returnable_quantities()[line], 2.0)
            self._ask(first, 2)
            first.cr.commit()
            # The second is told to start again; nothing of it is kept ...
            with self.assertRaises(SerializationFailure), mute_logger("odoo.sql_db"):
                self._ask(second, 2)
            second.cr.rollback()
            # ... and started again, it sees that nothing is left.
            with self.assertRaises(UserError):
                self._ask(second, 2)
            second.cr.rollback()

    def test_the_same_form_sent_twice_at_once_makes_one_return(self):
        def send(env):
            order = env["sale.order"].browse(self.order_id)
            reason = env["oms.return.reason"].search([("is_portal", "=", True), ("needs_photo", "=", False)], limit=1)
            return env["oms.return"]._create_from_portal(
                order, [{"sale_line": order.order_line, "quantity": 1, "reason": reason}], "concurrent-key"
            )

        with self._cursor() as first, self._cursor() as second:
            second["sale.order"].browse(self.order_id).order_line.mapped("name")
            return_id = send(first).id
            first.cr.commit()
            with self.assertRaises(SerializationFailure), mute_logger("odoo.sql_db"):
                send(second)
            second.cr.rollback()
            self.assertEqual(send(second).id, return_id)
            second.cr.rollback()
