from datetime import timedelta

from odoo.fields import Command

from .common import FulfillmentCommon


class ScanCommon(FulfillmentCommon):
    """Shelves with barcodes, articles to scan, boxes, and an operator who scans."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mouse.barcode, cls.keyboard.barcode = "6900000000014", "6900000000021"
        stock = cls.warehouse.lot_stock_id
        cls.shelf_a, cls.shelf_b, cls.shelf_c = cls.env["stock.location"].create(
            [{"name": name, "location_id": stock.id, "barcode": f"LOC-{name}"} for name in ("A-2", "A-10", "B-1")]
        )
        cls.yogurt = cls.env["product.product"].create(
            {
                "name": "Yogurt",
                "is_storable": True,
                "tracking": "lot",
                "use_expiration_date": True,
                "barcode": "6900000000038",
                "weight": 0.5,
                "taxes_id": False,
            }
        )
        cls.env["stock.package.type"].search([]).sequence = 100
        cls.box = cls.env["stock.package.type"].create(
            {"name": "Box M", "base_weight": 0.1, "barcode": "BOX-M", "sequence": 1}
        )
        cls.operation = cls.warehouse.out_type_id
        cls.as_operator = cls.env["oms.scan.session"].with_user(cls.operator)
        cls.as_manager = cls.env["oms.scan.session"].with_user(cls.manager)
        cls.as_operator.scan_start(warehouse_id=cls.warehouse.id)
        cls.as_manager.scan_start(warehouse_id=cls.warehouse.id)

    @classmethod
    def _put(cls, product, location, quantity, lot=None, days=None):
        """Have ``quantity`` on a shelf; ``lot`` is a name, which expires in ``days``."""
        values = {"product_id": product.id, "location_id": location.id, "inventory_quantity": quantity}
        if lot:
            record = cls.env["stock.lot"].search([("name", "=", lot), ("product_id", "=", product.id)])
            record = record or cls.env["stock.lot"].create({"name": lot, "product_id": product.id})
            if days is not None:
                date = cls.env.cr.now().replace(hour=12, minute=0, second=0, microsecond=0)
                record.expiration_date = record.removal_date = date + timedelta(days=days)
            values["lot_id"] = record.id
        cls.env["stock.quant"].with_context(inventory_mode=True).create(values).action_apply_inventory()

    def _scan(self, *barcodes, session=None):
        """Scan one after the other and return the last answer."""
        session = session if session is not None else self.as_operator
        for barcode in barcodes:
            answer = session.scan_barcode(barcode)
        return answer

    def _assert_answer(self, answer, state, code, level=None):
        message = answer["message"] or {"code": None, "level": None, "text": ""}
        self.assertEqual((answer["state"], message["code"]), (state, code), message["text"])
        if level:
            self.assertEqual(message["level"], level)

    def _pick_all(self, picking, session=None):
        """Open ``picking`` and scan every reserved piece without lots."""
        answer = self._scan(picking.name, session=session)
        for line in picking.move_line_ids:
            for _piece in range(int(line.quantity_product_uom)):
                answer = self._scan(line.product_id.barcode, session=session)
                if answer["state"] != "pick":
                    break
        return answer

    def _get_logs(self, picking, **values):
        logs = self.env["oms.scan.log"].search([("picking_id", "=", picking.id)], order="id")
        return logs.filtered(lambda log: all(log[name] == value for name, value in values.items()))

    @classmethod
    def _create_transfer(cls, lines, **values):
        """Return a reserved delivery without an order; ``lines`` is a list of (product, quantity)."""
        operation = values.pop("operation", cls.operation)
        picking = cls.env["stock.picking"].create(
            {
                "picking_type_id": operation.id,
                "partner_id": cls.buyer.id,
                "location_id": operation.default_location_src_id.id,
                "location_dest_id": operation.default_location_dest_id.id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_uom_qty": quantity,
                            "product_uom": product.uom_id.id,
                            "location_id": operation.default_location_src_id.id,
                            "location_dest_id": operation.default_location_dest_id.id,
                        }
                    )
                    for product, quantity in lines
                ],
                **values,
            }
        )
        picking.action_confirm()
        picking.action_assign()
        return picking
