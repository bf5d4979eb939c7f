from odoo.tests import tagged

from .scan_common import ScanCommon


@tagged("post_install", "-at_install")
class TestScanPack(ScanCommon):
    def _start_checking(self, lines=None):
        picking = self._create_delivery(lines)
        answer = self._pick_all(picking)
        self.assertEqual(answer["state"], "check")
        return picking

    def test_every_piece_is_scanned_into_the_parcel(self):
        picking = self._start_checking([(self.mouse, 2), (self.keyboard, 1)])
        answer = self._scan(self.mouse.barcode)
        self._assert_answer(answer, "check", "checked", "success")
        self.assertEqual((answer["data"]["checked"], answer["data"]["picked"]), (1, 3))
        self._scan(self.keyboard.barcode)
        self._assert_answer(self._scan(self.mouse.barcode), "pack", "check_done")
        self.assertRecordValues(
            picking.oms_parcel_ids.line_ids.sorted("quantity"),
            [{"product_id": self.keyboard.id, "quantity": 1.0}, {"product_id": self.mouse.id, "quantity": 2.0}],
        )
        self.assertEqual(len(self._get_logs(picking, step="check", result="done")), 3)

    def test_wrong_item_and_one_too_many_stop(self):
        self._start_checking([(self.mouse, 1), (self.keyboard, 1)])
        stranger = self.env["product.product"].create({"name": "Lamp", "is_storable": True, "barcode": "6900000000076"})
        self._assert_answer(self._scan(stranger.barcode), "check", "not_picked", "danger")
        self._scan(self.mouse.barcode)
        self._assert_answer(self._scan(self.mouse.barcode), "check", "over_checked", "danger")
        self._assert_answer(self._scan("nonsense"), "check", "unknown", "danger")

    def test_lot_that_was_not_picked_is_refused(self):
        self._put(self.yogurt, self.warehouse.lot_stock_id, 5, "L-1", days=30)
        self._put(self.yogurt, self.warehouse.lot_stock_id, 5, "L-2", days=60)
        picking = self._create_transfer([(self.yogurt, 2)])
        lot = picking.move_line_ids.lot_id
        other = ({"L-1", "L-2"} - {lot.name}).pop()
        self._scan(picking.name, lot.name, lot.name)
        self._assert_answer(self._scan(self.yogurt.barcode), "check", "scan_lot")
        self._assert_answer(self._scan(other), "check", "lot_not_picked", "danger")
        self._assert_answer(self._scan(lot.name, lot.name), "pack", "check_done")
        self.assertEqual(picking.oms_parcel_ids.line_ids.lot_id, lot)

    def test_counting_by_hand_is_for_articles_without_barcode(self):
        self.mouse.barcode = False
        picking = self._create_delivery([(self.mouse, 2), (self.keyboard, 1)])
        answer = self._scan(picking.name)
        line = next(line for line in answer["data"]["lines"] if line["product"]["id"] == self.mouse.id)
        self.as_operator.scan_set_quantity(line["id"], 2)
        answer = self._scan(self.keyboard.barcode)
        rows = {line["product"]["id"]: line for line in answer["data"]["lines"]}
        self.assertEqual((rows[self.mouse.id]["manual"], rows[self.keyboard.id]["manual"]), (True, False))
        answer = self.as_operator.scan_set_quantity(rows[self.keyboard.id]["id"], 1)
        self._assert_answer(answer, "check", "must_scan", "warning")
        self._assert_answer(self.as_operator.scan_set_quantity(rows[self.mouse.id]["id"], 2), "check", "checked")

    def test_several_parcels(self):
        picking = self._start_checking([(self.mouse, 2)])
        self._scan(self.mouse.barcode)
        self._assert_answer(self._scan("BOX-M"), "weigh", "packaging")
        self._assert_answer(self.as_operator.scan_weigh(0.3), "check", "weighed")
        self._assert_answer(self._scan(self.mouse.barcode), "pack", "check_done")
        self._scan("BOX-M")
        answer = self._scan("0.300kg")
        self._assert_answer(answer, "label", "weighed")
        self.assertRecordValues(
            picking.oms_parcel_ids.sorted("number"),
            [
                {"number": 1, "state": "packed", "quantity": 1.0, "weight_gross": 0.3},
                {"number": 2, "state": "packed", "quantity": 1.0, "weight_gross": 0.3},
            ],
        )

    def test_stage_of_the_order_follows_the_last_piece(self):
        picking = self._create_delivery([(self.mouse, 2)])
        order = picking.sale_id
        self._scan(picking.name, self.mouse.barcode)
        self.assertEqual(order.oms_stage, "ready", "one of two is picked")
        self._scan(self.mouse.barcode)
        self.assertEqual(order.oms_stage, "picked")
        self._scan(self.mouse.barcode, "BOX-M", "0.3")
        self.assertEqual(order.oms_stage, "picked", "one of two is in a parcel")
        self._scan(self.mouse.barcode, "BOX-M", "0.3")
        self.assertEqual(order.oms_stage, "packed")

    def test_empty_parcel_is_not_closed(self):
        self._start_checking([(self.mouse, 2)])
        self._assert_answer(self.as_operator.scan_close_parcel(), "check", "empty_parcel", "warning")
        self._assert_answer(self._scan("BOX-M"), "check", "empty_parcel", "warning")

    def test_closed_parcel_is_opened_again(self):
        self._start_checking([(self.mouse, 2)])
        self._scan(self.mouse.barcode)
        self._assert_answer(self.as_operator.scan_close_parcel(), "pack", "parcel_closed")
        self._assert_answer(self.as_operator.scan_reopen_parcel(), "check", None)
        self._assert_answer(self._scan(self.mouse.barcode), "pack", "check_done")

    def test_weight_out_of_tolerance_needs_a_manager(self):
        picking = self._start_checking([(self.mouse, 2)])
        self._scan(self.mouse.barcode, self.mouse.barcode, "BOX-M")
        answer = self._scan("1.5")
        self._assert_answer(answer, "weigh", "weight_off", "danger")
        self.assertEqual(answer["data"]["parcel"]["weight_check"], "off")
        self._assert_answer(self.as_operator.scan_accept_weight(), "weigh", "supervisor", "danger")
        self.assertEqual(picking.oms_parcel_ids.state, "draft")
        self.as_operator.scan_put_aside()
        answer = self.as_manager.scan_open(picking.id)
        self.assertEqual(answer["state"], "pack")
        self.as_manager.scan_packaging(self.box.id)
        self._assert_answer(self.as_manager.scan_accept_weight(), "label", "weight_accepted", "warning")
        self.assertEqual(picking.oms_parcel_ids.weight_forced_by_id, self.manager)
        self.assertRecordValues(
            self._get_logs(picking, step="weigh", weight=1.5),
            [
                {"result": "refused", "weight": 1.5, "user_id": self.operator.id},
                {"result": "done", "weight": 1.5, "user_id": self.manager.id},
            ],
        )

    def test_weighing_again_replaces_the_weight(self):
        picking = self._start_checking([(self.mouse, 2)])
        self._scan(self.mouse.barcode, self.mouse.barcode, "BOX-M", "1.5")
        self._assert_answer(self._scan("520g"), "label", "weighed")
        self.assertEqual(picking.oms_parcel_ids.weight_gross, 0.52)

    def test_what_is_no_weight_is_refused(self):
        self._start_checking([(self.mouse, 1)])
        self._scan(self.mouse.barcode, "BOX-M")
        for nonsense in (self.mouse.barcode, "abc", "0", "-1", "9999"):
            self._assert_answer(self.as_operator.scan_weigh(nonsense), "weigh", "bad_weight", "danger")

    def test_emptied_parcel_is_checked_again(self):
        picking = self._start_checking([(self.mouse, 2)])
        self._scan(self.mouse.barcode, self.mouse.barcode, "BOX-M", "1.5")
        answer = self.as_operator.scan_reopen_parcel(empty=True)
        self._assert_answer(answer, "check", "parcel_emptied")
        self.assertFalse(picking.oms_parcel_ids.line_ids)
        self.assertEqual(answer["data"]["checked"], 0)
        self._assert_answer(self.as_operator.scan_undo(), "pick", "undone", "info")

    def test_undo_of_a_check_and_then_of_a_pick(self):
        picking = self._start_checking([(self.mouse, 2)])
        self._scan(self.mouse.barcode)
        answer = self.as_operator.scan_undo()
        self._assert_answer(answer, "check", "undone")
        self.assertEqual(answer["data"]["checked"], 0)
        self._assert_answer(self.as_operator.scan_undo(), "pick", "undone")
        self.assertEqual(sum(picking.move_line_ids.filtered("picked").mapped("quantity")), 1)

    def test_undo_stops_at_a_closed_parcel(self):
        self._start_checking([(self.mouse, 1)])
        self._scan(self.mouse.barcode, "BOX-M", "0.3")
        self._assert_answer(self.as_operator.scan_undo(), "label", "undo_packed", "warning")

    def test_operation_without_check_and_weighing_goes_straight_to_the_label(self):
        self.operation.write({"oms_scan_check": False, "oms_scan_weigh": False})
        picking = self._create_delivery([(self.mouse, 2)])
        answer = self._pick_all(picking)
        self._assert_answer(answer, "pack", "pick_done")
        answer = self._scan("BOX-M")
        self._assert_answer(answer, "label", "packaging")
        self.assertEqual(picking.oms_parcel_ids.quantity, 2)
