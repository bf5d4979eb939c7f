from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

DISPOSITIONS = [
    ("restock", "Restock"),
    ("refurbish", "Refurbish"),
    ("scrap", "Scrap"),
    ("back", "Reject: Back to Buyer"),
]


class OmsReturnInspection(models.Model):
    """What was found of a received quantity, and what became of it. Rows are added, never changed."""

    _name = "oms.return.inspection"
    _description = "Return Inspection"
    _order = "id desc"
    _rec_name = "product_id"
    _check_company_auto = True

    line_id = fields.Many2one("oms.return.line", required=True, index=True, ondelete="cascade", readonly=True)
    return_id = fields.Many2one(related="line_id.return_id", store=True, index=True)
    company_id = fields.Many2one(related="line_id.company_id", store=True, index=True)
    product_id = fields.Many2one(related="line_id.product_id", store=True)
    uom_id = fields.Many2one(related="line_id.uom_id")
    quantity = fields.Float(required=True, readonly=True, digits="Product Unit")
    lot_id = fields.Many2one("stock.lot", string="Lot/Serial Number", readonly=True, check_company=True)
    disposition = fields.Selection(DISPOSITIONS, required=True, readonly=True)
    restocking_fee = fields.Float(string="Restocking Fee (%)", readonly=True)
    note = fields.Char(readonly=True)
    user_id = fields.Many2one("res.users", string="Inspected By", readonly=True, default=lambda self: self.env.user)
    location_id = fields.Many2one("stock.location", string="From", readonly=True, check_company=True)
    move_id = fields.Many2one("stock.move", string="Stock Move", readonly=True, index="btree_not_null")
    scrap_id = fields.Many2one("stock.scrap", string="Scrap Order", readonly=True, index="btree_not_null")

    _quantity_positive = models.Constraint("CHECK(quantity > 0)", "Inspect more than nothing.")

    @api.model
    def _inspect(self, vals_list):
        """Record what was found, move the goods accordingly and let their returns go on.

        :param vals_list: dicts with line_id, quantity (in the line's unit), disposition, and maybe lot_id, location_id,
            restocking_fee, note
        :raise UserError: when more is inspected than was received
        """
        inspections = self.create(vals_list)
        returns = inspections.return_id
        # Two inspectors of one return take turns; the second fails to serialize and is run again.
        returns.lock_for_update()
        for line in inspections.line_id:
            if line.uom_id.compare(line.qty_inspected, line.qty_received) > 0:
                raise UserError(
                    self.env._(
                        "%(name)s: %(inspected)s of %(product)s would be inspected, but only %(received)s were "
                        "received.",
                        name=line.return_id.name,
                        product=line.product_id.display_name,
                        inspected=line.qty_inspected,
                        received=line.qty_received,
                    )
                )
        inspections._move_inside()
        inspections._scrap()
        inspections._send_back()
        returns._sync_state()
        return inspections

    def _get_source_location(self):
        """Return where the goods lie: where the row says, or where the last receipt of the line put them."""
        self.ensure_one()
        receipts = self.line_id._get_receipt_moves()
        return self.location_id or receipts[-1:].location_dest_id

    def _move_inside(self):
        """Bring accepted goods to stock, or to refurbishing: one transfer for each way."""
        ways = defaultdict(self.browse)
        for inspection in self.filtered(lambda row: row.disposition in ("restock", "refurbish")):
            receipt = inspection.line_id._get_receipt_moves()[-1:]
            warehouse = receipt.picking_id.picking_type_id.warehouse_id
            destination = (
                warehouse.lot_stock_id
                if inspection.disposition == "restock"
                else warehouse._oms_get_return_location("refurbish")
            )
            ways[inspection.return_id, warehouse, inspection._get_source_location(), destination] |= inspection
        pickings = self.env["stock.picking"].create(
            [
                {
                    "picking_type_id": warehouse.int_type_id.id,
                    "location_id": source.id,
                    "location_dest_id": destination.id,
                    "origin": oms_return.name,
                    "oms_return_id": oms_return.id,
                    "company_id": oms_return.company_id.id,
                }
                for oms_return, warehouse, source, destination in ways
            ]
        )
        for picking, inspections in zip(pickings, ways.values(), strict=True):
            for inspection in inspections:
                vals_list = [inspection._prepare_move_values(picking, part) for part in inspection._get_goods()]
                inspection.move_id = self.env["stock.move"].create(vals_list)[:1]
        pickings.action_confirm()
        pickings.move_ids.picked = True
        # The button also takes them out of a batch that may have claimed them meanwhile, which _action_done does not.
        pickings.button_validate()

    def _get_goods(self):
        """Return [(product, lot, unit, quantity)] of what one row is about: of a kit its parts, as they came in, those
        that came first inspected first."""
        self.ensure_one()
        goods = self.line_id._get_goods()
        if self.product_id in goods:
            return [(self.product_id, self.lot_id, self.uom_id, self.quantity)]
        before = sum(row.quantity for row in self.line_id.inspection_ids if row.id < self.id)
        result = []
        received = self.line_id._get_receipt_moves().move_line_ids
        for part, needed in goods.items():
            passed, left = before * needed, self.quantity * needed
            for move_line in received.filtered(lambda row, part=part: row.product_id == part).sorted("id"):
                there = move_line.quantity_product_uom
                skipped = min(passed, there)
                taken = min(left, there - skipped)
                passed, left = passed - skipped, left - taken
                if part.uom_id.compare(taken, 0) > 0:
                    result.append((part, move_line.lot_id, part.uom_id, part.uom_id.round(taken)))
        return result

    def _prepare_move_values(self, picking, goods):
        """Return the values of the stock move that brings what `_get_goods` says where ``picking`` goes."""
        self.ensure_one()
        product, lot, unit, quantity = goods
        places = {"location_id": picking.location_id.id, "location_dest_id": picking.location_dest_id.id}
        return {
            **places,
            "product_id": product.id,
            "product_uom": unit.id,
            "product_uom_qty": quantity,
            "picking_id": picking.id,
            "picking_type_id": picking.picking_type_id.id,
            "company_id": picking.company_id.id,
            "oms_return_line_id": self.line_id.id,
            "move_line_ids": [
                Command.create(
                    {
                        **places,
                        "picking_id": picking.id,
                        "product_id": product.id,
                        "product_uom_id": unit.id,
                        "quantity": quantity,
                        "lot_id": lot.id,
                    }
                )
            ],
        }

    def _scrap(self):
        """Write off what is of no use."""
        parts = [(row, part) for row in self if row.disposition == "scrap" for part in row._get_goods()]
        scraps = self.env["stock.scrap"].create(
            [
                {
                    "product_id": product.id,
                    "product_uom_id": unit.id,
                    "scrap_qty": quantity,
                    "lot_id": lot.id,
                    "location_id": row._get_source_location().id,
                    "origin": row.return_id.name,
                    "company_id": row.company_id.id,
                }
                for row, (product, lot, unit, quantity) in parts
            ]
        )
        for (row, _part), scrap in zip(parts, scraps, strict=True):
            row.scrap_id = row.scrap_id or scrap
        scraps.do_scrap()

    def _send_back(self):
        """Prepare the transfers that bring rejected goods back to the buyers, whose orders then count them again."""
        by_receipt = defaultdict(list)
        for row in self.filtered(lambda row: row.disposition == "back"):
            for product, needed in row.line_id._get_goods().items():
                left, unit = row.quantity * needed, product.uom_id
                receipts = row.line_id._get_receipt_moves().filtered(lambda move, part=product: move.product_id == part)
                for receipt in reversed(receipts):
                    wanted = unit._compute_quantity(left, receipt.product_uom, rounding_method="HALF-UP")
                    taken = min(wanted, receipt.quantity)
                    left -= receipt.product_uom._compute_quantity(taken, unit, rounding_method="HALF-UP")
                    if receipt.product_uom.compare(taken, 0) > 0:
                        by_receipt[receipt.picking_id].append((row, receipt, taken))
        for picking, parts in by_receipt.items():
            wizard = self.env["stock.return.picking"].create(
                {
                    "picking_id": picking.id,
                    "oms_return_id": picking.oms_return_id.id,
                    "product_return_moves": [
                        Command.create(
                            {
                                "product_id": move.product_id.id,
                                "move_id": move.id,
                                "quantity": quantity,
                                "to_refund": True,
                                "oms_return_line_id": row.line_id.id,
                            }
                        )
                        for row, move, quantity in parts
                    ],
                }
            )
            delivery = wizard._create_return()
            for row, move, _quantity in parts:
                row.move_id = delivery.move_ids.filtered(
                    lambda new, row=row, move=move: (
                        new.oms_return_line_id == row.line_id and new.origin_returned_move_id == move
                    )
                )[:1]
