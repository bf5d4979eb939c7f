from odoo import api, fields, models
from odoo.exceptions import UserError


class OmsStockPoolMove(models.TransientModel):
    """Give stock of one pool to another: less is kept for the one, more for the other, and both remember it."""

    _name = "oms.stock.pool.move"
    _description = "Move Stock Between Pools"

    pool_id = fields.Many2one("oms.stock.pool", string="From", required=True)
    line_id = fields.Many2one(
        "oms.stock.pool.line",
        string="Goods",
        required=True,
        compute="_compute_line_id",
        store=True,
        precompute=True,
        readonly=False,
        domain="[('pool_id', '=', pool_id), ('quantity', '>', 0)]",
    )
    target_id = fields.Many2one(
        "oms.stock.pool", string="To", required=True, domain="[('id', '!=', pool_id), ('company_id', '=', company_id)]"
    )
    company_id = fields.Many2one(related="pool_id.company_id")
    movable_quantity = fields.Float(string="At Most", digits="Product Unit", compute="_compute_movable_quantity")
    quantity = fields.Float(digits="Product Unit", required=True)
    reason = fields.Char()

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        if "pool_id" in fields and self.env.context.get("active_model") == "oms.stock.pool":
            values.setdefault("pool_id", self.env.context.get("active_id"))
        return values

    @api.depends("pool_id")
    def _compute_line_id(self):
        for move in self:
            lines = move.pool_id.line_ids.filtered("quantity")
            move.line_id = lines if len(lines) == 1 else False

    @api.depends("line_id")
    def _compute_movable_quantity(self):
        for move in self:
            move.movable_quantity = move.line_id._get_movable_quantity() if move.line_id else 0.0

    def action_move(self):
        """Move it, and write it on both pools."""
        self.ensure_one()
        line = self.line_id
        if line.pool_id != self.pool_id or self.target_id == self.pool_id:
            raise UserError(
                self.env._("Choose goods of %(pool)s and another pool to give them to.", pool=self.pool_id.name)
            )
        movable = line._get_movable_quantity()
        if not 0 < self.quantity <= movable:
            raise UserError(
                self.env._(
                    "%(pool)s can give up to %(movable)s of %(goods)s: what its owners had of a quota is gone.",
                    pool=self.pool_id.name,
                    movable=f"{movable:g}",
                    goods=line.display_name,
                )
            )
        same = self.target_id.line_ids.filtered(
            lambda other: (
                (other.product_id, other.categ_id, other.warehouse_id)
                == (line.product_id, line.categ_id, line.warehouse_id)
                and not other.share
            )
        )[:1]
        if same:
            same.quantity += self.quantity
        else:
            line.copy({"pool_id": self.target_id.id, "quantity": self.quantity})
        line.quantity -= self.quantity
        message = self.env._(
            "%(quantity)s of %(goods)s moved from %(origin)s to %(target)s. %(reason)s",
            quantity=f"{self.quantity:g}",
            goods=line.display_name,
            origin=self.pool_id.name,
            target=self.target_id.name,
            reason=self.reason or "",
        )
        for pool in (self.pool_id, self.target_id):
            pool.message_post(body=message.strip())
        return {"type": "ir.actions.act_window_close"}
