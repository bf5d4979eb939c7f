from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged

from .scan_common import ScanCommon


@tagged("post_install", "-at_install")
class TestScanPick(ScanCommon):
    def test_each_scan_counts_one_and_is_on_the_move_lines_at_once(self):
        picking = self._create_delivery([(self.mouse, 3)])
        self._scan(picking.name)
        answer = self._scan(self.mouse.barcode)
        self._assert_answer(answer, "pick", "picked", "success")
        self.assertRecordValues(
            picking.move_line_ids.sorted("picked"),
            [{"picked": False, "quantity": 2.0}, {"picked": True, "quantity": 1.0}],
        )
        self.assertEqual(picking.move_ids.quantity, 3, "all stays reserved")
        self._assert_answer(self._scan(self.mouse.barcode), "pick", "picked")
        self._assert_answer(self._scan(self.mouse.barcode), "check", "pick_done")
        self.assertRecordValues(picking.move_line_ids, [{"picked": True, "quantity": 3.0}])
        quants = self.env["stock.quant"]._gather(self.mouse, self.warehouse.lot_stock_id)
        self.assertEqual(sum(quants.mapped("reserved_quantity")), 3)
        self.assertEqual(len(self._get_logs(picking, step="pick", result="done")), 3)

    def test_wrong_item_stops(self):
        picking = self._create_delivery([(self.mouse, 1)])
        self._scan(picking.name)
        answer = self._scan(self.keyboard.barcode)
        self._assert_answer(answer, "pick", "wrong_product", "danger")
        self.assertIn("Keyboard", answer["message"]["text"])
        self.assertFalse(any(picking.move_line_ids.mapped("picked")))
        self.assertRecordValues(
            self._get_logs(picking, result="refused"), [{"product_id": self.keyboard.id, "code": "wrong_product"}]
        )

    def test_one_too_many_is_refused(self):
        picking = self._create_delivery([(self.mouse, 1), (self.keyboard, 1)])
        self._scan(picking.name, self.mouse.barcode)
        self._assert_answer(self._scan(self.mouse.barcode), "pick", "all_picked", "danger")
        self.assertEqual(sum(picking.move_line_ids.filtered("picked").mapped("quantity")), 1)

    def test_walk_follows_the_shelves_in_natural_order(self):
        self._put(self.keyboard, self.shelf_b, 1)
        self._put(self.mouse, self.shelf_a, 1)
        products = self.env["product.product"].create(
            [{"name": "Cable", "is_storable": True, "barcode": "6900000000045"}]
        )
        self._put(products, self.shelf_c, 1)
        self.env["stock.quant"].search(
            [
                ("location_id", "=", self.warehouse.lot_stock_id.id),
                ("product_id", "in", (self.mouse | self.keyboard).ids),
            ]
        ).with_context(inventory_mode=True).write({"inventory_quantity": 0})
        self.env["stock.quant"].search(
            [
                ("location_id", "=", self.warehouse.lot_stock_id.id),
                ("product_id", "in", (self.mouse | self.keyboard).ids),
            ]
        ).action_apply_inventory()
        picking = self._create_transfer([(products, 1), (self.keyboard, 1), (self.mouse, 1)])
        answer = self._scan(picking.name)
        places = [line["location"]["id"] for line in answer["data"]["lines"]]
        self.assertEqual(places, [self.shelf_a.id, self.shelf_b.id, self.shelf_c.id])
        self.assertEqual(answer["data"]["current_id"], answer["data"]["lines"][0]["id"])

    def test_shelf_is_confirmed_and_another_shelf_refused(self):
        self._put(self.mouse, self.shelf_a, 5)
        self._put(self.keyboard, self.shelf_b, 5)
        picking = self._create_transfer([(self.mouse, 1), (self.keyboard, 1)])
        line = picking.move_line_ids.filtered(lambda line: line.product_id == self.keyboard)
        line.location_id = self.shelf_b
        picking.move_line_ids.filtered(lambda line: line.product_id == self.mouse).location_id = self.shelf_a
        self._scan(picking.name)
        self._assert_answer(self._scan("LOC-B-1"), "pick", "wrong_location", "danger")
        self._assert_answer(self._scan("LOC-A-2"), "pick", "at_location", "info")
        self._assert_answer(self._scan(self.keyboard.barcode), "pick", "elsewhere", "danger")
        self._assert_answer(self._scan("LOC-A-10"), "pick", "at_location")
        self._assert_answer(self._scan(self.keyboard.barcode), "pick", "line_done")

    def test_shelf_must_be_scanned_where_the_operation_asks_for_it(self):
        self.operation.oms_scan_location = True
        self._put(self.mouse, self.shelf_a, 5)
        picking = self._create_transfer([(self.mouse, 2)])
        picking.move_line_ids.location_id = self.shelf_a
        self._scan(picking.name)
        self._assert_answer(self._scan(self.mouse.barcode), "pick", "location_first", "warning")
        self._assert_answer(self._scan("LOC-A-2", self.mouse.barcode), "pick", "picked")

    def test_packaging_barcode_counts_its_pieces(self):
        pack = self.env["uom.uom"].create(
            {"name": "Pack of 6", "relative_factor": 6, "relative_uom_id": self.mouse.uom_id.id}
        )
        self.env["product.uom"].create({"product_id": self.mouse.id, "uom_id": pack.id, "barcode": "PACK-6-MOUSE"})
        picking = self._create_delivery([(self.mouse, 8)])
        self._scan(picking.name)
        answer = self._scan("PACK-6-MOUSE")
        self.assertEqual(answer["data"]["picked"], 6)
        self._assert_answer(self._scan("PACK-6-MOUSE"), "pick", "too_many", "danger")

    def test_line_in_dozens_is_counted_in_pieces(self):
        self._set_stock(self.mouse, 24)
        dozen = self.env.ref("uom.product_uom_dozen")
        picking = self._create_transfer([(self.mouse, 12)])
        picking.do_unreserve()
        picking.move_ids.write({"product_uom": dozen.id, "product_uom_qty": 1})
        picking.action_assign()
        answer = self._scan(picking.name)
        self.assertEqual(answer["data"]["to_pick"], 12)
        answer = self._scan(self.mouse.barcode)
        self.assertEqual(answer["data"]["picked"], 1)
        line = answer["data"]["lines"][0]
        answer = self.as_operator.scan_set_quantity(line["id"], 11)
        self._assert_answer(answer, "check", "pick_done")
        self.assertEqual(picking.move_ids.quantity, 1, "one dozen")

    def test_article_archived_since_it_was_ordered_is_picked(self):
        picking = self._create_delivery([(self.mouse, 1)])
        self.mouse.active = False
        self._scan(picking.name)
        self.assertEqual(self._scan(self.mouse.barcode)["message"]["code"], "pick_done")

    def test_quantity_is_typed_after_one_scan(self):
        picking = self._create_delivery([(self.mouse, 5)])
        line = self._scan(picking.name)["data"]["current_id"]
        self._assert_answer(self.as_operator.scan_set_quantity(line, 5), "pick", "scan_once", "warning")
        line = self._scan(self.mouse.barcode)["data"]["current_id"]
        self._assert_answer(self.as_operator.scan_set_quantity(line, 5), "pick", "too_many", "danger")
        self._assert_answer(self.as_operator.scan_set_quantity(line, -1), "pick", "bad_quantity", "danger")
        self._assert_answer(self.as_operator.scan_set_quantity(line, 4), "check", "pick_done")

    def test_lot_is_asked_for_and_the_suggested_one_taken(self):
        self._put(self.yogurt, self.warehouse.lot_stock_id, 5, "L-NEAR", days=30)
        self._put(self.yogurt, self.warehouse.lot_stock_id, 5, "L-FAR", days=90)
        self.yogurt.categ_id = self.env["product.category"].create(
            {"name": "Fresh", "removal_strategy_id": self.env.ref("product_expiry.removal_fefo").id}
        )
        picking = self._create_transfer([(self.yogurt, 2)])
        answer = self._scan(picking.name)
        self.assertEqual(answer["data"]["lines"][0]["lot"]["name"], "L-NEAR", "first expired, first out")
        answer = self._scan(self.yogurt.barcode)
        self._assert_answer(answer, "pick", "scan_lot", "info")
        self.assertEqual(answer["data"]["lot_wanted"]["id"], self.yogurt.id)
        self._assert_answer(self._scan("L-NONE"), "pick", "wrong_lot", "danger")
        self._assert_answer(self._scan("L-NEAR"), "pick", "picked", "success")
        answer = self._scan("L-FAR")
        self._assert_answer(answer, "check", "pick_done")
        self.assertEqual(
            {line.lot_id.name: line.quantity for line in picking.move_line_ids}, {"L-NEAR": 1.0, "L-FAR": 1.0}
        )
        quants = self.env["stock.quant"]._gather(self.yogurt, self.warehouse.lot_stock_id)
        self.assertEqual(
            {quant.lot_id.name: quant.reserved_quantity for quant in quants}, {"L-NEAR": 1.0, "L-FAR": 1.0}
        )

    def test_expired_lot_is_refused(self):
        self._put(self.yogurt, self.warehouse.lot_stock_id, 5, "L-GOOD", days=30)
        self._put(self.yogurt, self.warehouse.lot_stock_id, 5, "L-OLD", days=-1)
        picking = self._create_transfer([(self.yogurt, 2)])
        self._scan(picking.name)
        self._assert_answer(self._scan("L-OLD"), "pick", "expired_lot", "danger")

    def test_lot_reserved_for_others_is_refused(self):
        self._put(self.yogurt, self.warehouse.lot_stock_id, 1, "L-1", days=30)
        self._put(self.yogurt, self.warehouse.lot_stock_id, 1, "L-2", days=60)
        first, second = self._create_transfer([(self.yogurt, 1)]), self._create_transfer([(self.yogurt, 1)])
        self._scan(second.name)
        self._assert_answer(self._scan(first.move_line_ids.lot_id.name), "pick", "wrong_lot", "danger")

    def test_gs1_code_brings_article_lot_and_quantity(self):
        self._put(self.yogurt, self.warehouse.lot_stock_id, 5, "AB12", days=30)
        picking = self._create_transfer([(self.yogurt, 4)])
        self._scan(picking.name)
        answer = self._scan("0106900000000038" + "10AB12\x1d" + "303")
        self._assert_answer(answer, "pick", "picked", "success")
        self.assertEqual(answer["data"]["picked"], 3)

    def test_serial_numbers_one_by_one(self):
        phone = self.env["product.product"].create(
            {"name": "Phone", "is_storable": True, "tracking": "serial", "barcode": "6900000000052"}
        )
        for name in ("SN1", "SN2", "SN3"):
            self._put(phone, self.warehouse.lot_stock_id, 1, name)
        picking = self._create_transfer([(phone, 2)])
        self._scan(picking.name)
        reserved = set(picking.move_line_ids.lot_id.mapped("name"))
        free = ({"SN1", "SN2", "SN3"} - reserved).pop()
        self._assert_answer(self._scan(free), "pick", "other_lot", "warning")
        self._assert_answer(self._scan(free), "pick", "serial_twice", "danger")
        kept = picking.move_line_ids.filtered(lambda line: not line.picked).lot_id.name
        self._assert_answer(self._scan(phone.barcode, kept), "check", "pick_done")
        self.assertEqual(set(picking.move_line_ids.lot_id.mapped("name")), {free, kept})

    def test_closed_package_is_picked_as_a_whole(self):
        package = self.env["stock.package"].create({"name": "PK-77"})
        self.env["stock.quant"].with_context(inventory_mode=True).create(
            {
                "product_id": self.mouse.id,
                "location_id": self.shelf_a.id,
                "package_id": package.id,
                "inventory_quantity": 4,
            }
        ).action_apply_inventory()
        picking = self._create_transfer([(self.mouse, 4)])
        picking.move_line_ids.write({"location_id": self.shelf_a.id, "package_id": package.id})
        self._scan(picking.name)
        self._assert_answer(self._scan("PK-77"), "check", "pick_done")
        self.assertTrue(all(picking.move_line_ids.mapped("picked")))

    def test_missing_piece_is_taken_from_another_shelf(self):
        product = self.env["product.product"].create({"name": "Cup", "is_storable": True, "barcode": "6900000000069"})
        self._put(product, self.shelf_a, 2)
        picking = self._create_transfer([(product, 2)])
        self._put(product, self.shelf_b, 1)
        line = self._scan(picking.name)["data"]["current_id"]
        self._scan(product.barcode)
        line = picking.move_line_ids.filtered(lambda line: not line.picked)
        day = fields.Date.context_today(line)
        answer = self.as_operator.scan_report_problem(line.id, "short")
        self._assert_answer(answer, "pick", "rerouted", "info")
        self.assertEqual(line.location_id, self.shelf_b)
        quant = self.env["stock.quant"]._gather(product, self.shelf_a, strict=True)
        self.assertIn(quant.inventory_date, (day, fields.Date.context_today(line)), "the shelf is to be counted")
        self.assertEqual(quant.reserved_quantity, 1)
        self._assert_answer(self._scan("LOC-A-10", product.barcode), "check", "pick_done")

    def test_missing_piece_without_stock_elsewhere_is_left_out(self):
        picking = self._create_delivery([(self.mouse, 10)])
        line = self._scan(picking.name, self.mouse.barcode)["data"]["current_id"]
        answer = self.as_operator.scan_report_problem(line, "short", 9)
        self._assert_answer(answer, "check", "problem", "warning")
        self.assertRecordValues(
            self._get_logs(picking, result="problem"), [{"quantity": 9.0, "product_id": self.mouse.id}]
        )
        self.assertTrue(picking.message_ids.filtered(lambda message: "Mouse" in (message.body or "")))

    def test_damaged_piece_waits_for_a_decision(self):
        self._put(self.keyboard, self.shelf_b, 3)
        picking = self._create_delivery([(self.keyboard, 2)])
        answer = self._scan(picking.name)
        line = answer["data"]["current_id"]
        answer = self.as_operator.scan_report_problem(line, "damaged", 1)
        self._assert_answer(answer, "pick", "rerouted")
        scrap = self.env["stock.scrap"].search([("origin", "=", picking.name)])
        self.assertRecordValues(scrap, [{"product_id": self.keyboard.id, "scrap_qty": 1.0, "state": "draft"}])

    def test_undo_takes_the_last_scans_back_one_by_one(self):
        picking = self._create_delivery([(self.mouse, 2)])
        self._scan(picking.name, self.mouse.barcode, self.mouse.barcode)
        answer = self.as_operator.scan_undo()
        self._assert_answer(answer, "pick", "undone")
        self.assertEqual(answer["data"]["picked"], 1)
        answer = self.as_operator.scan_undo()
        self.assertEqual(answer["data"]["picked"], 0)
        self._assert_answer(self.as_operator.scan_undo(), "pick", "nothing_to_undo")
        self.assertRecordValues(picking.move_line_ids, [{"picked": False, "quantity": 2.0}])

    def test_two_moves_of_one_product_are_filled_one_after_the_other(self):
        picking = self._create_transfer([(self.mouse, 1), (self.mouse, 2)])
        self._scan(picking.name, self.mouse.barcode, self.mouse.barcode)
        self._assert_answer(self._scan(self.mouse.barcode), "check", "pick_done")

    def test_pick_transfer_of_a_two_step_warehouse_has_no_parcels(self):
        warehouse = self.env["stock.warehouse"].create(
            {"name": "Two Steps", "code": "TWO", "delivery_steps": "pick_ship"}
        )
        self._set_stock(self.mouse, 5, warehouse)
        channel = self.channel.copy({"name": "Two", "code": "two", "warehouse_ids": [Command.set(warehouse.ids)]})
        order = self._create_order([(self.mouse, 2)], warehouse_id=warehouse.id, channel_id=channel.id)
        order.action_confirm()
        pick = order.picking_ids.filtered(lambda picking: picking.picking_type_code == "internal")
        self.as_operator.scan_start(warehouse_id=warehouse.id)
        self._scan(pick.name, self.mouse.barcode)
        answer = self._scan(self.mouse.barcode)
        self._assert_answer(answer, "ship", "pick_done")
        self.assertFalse(answer["data"]["outgoing"])
        self._assert_answer(self.as_operator.scan_ship(), "choose", "finished", "success")
        self.assertEqual(pick.state, "done")
        ship = order.picking_ids - pick
        self.assertEqual(ship.state, "assigned", "the delivery is next")
        self._assert_answer(self._scan(order.name), "pick", "opened")

    def test_queries_of_a_scan_do_not_grow_with_the_transfer(self):
        products = self.env["product.product"].create(
            [{"name": f"P{i}", "is_storable": True, "barcode": f"69111{i:08}"} for i in range(20)]
        )
        for product in products:
            self._set_stock(product, 5)
        warm, small = (self._create_transfer([(product, 2) for product in products[:3]]) for _index in range(2))
        large = self._create_transfer([(product, 2) for product in products[3:]])

        def count(picking):
            self._scan(picking.name)
            barcode = picking.move_ids[0].product_id.barcode
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._scan(barcode)
            self.env.flush_all()
            used = self.env.cr.sql_log_count - before
            self.as_operator.scan_put_aside()
            return used

        count(warm)
        self.assertLessEqual(count(large), count(small) + 2)
