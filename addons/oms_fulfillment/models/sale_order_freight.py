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
            tariffs = {line.id: line for line in lines_sudo._prepare_tariffs()}
            by_carrier = lines_sudo.grouped("carrier_id")
            for order in orders:
                chosen = order.carrier_id if order.carrier_id in carriers else carriers
                serving = [carrier.id for carrier in chosen if carrier.sudo()._match_address(order.partner_shipping_id)]
                own = {
                    carrier.id: [tariffs[line.id] for line in rows]
                    for carrier, rows in by_carrier.items()
                    if carrier.id in serving
                }
                for warehouse in warehouses:
                    if terms := order._oms_find_freight(own, warehouse):
                        freights[order.id, warehouse.id] = terms
        return freights

    def _oms_find_freight(self, tariffs, warehouse):
        """Return the FreightTerms of the cheapest line for one order from ``warehouse``, or None.

        :param tariffs: {carrier id: list of `routing.tariff.Tariff`}
        """
        self.ensure_one()
        address = self.partner_shipping_id
        lines = self.order_line.filtered(lambda line: line._oms_is_shippable())
        shipment = Shipment(
            address.country_id.id or 0,
            address.state_id.id or 0,
            warehouse.id,
            sum(line._oms_get_weight(line.product_uom_qty) for line in lines),
            sum(line.product_id.volume * line.product_uom_qty for line in lines),
        )
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
