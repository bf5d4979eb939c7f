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
        :raise UserError: when more is inspected than was received, or something else than what was
        """
        lines = self.env["oms.return.line"].browse(vals["line_id"] for vals in vals_list)
        returns = lines.return_id
        # Two inspectors of one return take turns; the second fails to serialize and is run again.
        returns.lock_for_update()
        left = {line: line._get_pieces_to_inspect() for line in lines}
        inspections = self.create(self._prepare_located_vals_list(vals_list))
        goods = {row: row._take_pieces(left[row.line_id]) for row in inspections}
        inspections._move_inside(goods)
        inspections._scrap(goods)
        inspections._send_back(goods)
        returns._sync_state()
        return inspections

    @api.model
    def _prepare_located_vals_list(self, vals_list):
        """Return the values of the rows, each for one lot and place: a row that names none is split by where its goods
        lie, of what the rows that do leave over.

        :raise UserError: when a row names more than lies there
        """
        Line, left = self.env["oms.return.line"], {}
        result = []
        for vals in sorted(vals_list, key=lambda vals: (not vals.get("lot_id")) + (not vals.get("location_id"))):
            line, missing = Line.browse(vals["line_id"]), vals["quantity"]
            there = left.setdefault(line, line._get_quantities_to_inspect())
            for lot, location in there:
                place = {"lot_id": lot.id, "location_id": location.id}
                taken = min(missing, there[lot, location])
                if line.uom_id.compare(taken, 0) > 0 and all(
                    vals.get(key) in (place[key], False, None) for key in place
                ):
                    missing -= taken
                    there[lot, location] -= taken
                    result.append({**vals, **place, "quantity": taken})
            if line.uom_id.compare(missing, 0) > 0:
                raise UserError(line._get_inspection_problem(vals, missing))
        return result

    def _take_pieces(self, pieces):
        """Take what one row is about out of ``pieces`` and return it: what lies where the row says, in the lot it says.
        The parts of a kit may have come in elsewhere, in lots of their own.

        :param dict pieces: {receipt's move line: quantity that is left of it, in the product's unit}, oldest first
        :return: [(move line, quantity), ...]
        """
        self.ensure_one()
        taken = []
        for product, needed in self.line_id._get_goods().items():
            missing = self.quantity * needed
            fitting = [piece for piece in pieces if piece.product_id == product]
            if product == self.product_id:
                place = (self.lot_id, self.location_id)
                fitting = [piece for piece in fitting if (piece.lot_id, piece.location_dest_id) == place]
            for piece in sorted(fitting, key=lambda piece: piece.location_dest_id != self.location_id):
                quantity = product.uom_id.round(min(missing, pieces[piece]))
                if product.uom_id.compare(quantity, 0) > 0:
                    missing -= quantity
                    pieces[piece] -= quantity
                    taken.append((piece, quantity))
        return taken

    def _move_inside(self, goods):
        """Bring accepted goods to stock, or to refurbishing, of the warehouse that they came back to: one transfer for
        each way.

        :param goods: {row: what `_take_pieces` returned}
        """
        ways = defaultdict(list)
        for inspection in self.filtered(lambda row: row.disposition in ("restock", "refurbish")):
            for piece, quantity in goods[inspection]:
                warehouse = piece.picking_id.picking_type_id.warehouse_id
                destination = (
                    warehouse.lot_stock_id
                    if inspection.disposition == "restock"
                    else warehouse._oms_get_return_location("refurbish")
                )
                way = (inspection.return_id, warehouse, piece.location_dest_id, destination)
                ways[way].append((inspection, piece, quantity))
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
        for picking, parts in zip(pickings, ways.values(), strict=True):
            moves = self.env["stock.move"].create([row._prepare_move_values(picking, *part) for row, *part in parts])
            for (row, _piece, _quantity), move in zip(parts, moves, strict=True):
                row.move_id = row.move_id or move
        pickings.action_confirm()
        pickings.move_ids.picked = True
        # The button also takes them out of a batch that may have claimed them meanwhile, which _action_done does not.
        pickings.button_validate()

    def _prepare_move_values(self, picking, piece, quantity):
        """Return the values of the stock move that brings what `_take_pieces` took where ``picking`` goes."""
        self.ensure_one()
        places = {"location_id": picking.location_id.id, "location_dest_id": picking.location_dest_id.id}
        return {
            **places,
            "product_id": piece.product_id.id,
            "product_uom": piece.product_id.uom_id.id,
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
                        "product_id": piece.product_id.id,
                        "product_uom_id": piece.product_id.uom_id.id,
                        "quantity": quantity,
                        "lot_id": piece.lot_id.id,
                    }
                )
            ],
        }

    def _scrap(self, goods):
        """Write off what is of no use.

        :param goods: {row: what `_take_pieces` returned}
        """
        parts = [(row, *part) for row in self if row.disposition == "scrap" for part in goods[row]]
        scraps = self.env["stock.scrap"].create(
            [
                {
                    "product_id": piece.product_id.id,
                    "product_uom_id": piece.product_id.uom_id.id,
                    "scrap_qty": quantity,
                    "lot_id": piece.lot_id.id,
                    "location_id": piece.location_dest_id.id,
                    "origin": row.return_id.name,
                    "company_id": row.company_id.id,
                }
                for row, piece, quantity in parts
            ]
        )
        for (row, _piece, _quantity), scrap in zip(parts, scraps, strict=True):
            row.scrap_id = row.scrap_id or scrap
        scraps.do_scrap()

    def _send_back(self, goods):
        """Prepare the transfers that bring rejected goods back to the buyers, whose orders then count them again: each
        is the return of the receipt they came with.

        :param goods: {row: what `_take_pieces` returned}
        """
        by_receipt = defaultdict(lambda: defaultdict(list))
        for row in self.filtered(lambda row: row.disposition == "back"):
            for piece, quantity in goods[row]:
                by_receipt[piece.picking_id][row.line_id, piece.move_id].append((row, piece, quantity))
        for picking, parts in by_receipt.items():
            wizard = self.env["stock.return.picking"].create(
                {
                    "picking_id": picking.id,
                    "oms_return_id": picking.oms_return_id.id,
                    "product_return_moves": [
                        Command.create(
                            {
                                "product_id": receipt.product_id.id,
                                "move_id": receipt.id,
                                "quantity": receipt.product_id.uom_id._compute_quantity(
                                    sum(quantity for _row, _piece, quantity in rejected),
                                    receipt.product_uom,
                                    rounding_method="HALF-UP",
                                ),
                                "to_refund": True,
                                "oms_return_line_id": line.id,
                            }
                        )
                        for (line, receipt), rejected in parts.items()
                    ],
                }
            )
            for move in wizard._create_return().move_ids:
                rejected = parts[move.oms_return_line_id, move.origin_returned_move_id]
                move._oms_reserve_pieces([(piece, quantity) for _row, piece, quantity in rejected])
                for row, _piece, _quantity in rejected:
                    row.move_id = row.move_id or move
