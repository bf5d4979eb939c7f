from odoo import fields, models


class StockPicking(models.Model):
    _inherit = "stock.picking"

    oms_delivery_group_id = fields.Many2one(
        "oms.delivery.group", string="Delivery Group", index="btree_not_null", ondelete="set null", readonly=True
    )

    def _oms_is_released(self):
        """Whether the warehouse works on one transfer, or is done with it: what is in it can't be regrouped any more.

        To be extended by addons that know more signs of work than Odoo itself.
        """
        self.ensure_one()
        if self.state == "cancel":
            return False
        return self.state == "done" or self.printed or any(move.picked for move in self.move_ids)

    def _action_done(self):
        """Override of `stock`: a shared transfer that leaves is a first delivery of each of its orders."""
        res = super()._action_done()
        # sudo: sale.order - who ships need not read the orders
        if orders := self.sudo().oms_delivery_group_id.order_ids:
            self.env.add_to_compute(orders._fields["effective_date"], orders)
        return res
