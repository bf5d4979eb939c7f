from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestKits(OmsBaseCommon):
    """A desk set: two mice and a keyboard, and a box of two desk sets."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kit, cls.box = cls.env["product.product"].create(
            [{"name": name, "type": "consu", "list_price": 80, "taxes_id": False} for name in ("Desk set", "Box")]
        )
        cls.bom = cls._create_kit(cls.kit, {cls.mouse: 2, cls.keyboard: 1})
        cls._create_kit(cls.box, {cls.kit: 2})

    @classmethod
    def _create_kit(cls, product, parts):
        return cls.env["mrp.bom"].create(
            {
                "product_tmpl_id": product.product_tmpl_id.id,
                "type": "phantom",
                "bom_line_ids": [
                    Command.create({"product_id": part.id, "product_qty": quantity}) for part, quantity in parts.items()
                ],
            }
        )

    def _get_open(self, moves):
        """Return {product: quantity} that moves still have to take."""
        moves = moves.filtered(lambda move: move.state not in ("done", "cancel"))
        return {product: sum(group.mapped("product_uom_qty")) for product, group in moves.grouped("product_id").items()}

    def test_parts_of_kits_and_kits_of_parts(self):
        self.assertEqual(self.box._oms_explode(1.0), {self.mouse: 4, self.keyboard: 2})
        self.assertEqual(self.mouse._oms_explode(3.0), {self.mouse: 3})
        self.assertEqual(self.keyboard._oms_find_bundles(), self.kit | self.box)
        self.assertEqual((self.mouse | self.kit | self.box)._oms_filter_kits(), self.kit | self.box)
        self.assertFalse(self.box._oms_find_bundles())
        self.bom.bom_line_ids[0].product_qty = 3
        self.assertEqual(self.kit._oms_explode(2.0), {self.mouse: 6, self.keyboard: 2})
        self.bom.product_qty = 3  # makes three of them
        self.assertEqual(self.kit._oms_explode(1.0), {self.mouse: 1, self.keyboard: 1 / 3})
        self.bom.unlink()
        self.assertEqual(self.kit._oms_explode(1.0), {self.kit: 1})

    def test_shortage_is_that_of_the_parts(self):
        enough, short = self._create_order([(self.kit, 5)]), self._create_order([(self.kit, 4), (self.mouse, 3)])
        self.assertFalse(enough.oms_has_shortage)
        self.assertTrue(short.oms_has_shortage)
        self.assertEqual(short.oms_shortage, [{"product": "[OMS-MOUSE] Mouse", "ordered": 11, "sellable": 10}])

    def test_parts_of_an_order_have_whole_kits(self):
        order = self._create_order([(self.kit, 3)])
        groups = order._oms_split([{order.order_line: 1}], [{"is_waiting": True, "planned_date": "2040-01-01"}])
        order.action_confirm()
        moves = order.order_line.move_ids
        self.assertEqual(self._get_open(moves), {self.mouse: 4, self.keyboard: 2}, "what waits is not asked for")
        self.assertEqual(groups.line_ids.mapped("procured_quantity"), [2, 0])
        order.order_line._oms_relaunch()
        self.assertEqual(self._get_open(order.order_line.move_ids), {self.mouse: 4, self.keyboard: 2})
        groups[1].action_launch()
        self.assertEqual(groups.line_ids.mapped("procured_quantity"), [2, 1])
        second = order.order_line.move_ids.filtered(lambda move: move.oms_delivery_group_id == groups[1])
        self.assertEqual(self._get_open(second), {self.mouse: 2, self.keyboard: 1})
        self.assertFalse(second.picking_id & moves.picking_id, "a parcel of its own")
        groups[1].action_undo()
        self.assertEqual(self._get_open(order.order_line.move_ids), {self.mouse: 6, self.keyboard: 3})
        self._deliver(order)
        self.assertEqual((order.order_line.qty_delivered, order.oms_stage), (3, "shipped"))

    def test_kits_of_two_orders_go_in_one_parcel_and_apart_again(self):
        orders = self._create_order([(self.kit, 1)]) | self._create_order([(self.kit, 2), (self.mouse, 1)])
        orders.action_confirm()
        group = orders._oms_merge()
        self.assertEqual(len(orders.order_line.move_ids.picking_id), 1)
        self.assertEqual(self._get_open(orders.order_line.move_ids), {self.mouse: 7, self.keyboard: 3})
        self.assertEqual(group.line_ids.mapped("procured_quantity"), [1, 2, 1])
        orders[1].order_line[0].product_uom_qty = 3
        self.assertEqual(self._get_open(orders.order_line.move_ids), {self.mouse: 9, self.keyboard: 4})
        group.action_undo()
        self.assertEqual(len(orders.order_line.move_ids.picking_id), 2)
        self.assertEqual(self._get_open(orders[0].order_line.move_ids), {self.mouse: 2, self.keyboard: 1})

    def test_kits_come_from_where_their_parts_are(self):
        if not hasattr(self.env["sale.order"], "_oms_plan"):
            return  # without the addon that sources orders, all come from one warehouse
        other = self.env["stock.warehouse"].create({"name": "OMS Other", "code": "OMSOT", "oms_priority": 9})
        self.channel.warehouse_ids |= other
        self._set_stock(self.mouse, 3)  # one kit here, and two there
        self._set_stock(self.mouse, 4, other)
        self._set_stock(self.keyboard, 2, other)
        order = self._create_order([(self.kit, 3)])
        order.action_confirm()
        moves = order.order_line.move_ids
        self.assertEqual(self._get_open(moves), {self.mouse: 6, self.keyboard: 3})
        self.assertEqual(set(moves.mapped("state")), {"assigned"})
        by_warehouse = {warehouse: self._get_open(group) for warehouse, group in moves.grouped("warehouse_id").items()}
        self.assertEqual(
            by_warehouse,
            {self.warehouse: {self.mouse: 2, self.keyboard: 1}, other: {self.mouse: 4, self.keyboard: 2}},
        )

    def test_part_that_is_not_found_is_not_sold_and_the_kit_comes_from_elsewhere(self):
        if "oms.warehouse.rejection" not in self.env:
            return  # without the addon that sources orders, nobody else could send it
        other = self.env["stock.warehouse"].create({"name": "OMS Other", "code": "OMSOT", "oms_priority": 9})
        self.channel.warehouse_ids |= other
        order = self._create_order([(self.kit, 2)])
        order.action_confirm()
        moves = order.order_line.move_ids
        self.assertEqual(moves.warehouse_id, self.warehouse)
        self._set_stock(self.mouse, 4, other)
        self._set_stock(self.keyboard, 2, other)
        before = self.keyboard._oms_get_sellable_quantities(self.warehouse)
        reason = self.env.ref("oms_allocation.oms_reject_reason_not_found")
        rejection = self.env["oms.warehouse.rejection"]._reject(
            moves.filtered(lambda move: move.product_id == self.mouse), reason
        )
        self.assertEqual((rejection.product_id, rejection.quantity), (self.mouse, 4))
        self.assertEqual(self.mouse._oms_get_sellable_quantities(self.warehouse)[self.mouse.id, self.warehouse.id], 0)
        free = self.keyboard._oms_get_sellable_quantities(self.warehouse)
        self.assertEqual(sum(free.values()), sum(before.values()) + 2, "the keyboards are there")
        open_moves = order.order_line.move_ids.filtered(lambda move: move.state != "cancel")
        self.assertEqual(open_moves.warehouse_id, other)
        self.assertEqual(self._get_open(open_moves), {self.mouse: 4, self.keyboard: 2})

    def test_sums_of_kits_hold(self):
        if "oms.conservation" not in self.env:
            return  # the sums are of the addon that sources orders
        order = self._create_order([(self.kit, 2)])
        order.action_confirm()
        row = self.env["oms.conservation"].search([("order_id", "=", order.id)])
        names = ("cause", "ordered_quantity", "allocated_quantity", "picking_quantity", "shipped_quantity")
        self.assertEqual([row[name] for name in names], [False, 2, 2, 0, 0])
        self._deliver(order)
        self.env["oms.conservation"].invalidate_model()
        row = self.env["oms.conservation"].search([("order_id", "=", order.id)])
        self.assertEqual((row.cause, row.shipped_quantity, row.gap_quantity), (False, 2, 0))

    def test_channels_sell_kits_by_their_parts(self):
        found = self.channel._get_sellable_quantities(self.kit)
        if found:  # without the addon that counts what channels may sell, kits are counted by who tells shops of them
            self.assertEqual(found[self.kit.id, self.warehouse.id], 5)
            row = self.env["oms.sellable.channel"].search(
                [("product_id", "=", self.kit.id), ("channel_id", "=", self.channel.id)]
            )
            self.assertEqual(row.quantity, 5)

    def test_stock_is_promised_to_kits_as_their_parts(self):
        if not hasattr(self.env["sale.order"], "_oms_promise_stock"):
            return  # without the addon that sources orders, nothing is promised
        self.channel.write({"promise_hours": 24, "auto_confirm": False})
        order = self._create_order([(self.kit, 2)])
        order._oms_review_and_confirm()
        promises = order.order_line.oms_promise_ids
        self.assertEqual({row.product_id: row.quantity for row in promises}, {self.mouse: 4, self.keyboard: 2})

    def test_split_by_what_is_there(self):
        """Before confirmation by what may be sold, after it by what is reserved: never a part of a kit."""
        self.env["oms.rule"].search([]).state = "draft"  # else it is held for what is short
        self._set_stock(self.mouse, 7)
        order = self._create_order([(self.kit, 4)])
        parts, _values = order._oms_get_shortage_parts()
        self.assertEqual([list(part.values()) for part in parts], [[3], [1]])
        order.action_confirm()
        groups = order._oms_split_by("shortage")
        self.assertEqual(groups.line_ids.mapped("quantity"), [3, 1])
        first = order.order_line.move_ids.filtered(lambda move: move.oms_delivery_group_id == groups[0])
        self.assertEqual(self._get_open(first), {self.mouse: 6, self.keyboard: 3})

    def test_a_kit_has_left_when_its_last_part_has(self):
        order = self._create_order([(self.kit, 2)])
        order.action_confirm()
        picking = order.picking_ids
        for move in picking.move_ids:
            move.quantity = 2
        picking.move_ids.picked = True
        picking.with_context(skip_sms=True, skip_backorder=True, picking_ids_not_to_backorder=[])._action_done()
        line = order.order_line
        self.assertEqual(line._oms_count_transfer(picking.move_ids), 1)
        self._deliver(order)
        rest = order.picking_ids - picking
        self.assertEqual(line._oms_count_transfer(rest.move_ids), 1)
        self.assertEqual(order.oms_stage, "shipped")

    def test_a_kit_is_in_the_box_that_completes_it(self):
        """Two mice and a keyboard a set: what part of the parts makes how many sets, those of earlier transfers too."""
        order = self._create_order([(self.kit, 3)])
        order.action_confirm()
        picking, line = order.picking_ids, order.order_line
        for move in picking.move_ids:
            move.quantity = 2  # one set, and a keyboard
        picking.move_ids.picked = True
        picking.with_context(skip_sms=True, skip_backorder=True, picking_ids_not_to_backorder=[])._action_done()
        self._deliver(order)
        rest = order.picking_ids - picking

        def count(moves, mice, keyboards):
            boxed = {self.mouse: mice, self.keyboard: keyboards}
            return line._oms_count_transfer(moves, lambda move: boxed[move.product_id])

        self.assertEqual([count(picking.move_ids, *box) for box in ((2, 0), (1, 2), (2, 1))], [0, 0, 1])
        self.assertEqual([count(rest.move_ids, *box) for box in ((1, 0), (2, 0), (4, 0), (4, 1))], [0, 1, 1, 2])

    def test_a_kit_leaves_with_its_last_part_whatever_the_numbers_of_the_transfers(self):
        """The later-numbered transfer is done first, both within a second."""
        order = self._create_order([(self.kit, 2)])
        order.action_confirm()
        picking = order.picking_ids
        later = picking.copy({"move_ids": False})
        picking.move_ids.filtered(lambda move: move.product_id == self.keyboard).picking_id = later
        for transfer in (later, picking):
            for move in transfer.move_ids:
                move.quantity = move.product_uom_qty
            transfer.move_ids.picked = True
            transfer.with_context(skip_sms=True)._action_done()
            if transfer == later:  # what comes next is another transaction
                self.assertEqual(order.order_line._oms_count_transfer(later.move_ids), 0)
                self.env.flush_all()
                self.env.cr.execute(
                    "UPDATE stock_move SET write_date = write_date - interval '1 ms' WHERE picking_id = %s", [later.id]
                )
                self.env.invalidate_all()
        picking.date_done = later.date_done
        self.assertEqual(order.order_line._oms_count_transfer(picking.move_ids), 2)

    def test_what_was_not_asked_for_is_counted_in_kits(self):
        def get_unasked():
            return dict(self.env["sale.order"]._query_unasked(self.env.company, self.kit)).get(self.kit.id, 0)

        before = get_unasked()
        order = self._create_order([(self.kit, 3)])
        self.assertEqual(get_unasked() - before, 3)
        order._oms_split([{order.order_line: 1}], [{"is_waiting": True, "planned_date": "2040-01-01"}])
        order.action_confirm()
        self.assertEqual(get_unasked() - before, 1)
