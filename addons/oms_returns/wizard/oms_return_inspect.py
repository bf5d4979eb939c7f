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
        return [
            {
                "line_id": line.id,
                "lot_id": lot.id,
                "location_id": location.id,
                "quantity": quantity,
                "disposition": line.disposition or "restock",
                "restocking_fee": fee,
            }
            for (lot, location), quantity in line._get_quantities_to_inspect().items()
        ]

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
    received_lot_ids = fields.Many2many("stock.lot", compute="_compute_received")
    received_location_ids = fields.Many2many("stock.location", compute="_compute_received")
    lot_id = fields.Many2one("stock.lot", string="Lot/Serial Number", domain="[('id', 'in', received_lot_ids)]")
    location_id = fields.Many2one("stock.location", string="Lies In", domain="[('id', 'in', received_location_ids)]")
    quantity = fields.Float(digits="Product Unit", required=True)
    disposition = fields.Selection(DISPOSITIONS, required=True, default="restock")
    restocking_fee = fields.Float(string="Restocking Fee (%)")
    note = fields.Char()

    _fee_range = models.Constraint(
        "CHECK(restocking_fee >= 0 AND restocking_fee <= 100)", "The restocking fee must be between 0 and 100 %."
    )

    @api.depends("line_id")
    def _compute_received(self):
        """What of the line waits for its inspection: only that can be found."""
        for row in self:
            places = row.line_id._get_quantities_to_inspect() if row.line_id else {}
            row.received_lot_ids = row.lot_id.union(*(lot for lot, _location in places))
            row.received_location_ids = row.location_id.union(*(location for _lot, location in places))

    def _prepare_inspection_values(self):
        self.ensure_one()
        return {
            "line_id": self.line_id.id,
            "lot_id": self.lot_id.id,
            "location_id": self.location_id.id,
            "quantity": self.quantity,
            "disposition": self.disposition,
            "restocking_fee": self.restocking_fee if self.disposition != "back" else 0.0,
            "note": self.note,
        }
