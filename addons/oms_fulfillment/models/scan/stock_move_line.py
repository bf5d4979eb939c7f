from odoo import fields, models


class StockMoveLine(models.Model):
    """Part of a reservation is picked: the picked pieces and the rest are two lines, as Odoo itself validates them."""

    _inherit = "stock.move.line"

    oms_problem = fields.Selection(
        [("short", "Not on the Shelf"), ("damaged", "Damaged")],
        string="Problem",
        copy=False,
        help="Reported while picking: the pieces of this line are not delivered with the transfer.",
    )

    def _oms_find_twin(self, lot, picked=True):
        """Return the line that holds the picked (or unpicked) pieces of the same move, place, package and ``lot``."""
        self.ensure_one()
        return self.move_id.move_line_ids.filtered(
            lambda line: (
                line != self
                and line.picked == picked
                and not line.oms_problem
                and line.lot_id == lot
                and line.location_id == self.location_id
                and line.package_id == self.package_id
                and line.owner_id == self.owner_id
                and line.result_package_id == self.result_package_id
            )
        )[:1]

    def _oms_pick(self, quantity, lot=None):
        """Mark ``quantity`` pieces of this reserved line as picked.

        :param float quantity: in the product's unit, at most what the line holds
        :param lot: stock.lot really taken, when it is another than the reserved one
        :return: the line that holds the picked pieces
        """
        return self._oms_move_quantity(quantity, lot or self.lot_id, {"picked": True})

    def _oms_unpick(self, quantity):
        """Take ``quantity`` pieces (product's unit) of this picked line back to the reservation."""
        return self._oms_move_quantity(quantity, self.lot_id, {"picked": False})

    def _oms_flag_problem(self, quantity, problem):
        """Split ``quantity`` pieces (product's unit) off this reserved line that cannot be picked."""
        return self._oms_move_quantity(quantity, self.lot_id, {"picked": False, "oms_problem": problem})

    def _oms_move_quantity(self, quantity, lot, values):
        """Move pieces of this line to the line with ``values``, which is made when there is none.

        What this line gives up is unreserved before the other line reserves it.
        """
        self.ensure_one()
        uom = self.product_id.uom_id
        if self.product_uom_id != uom:  # pieces are counted in the product's unit
            self.write({"product_uom_id": uom.id, "quantity": self.quantity_product_uom})
        problem = values.get("oms_problem")
        twin = self.browse() if problem else self._oms_find_twin(lot, values["picked"])
        rest = self.quantity - quantity
        if uom.compare(rest, 0) <= 0 and not twin:
            self.write({**values, **({"lot_id": lot.id} if lot != self.lot_id else {})})
            return self
        if twin.product_uom_id and twin.product_uom_id != uom:
            twin.write({"product_uom_id": uom.id, "quantity": twin.quantity_product_uom})
        template = None if twin else self.copy_data({**values, "lot_id": lot.id, "quantity": quantity})
        if uom.compare(rest, 0) <= 0:
            self.unlink()
        else:
            self.quantity = uom.round(rest)
        if twin:
            twin.quantity = uom.round(twin.quantity + quantity)
            return twin
        return self.create(template)
