import json

from odoo import api, fields, models

from ..routing.tariff import quote


class DeliveryCarrier(models.Model):
    """Carriers whose waybill numbers come from a range that they gave us, priced by a table of tariffs.

    The type follows Odoo's dispatch (`<type>_rate_shipment`, `_send_shipping`, `_get_tracking_link`,
    `_cancel_shipment`). Two more names are ours, for types that can do it:

    - ``<type>_oms_assign_waybills(parcels)``: give each parcel a waybill number
    - ``<type>_oms_track(parcels)``: return a list of `routing.tracking.TrackingEvent`; may call the carrier, with a
      timeout, and raises `errors.CarrierError` when it gets no answer
    """

    _inherit = "delivery.carrier"

    delivery_type = fields.Selection(
        selection_add=[("oms_waybill", "Waybill Numbers and Tariffs")], ondelete={"oms_waybill": "set default"}
    )
    oms_code = fields.Char(
        string="Carrier Code", copy=False, help="Part of the address the carrier sends tracking events to."
    )
    oms_tracking_secret = fields.Char(
        string="Tracking Secret",
        copy=False,
        groups="base.group_system",
        help="Shared with the carrier, who signs tracking events with it. Without a secret none are accepted.",
    )
    oms_tracking_endpoint = fields.Char(string="Tracking Address", compute="_compute_oms_tracking_endpoint")
    oms_volume_divisor = fields.Float(
        string="Volume Divisor",
        help="Cubic centimetres that are charged as one kilogram, often 6000. 0 when volume is not charged.",
    )
    oms_tariff_ids = fields.One2many("oms.carrier.tariff", "carrier_id", string="Tariffs")
    oms_range_ids = fields.One2many("oms.waybill.range", "carrier_id", string="Waybill Ranges")

    _oms_code_uniq = models.UniqueIndex(
        "(oms_code) WHERE oms_code IS NOT NULL", "Another carrier already has this carrier code."
    )

    @api.depends("oms_code")
    def _compute_oms_tracking_endpoint(self):
        for carrier in self:
            path = f"/oms/tracking/{carrier.oms_code}"
            carrier.oms_tracking_endpoint = carrier.get_base_url() + path if carrier.oms_code else False

    # === PROVIDER METHODS: oms_waybill === #

    def oms_waybill_rate_shipment(self, order):
        """Provider method of `delivery`: the price by tariff, in the order's currency."""
        offer = self._oms_quote([order._oms_prepare_shipment_input()])[self][0]
        if not offer:
            message = self.env._(
                "%(carrier)s has no tariff for %(address)s: choose another carrier or add a tariff.",
                carrier=self.name,
                address=order.partner_shipping_id.display_name,
            )
            return {"success": False, "price": 0.0, "error_message": message, "warning_message": False}
        return {
            "success": True,
            "price": self._compute_currency(order, offer.price, "company_to_pricelist"),
            "error_message": False,
            "warning_message": False,
        }

    def oms_waybill_send_shipping(self, pickings):
        """Provider method of `stock_delivery`: parcels with waybills for these transfers, made once."""
        pickings._oms_ensure_parcels()
        pickings.oms_parcel_ids._assign_waybills()
        # Odoo asks when the goods have left, or once more after what was sent was cancelled at the carrier.
        pickings.filtered(lambda picking: picking.state == "done")._oms_finish_shipping()
        return [
            {
                "exact_price": picking._oms_get_exact_price(),
                "tracking_number": ",".join(
                    picking._oms_get_live_parcels().filtered("tracking_number").mapped("tracking_number")
                ),
            }
            for picking in pickings
        ]

    def oms_waybill_get_tracking_link(self, picking):
        """Provider method of `stock_delivery`: one link, or one for each parcel as JSON."""
        template = self.tracking_url
        numbers = (picking.carrier_tracking_ref or "").split(",")
        if not template or not numbers[0]:
            return False
        links = [(number, template.replace("<shipmenttrackingnumber>", number)) for number in numbers]
        return links[0][1] if len(links) == 1 else json.dumps(links)

    def oms_waybill_cancel_shipment(self, pickings):
        """Provider method of `stock_delivery`: give the parcels up that did not move yet."""
        # sudo: oms.parcel - who may cancel a shipment gives up what was packed for it
        pickings.sudo()._oms_get_live_parcels().action_cancel()

    def oms_waybill_oms_assign_waybills(self, parcels):
        """Give each parcel the next number of the carrier's ranges."""
        for (company, warehouse), group in parcels.grouped(lambda p: (p.company_id, p.warehouse_id)).items():
            numbers = self.env["oms.waybill.range"]._take_numbers(self, company, warehouse, len(group))
            for parcel, (block, number) in zip(group.sorted("id"), numbers, strict=True):
                parcel.write({"tracking_number": number, "waybill_range_id": block.id, "waybill_state": "assigned"})

    # === BUSINESS METHODS === #

    def _oms_assign_waybills(self, parcels):
        """Give parcels of this carrier their waybill numbers, where its type can."""
        self.ensure_one()
        assign = getattr(self, f"{self.delivery_type}_oms_assign_waybills", None)
        if assign:
            assign(parcels)
        else:
            parcels.filtered(lambda parcel: not parcel.tracking_number).waybill_state = "none"

    @api.model
    def _oms_get_candidates(self, company):
        """Return the carriers that may be chosen by price for a company."""
        return self.search([*self._check_company_domain(company), ("oms_tariff_ids", "!=", False)])

    def _oms_quote(self, shipments, company=None):
        """Return what each of these carriers asks for each shipment.

        :param shipments: list of `routing.tariff.Shipment`
        :param company: in whose currency; in that of the carrier's prices without it
        :return: dict {carrier: list of `Quote`, None where it does not serve the shipment}
        """
        # sudo: oms.carrier.tariff - who sells or packs may be told a price, not read the price list
        lines = self.sudo().oms_tariff_ids
        groups = lines.grouped("carrier_id").items()
        tariffs = {carrier.id: group._prepare_tariffs(company) for carrier, group in groups}
        return {carrier: [quote(tariffs.get(carrier.id, ()), shipment) for shipment in shipments] for carrier in self}

    def _oms_can_track(self):
        """Whether a carrier of this type can be asked where a parcel is; a parcel without carrier has none to ask."""
        return bool(self) and hasattr(self, f"{self.delivery_type}_oms_track")

    def _oms_track(self, parcels):
        """Ask the carrier about parcels: a list of `routing.tracking.TrackingEvent`."""
        self.ensure_one()
        return getattr(self, f"{self.delivery_type}_oms_track")(parcels)
