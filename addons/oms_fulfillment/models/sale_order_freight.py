from dataclasses import replace

from odoo import models

from odoo.addons.oms_base.models.sale_order_freight import FreightTerms

from ..routing.tariff import Shipment, quote


class SaleOrder(models.Model):
    """What the tariffs say of the ways to a buyer, for who chooses the warehouse."""

    _inherit = "sale.order"

    def _oms_get_freights(self, warehouses):
        """Override of `oms_base`: the terms of the order's carrier, or else of the cheapest one for all of the
        order."""
        freights = super()._oms_get_freights(warehouses)
        for company, orders in self.grouped("company_id").items():
            carriers = self.env["delivery.carrier"]._oms_get_candidates(company)
            # sudo: oms.carrier.tariff, delivery.carrier - who sells may be told a price, not read the price list
            lines_sudo = carriers.sudo().oms_tariff_ids
            tariffs = {line.id: line for line in lines_sudo._prepare_tariffs(company)}
            by_carrier = lines_sudo.grouped("carrier_id")
            for order in orders:
                chosen = order.carrier_id if order.carrier_id in carriers else carriers
                serving = [carrier.id for carrier in chosen if carrier.sudo()._match_address(order.partner_shipping_id)]
                own = {
                    carrier.id: [tariffs[line.id] for line in rows]
                    for carrier, rows in by_carrier.items()
                    if carrier.id in serving
                }
                shipment = order._oms_prepare_shipment()
                for warehouse in warehouses:
                    if terms := self._oms_find_freight(own, replace(shipment, warehouse_id=warehouse.id)):
                        freights[order.id, warehouse.id] = terms
        return freights

    def _oms_prepare_shipment(self):
        """Return all goods of one order as the pure `Shipment`, from nowhere yet."""
        self.ensure_one()
        Parcel, address = self.env["oms.parcel"], self.partner_shipping_id
        lines = self.order_line.filtered(lambda line: line._oms_is_shippable())
        volume = sum(
            line.product_uom_id._compute_quantity(line.product_uom_qty, line.product_id.uom_id) * line.product_id.volume
            for line in lines
        )
        return Shipment(
            address.country_id.id or 0,
            address.state_id.id or 0,
            0,
            sum(line._oms_get_weight(line.product_uom_qty) for line in lines) * Parcel._get_kilogram_factor(),
            volume * Parcel._get_cubic_metre_factor(),
        )

    def _oms_find_freight(self, tariffs, shipment):
        """Return the FreightTerms of the cheapest line for a shipment, or None.

        :param tariffs: {carrier id: list of `routing.tariff.Tariff`}
        """
        quotes = [found for carrier_lines in tariffs.values() if (found := quote(carrier_lines, shipment))]
        if not quotes:
            return None
        best = min(quotes, key=lambda found: (found.price, found.days, found.carrier_id))
        line = next(line for line in tariffs[best.carrier_id] if line.id == best.tariff_id)
        return FreightTerms(
            line.carrier_id,
            line.first_weight,
            line.first_price,
            line.step_weight,
            line.step_price,
            line.volume_divisor,
            line.days,
        )
