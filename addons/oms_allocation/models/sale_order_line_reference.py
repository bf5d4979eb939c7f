from odoo import models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _action_launch_stock_rule(self, *, previous_product_uom_qty=False):
        """Override of `sale_stock`: create the references of all orders at once instead of one by one."""
        if not self.env.context.get("skip_procurement"):
            self._oms_create_references(previous_product_uom_qty)
        return super()._action_launch_stock_rule(previous_product_uom_qty=previous_product_uom_qty)

    def _oms_create_references(self, previous_product_uom_qty):
        """Create the missing references of the orders that will have procurements."""
        lines = self.filtered(
            lambda line: (
                line.state == "sale"
                and line.product_id.type == "consu"
                and not line.order_id.locked
                and not line.order_id.stock_reference_ids
            )
        )
        if len(lines.order_id) < 2:
            return
        vals_list = []
        for order_lines in lines.grouped("order_id").values():
            for line in order_lines:
                procured = line._get_qty_procurement(previous_product_uom_qty)
                if line.product_uom_id.compare(procured, line.product_uom_qty) != 0:
                    vals_list.append(line._prepare_reference_vals())
                    break
        self.env["stock.reference"].create(vals_list)
