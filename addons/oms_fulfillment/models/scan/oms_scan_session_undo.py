from odoo import models

from .messages import ScanRefused


class OmsScanSession(models.Model):
    """Taking scans back, the last one first."""

    _inherit = "oms.scan.session"

    def _undo(self):
        last = self._find_last_scan()
        if not last:
            return self._say("nothing_to_undo")
        getattr(self, f"_undo_{last.step}")(last)
        self._log_undone(last)
        self._set(product_id=False)
        product = last.product_id
        return self._say("undone", product=product.name, quantity=self._format(last.quantity, product))

    def _get_undoable_domain(self):
        return [
            ("picking_id", "=", self.picking_id.id),
            ("step", "in", ["pick", "check"]),
            ("result", "=", "done"),
        ]

    def _find_last_scan(self):
        Log = self.env["oms.scan.log"]
        undone = Log.search([("picking_id", "=", self.picking_id.id), ("undo_of_id", "!=", False)]).undo_of_id
        domain = [*self._get_undoable_domain(), ("id", "not in", undone.ids)]
        return Log.search(domain, limit=1, order="id desc") if self.picking_id else Log

    def _undo_pick(self, log):
        line = self._get_picked_lines().filtered(
            lambda line: (
                line.move_id == log.move_id and line.lot_id == log.lot_id and line.location_id == log.location_id
            )
        )[:1]
        if not line or line.product_id.uom_id.compare(line.quantity_product_uom, log.quantity) < 0:
            raise ScanRefused("line_gone")
        back = line._oms_unpick(log.quantity)
        self._set(move_line_id=back.id, parcel_step="check")

    def _undo_check(self, log):
        parcel = log.parcel_id
        if parcel.state != "draft":
            raise ScanRefused("undo_packed")
        line = parcel.line_ids.filtered(lambda line: line.move_id == log.move_id and line.lot_id == log.lot_id)
        if line.product_id.uom_id.compare(line.quantity, log.quantity) > 0:
            line.quantity -= log.quantity
        else:
            line.unlink()
        self._set(parcel_step="check")

    def _take_back_checks(self, parcel):
        """Note that all checks into ``parcel`` count no more."""
        Log = self.env["oms.scan.log"]
        undone = Log.search([("picking_id", "=", self.picking_id.id), ("undo_of_id", "!=", False)]).undo_of_id
        checks = Log.search([*self._get_undoable_domain(), ("parcel_id", "=", parcel.id), ("id", "not in", undone.ids)])
        for check in checks:
            self._log_undone(check)

    def _log_undone(self, log):
        self._log(
            log.step,
            result="undone",
            code="undone",
            undo_of_id=log.id,
            product_id=log.product_id.id,
            lot_id=log.lot_id.id,
            location_id=log.location_id.id,
            move_id=log.move_id.id,
            parcel_id=log.parcel_id.id,
            quantity=log.quantity,
        )
