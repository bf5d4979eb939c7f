from odoo import fields, models


class StockMove(models.Model):
    _inherit = "stock.move"

    oms_delivery_group_id = fields.Many2one(
        "oms.delivery.group", string="Delivery Group", index="btree_not_null", ondelete="set null", readonly=True
    )

    def _get_new_picking_values(self):
        """Override of `stock`: the transfer of a delivery group is known as such, and has the group's address."""
        values = super()._get_new_picking_values()
        if group := self.oms_delivery_group_id[:1]:
            values["oms_delivery_group_id"] = group.id
        return values

    def _oms_get_asked_quantity(self):
        """Return what one move has taken or is to take, in its unit."""
        self.ensure_one()
        return self.quantity if self.state == "done" else self.product_uom_qty

    def _oms_withdraw(self):
        """Cancel these moves, of which nothing has been done, and take them out of their transfers.

        They are launched again in another grouping at once, so nothing is left of them: a transfer that holds nothing
        else goes too, one that others share goes on without them.
        """
        moves = self.filtered(lambda move: move.state not in ("done", "cancel"))
        pickings = moves.picking_id
        moves._action_cancel()
        moves.unlink()
        pickings.filtered(lambda picking: not picking.move_ids).unlink()

    def _oms_leave_shared_transfers(self):
        """Cancel these moves of cancelled orders in the transfers that carry goods of others too.

        They are taken out of the transfer, which would otherwise still count as their order's and be cancelled too.
        """
        shared = self.picking_id.filtered(
            lambda picking: (
                picking.state not in ("done", "cancel")
                and (
                    picking.move_ids.filtered(lambda move: move.state != "cancel").sale_line_id.order_id
                    - self.sale_line_id.order_id
                )
            )
        )
        moves = self.filtered(lambda move: move.picking_id in shared and move.state not in ("done", "cancel"))
        moves._action_cancel()
        moves.picking_id = False
