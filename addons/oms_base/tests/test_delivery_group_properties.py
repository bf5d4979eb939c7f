from collections import Counter
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import OmsBaseCommon

QUANTITIES = ((5, 2), (3,), (4, 1))
steps = st.lists(
    st.tuples(
        st.sampled_from(["merge", "split", "merge_groups", "split_group", "undo", "change", "confirm", "launch"]),
        st.integers(0, 11),
        st.integers(1, 4),
    ),
    min_size=3,
    max_size=9,
)


@tagged("post_install", "-at_install")
class TestDeliveryGroupProperties(OmsBaseCommon):
    """Merging, splitting and undoing, in any order, before and after confirmation: no unit and no cent gets lost."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["oms.rule"].search([]).active = False
        tax = cls.env["account.tax"].create({"name": "7.7 %", "amount": 7.7})
        cls.shipping = cls.env["product.product"].create({"name": "Carriage", "type": "service"})
        (cls.mouse | cls.keyboard | cls.shipping).taxes_id = tax
        cls.mouse.list_price, cls.keyboard.list_price = 19.99, 33.33
        cls._set_stock(cls.mouse, 100)
        cls._set_stock(cls.keyboard, 100)

    def _create_orders(self):
        orders = self.env["sale.order"]
        for quantities in QUANTITIES:
            lines = list(zip((self.mouse, self.keyboard), quantities, strict=False))
            orders |= self._create_order(lines)
        extra = [
            Command.create({"product_id": self.shipping.id, "price_unit": 4.99}),
            Command.create({"product_id": self.shipping.id, "price_unit": -3.33, "name": "Voucher"}),
        ]
        orders[0].order_line = extra
        orders[2].order_line = extra[:1]
        orders[1].order_line.discount = 3
        return orders

    @settings(deadline=None, database=None, derandomize=True, max_examples=20)
    @given(steps)
    def _walk(self, steps):
        savepoint = self.env.cr.savepoint(flush=True)
        try:
            orders = self._create_orders()
            for step, which, quantity in steps:
                with suppress(UserError):  # a refusal changes nothing
                    with self.env.cr.savepoint():
                        getattr(self, f"_do_{step}")(orders, which, quantity)
                    self.done[step] += 1
                self._check(orders)
            self._undo_all(orders)
        finally:
            savepoint.close(rollback=True)
            self.env.invalidate_all()

    def test_nothing_is_lost(self):
        self.done = Counter()
        self._walk()
        # Steps that are always refused would prove nothing.
        for step in ("merge", "split", "merge_groups", "split_group", "undo", "change", "confirm", "launch"):
            self.assertGreater(self.done[step], 0, step)

    # === STEPS === #

    def _get_groups(self, orders):
        return orders.oms_group_line_ids.group_id.sorted("id")

    def _do_merge(self, orders, which, quantity):
        (orders - orders[which % 3])._oms_merge()

    def _do_split(self, orders, which, quantity):
        order = orders[which % 3]
        order._oms_split([{order._oms_get_shippable_lines()[which % 2 - 1]: quantity}])

    def _do_merge_groups(self, orders, which, quantity):
        groups = self._get_groups(orders)
        if len(groups) > 1:
            (groups[which % len(groups)] | groups[(which + 1) % len(groups)])._oms_merge()

    def _do_split_group(self, orders, which, quantity):
        if groups := self._get_groups(orders):
            group = groups[which % len(groups)]
            row = group.line_ids[quantity % len(group.line_ids)]
            waits = [{"is_waiting": True}] if which > 8 else None
            row.order_id._oms_split([{row.line_id: min(quantity, row.quantity)}], waits, group=group)

    def _do_undo(self, orders, which, quantity):
        if groups := self._get_groups(orders):
            groups[which % len(groups)].action_undo()

    def _do_change(self, orders, which, quantity):
        lines = orders._oms_get_shippable_lines()
        lines[which % len(lines)].product_uom_qty = quantity

    def _do_confirm(self, orders, which, quantity):
        orders[which % 3].filtered(lambda order: order.state == "draft").action_confirm()

    def _do_launch(self, orders, which, quantity):
        self._get_groups(orders).action_launch()

    # === WHAT IS ALWAYS TRUE === #

    def _check(self, orders):
        self.env.flush_all()
        self.env.invalidate_all()
        for order in orders:
            rows = order.oms_group_line_ids
            self.assertEqual(order.oms_is_grouped, bool(rows))
            for line in order._oms_get_shippable_lines():
                self._check_line(line)
            if rows:
                for ours, theirs in (
                    (("amount_goods", "amount_discount", "amount_shipping"), order.amount_untaxed),
                    (("amount_tax",), order.amount_tax),
                    (("amount_total",), order.amount_total),
                ):
                    total = sum(row[name] for row in rows for name in ours)
                    self.assertEqual(round(total * 100), round(theirs * 100))
        for group in self._get_groups(orders):
            self.assertTrue(all(row.quantity > 0 for row in group.line_ids))
            self.assertEqual(group.reference_id.sale_ids, group.order_ids)

    def _check_line(self, line):
        rows = line.oms_group_line_ids
        if line.order_id.oms_is_grouped:
            self.assertEqual(sum(rows.mapped("quantity")), line.product_uom_qty)
        moves = line.move_ids.filtered(lambda move: move.state != "cancel")
        if line.state != "sale":
            self.assertFalse(moves)
            return
        waiting = sum(rows.filtered("group_id.is_waiting").mapped("quantity"))
        self.assertEqual(sum(moves.mapped("product_uom_qty")), line.product_uom_qty - waiting)
        for move in moves:
            self.assertEqual(move.oms_delivery_group_id, move.picking_id.oms_delivery_group_id)
            self.assertEqual(len(move.picking_id.move_ids.oms_delivery_group_id), bool(move.oms_delivery_group_id))
        for row in rows.filtered(lambda row: not row.group_id.is_waiting):
            own = moves.filtered(lambda move, row=row: move.oms_delivery_group_id == row.group_id)
            self.assertEqual(sum(own.mapped("product_uom_qty")), row.quantity)
            self.assertLessEqual(len(own.picking_id), 1)

    def _undo_all(self, orders):
        """Enough undoing leads back to where it started: every order by itself, in one transfer."""
        for _round in range(40):
            groups = self._get_groups(orders)
            if not groups:
                break
            groups[0].action_undo()
            self._check(orders)
        self.assertFalse(self._get_groups(orders))
        for order in orders.filtered(lambda order: order.state == "sale"):
            pickings = order.picking_ids.filtered(lambda picking: picking.state != "cancel")
            self.assertEqual(len(pickings), 1)
            self.assertEqual(pickings.sale_id, order)
            self.assertFalse(pickings.oms_delivery_group_id)
