from odoo.tests import HttpCase, tagged

from .scan_common import ScanCommon


@tagged("post_install", "-at_install")
class TestScanTour(ScanCommon, HttpCase):
    def test_order_is_picked_checked_packed_weighed_labelled_and_shipped(self):
        """The whole way of a delivery with nothing but a scanner and a scale, as a warehouse operator."""
        self.env["product.product"].create({"name": "Lamp", "is_storable": True, "barcode": "6900000000076"})
        self._put(self.mouse, self.shelf_a, 5)
        self._put(self.keyboard, self.shelf_b, 5)
        picking = self._create_delivery([(self.mouse, 2), (self.keyboard, 1)], channel_order_ref="SHOP-TOUR")
        picking.origin = "SHOP-TOUR"
        for line in picking.move_line_ids:
            line.location_id = self.shelf_a if line.product_id == self.mouse else self.shelf_b
        self.start_tour("/odoo/oms-scan", "oms_scan_tour", login="oms_operator")
        self.assertEqual(picking.state, "done")
        parcel = picking.oms_parcel_ids
        self.assertRecordValues(parcel, [{"state": "shipped", "quantity": 3.0, "weight_gross": 1.5}])
        self.assertTrue(parcel.tracking_number)
        self.assertEqual(self._get_logs(picking, result="done", step="pick").mapped("user_id"), self.operator)


@tagged("post_install", "-at_install")
class TestScanTourPhone(TestScanTour):
    browser_size = "360x740"
    touch_enabled = True


@tagged("post_install", "-at_install")
class TestScanHome(ScanCommon, HttpCase):
    def _get_home(self, login):
        """Return the action that the web client opens for a user first."""
        self.authenticate(login, login)
        return self.make_jsonrpc_request("/web/session/get_session_info", {})["home_action_id"]

    def test_operator_begins_at_the_scanner(self):
        self.assertEqual(self._get_home("oms_operator"), self.env.ref("oms_fulfillment.oms_scan_app_action").id)
        chosen = self.env.ref("stock.stock_picking_type_action")
        self.operator.action_id = chosen.id
        self.assertEqual(self._get_home("oms_operator"), chosen.id)

    def test_whose_work_is_more_than_the_warehouse_chooses(self):
        self._create_user("oms_both", "oms_base.oms_base_group_warehouse,oms_base.oms_base_group_user")
        self.assertFalse(self._get_home("oms_both"))
