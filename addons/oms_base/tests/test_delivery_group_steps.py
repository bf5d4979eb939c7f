from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_delivery_group import DeliveryGroupCommon


class StepsCase(DeliveryGroupCommon):
    """Merging and splitting where goods leave in several steps."""

    steps = None
    step_count = 0

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.warehouse.delivery_steps = cls.steps

    def _get_open(self, orders):
        """Return {transfer: pieces} of what is open for these orders."""
        content = {}
        for move in orders.order_line.move_ids.filtered(lambda move: move.state not in ("done", "cancel")):
            content[move.picking_id] = content.get(move.picking_id, 0.0) + move.product_uom_qty
        return content

    def _do_step(self, picking):
        picking.action_assign()
        for move in picking.move_ids:
            move.quantity = move.product_uom_qty
        picking.move_ids.picked = True
        picking.with_context(skip_sms=True).button_validate()
        self.assertEqual(picking.state, "done")

    def _check_merge_and_feedback(self):
        orders = self._confirm(self._create_pair())
        group = orders.with_user(self.user)._oms_merge()
        for number in range(self.step_count):
            self.assertEqual(orders.mapped("oms_stage")[0] == "shipped", False)
            content = self._get_open(orders)
            first_step = min(content, key=lambda picking: picking.id)
            self.assertEqual((first_step.oms_delivery_group_id, content[first_step]), (group, 6), f"step {number}")
            self._do_step(first_step)
        self.assertFalse(self._get_open(orders))
        self.assertEqual(orders.mapped("oms_stage"), ["shipped", "shipped"])
        self.assertEqual(orders.mapped("delivery_status"), ["full", "full"])
        for order in orders:
            self.assertEqual(order.oms_event_ids.mapped("code").count("shipped"), 1)
            self.assertEqual(order.order_line.mapped("qty_delivered"), order.order_line.mapped("product_uom_qty"))
        self.assertEqual(group.state, "shipped")

    def _check_split(self):
        order = self._confirm(self._create_order([(self.mouse, 5)]))
        groups = order._oms_split([{order.order_line: 2}])
        for _number in range(self.step_count):
            content = self._get_open(order)
            self.assertEqual(sorted(content.values()), [2, 3])
            for picking in content:
                self._do_step(picking)
        self.assertEqual((order.oms_stage, order.order_line.qty_delivered), ("shipped", 5))
        self.assertEqual(groups.mapped("state"), ["shipped", "shipped"])

    def _check_undo_until_release(self):
        orders = self._confirm(self._create_pair())
        orders._oms_merge().action_undo()
        self.assertFalse(any(orders.mapped("oms_is_grouped")))
        self.assertEqual(sorted(self._get_open(orders).values()), [3, 3])
        group = orders._oms_merge()
        first_step = min(self._get_open(orders), key=lambda picking: picking.id)
        self._do_step(first_step)
        with self.assertRaisesRegex(UserError, first_step.name):
            group.action_undo()
        for _number in range(self.step_count - 1):
            self._do_step(min(self._get_open(orders), key=lambda picking: picking.id))
        self.assertEqual(orders.mapped("oms_stage"), ["shipped", "shipped"])


@tagged("post_install", "-at_install")
class TestTwoSteps(StepsCase):
    steps, step_count = "pick_ship", 2

    def test_merge_and_feedback(self):
        self._check_merge_and_feedback()

    def test_split(self):
        self._check_split()

    def test_undo_until_release(self):
        self._check_undo_until_release()


@tagged("post_install", "-at_install")
class TestThreeSteps(StepsCase):
    steps, step_count = "pick_pack_ship", 3

    def test_merge_and_feedback(self):
        self._check_merge_and_feedback()

    def test_split(self):
        self._check_split()

    def test_undo_until_release(self):
        self._check_undo_until_release()
