from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .strategy_common import SourcingCommon


@tagged("post_install", "-at_install")
class TestLineKinds(SourcingCommon):
    """Lines that are not plain goods counted in units behave as an Odoo user expects, under a strategy too."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.strategy.write({"on_shortage": "complete"})
        cls._set_aims("parcels", "distance")

    def assertAddsUp(self, order):
        self.env["oms.conservation"].invalidate_model()
        rows = self.env["oms.conservation"].search([("order_id", "=", order.id)])
        self.assertEqual(rows.filtered("cause").mapped("cause"), [])
        return rows

    def get_transfer(self, order, warehouse):
        return order.picking_ids.filtered(lambda picking: picking.picking_type_id.warehouse_id == warehouse)

    # === UNITS AND PACKAGINGS === #

    def test_packs_are_split_by_the_unit_and_change_by_the_pack(self):
        self._set_stocks(self.lamp, shanghai=7, beijing=20)
        self.strategy.on_shortage = "ship"
        self._set_aims("distance")
        order = self._create_order([(self.lamp, 2)])
        order.order_line.product_uom_id = self.env.ref("uom.product_uom_pack_6")
        order.with_user(self.user).action_confirm()
        self.assertEqual(sum(self._get_rows(order).values()), 12)
        order.order_line.product_uom_qty = 1
        self.assertEqual(sum(self._get_rows(order).values()), 6)
        self.assertAddsUp(order)
        self._deliver(order)
        self.assertEqual(order.order_line.qty_delivered, 1)
        self.assertEqual(self.assertAddsUp(order).shipped_quantity, 6)

    def test_missing_part_of_a_pack_holds_a_complete_order(self):
        self._set_stocks(self.lamp, shanghai=5)
        order = self._create_order([(self.lamp, 1)])
        order.order_line.product_uom_id = self.env.ref("uom.product_uom_pack_6")
        order.oms_hold_ids.action_release("Go")
        order.action_confirm()
        self.assertFalse(order.picking_ids)
        self.assertEqual(order.oms_stage, "held")

    # === LINES THAT ALLOCATION LEAVES TO ODOO === #

    def _make_route(self, name, source, picking_type=None):
        """Return a route of its own that ends at the buyer, as dropship and make-to-order have."""
        customers = self.env.ref("stock.stock_location_customers")
        return self.env["stock.route"].create(
            {
                "name": name,
                "product_selectable": True,
                "sale_selectable": True,
                "rule_ids": [
                    Command.create(
                        {
                            "name": name,
                            "action": "pull",
                            "procure_method": "make_to_stock",
                            "picking_type_id": (picking_type or self.beijing.out_type_id).id,
                            "location_src_id": source.id,
                            "location_dest_id": customers.id,
                        }
                    )
                ],
            }
        )

    def _make_dropship_route(self):
        """Return a route from the supplier to the buyer, as of `stock_dropshipping`. That addon's type of transfer has
        a code of its own, which is not there without it: what matters is that it is not "outgoing"."""
        suppliers = self.env.ref("stock.stock_location_suppliers")
        picking_type = self.env["stock.picking.type"].create(
            {
                "name": "Dropship",
                "code": "internal",
                "sequence_code": "DS",
                "warehouse_id": False,
                "default_location_src_id": suppliers.id,
                "default_location_dest_id": self.env.ref("stock.stock_location_customers").id,
            }
        )
        return self._make_route("From the supplier", suppliers, picking_type)

    def test_dropshipped_line_beside_goods_from_stock(self):
        """The one goes its own way, and does not keep the other from being complete."""
        route = self._make_dropship_route()
        self.desk.route_ids = [Command.link(route.id)]
        self._set_stocks(self.lamp, shanghai=3)
        order = self._confirm([(self.lamp, 3), (self.desk, 2)])
        self.assertEqual(self._get_rows(order), {("Lamp", "Shanghai"): 3})
        move = order.order_line.filtered(lambda line: line.product_id == self.desk).move_ids
        self.assertEqual((move.location_id.usage, move.location_dest_id.usage), ("supplier", "customer"))
        self.assertAddsUp(order)
        order.order_line.filtered(lambda line: line.product_id == self.desk).product_uom_qty = 3
        self.assertEqual(
            sum(order.order_line.move_ids.filtered(lambda m: m.product_id == self.desk).mapped("product_uom_qty")), 3
        )
        from_stock = order.picking_ids - move.picking_id
        from_stock.move_ids.picked = True
        from_stock.with_context(skip_sms=True).button_validate()
        self.assertEqual(order.oms_stage, "part_shipped")
        self._deliver(order)
        self.assertEqual(order.order_line.mapped("qty_delivered"), [3, 3])
        self.assertEqual(order.oms_stage, "shipped")
        self.assertAddsUp(order)

    def test_dropshipped_order_is_shipped_once_its_goods_left_the_supplier(self):
        self.desk.route_ids = [Command.link(self._make_dropship_route().id)]
        order = self._confirm([(self.desk, 2)])
        self.assertEqual(order.picking_ids.picking_type_code, "internal")
        self._deliver(order)
        self.assertEqual(order.oms_stage, "shipped")
        self.assertEqual(len(order.oms_event_ids.filtered(lambda event: event.code == "shipped")), 1)

    def test_what_comes_from_the_supplier_is_not_looked_for_in_stock(self):
        """It is not short, no stock is bound for it, and trials leave it out."""
        route = self._make_dropship_route()
        order = self._create_order([(self.desk, 2)])
        line_route = self._create_order([(self.desk, 2)])
        line_route.order_line.route_ids = [Command.set(route.ids)]
        self.assertTrue(order.oms_shortage)
        orders = order | line_route
        self.assertEqual([bool(one.oms_shortage) for one in orders], [True, False], "one at a time")
        orders.invalidate_recordset()
        self.assertEqual([bool(shortage) for shortage in orders.mapped("oms_shortage")], [True, False], "at once")
        self.desk.route_ids = [Command.link(route.id)]
        orders.invalidate_recordset()
        self.assertFalse(order.oms_shortage)
        self.assertFalse(order.oms_has_shortage)
        self._set_stocks(self.desk, shanghai=5)
        self.channel.promise_hours = 24
        self.assertFalse(orders._oms_promise_stock())
        self.assertFalse(self.env["oms.sourcing.trial"]._prepare_demands(orders))
        self.desk.route_ids = [Command.clear()]
        self.assertTrue(order._oms_promise_stock())
        self.assertEqual(list(self.env["oms.sourcing.trial"]._prepare_demands(orders)), [order.order_line])

    def test_route_chosen_on_the_line(self):
        route = self._make_route("By hand from Beijing", self.beijing.lot_stock_id)
        self._set_stocks(self.lamp, shanghai=3, beijing=3)
        order = self._create_order([(self.lamp, 1)])
        order.order_line.route_ids = [Command.set(route.ids)]
        order.with_user(self.user).action_confirm()
        self.assertFalse(order.oms_allocation_ids)
        self.assertEqual(order.order_line.move_ids.location_id, self.beijing.lot_stock_id)
        self.assertAddsUp(order)

    def test_make_to_order_line_is_confirmed_and_cancelled_with_its_order(self):
        route = self.env["stock.warehouse"]._find_or_create_global_route("stock.route_warehouse0_mto", "MTO")
        route.active = True
        supply = self.env["stock.rule"].create(
            {
                "name": "Supplier to stock",
                "action": "pull",
                "route_id": route.id,
                "procure_method": "make_to_stock",
                "picking_type_id": self.warehouse.in_type_id.id,
                "location_src_id": self.env.ref("stock.stock_location_suppliers").id,
                "location_dest_id": self.warehouse.lot_stock_id.id,
                "warehouse_id": self.warehouse.id,
            }
        )
        self.assertTrue(supply)
        self.desk.route_ids = [Command.link(route.id)]
        self._set_stocks(self.lamp, shanghai=1)
        order = self._confirm([(self.lamp, 1), (self.desk, 2)])
        desk_moves = order.order_line.filtered(lambda line: line.product_id == self.desk).move_ids
        self.assertIn("make_to_order", desk_moves.mapped("procure_method"))
        self.assertEqual(self._get_rows(order), {("Lamp", "Shanghai"): 1})
        order._action_cancel()
        self.assertEqual(set(order.order_line.move_ids.mapped("state")), {"cancel"})
        self.assertAddsUp(order)

    def test_service_does_not_keep_an_order_from_being_complete(self):
        service = self.env["product.product"].create({"name": "Fitting", "type": "service"})
        self._set_stocks(self.lamp, shanghai=2)
        order = self._confirm([(self.lamp, 2), (service, 1)])
        self.assertAllocated(order, {("Lamp", "Shanghai"): 2})
        self._deliver(order)
        self.assertEqual(order.delivery_status, "full")
        self.assertEqual(len(self.assertAddsUp(order)), 1, "services are not counted")

    # === RETURNS OF SPLIT LINES === #

    def _return(self, picking, quantity, to_refund=True):
        wizard = Form(self.env["stock.return.picking"].with_context(active_id=picking.id, active_model="stock.picking"))
        wizard = wizard.save()
        wizard.product_return_moves.write({"quantity": quantity, "to_refund": to_refund})
        back = wizard._create_return()
        back.move_ids.picked = True
        back._action_done()
        return back

    def test_return_of_a_split_line_goes_back_to_where_it_came_from(self):
        self._set_stocks(self.lamp, shanghai=2, beijing=3)
        order = self._confirm([(self.lamp, 5)])
        self._deliver(order)
        back = self._return(self.get_transfer(order, self.beijing), 2)
        self.assertEqual(back.location_dest_id.warehouse_id, self.beijing)
        self.assertEqual(order.order_line.qty_delivered, 3)
        self.assertEqual(self._get_rows(order), {("Lamp", "Shanghai"): 2, ("Lamp", "Beijing"): 3})
        row = self.assertAddsUp(order)
        self.assertEqual((row.shipped_quantity, row.returned_quantity), (5, 2))
        self.assertEqual(self.lamp._oms_get_sellable_quantities(self.beijing)[self.lamp.id, self.beijing.id], 2)

    def test_more_is_ordered_after_a_return(self):
        """Only what is ordered more is sent: a return to refund is not a new demand."""
        self._set_stocks(self.lamp, shanghai=2, beijing=3)
        order = self._confirm([(self.lamp, 5)])
        self._deliver(order)
        self._return(self.get_transfer(order, self.beijing), 2)
        order.order_line.product_uom_qty = 6
        plain = self._create_order([(self.lamp, 5)], channel_id=False, warehouse_id=self.guangzhou.id)
        self._set_stocks(self.lamp, guangzhou=20)
        plain.action_confirm()
        self._deliver(plain)
        self._return(plain.picking_ids, 2)
        plain.order_line.product_uom_qty = 6
        expected, found = (
            sum(
                one.order_line.move_ids.filtered(lambda move: move.state not in ("done", "cancel")).mapped(
                    "product_qty"
                )
            )
            for one in (plain, order)
        )
        self.assertEqual(found, expected, "as in plain Odoo")

    # === WAREHOUSES AND COMPANIES === #

    def test_warehouse_with_open_orders_is_not_archived(self):
        self._set_stocks(self.lamp, shanghai=2)
        order = self._confirm([(self.lamp, 2)])
        with self.assertRaises(UserError):
            self.shanghai.active = False
        self._deliver(order)
        self.shanghai.active = False
        self.assertEqual(order.oms_allocation_ids.warehouse_id, self.shanghai)
        self._set_stocks(self.lamp, beijing=2)
        order.order_line.product_uom_qty = 3
        self.assertEqual(self._get_rows(order), {("Lamp", "Shanghai"): 2, ("Lamp", "Beijing"): 1})
        self.assertAddsUp(order)

    def test_strategy_of_a_company_never_sends_from_another(self):
        company = self.env["res.company"].create({"name": "Other"})
        foreign = self.env["stock.warehouse"].search([("company_id", "=", company.id)], limit=1)
        foreign.partner_id = self._create_place("shanghai")
        self._set_stock(self.lamp, 10, foreign)
        self._set_stocks(self.lamp, beijing=2)
        self.channel.warehouse_ids = False
        order = self._confirm([(self.lamp, 2)])
        self.assertAllocated(order, {("Lamp", "Beijing"): 2})
        self.assertNotIn(foreign.name, str(self._get_decision(order).data))
