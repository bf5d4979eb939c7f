import base64

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.barcode import createBarcodeDrawing

from ..const import OPEN_PARCEL_STATES
from ..routing.tariff import Shipment


class OmsParcel(models.Model):
    """The waybill of a parcel: its number, its price, its label."""

    _inherit = "oms.parcel"

    label_attachment_id = fields.Many2one("ir.attachment", string="Label", compute="_compute_label")
    label_pdf = fields.Binary(string="Label Preview", compute="_compute_label")

    # === COMPUTE METHODS === #

    @api.depends("label_date", "tracking_number")
    def _compute_label(self):
        """The paper as it was printed: the report keeps it, see its ``attachment``."""
        attachments = self.env["ir.attachment"].search(
            [("res_model", "=", self._name), ("res_id", "in", self.ids), ("name", "=like", "Waybill-%")], order="id"
        )
        labels = {(label.res_id, label.name): label for label in attachments}
        for parcel in self:
            label = labels.get((parcel.id, f"Waybill-{parcel.tracking_number}.pdf"))
            parcel.label_attachment_id = label
            parcel.label_pdf = label.datas if label else False

    # === ACTION METHODS === #

    def action_open_tracking(self):
        """Open the carrier's own page of one parcel."""
        self.ensure_one()
        return {"type": "ir.actions.act_url", "url": self.tracking_url, "target": "new"}

    def action_label(self):
        """Give the parcels their waybills and print the labels."""
        self._assign_waybills()
        return self.action_print_label()

    def action_print_label(self):
        """Print the labels. A reprint is the same number on the same paper, never a new one."""
        if cancelled := self.filtered(lambda parcel: parcel.state == "cancelled"):
            raise UserError(
                self.env._(
                    "Parcel %(parcel)s is cancelled: its waybill number may be on another parcel by now.",
                    parcel=", ".join(cancelled.mapped("name")),
                )
            )
        if unnumbered := self.filtered(lambda parcel: not parcel.tracking_number):
            raise UserError(
                self.env._(
                    "Parcel %(parcel)s has no waybill number: choose a carrier with waybills, or enter the number.",
                    parcel=", ".join(unnumbered.mapped("name")),
                )
            )
        self._mark_labelled()
        return self.env.ref("oms_fulfillment.report_waybill").report_action(self, config=False)

    def action_cancel_waybill(self):
        """Give back numbers that were never printed, so that the carrier can be changed."""
        if printed := self.filtered("label_date"):
            raise UserError(
                self.env._(
                    "The label of parcel %(parcel)s is printed: cancel the parcel and pack a new one, so that nobody"
                    " ships with the old label.",
                    parcel=", ".join(printed.mapped("name")),
                )
            )
        parcels = self.filtered(lambda parcel: parcel.tracking_number and parcel.state in OPEN_PARCEL_STATES)
        numbers = [(parcel.waybill_range_id, parcel.tracking_number) for parcel in parcels]
        parcels.write({"tracking_number": False, "waybill_range_id": False, "waybill_state": "to_assign", "price": 0.0})
        self.env["oms.waybill.range"]._give_back_numbers(numbers)
        self.env.add_to_compute(parcels._fields["carrier_id"], parcels)
        return True

    def action_recycle_waybill(self):
        """Say that the labels of cancelled parcels are destroyed: their numbers may be used again."""
        self.filtered(lambda parcel: parcel.waybill_state == "to_recycle")._recycle_numbers()
        return True

    # === BUSINESS METHODS === #

    def _assign_waybills(self):
        """Give each open parcel a carrier, a waybill number and a price; those that have them keep them."""
        typed = self.filtered(lambda parcel: parcel.tracking_number and parcel.waybill_state == "to_assign")
        if typed:
            typed.waybill_state = "assigned"
            typed._compute_prices()
            typed._link_waiting_events()
        parcels = self.filtered(lambda parcel: not parcel.tracking_number and parcel.state != "cancelled")
        if not parcels:
            return
        parcels.picking_id._oms_ensure_carriers()
        for carrier, group in parcels.grouped("carrier_id").items():
            if carrier:
                carrier._oms_assign_waybills(group)
            else:
                group.waybill_state = "none"
        parcels._compute_prices()
        parcels._link_waiting_events()

    def _compute_prices(self):
        """Store what the carrier asks by its tariff."""
        for (carrier, company), parcels in self.grouped(lambda parcel: (parcel.carrier_id, parcel.company_id)).items():
            if not carrier:
                parcels.price = 0.0
                continue
            offers = carrier._oms_quote(parcels._prepare_shipments(), company).get(carrier, ())
            for parcel, offer in zip(parcels, offers, strict=False):
                parcel.price = offer.price if offer else 0.0

    def _prepare_shipments(self):
        """Return these parcels, in order, as the pure `Shipment` objects that `routing.tariff` prices."""
        to_cubic_metres = self._get_cubic_metre_factor()
        return [
            Shipment(
                country_id=parcel.partner_id.country_id.id or 0,
                state_id=parcel.partner_id.state_id.id or 0,
                warehouse_id=parcel.warehouse_id.id or 0,
                weight=parcel._get_weight(),
                volume=sum(line.quantity * line.product_id.volume for line in parcel.line_ids) * to_cubic_metres,
            )
            for parcel in self
        ]

    def _get_barcode_uri(self):
        """Return the waybill number as Code 128, for an image of 19:4; the label leaves the quiet zones.

        Drawn as vectors: sharp at any printer's resolution, and without a rendering back end of the PDF library.
        """
        self.ensure_one()
        drawing = createBarcodeDrawing(
            "Code128", value=self.tracking_number, format="svg", width=760, height=160, humanReadable=0, quiet=0
        )
        return "data:image/svg+xml;base64," + base64.b64encode(drawing.asString("svg").encode()).decode()

    def _mark_labelled(self):
        """Note the first printing."""
        first = self.filtered(lambda parcel: not parcel.label_date)
        first.write({"label_date": self.env.cr.now()})
        first._log_order_event("label_printed")
        first.filtered(lambda parcel: parcel.state in ("draft", "packed"))._set_state("labelled")

    def _release_waybills(self):
        """Settle the numbers of cancelled parcels, typed ones too: they are typed again for the next box.

        Never printed: free again. Printed: somebody must destroy the label first. Handed over: void for good.
        """
        numbered = self.filtered(
            lambda parcel: parcel.tracking_number and parcel.waybill_state in ("none", "to_assign", "assigned")
        )
        gone = numbered.filtered("shipped_date")
        gone.waybill_state = "void"
        printed = (numbered - gone).filtered("label_date")
        printed.waybill_state = "to_recycle"
        (numbered - gone - printed)._recycle_numbers()
        (self - numbered).filtered(lambda parcel: parcel.waybill_state == "to_assign").waybill_state = "none"

    def _recycle_numbers(self):
        """Put the numbers back into their ranges; the parcels still show which ones they had."""
        self.waybill_state = "recycled"
        self.flush_recordset(["waybill_state"])  # the number must be free before another parcel takes it
        self.env["oms.waybill.range"]._give_back_numbers(
            [(parcel.waybill_range_id, parcel.tracking_number) for parcel in self]
        )
