"""A random walk: whatever people do to orders and stock, in whatever order, every ordered unit is accounted for.

After each of 500 steps the sums of `oms.conservation` must hold, plan, transfers and stock must agree (the finder of
the drift check is the judge, without its repairs), and nothing may be reserved beyond what is on hand.
"""

import random

from odoo.exceptions import UserError
from odoo.fields import Command, Domain
from odoo.tests import Form, tagged

from odoo.addons.oms_allocation.tests.common import OmsAllocationCommon

STEPS = 500
SEED = 19
WAKING = ("receive", "transfer", "count", "return", "cancel")
NAMES = ("beijing", "shanghai", "guangzhou")


@tagged("post_install", "-at_install")
class TestSumsHold(OmsAllocationCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.beijing.delivery_steps = "pick_ship"
        cls.pen, cls.pot = cls.env["product.product"].create(
            [{"name": name, "is_storable": True, "taxes_id": False} for name in ("Pen", "Pot")]
        )
        cls.products = cls.lamp | cls.desk | cls.pen | cls.pot
        for product in cls.products:
            cls._set_stocks(product, **dict.fromkeys(NAMES, 8))
        cls.reasons = cls.env["oms.reject.reason"].search([])
        cls.pool = cls.env["oms.stock.pool"].create(
            {
                "name": "Kept",
                "channel_ids": [Command.set(cls.channel.ids)],
                "line_ids": [Command.create({"quantity": 1})],
            }
        )
        cls.other = cls.channel.copy({"name": "Other", "code": "other_shop"})
        cls.channel.promise_hours = 1

    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        self.orders = self.touched = self.env["sale.order"]

    # === WHAT PEOPLE DO === #

    def pick(self, records):
        return records[self.random.randrange(len(records))] if records else records

    def pick_order(self, *states):
        order = self.pick(self.orders.filtered(lambda order: order.state in states)[-12:])
        self.touched |= order
        return order

    def pick_transfer(self, condition=lambda move: True):
        """Return an open transfer of an order with its moves that can be worked on."""
        pickings = self.orders[-20:].picking_ids.filtered(
            lambda picking: picking.state == "assigned" and all(map(condition, picking.move_ids))
        )
        picking = self.pick(pickings)
        self.touched |= picking.sale_id
        return picking

    def do_order(self):
        lines = [(product, self.random.randint(1, 6)) for product in self.random.sample(list(self.products), 2)]
        channel = self.random.choice((self.channel, self.other))
        order = self._create_order(lines, channel_id=channel.id)
        self.orders += order
        self.touched |= order
        if self.random.random() < 0.2:
            order._oms_promise_stock()
        else:
            self.confirm(order)

    def confirm(self, order):
        order.action_confirm()
        if order.state != "sale":
            order.oms_hold_ids.filtered(lambda hold: hold.state == "active").action_release("It may wait.")
            order.action_confirm()

    def do_confirm(self):
        if order := self.pick_order("draft"):
            self.confirm(order)

    def do_edit(self):
        if line := self.pick(self.pick_order("sale").order_line):
            line.product_uom_qty = max(
                self.get_taken(line), line.product_uom_qty + self.random.choice((-3, -2, -1, 1, 2, 3))
            )

    def get_taken(self, line):
        """Return what of one line has left or is in somebody's hands: less than that is not asked for."""
        in_hand = line.move_ids.filtered(lambda move: move.picked and move.state not in ("done", "cancel"))
        return sum(line.oms_allocation_ids.mapped("done_quantity")) + sum(in_hand.mapped("quantity"))

    def do_cancel_part(self):
        if line := self.pick(self.pick_order("sale").order_line):
            line.product_uom_qty = self.get_taken(line)

    def do_cancel(self):
        if order := self.pick_order("sale", "draft"):
            order._action_cancel()

    def do_reject(self):
        moves = self.env["stock.move"]
        for line in self.pick_order("sale").order_line:
            moves |= line._get_outgoing_incoming_moves(strict=False)[0].filtered(
                lambda move: move.state not in ("done", "cancel")
            )
        if moves:
            self.env["oms.warehouse.rejection"]._reject(moves, self.pick(self.reasons))

    def do_source_again(self):
        order = self.pick_order("sale")
        if order and not order._oms_get_resourcing_problem():
            order._oms_source_again()

    def do_look_again(self):
        if order := self.pick_order("sale"):
            order._oms_reallocate()

    def move_goods(self, kind, source, target, product, quantity):
        picking = self.env["stock.picking"].create(
            {
                "picking_type_id": kind.id,
                "location_id": source.id,
                "location_dest_id": target.id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_uom_qty": quantity,
                            "location_id": source.id,
                            "location_dest_id": target.id,
                        }
                    )
                ],
            }
        )
        picking.action_confirm()
        picking.action_assign()
        return picking

    def do_receive(self):
        warehouse = self.pick(self.warehouses)
        supplier = self.env.ref("stock.stock_location_suppliers")
        picking = self.move_goods(
            warehouse.in_type_id, supplier, warehouse.lot_stock_id, self.pick(self.products), self.random.randint(1, 8)
        )
        picking.move_ids.picked = True
        picking._action_done()

    def do_transfer(self):
        source, target = self.random.sample(list(self.warehouses), 2)
        picking = self.move_goods(
            source.int_type_id, source.lot_stock_id, target.lot_stock_id, self.pick(self.products), 2
        )
        if picking.state == "assigned":
            picking.move_ids.picked = True
            picking._action_done()
        else:
            picking.action_cancel()

    def do_count(self):
        product, name = self.pick(self.products), self.random.choice(NAMES)
        lines = self.env["stock.move.line"].search(
            [
                ("product_id", "=", product.id),
                ("location_id", "=", getattr(self, name).lot_stock_id.id),
                ("state", "not in", ("done", "cancel")),
                ("picked", "=", True),
            ]
        )  # in somebody's hands: who counts finds them too, and Odoo takes no reservation off them
        self._set_stocks(product, **{name: max(self.random.randint(0, 12), sum(lines.mapped("quantity_product_uom")))})

    def do_ship(self):
        if picking := self.pick_transfer():
            picking.move_ids.picked = True
            picking._action_done()

    def do_ship_part(self):
        if picking := self.pick_transfer(lambda move: move.quantity > 1):
            for move in picking.move_ids:
                move.quantity = self.random.randint(1, int(move.quantity))
            picking.move_ids.picked = True
            picking._action_done()

    def do_begin_or_stop_picking(self):
        if picking := self.pick_transfer():
            picking.move_ids.picked = not picking.move_ids[0].picked

    def do_return(self):
        pickings = self.orders[-20:].picking_ids.filtered(
            lambda picking: picking.state == "done" and picking.picking_type_code == "outgoing"
        )
        if picking := self.pick(pickings):
            self.touched |= picking.sale_id
            wizard = Form(
                self.env["stock.return.picking"].with_context(active_id=picking.id, active_model="stock.picking")
            )
            wizard = wizard.save()
            for line in wizard.product_return_moves:
                back = sum(
                    line.move_id.returned_move_ids.filtered(lambda move: move.state == "done").mapped("quantity")
                )
                line.quantity = min(1, line.move_id.quantity - back)  # Odoo itself would take back more than left
                line.to_refund = self.random.random() < 0.5
            if not sum(wizard.product_return_moves.mapped("quantity")):
                return
            back = wizard._create_return()
            back.move_ids.picked = True
            back._action_done()

    def wake(self):
        """Do what the scheduled action does that is woken when goods are free."""
        waiting = self.env["sale.order"].search(self.env["sale.order"]._get_reallocation_queue_domain(), order="id")
        (waiting & self.orders)._oms_reallocate_open()
        self.touched |= waiting & self.orders

    def do_pool(self):
        self.pool.line_ids.quantity = self.random.randint(0, 3)

    def do_promise(self):
        if order := self.pick_order("draft"):
            order._oms_promise_stock(is_renewed=True)

    WEIGHTS = {
        "order": 16,
        "confirm": 4,
        "edit": 14,
        "cancel_part": 3,
        "cancel": 4,
        "reject": 5,
        "source_again": 5,
        "look_again": 5,
        "receive": 8,
        "transfer": 5,
        "count": 6,
        "ship": 10,
        "ship_part": 6,
        "begin_or_stop_picking": 4,
        "return": 5,
        "pool": 3,
        "promise": 2,
    }

    # === WHAT MUST HOLD === #

    def check(self, name, touched):
        self.env["oms.conservation"].invalidate_model()
        rows = self.env["oms.conservation"].search([("order_id", "in", touched.ids)])
        for row in rows:
            parts = (
                row.cancelled_quantity,
                row.unallocated_quantity,
                row.allocated_quantity,
                row.picking_quantity,
                row.shipped_quantity,
            )
            told = f"{name}: {row.display_name}: {row.ordered_quantity} = {parts}, {row.returned_quantity} back"
            self.assertFalse(row.cause, f"{told}, {row.cause}")
            self.assertAlmostEqual(row.ordered_quantity + row.resent_quantity, sum(parts), 3, told)
            self.assertTrue(all(part > -0.001 for part in parts), told)
            self.assertLessEqual(row.returned_quantity, row.shipped_quantity, told)
        drift = self.env["oms.stock.drift"]
        self.assertFalse(drift._find_in_orders(touched), name)
        mine = [found for found in drift._find_in_stock().values() if found["product_id"] in self.products.ids]
        self.assertFalse(mine, name)
        self.check_promises(name)

    def check_promises(self, name):
        """No more is promised than is there and not reserved, whoever took something."""
        domain = self.env["oms.stock.promise"]._get_active_domain()
        promises = self.env["oms.stock.promise"].search(domain & Domain("product_id", "in", self.products.ids))
        rows = promises.product_id._query_keepable_quantities(promises.warehouse_id) if promises else ()
        there = {tuple(key): quantity for *key, quantity in rows}
        for key, group in promises.grouped(lambda one: (one.product_id.id, one.warehouse_id.id)).items():
            self.assertLessEqual(sum(group.mapped("quantity")), there.get(key, 0.0) + 0.001, name)

    def test_sums_hold_after_each_step(self):
        done = dict.fromkeys(self.WEIGHTS, 0)
        for step in range(STEPS):
            name = self.random.choices(list(self.WEIGHTS), self.WEIGHTS.values())[0]
            try:
                with self.env.cr.savepoint():
                    getattr(self, f"do_{name}")()
                    if name in WAKING:
                        self.wake()
                done[name] += 1
            except UserError:  # a business answer; nothing of it may be left
                self.orders = self.orders.exists()
            self.check(f"step {step}, {name}", self.orders if step % 25 == 24 else self.touched & self.orders)
            self.touched = self.orders.browse()
        self.assertGreater(min(done.values()), 0, done)
        self.assertGreater(sum(done.values()), STEPS * 0.7, done)
