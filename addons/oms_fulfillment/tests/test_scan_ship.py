from odoo.tests import tagged

from .scan_common import ScanCommon


@tagged("post_install", "-at_install")
class TestScanShip(ScanCommon):
    def _pack(self, picking):
        """Pick, check, pack and weigh everything that is reserved."""
        self._pick_all(picking)
        for line in picking.move_line_ids.filtered("picked"):
            for _piece in range(int(line.quantity)):
                self._scan(line.product_id.barcode)
        self._scan("BOX-M")
        return self.as_operator.scan_weigh(
            self.env["oms.parcel"].search([("picking_id", "=", picking.id)]).weight_expected
        )

    def test_label_is_numbered_and_printed_then_shipped(self):
        picking = self._create_delivery([(self.mouse, 2)])
        self._assert_answer(self._pack(picking), "label", "weighed")
        answer = self.as_operator.scan_print_label()
        self._assert_answer(answer, "ship", "labelled", "success")
        parcel = picking.oms_parcel_ids
        self.assertEqual(
            answer["message"]["print_url"], f"/report/pdf/oms_fulfillment.report_waybill_document/{parcel.id}"
        )
        self.assertEqual(parcel.state, "labelled")
        self.assertEqual(answer["data"]["parcels"][0]["waybill"], parcel.tracking_number)
        answer = self._scan(parcel.tracking_number)
        self._assert_answer(answer, "choose", "shipped", "success")
        self.assertEqual((picking.state, parcel.state), ("done", "shipped"))
        self.assertEqual(picking.carrier_tracking_ref, parcel.tracking_number)
        self.assertEqual(picking.sale_id.oms_stage, "shipped")
        self.assertEqual(
            self._get_logs(picking, result="done").mapped("step"),
            ["choose", "pick", "pick", "check", "check", "pack", "weigh", "label", "ship"],
        )

    def test_printing_again_keeps_the_number(self):
        picking = self._create_delivery([(self.mouse, 1)])
        self._pack(picking)
        self.as_operator.scan_print_label()
        number = picking.oms_parcel_ids.tracking_number
        self._assert_answer(self.as_operator.scan_print_label(), "ship", "labelled")
        self.assertEqual(picking.oms_parcel_ids.tracking_number, number)

    def test_delivery_without_carriers_needs_no_label(self):
        self.env["oms.carrier.tariff"].search([]).unlink()
        picking = self._create_delivery([(self.mouse, 1)])
        self._assert_answer(self._pack(picking), "label", "weighed")
        self._assert_answer(self.as_operator.scan_print_label(), "ship", None)
        self._assert_answer(self.as_operator.scan_ship(), "choose", "shipped")

    def test_nothing_ships_before_its_steps(self):
        picking = self._create_delivery([(self.mouse, 1)])
        self._scan(picking.name)
        self._assert_answer(self.as_operator.scan_ship(), "pick", "not_done_yet", "warning")
        self._scan(self.mouse.barcode)
        self._assert_answer(self.as_operator.scan_ship(), "check", "not_done_yet", "warning")
        self.assertEqual(picking.state, "assigned")

    def test_hold_placed_meanwhile_keeps_the_goods_here(self):
        picking = self._create_delivery([(self.mouse, 1)])
        self._pack(picking)
        self.as_operator.scan_print_label()
        hold_type = self.env["oms.hold.type"].create({"name": "Intercept", "code": "test_ship", "gate": "ship"})
        picking.sale_id._oms_place_hold(hold_type, "buyer asked for a refund")
        answer = self.as_operator.scan_ship()
        self._assert_answer(answer, "ship", "refused", "danger")
        self.assertIn("Intercept", answer["message"]["text"])
        self.assertEqual(picking.state, "assigned")

    def test_short_delivery_leaves_the_rest_to_a_backorder(self):
        picking = self._create_delivery([(self.mouse, 2), (self.keyboard, 10)])
        self._scan(picking.name, self.mouse.barcode, self.mouse.barcode, self.keyboard.barcode)
        line = picking.move_line_ids.filtered(lambda line: not line.picked)
        self.as_operator.scan_report_problem(line.id, "short")
        self._scan(self.mouse.barcode, self.mouse.barcode, self.keyboard.barcode, "BOX-M")
        self.as_operator.scan_weigh(picking.oms_parcel_ids.weight_expected)
        answer = self.as_operator.scan_print_label()
        self.assertEqual(
            [(row["product"]["id"], row["quantity"], row["problem"]) for row in answer["data"]["missing"]],
            [(self.keyboard.id, 9.0, "short")],
        )
        answer = self.as_operator.scan_ship()
        self._assert_answer(answer, "choose", "backorder", "success")
        backorder = self.env["stock.picking"].search([("backorder_id", "=", picking.id)])
        self.assertRecordValues(backorder.move_ids, [{"product_id": self.keyboard.id, "product_uom_qty": 9.0}])
        self.assertEqual(picking.move_ids.filtered(lambda m: m.product_id == self.keyboard).quantity, 1)
        self._assert_answer(self._scan(backorder.name), "pick", "opened")

    def test_giving_up_the_rest_is_for_managers(self):
        picking = self._create_delivery([(self.mouse, 10)])
        self._scan(picking.name, self.mouse.barcode)
        self.as_operator.scan_report_problem(picking.move_line_ids.filtered(lambda line: not line.picked).id, "short")
        self._scan(self.mouse.barcode, "BOX-M")
        self.as_operator.scan_weigh(picking.oms_parcel_ids.weight_expected)
        self.as_operator.scan_print_label()
        self._assert_answer(self.as_operator.scan_ship(cancel_rest=True), "ship", "supervisor", "danger")
        self.as_manager.scan_take_over(picking.id)
        self._assert_answer(self.as_manager.scan_ship(cancel_rest=True), "choose", "shipped")
        self.assertFalse(self.env["stock.picking"].search([("backorder_id", "=", picking.id)]))

    def test_nothing_picked_is_put_aside(self):
        picking = self._create_delivery([(self.mouse, 10)])
        line = self._scan(picking.name)["data"]["current_id"]
        answer = self.as_operator.scan_report_problem(line, "short")
        self._assert_answer(answer, "ship", "problem")
        self.assertTrue(answer["data"]["nothing"])
        self._assert_answer(self.as_operator.scan_ship(), "ship", "nothing_picked", "danger")
        self._assert_answer(self.as_operator.scan_put_aside(), "choose", "put_aside")
        self._assert_answer(self._scan(picking.name), "pick", "opened", "success")

    def test_plain_delivery_without_order_ships_too(self):
        picking = self._create_transfer([(self.mouse, 1)])
        self._assert_answer(self._pack(picking), "label", "weighed")
        self.as_operator.scan_print_label()
        self._assert_answer(self.as_operator.scan_ship(), "choose", "shipped")
        self.assertEqual(picking.oms_parcel_ids.state, "shipped")
