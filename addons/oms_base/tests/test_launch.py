from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import SQL

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestLaunch(OmsBaseCommon):
    """What is added to an order while a rule holds it before the gate "allocate" is asked for once it is released."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_rule(
            "[('amount_untaxed', '>', 1000)]",
            actions=[
                {
                    "type": "hold",
                    "hold_type_id": cls.env.ref("oms_base.oms_hold_type_manual").id,
                    "gate": "allocate",
                }
            ],
            trigger="allocate",
        )
        cls.desk = cls.env["product.product"].create({"name": "Desk", "is_storable": True, "list_price": 2000.0})
        cls._set_stock(cls.desk, 5)

    def _confirm(self):
        order = self._create_order()
        order.action_confirm()
        return order

    def _add_desk(self, order):
        order.order_line = [Command.create({"product_id": self.desk.id, "product_uom_qty": 1})]
        return order.order_line[-1]

    def _work_queue(self, order):
        self._run_cron(f"oms_base.ir_cron_review_lane_{order.id % 2}")

    def _count(self, order):
        """Return {product: quantity} of what open transfers of an order send."""
        moves = order.picking_ids.move_ids.filtered(lambda move: move.state not in ("done", "cancel"))
        return {product: sum(some.mapped("product_qty")) for product, some in moves.grouped("product_id").items()}

    def test_order_that_is_locked_when_it_is_confirmed(self):
        order = self._create_order()
        self._add_desk(order)
        self.env.ref("base.group_user").implied_ids += self.env.ref("sale.group_auto_done_setting")
        order.action_confirm()
        self.assertEqual((order.locked, self._count(order)), (True, {}))
        order.oms_hold_ids.with_user(self.user).action_release()
        self._work_queue(order)
        self.assertEqual(self._count(order)[self.desk], 1)
        self.assertTrue(order.locked)

    def test_goods_added_to_a_shipped_order(self):
        order = self._confirm()
        self._deliver(order)
        self.assertEqual(order.oms_stage, "shipped")
        self._add_desk(order)
        self.assertEqual((order.oms_stage, self._count(order)), ("held", {}))
        self._work_queue(order)
        self.assertEqual((order.oms_stage, order.oms_is_launch_pending), ("held", True), "nobody has released it")
        order.oms_hold_ids.with_user(self.user).action_release()
        self._work_queue(order)
        self.assertEqual((order.oms_stage, self._count(order)), ("part_shipped", {self.desk: 1}))
        self._work_queue(order)
        self.assertEqual(self._count(order), {self.desk: 1}, "once")
        self._deliver(order)
        self.assertEqual(order.oms_stage, "shipped")

    def test_goods_added_to_a_part_shipped_order(self):
        order = self._confirm()
        picking = order.picking_ids
        picking.move_ids[0].write({"quantity": 1, "picked": True})
        picking.with_context(skip_sms=True)._action_done()
        self.assertEqual(order.oms_stage, "part_shipped")
        self._add_desk(order)
        order.oms_hold_ids.with_user(self.user).action_release()
        self._work_queue(order)
        self.assertEqual(self._count(order), {self.mouse: 1, self.keyboard: 1, self.desk: 1})

    def test_hold_of_a_later_gate_keeps_nothing_from_being_asked_for(self):
        order = self._confirm()
        self._deliver(order)
        self._add_desk(order)
        hold = order.oms_hold_ids
        order._oms_place_hold("address", "Which floor?").reason_ids.gate = "ship"
        order.oms_hold_ids.filtered(lambda other: other != hold).gate = "ship"
        hold.with_user(self.user).action_release()
        self._work_queue(order)
        self.assertEqual((order.oms_stage, self._count(order)), ("held", {self.desk: 1}))

    def test_what_came_back_is_not_sent_again(self):
        order = self._confirm()
        self._deliver(order)
        picking = order.picking_ids
        wizard = Form(self.env["stock.return.picking"].with_context(active_id=picking.id, active_model=picking._name))
        wizard = wizard.save()
        mice = wizard.product_return_moves.filtered(lambda row: row.product_id == self.mouse)
        mice.write({"quantity": 1, "to_refund": True})
        back = wizard._create_return()
        back.move_ids.picked = True
        back._action_done()
        self._add_desk(order)
        order.oms_hold_ids.with_user(self.user).action_release()
        self._work_queue(order)
        self.assertEqual(self._count(order), {self.desk: 1})

    def test_raised_quantity_is_asked_for_once_released(self):
        order = self._confirm()
        self._deliver(order)
        order.order_line[0].product_uom_qty = 2 + 60
        self.assertEqual(self._count(order), {})
        order.oms_hold_ids.with_user(self.user).action_release()
        self._work_queue(order)
        self.assertEqual(self._count(order), {self.mouse: 60})

    def test_queue_looks_at_no_history(self):
        """What waits for its launch is found by its own index among any number of confirmed orders."""
        order = self._confirm()
        self._deliver(order)
        self.env.flush_all()
        names = (
            *("partner_id", "partner_invoice_id", "partner_shipping_id", "company_id", "warehouse_id"),
            *("picking_policy", "name", "date_order", "state", "channel_id", "oms_stage", "oms_review_date"),
        )
        columns = SQL(", ").join(map(SQL.identifier, names))
        self.env.cr.execute(
            SQL(
                "INSERT INTO sale_order (%s) SELECT %s FROM sale_order, generate_series(1, 4000) WHERE id = %s",
                columns,
                columns,
                order.id,
            )
        )
        self.env.cr.execute("ANALYZE sale_order")
        query = order._search(order._get_review_queue_domain())
        plan = "\n".join(row[0] for row in self.env.execute_query(SQL("EXPLAIN %s", query.select())))
        self.assertIn("sale_order_oms_launch_idx", plan)
        self.assertNotIn("Seq Scan on sale_order ", plan)
        self.assertNotIn("sale_order__state_index", plan)
