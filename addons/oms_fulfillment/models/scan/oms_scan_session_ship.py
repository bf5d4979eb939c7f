from odoo import models

from .messages import ScanRefused


class OmsScanSession(models.Model):
    """States "label" and "ship": the waybill on the parcel, the goods out of the books."""

    _inherit = "oms.scan.session"

    def _scan_label(self, barcode):
        """-> ship: the code of the transfer prints its waybills."""
        if self.picking_id in self._find_transfers(barcode):
            return self._print_label()
        raise ScanRefused("unknown", {"barcode": barcode}, {"barcode": barcode})

    def _scan_ship(self, barcode):
        """-> choose: the waybill just stuck on, the transfer or its destination; another transfer is not touched."""
        picking = self.picking_id
        if self._find_location(barcode) == picking.location_dest_id or picking in self._find_transfers(barcode):
            return self._ship(False)
        raise ScanRefused("unknown", {"barcode": barcode}, {"barcode": barcode})

    def _print_label(self):
        """Number the parcels that need a waybill; the message brings the address of the PDF to print."""
        parcels = self._get_parcels().filtered(lambda parcel: parcel.state in ("packed", "labelled"))
        if not parcels:
            raise ScanRefused("not_done_yet", {"transfer": self.picking_id.name})
        parcels._assign_waybills()
        numbered = parcels.filtered("tracking_number")
        if not numbered:
            return None
        action = numbered.action_print_label()
        for parcel in numbered:
            self._log("label", code="labelled", parcel_id=parcel.id, note=parcel.tracking_number)
        ids = ",".join(map(str, numbered.ids))
        return {**self._say("labelled"), "print_url": f"/report/pdf/{action['report_name']}/{ids}"}

    def _ship(self, cancel_rest):
        """Validate through Odoo's own button, which keeps the gates; missing pieces become a backorder."""
        picking = self.picking_id
        if self._get_state() != "ship":
            raise ScanRefused("not_done_yet", {"transfer": picking.name})
        if not self._get_picked_lines():
            raise ScanRefused("nothing_picked", {"transfer": picking.name})
        if cancel_rest:
            self._check_supervisor()
        result = picking.with_context(
            skip_backorder=True, picking_ids_not_to_backorder=picking.ids if cancel_rest else []
        ).button_validate()
        if picking.state != "done":
            # A question of another addon (SMS, expired lots, ...): answered in its own dialog, which validates.
            return {**self._say("needs_answer", transfer=picking.name), "dialog": result}
        message = self._tell_shipped(picking)
        if isinstance(result, dict) and result.get("tag") == "do_multi_print":
            message["action"] = result  # the documents the operation type prints by itself
        return message

    def _tell_shipped(self, picking):
        """Let go of the validated transfer."""
        backorder = self.env["stock.picking"].search([("backorder_id", "=", picking.id)], limit=1)
        code = "shipped" if picking._oms_is_packed_by_scanning() else "finished"
        self._log("ship", code=code, note=backorder.name)
        self._reset_transfer()
        if backorder:
            return self._say("backorder", transfer=picking.name, backorder=backorder.name)
        return self._say(code, transfer=picking.name)
