from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class SaleOrderLine(models.Model):
    """Which goods one line may have: those that keep long enough, or those of a lot that somebody chose."""

    _inherit = "sale.order.line"

    oms_lot_id = fields.Many2one(
        "stock.lot",
        string="Only This Lot",
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        domain="[('product_id', '=', product_id)]",
        help="No other lot is allocated or reserved for the line, and it waits where there is none of this.",
    )

    @api.constrains("oms_lot_id", "product_id")
    def _check_oms_lot(self):
        for line in self:
            if line.oms_lot_id and line.oms_lot_id.product_id != line.product_id:
                raise ValidationError(
                    self.env._(
                        "The lot %(lot)s is not one of %(product)s.",
                        lot=line.oms_lot_id.display_name,
                        product=line.product_id.display_name,
                    )
                )

    def write(self, vals):
        """Override: what is with a warehouse already stays with its lot."""
        if "oms_lot_id" in vals:
            asked = self.filtered(
                lambda line: (
                    line.oms_lot_id.id != (vals["oms_lot_id"] or False)
                    and any(move.state != "cancel" for move in line.move_ids)
                )
            )
            if asked:
                raise UserError(
                    self.env._(
                        "%(lines)s: a warehouse was asked for it already. Set the quantity to 0 first, then choose the"
                        " lot.",
                        lines=", ".join(asked.mapped("display_name")),
                    )
                )
        return super().write(vals)

    def _prepare_procurement_values(self):
        """Override of `sale_stock`: transfers know until when their goods must keep, and which lot it is to be."""
        values = super()._prepare_procurement_values()
        if not self.order_id.channel_id:
            return values
        if self.product_id.use_expiration_date:
            days = self.order_id._oms_get_accesses()[self.order_id].min_life_days
            if days:
                values["oms_min_expiration_date"] = self.order_id._oms_get_min_expiration(days)
        if self.oms_lot_id:
            values["oms_lot_id"] = self.oms_lot_id.id
        return values
