import contextlib
import re
from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.mail.models.mail_thread import MailThread
from odoo.addons.oms_base.tests.common import OmsBaseCommon
from odoo.addons.stock.models.stock_quant import StockQuant
from odoo.addons.stock.models.stock_rule import StockRule


class Undo(Exception):
    """Ends the run of one side, so that the other begins with the same stock."""


@tagged("post_install", "-at_install")
class TestBatchSameRecords(OmsBaseCommon):
    """What is done at once for a batch leaves the records that plain Odoo makes order by order."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context=dict(cls.env.context, tracking_disable=False))
        cls.dozen = cls.env["uom.uom"].create(
            {"name": "OMS Dozen", "relative_factor": 12, "relative_uom_id": cls.mouse.uom_id.id}
        )
        cls.scarce, cls.traced, cls.service = cls.env["product.product"].create(
            [
                {"name": "Scarce", "is_storable": True},
                {"name": "Traced", "is_storable": True, "tracking": "lot"},
                {"name": "Gift wrap", "type": "service"},
            ]
        )
        cls.mouse.is_storable = cls.keyboard.is_storable = True
        (cls.mouse | cls.keyboard | cls.scarce | cls.traced | cls.service).invoice_policy = "order"
        cls._set_stock(cls.mouse, 1000)
        cls._set_stock(cls.keyboard, 1000)
        cls._set_stock(cls.scarce, 3)
        cls.shelf = cls.env["stock.location"].create({"name": "Shelf", "location_id": cls.warehouse.lot_stock_id.id})
        lots = cls.env["stock.lot"].create([{"name": name, "product_id": cls.traced.id} for name in ("L1", "L2")])
        for lot, location in zip(lots, (cls.warehouse.lot_stock_id, cls.shelf), strict=True):
            cls.env["stock.quant"]._update_available_quantity(cls.traced, location, 4, lot_id=lot)
        cls.env["stock.quant"]._update_available_quantity(cls.mouse, cls.shelf, 7)

    def _create_orders(self):
        """Orders without a channel: several lines of a product, other units, too little stock, lots, a service."""
        orders_lines = [
            [(self.mouse, 2), (self.keyboard, 1)],
            [(self.mouse, 1), (self.mouse, 3), (self.service, 1)],
            [(self.scarce, 2), (self.keyboard, 5)],
            [(self.scarce, 2), (self.traced, 5)],
            [(self.traced, 2), (self.scarce, 1)],
            [(self.service, 1)],
        ]
        orders = self.env["sale.order"].create(
            [
                self._prepare_order_values(lines, channel_id=False, commitment_date="2040-01-05 12:00:00")
                for lines in orders_lines
            ]
        )
        orders[0].order_line[0].product_uom_id = self.dozen
        return orders

    @contextlib.contextmanager
    def _as_plain_odoo(self):
        """Leave out what `oms_allocation` and `oms_base` do at once."""
        replaced = {
            "stock.move": {
                "_oms_create_pickings": lambda moves: None,
                "_oms_reserve_in_rounds": lambda moves: moves.env["stock.move.line"],
            },
            "stock.quant": {
                "_oms_lock": lambda quants, products, locations, is_forced=False: None,
                "_get_quants_by_products_locations": StockQuant._get_quants_by_products_locations,
            },
            "stock.rule": {"_search_rule_for_warehouses": StockRule._search_rule_for_warehouses},
            "sale.order.line": {"_oms_create_references": lambda lines, previous: None},
            "stock.warehouse.orderpoint": {"_oms_exist": lambda orderpoints: True},
            "account.analytic.distribution.model": {"_oms_exist": lambda models: True},
            "account.move": {"message_post_with_source": MailThread.message_post_with_source},
        }
        with contextlib.ExitStack() as stack:
            for model, methods in replaced.items():
                for name, method in methods.items():
                    stack.enter_context(patch.object(self.registry[model], name, method))
            yield

    def _run_flow(self, method, one_by_one=False):
        """Take the orders all the way and return their fingerprints after each step."""
        prints = []
        with contextlib.suppress(Undo), self.env.cr.savepoint():
            self.env["stock.picking.type"].search([]).reservation_method = method
            orders = self._create_orders()
            batches = list(orders) if one_by_one else [orders]
            for step in (self._confirm, self._reserve, self._deliver_reserved, self._invoice, self._post):
                for batch in batches:
                    step(batch)
                self.env.cr.flush()  # writes the tracking messages
                self.env.invalidate_all()
                prints.append([self._get_fingerprint(order) for order in orders])
            raise Undo
        self.env.invalidate_all()
        return prints

    def _confirm(self, orders):
        orders.action_confirm()

    def _reserve(self, orders):
        orders.picking_ids.move_ids._action_assign()

    def _invoice(self, orders):
        orders._create_invoices()

    def _post(self, orders):
        orders.invoice_ids.action_post()

    def _deliver_reserved(self, orders):
        pickings = orders.picking_ids.filtered(lambda picking: picking.state == "assigned")
        pickings.move_ids.picked = True
        pickings._action_done()

    # === FINGERPRINT === #

    def _get_fingerprint(self, order):
        mask = self._get_mask(order)
        pickings, moves = order.picking_ids.sorted("id"), order.order_line.move_ids.sorted("id")
        return {
            "order": (
                order.state,
                order.delivery_status,
                order.invoice_status,
                order.stock_reference_ids.mapped("name") != [],
            ),
            "lines": [(line.qty_delivered, line.qty_invoiced, line.qty_to_invoice) for line in order.order_line],
            "pickings": [
                (
                    picking.state,
                    picking.picking_type_id.id,
                    picking.partner_id.id,
                    picking.location_id.id,
                    picking.location_dest_id.id,
                    picking.move_type,
                    picking.user_id.id,
                    picking.sale_id == order,
                    picking.origin == order.name,
                    picking.reference_ids == order.stock_reference_ids,
                    picking.message_partner_ids.ids,
                    picking.scheduled_date.date(),
                    picking.date_deadline,
                )
                for picking in pickings
            ],
            "moves": [
                (
                    move.product_id.id,
                    move.product_uom_qty,
                    move.quantity,
                    move.product_uom.id,
                    move.state,
                    move.picked,
                    move.location_id.id,
                    move.location_dest_id.id,
                    move.rule_id.id,
                    move.procure_method,
                    move.warehouse_id.id,
                    move.origin == order.name,
                    move.description_picking,
                    move.priority,
                    move.reservation_date,
                    move.reference_ids == order.stock_reference_ids,
                    move.picking_id in pickings,
                    move.partner_id.id,
                )
                for move in moves
            ],
            "move lines": [
                (
                    line.move_id.product_uom_qty,
                    line.product_id.id,
                    line.quantity,
                    line.product_uom_id.id,
                    line.location_id.id,
                    line.location_dest_id.id,
                    line.lot_id.name,
                    line.state,
                    line.picked,
                    line.company_id.id,
                )
                for line in moves.move_line_ids.sorted(
                    lambda line: (line.move_id.id, line.location_id.id, line.lot_id.id)
                )
            ],
            "quants": sorted(
                (
                    quant.product_id.id,
                    quant.location_id.id,
                    quant.lot_id.name or "",
                    quant.quantity,
                    quant.reserved_quantity,
                )
                for quant in self.env["stock.quant"].search([("product_id", "in", order.order_line.product_id.ids)])
            ),
            "invoices": [
                (line.account_id.id, line.balance, line.name and mask(line.name), line.analytic_distribution)
                for line in order.invoice_ids.line_ids.sorted("id")
            ],
            "messages": sorted(
                (
                    message.model,
                    mask(message.body),
                    message.subtype_id.name,
                    message.message_type,
                    message.author_id.id,
                    [(value.field_id.name, value.new_value_char) for value in message.tracking_value_ids],
                )
                for message in (order.message_ids | pickings.message_ids | order.invoice_ids.message_ids)
            ),
        }

    def _get_mask(self, order):
        """Return a function that takes the names and ids, which differ from run to run, out of a text."""
        names = [*order.picking_ids.mapped("name"), *order.invoice_ids.mapped("name")]

        def mask(text):
            text = re.sub(r'data-oe-id="\d+"|S\d{5}', "", str(text))
            for name in filter(None, names):
                text = text.replace(name, "NAME")
            return text

        return mask

    def _assert_same(self, plain, ours):
        self.assertEqual(len(plain), 5)
        for step, (plain_orders, our_orders) in enumerate(zip(plain, ours, strict=True)):
            for number, (plain_order, our_order) in enumerate(zip(plain_orders, our_orders, strict=True)):
                for part, value in plain_order.items():
                    self.assertEqual(value, our_order[part], f"{part} of order {number} after step {step}")

    # === TESTS === #

    def test_batch_reserved_at_confirmation_leaves_the_records_of_plain_odoo(self):
        with self._as_plain_odoo():
            plain = self._run_flow("at_confirm")
        self._assert_same(plain, self._run_flow("at_confirm"))

    def test_batch_reserved_by_hand_leaves_the_records_of_plain_odoo(self):
        with self._as_plain_odoo():
            plain = self._run_flow("manual")
        self._assert_same(plain, self._run_flow("manual"))

    def test_orders_one_by_one_leave_the_records_of_plain_odoo(self):
        with self._as_plain_odoo():
            plain = self._run_flow("at_confirm", one_by_one=True)
        self._assert_same(plain, self._run_flow("at_confirm", one_by_one=True))

    def test_delivery_in_three_steps_leaves_the_records_of_plain_odoo(self):
        self.warehouse.delivery_steps = "pick_pack_ship"
        with self._as_plain_odoo():
            plain = self._run_flow("at_confirm")
        self._assert_same(plain, self._run_flow("at_confirm"))

    def test_another_line_joins_the_transfer_that_is_there(self):
        orders = self._create_orders()[:2]
        orders.action_confirm()
        pickings = orders.picking_ids
        for order in orders:
            order.order_line = [Command.create({"product_id": self.keyboard.id, "product_uom_qty": 4})]
        self.assertEqual(orders.picking_ids, pickings)
        self.assertEqual(pickings.move_ids.filtered(lambda move: move.product_uom_qty == 4).mapped("quantity"), [4, 4])
