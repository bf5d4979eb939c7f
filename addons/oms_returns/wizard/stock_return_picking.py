from odoo import fields, models


class StockReturnPicking(models.TransientModel):
    _inherit = "stock.return.picking"

    oms_return_id = fields.Many2one("oms.return")

    def _prepare_picking_default_values_based_on(self, picking):
        """Override of `stock` to receive returned goods where they wait for their inspection."""
        values = super()._prepare_picking_default_values_based_on(picking)
        # A copied receipt (the return of the return) is a new errand of its own.
        values["oms_return_id"] = self.oms_return_id.id
        if self.oms_return_id and picking.location_dest_id.usage == "customer":
            operation = self.env["stock.picking.type"].browse(values["picking_type_id"])
            warehouse = self.oms_return_id.policy_id.warehouse_id
            if not warehouse and not operation.warehouse_id:  # what was dropshipped left no warehouse
                warehouse = self.oms_return_id.order_ids.warehouse_id[:1]
            if warehouse:
                values["picking_type_id"] = warehouse.in_type_id.id
            else:
                warehouse = operation.warehouse_id
            values["location_dest_id"] = warehouse._oms_get_return_location("inspection").id
        return values


class StockReturnPickingLine(models.TransientModel):
    _inherit = "stock.return.picking.line"

    oms_return_line_id = fields.Many2one("oms.return.line")

    def _prepare_move_default_values(self, new_picking):
        """Override of `stock` to carry the return line to the stock move."""
        values = super()._prepare_move_default_values(new_picking)
        values["oms_return_line_id"] = self.oms_return_line_id.id
        return values
