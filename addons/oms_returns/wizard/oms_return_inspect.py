from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..models.oms_return_inspection import DISPOSITIONS


class OmsReturnInspect(models.TransientModel):
    _name = "oms.return.inspect"
    _description = "Inspect Returned Goods"

    return_id = fields.Many2one("oms.return", required=True, readonly=True)
    line_ids = fields.One2many(
        "oms.return.inspect.line", "wizard_id", compute="_compute_line_ids", store=True, readonly=False, precompute=True
    )

    @api.depends("return_id")
    def _compute_line_ids(self):
        for wizard in self:
            wizard.line_ids = [
                Command.clear(),
                *(
                    Command.create(vals)
                    for line in wizard.return_id.line_ids
                    for vals in wizard._prepare_line_vals_list(line)
                ),
            ]

    @api.model
    def _prepare_line_vals_list(self, line):
        """Return the values of the rows to inspect for one return line: one for each lot and place it lies in."""
        # sudo: oms.return.policy - the inspector need not read policies
        fee = 0.0 if line.reason_id.shipping_payer == "seller" else line.return_id.sudo().policy_id.restocking_fee
        left = line.qty_to_inspect
        vals_list = []
        for (lot, location), quantity in self._get_received_quantities(line).items():
            taken = min(left, quantity)
            left -= taken
            if line.uom_id.compare(taken, 0) > 0:
                vals_list.append(
                    {
                        "line_id": line.id,
                        "lot_id": lot.id,
                        "location_id": location.id,
                        "quantity": taken,
                        "disposition": line.disposition or "restock",
                        "restocking_fee": fee,
                    }
                )
        return vals_list

    @api.model
    def _get_received_quantities(self, line):
        """Return {(lot, location): quantity received and not inspected yet, in the line's unit}.

        A kit is inspected as a whole: its parts keep the lots they came in with.
        """
        quantities = defaultdict(float)
        receipts = line._get_receipt_moves()
        for move_line in receipts.filtered(lambda move: move.product_id == line.product_id).move_line_ids:
            quantities[move_line.lot_id, move_line.location_dest_id] += move_line.product_uom_id._compute_quantity(
                move_line.quantity, line.uom_id, rounding_method="HALF-UP"
            )
        if receipts and not quantities:
            quantities[self.env["stock.lot"], receipts[:1].location_dest_id] = line.qty_received
        for inspection in line.inspection_ids:
            quantities[inspection.lot_id, inspection.location_id] -= inspection.quantity
        return quantities

    def action_inspect(self):
        """Record what was found and move the goods."""
        self.ensure_one()
        self.return_id._check_group("oms_base.oms_base_group_warehouse")
        rows = self.line_ids.filtered("quantity")
        if rows.line_id - self.return_id.line_ids:
            raise UserError(self.env._("Choose products of the return %(name)s only.", name=self.return_id.name))
        if not rows:
            raise UserError(self.env._("Enter how much of %(name)s was inspected.", name=self.return_id.name))
        # sudo: oms.return.inspection - rows are written only here, after the check, and the credit note that may follow
        # is the policy's doing, not the inspector's
        self.env["oms.return.inspection"].sudo()._inspect([row._prepare_inspection_values() for row in rows])
        return True


class OmsReturnInspectLine(models.TransientModel):
    _name = "oms.return.inspect.line"
    _description = "Inspect Returned Goods Line"

    wizard_id = fields.Many2one("oms.return.inspect", required=True, ondelete="cascade")
    return_id = fields.Many2one(related="wizard_id.return_id")
    line_id = fields.Many2one(
        "oms.return.line", string="Product", required=True, domain="[('return_id', '=', return_id)]"
    )
    product_id = fields.Many2one(related="line_id.product_id", string="Item")
    uom_id = fields.Many2one(related="line_id.uom_id")
    lot_id = fields.Many2one("stock.lot", string="Lot/Serial Number", domain="[('product_id', '=', product_id)]")
    location_id = fields.Many2one("stock.location", string="Lies In")
    quantity = fields.Float(digits="Product Unit", required=True)
    disposition = fields.Selection(DISPOSITIONS, required=True, default="restock")
    restocking_fee = fields.Float(string="Restocking Fee (%)")
    note = fields.Char()

    _fee_range = models.Constraint(
        "CHECK(restocking_fee >= 0 AND restocking_fee <= 100)", "The restocking fee must be between 0 and 100 %."
    )

    def _prepare_inspection_values(self):
        self.ensure_one()
        # A row added by hand lies where the first received goods of its line lie.
        location = self.location_id or self.line_id._get_receipt_moves()[:1].location_dest_id
        return {
            "line_id": self.line_id.id,
            "lot_id": self.lot_id.id,
            "location_id": location.id,
            "quantity": self.quantity,
            "disposition": self.disposition,
            "restocking_fee": self.restocking_fee if self.disposition != "back" else 0.0,
            "note": self.note,
        }
