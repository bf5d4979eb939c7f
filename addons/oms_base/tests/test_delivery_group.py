from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import OmsBaseCommon


class DeliveryGroupCommon(OmsBaseCommon):
    """No rule holds what these tests confirm."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["oms.rule"].search([]).active = False

    def _confirm(self, orders):
        orders.action_confirm()
        self.assertEqual(set(orders.mapped("state")), {"sale"})
        return orders

    def _create_pair(self, **values):
        return self._create_order(**values) | self._create_order([(self.mouse, 3)], **values)


@tagged("post_install", "-at_install")
class TestDeliveryGroup(DeliveryGroupCommon):
    """Orders of one buyer go in one parcel, parts of an order in several; orders and lines stay as they are."""

    def _get_content(self, order):
        """Return {transfer: {product: quantity}} of what is open for an order."""
        content = {}
        for move in order.order_line.move_ids.filtered(lambda move: move.state not in ("done", "cancel")):
            content.setdefault(move.picking_id, {})[move.product_id] = move.product_uom_qty
        return content

    def test_orders_merged_before_confirmation_leave_in_one_transfer(self):
        orders = self._create_pair()
        group = orders.with_user(self.user)._oms_merge()
        self.assertEqual(group.order_ids, orders)
        self._confirm(orders)
        picking = orders.order_line.move_ids.picking_id
        self.assertEqual(len(picking), 1)
        self.assertEqual(picking.oms_delivery_group_id, group)
        self.assertEqual(picking.partner_id, self.buyer)
        self.assertEqual(orders.mapped("oms_stage"), ["ready", "ready"])
        self.assertEqual(orders.mapped("delivery_status"), ["pending", "pending"])
        self.assertEqual(orders.mapped("delivery_count"), [1, 1])
        self.assertEqual(group.state, "open")

    def test_orders_merged_after_confirmation_share_the_transfer_of_the_first(self):
        orders = self._confirm(self._create_pair())
        first, second = orders
        kept, gone = first.picking_ids, second.picking_ids
        group = orders.with_user(self.user)._oms_merge()
        self.assertFalse(gone.exists())
        self.assertEqual(orders.order_line.move_ids.picking_id, kept)
        self.assertEqual(sum(kept.move_ids.mapped("product_uom_qty")), 6)
        self.assertEqual(kept.move_ids.mapped("quantity"), kept.move_ids.mapped("product_uom_qty"))
        self._deliver(first)
        self.assertEqual(orders.mapped("oms_stage"), ["shipped", "shipped"])
        self.assertEqual(orders.mapped("delivery_status"), ["full", "full"])
        self.assertEqual(group.state, "shipped")
        for order in orders:
            self.assertEqual(order.order_line.mapped("qty_delivered"), order.order_line.mapped("product_uom_qty"))
            self.assertEqual(order.oms_event_ids.mapped("code").count("merged"), 1)
            self.assertEqual(order.oms_event_ids.mapped("code").count("shipped"), 1)
            self.assertEqual(
                order.oms_decision_ids.filtered(lambda row: row.kind == "merge").mapped("outcome"), ["merge"]
            )

    def test_merging_again_does_nothing(self):
        orders = self._create_pair()
        group = orders._oms_merge()
        self.assertEqual(orders._oms_merge(), group)
        self.assertEqual(len(orders[0].oms_event_ids.filtered(lambda event: event.code == "merged")), 1)
        self.assertFalse(orders._oms_merge_with_candidates())

    def test_split_confirmed_order_leaves_in_two_transfers(self):
        order = self._confirm(self._create_order([(self.mouse, 5), (self.keyboard, 1)]))
        kept = order.picking_ids
        mice = order.order_line[0]
        groups = order.with_user(self.user)._oms_split([{mice: 2}])
        self.assertEqual(len(groups), 2)
        content = self._get_content(order)
        self.assertEqual(content[kept], {self.mouse: 3, self.keyboard: 1})
        [other] = set(content) - {kept}
        self.assertEqual(content[other], {self.mouse: 2})
        self.assertEqual(order.picking_ids, kept | other)
        self.assertEqual(sum(groups.mapped("amount_total")), order.amount_total)

    def test_undo_of_a_split_brings_back_one_transfer(self):
        order = self._confirm(self._create_order([(self.mouse, 5), (self.keyboard, 1)]))
        groups = order._oms_split([{order.order_line[0]: 2}])
        groups[1].with_user(self.user).action_undo()
        self.assertFalse(groups.exists())
        self.assertFalse(order.oms_is_grouped)
        self.assertEqual(list(self._get_content(order).values()), [{self.mouse: 5, self.keyboard: 1}])
        self.assertEqual(len(order.stock_reference_ids), 1)

    def test_undo_of_a_merge_gives_each_its_own_transfer(self):
        orders = self._confirm(self._create_pair())
        group = orders._oms_merge()
        group.with_user(self.user).action_undo()
        self.assertFalse(group.exists())
        self.assertFalse(any(orders.mapped("oms_is_grouped")))
        self.assertEqual([len(order.picking_ids) for order in orders], [1, 1])
        self.assertNotEqual(orders[0].picking_ids, orders[1].picking_ids)
        self.assertNotEqual(orders[0].stock_reference_ids, orders[1].stock_reference_ids)

    def test_undo_after_release_is_refused_with_the_transfer(self):
        orders = self._confirm(self._create_pair())
        group = orders._oms_merge()
        group.picking_ids.move_ids[0].picked = True
        with self.assertRaisesRegex(UserError, group.picking_ids.name):
            group.action_undo()
        with self.assertRaisesRegex(UserError, group.picking_ids.name):
            orders[0]._oms_split([{orders[0].order_line[0]: 1}])

    def test_orders_without_groups_cost_no_question_about_them(self):
        orders = self._create_pair() | self._create_pair(channel_id=False)
        self.env.flush_all()
        self.env.invalidate_all()
        asked = []
        self.patch(
            type(self.env.cr),
            "execute",
            self._record_queries(asked, "oms_delivery_group_line", type(self.env.cr).execute),
        )
        orders.action_confirm()
        self._deliver(orders[0])
        self._deliver(orders[2])
        self.env.flush_all()
        self.assertFalse(asked)

    def _record_queries(self, asked, table, execute):
        def execute_and_note(cr, query, *args, **kwargs):
            if table in str(getattr(query, "code", query)):
                asked.append(query)
            return execute(cr, query, *args, **kwargs)

        return execute_and_note
