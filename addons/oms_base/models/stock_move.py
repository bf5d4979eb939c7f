from odoo import api, models


class StockMove(models.Model):
    """The gates "release" and "ship", kept where goods move: with a transfer, a batch, or without either."""

    _inherit = "stock.move"

    def write(self, vals):
        """Keep the gates where a move is begun or set to done by hand, and the link by which a hold finds its goods."""
        if vals.get("state") == "done":
            self._oms_check_gates(judge=False)
        if vals.get("picked"):
            self._oms_check_start()
        if "sale_line_id" in vals:
            moved = self.filtered(lambda move: move.sale_line_id and move.sale_line_id.id != vals["sale_line_id"])
            moved._oms_check_gates(judge=False)
        return super().write(vals)

    def _action_done(self, cancel_backorder=False):
        """Override of `stock` to keep the gates "release" and "ship"."""
        self._oms_check_gates()
        return super()._action_done(cancel_backorder=cancel_backorder)

    def _get_new_picking_values(self):
        """Override of `stock`: transfers of urgent orders are starred, so they are picked first."""
        values = super()._get_new_picking_values()
        # sudo: sale.order - whoever makes the transfer need not read the order
        if any(order.oms_priority in ("1", "2") for order in self.sudo().sale_line_id.order_id):
            values["priority"] = "1"
        return values

    def _oms_check_gates(self, judge=True):
        """Refuse to move goods of orders on hold: out of the house at the gate "ship", within it at the gate "release".

        :param judge: whether the rules of the gate judge first
        :raise UserError: naming the orders on hold
        """
        # sudo: sale.order - a picker who may not read holds must still be stopped by them
        moves = self.sudo().filtered(lambda move: move.state not in ("done", "cancel") and move._oms_get_gate())
        for gate, gated in moves.grouped(lambda move: move._oms_get_gate()).items():
            orders = gated._oms_get_channel_orders()
            if judge:
                orders._oms_check_gate(gate)
            else:
                orders._oms_check_holds(gate)

    def _oms_check_start(self):
        """Keep the gate "release" where the warehouse begins: with the picking list or the first goods picked.

        :raise UserError: naming the orders on hold
        """
        # sudo: sale.order - a picker who may not read holds must still be stopped by them
        moves = self.sudo().filtered(lambda move: move.state not in ("done", "cancel") and move._oms_get_gate())
        moves.picking_id.filtered(lambda picking: not picking._oms_is_released())._oms_check_release()

    def _oms_get_gate(self):
        """Return the gate that this move passes when it is done; None for what brings goods in or back."""
        self.ensure_one()
        code = self.picking_id.picking_type_code or self.picking_type_id.code
        if self.location_dest_id.usage == "customer" or code == "outgoing":
            return "ship"
        if code == "internal" and not self.origin_returned_move_id:
            return "release"
        return None

    def _oms_get_channel_orders(self):
        """Return the channel orders whose goods these moves carry; a transfer made by hand names its order itself."""
        unlinked = self.filtered(lambda move: not move.sale_line_id)
        return (self.sale_line_id.order_id | unlinked.picking_id.sale_id).filtered("channel_id")


class StockMoveLine(models.Model):
    """The gate "release" for what is picked, and the gate "ship" for what is added to a move that is done."""

    _inherit = "stock.move.line"

    @api.model_create_multi
    def create(self, vals_list):
        move_ids = {vals["move_id"] for vals in vals_list if vals.get("picked") and vals.get("move_id")}
        self.env["stock.move"].browse(move_ids)._oms_check_start()
        lines = super().create(vals_list)
        lines._oms_check_done_moves()
        return lines

    def write(self, vals):
        if "quantity" in vals:
            self._oms_check_done_moves()
        if vals.get("picked"):
            self.move_id._oms_check_start()
        return super().write(vals)

    def _action_done(self):
        """Override of `stock` to keep the gates for lines that are done without their move."""
        self.move_id._oms_check_gates(judge=False)
        return super()._action_done()

    def _oms_check_done_moves(self):
        """Refuse to send more of an order on hold by correcting what its done transfer says.

        :raise UserError: naming the orders on hold
        """
        # sudo: sale.order - a picker who may not read holds must still be stopped by them
        moves = self.sudo().move_id.filtered(lambda move: move.state == "done" and move._oms_get_gate() == "ship")
        moves._oms_get_channel_orders()._oms_check_holds("ship")
