from collections import defaultdict

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command


class OmsReturn(models.Model):
    """The second axis: the goods, from the transfer that waits for them to their receipt."""

    _inherit = "oms.return"

    def _create_receipts(self):
        """Make the transfers that wait for the goods, one for each delivery they came with, by Odoo's own wizard."""
        # sudo: stock.return.picking - approving a return is what allows it, customer service need not be stock user
        Wizard = self.env["stock.return.picking"].sudo()
        for oms_return in self:
            for delivery, parts in oms_return._split_by_delivery().items():
                wizard = Wizard.create(
                    {
                        "picking_id": delivery.id,
                        "oms_return_id": oms_return.id,
                        "product_return_moves": [
                            Command.create(
                                {
                                    "product_id": move.product_id.id,
                                    "move_id": move.id,
                                    "quantity": quantity,
                                    "to_refund": True,
                                    "oms_return_line_id": line.id,
                                }
                            )
                            for line, move, quantity in parts
                        ],
                    }
                )
                wizard._create_return()

    def _split_by_delivery(self):
        """Return what comes back from which delivery.

        :return: dict {delivery: [(return line, delivery's stock move, quantity in the move's unit), ...]}
        :raise UserError: when the deliveries do not hold what was asked for
        """
        self.ensure_one()
        parts = defaultdict(list)
        left = self._get_open_move_quantities()
        for line in self.line_ids:
            moves = [move for move in left if move.sale_line_id == line.sale_line_id]
            # The delivery that brought the wanted lot comes first, else the latest one.
            moves.sort(
                key=lambda move: (line.lot_id in move.move_line_ids.lot_id if line.lot_id else True, move.date, move.id)
            )
            for product, needed in line._get_goods().items():
                missing = line.quantity * needed
                for move in reversed([move for move in moves if move.product_id == product]):
                    wanted = product.uom_id._compute_quantity(missing, move.product_uom, rounding_method="HALF-UP")
                    taken = min(wanted, left[move])
                    if move.product_uom.compare(taken, 0) > 0:
                        left[move] -= taken
                        missing -= move.product_uom._compute_quantity(taken, product.uom_id, rounding_method="HALF-UP")
                        parts[move.picking_id].append((line, move, taken))
                self._check_nothing_missing(product, missing)
        return parts

    def _check_nothing_missing(self, product, missing):
        """Refuse to receive goods that no delivery is left for.

        :raise UserError: naming the product
        """
        self.ensure_one()
        if product.uom_id.compare(missing, 0) > 0:
            raise UserError(
                self.env._(
                    "%(name)s: no delivery of %(product)s is left to return %(quantity)s from. Lower the quantity.",
                    name=self.name,
                    product=product.display_name,
                    quantity=missing,
                )
            )

    def _get_open_move_quantities(self):
        """Return {done delivery move: what of it was not returned yet, in the move's unit}."""
        # sudo: stock.move - as in _create_receipts
        moves = self.line_ids.sale_line_id.sudo().move_ids.filtered(
            lambda move: move.state == "done" and move.location_dest_id.usage == "customer"
        )
        quantities = {move: move.quantity for move in moves}
        for returned in moves.returned_move_ids.filtered(lambda move: move.state != "cancel"):
            quantity = returned.quantity if returned.state == "done" else returned.product_uom_qty
            origin = returned.origin_returned_move_id
            quantities[origin] -= returned.product_uom._compute_quantity(quantity, origin.product_uom)
        return quantities

    def _on_received(self, receipts):
        """Take over that goods of these returns came in.

        :param receipts: the transfers just done
        """
        for oms_return in self:
            pickings = receipts.filtered(lambda picking, ret=oms_return: picking.oms_return_id == ret)
            oms_return._log_event("return_received", message=", ".join(pickings.mapped("name")))
            if oms_return.channel_id:
                oms_return.channel_id._notify("return_received", pickings)
        self._sync_state()
