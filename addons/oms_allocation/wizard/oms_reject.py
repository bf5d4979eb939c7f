from odoo import api, fields, models
from odoo.fields import Command


class OmsReject(models.TransientModel):
    """Ask why a warehouse does not send what it was given; the orders are then sourced elsewhere."""

    _name = "oms.reject"
    _description = "Reject a Transfer"

    picking_ids = fields.Many2many("stock.picking", string="Transfers", required=True)
    move_ids = fields.Many2many(
        "stock.move",
        string="Products",
        domain="[('picking_id', 'in', picking_ids), ('state', 'not in', ('done', 'cancel'))]",
        help="What is not sent. Leave out what is there.",
    )
    reason_id = fields.Many2one("oms.reject.reason", required=True)
    effect = fields.Selection(related="reason_id.effect")
    note = fields.Char()

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        if self.env.context.get("active_model") == "stock.picking":
            pickings = self.env["stock.picking"].browse(self.env.context.get("active_ids", []))
            moves = pickings.move_ids.filtered(lambda move: move.state not in ("done", "cancel"))
            values |= {"picking_ids": [Command.set(pickings.ids)], "move_ids": [Command.set(moves.ids)]}
        return values

    def action_reject(self):
        """Reject, and say where the goods come from now."""
        self.ensure_one()
        self.picking_ids.check_access("write")
        # sudo: stock.move, sale.order - sourcing again changes orders and transfers beyond those of the operator
        moves_sudo = self.move_ids.sudo().filtered(lambda move: move.picking_id in self.picking_ids.sudo())
        rejections = self.env["oms.warehouse.rejection"].sudo()._reject(moves_sudo, self.reason_id, self.note)
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("oms_allocation.oms_warehouse_rejection_action"),
            "domain": [("id", "in", rejections.ids)],
            "context": {},
        }
