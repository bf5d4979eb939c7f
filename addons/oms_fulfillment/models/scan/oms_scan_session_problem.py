from odoo import fields, models

from .messages import ScanRefused


class OmsScanSession(models.Model):
    """Pieces not on the shelf, or damaged: noted, told to who must know, taken from elsewhere if possible."""

    _inherit = "oms.scan.session"

    def _report_problem(self, line_id, kind, quantity):
        line = self._get_lines_to_pick().filtered(lambda line: line.id == line_id)
        if not line or kind not in ("short", "damaged"):
            raise ScanRefused("line_gone")
        product = line.product_id
        uom = product.uom_id
        left = line.quantity_product_uom
        quantity = left if quantity is None else quantity
        if uom.compare(quantity, 0) <= 0 or uom.compare(quantity, left) > 0:
            raise ScanRefused("bad_quantity", {"product": product.name, "quantity": quantity})
        flagged = line._oms_flag_problem(quantity, kind)
        code = "problem" if kind == "short" else "damaged"
        self._log(
            "pick",
            result="problem",
            code=code,
            quantity=quantity,
            product_id=product.id,
            location_id=flagged.location_id.id,
            lot_id=flagged.lot_id.id,
            move_id=flagged.move_id.id,
        )
        text = self._say(code, product=product.display_name, quantity=self._format(quantity, product))
        self._tell_about(flagged, kind, quantity, text["text"])
        self._set(product_id=False, move_line_id=False)
        elsewhere = self._take_elsewhere(flagged)
        if elsewhere:
            self._set(move_line_id=elsewhere[0].id, location_id=False)
            return self._say("rerouted", product=product.name, location=self._name_location(elsewhere[0].location_id))
        return text

    def _tell_about(self, line, kind, quantity, text):
        """A shelf that lacks pieces is to be counted; damaged pieces wait as a draft scrap."""
        picking = self.picking_id
        note = f"{text} ({self._name_location(line.location_id)})"
        picking.message_post(body=note)
        if not line.product_id.is_storable:
            return
        if kind == "damaged":
            self.env["stock.scrap"].create(
                {
                    "product_id": line.product_id.id,
                    "product_uom_id": line.product_id.uom_id.id,
                    "scrap_qty": quantity,
                    "lot_id": line.lot_id.id,
                    "package_id": line.package_id.id,
                    "location_id": line.location_id.id,
                    "origin": picking.name,
                    "company_id": picking.company_id.id,
                }
            )
            return
        quants = self.env["stock.quant"]._gather(
            line.product_id,
            line.location_id,
            lot_id=line.lot_id or None,
            package_id=line.package_id or None,
            strict=True,
        )
        # sudo: stock.quant - asking for a count is no change of stock, which operators may not make
        quants.sudo().inventory_date = fields.Date.context_today(self)

    def _take_elsewhere(self, flagged):
        """Reserve other pieces instead of those of ``flagged``, as far as there is stock.

        :return: the lines to walk to
        """
        product = flagged.product_id
        uom = product.uom_id
        taken = self.env["stock.move.line"]
        if not product.is_storable:
            return taken
        quants = self.env["stock.quant"]._gather(product, flagged.move_id.location_id, strict=False)
        if flagged.oms_problem == "short":
            quants = quants.filtered(lambda quant: quant.location_id != flagged.location_id)
        for quant in quants.filtered(lambda quant: not quant.package_id):
            left = flagged.quantity_product_uom
            quantity = min(left, quant.available_quantity)
            if uom.compare(quantity, 0) <= 0 or quant.lot_id.product_expiry_alert:
                continue
            line = (
                flagged
                if uom.compare(quantity, left) == 0
                else flagged._oms_flag_problem(quantity, flagged.oms_problem)
            )
            line.write(
                {
                    "location_id": quant.location_id.id,
                    "lot_id": quant.lot_id.id,
                    "package_id": False,
                    "oms_problem": False,
                }
            )
            taken |= line
            if line == flagged:
                break
        return taken
