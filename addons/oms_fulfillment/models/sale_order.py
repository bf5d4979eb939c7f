from odoo import api, fields, models

from odoo.addons.oms_base.tools import open_records

from ..routing.tariff import Shipment


class SaleOrder(models.Model):
    _inherit = "sale.order"

    oms_parcel_ids = fields.One2many("oms.parcel", "sale_id", string="Parcels")
    oms_parcel_count = fields.Integer(string="Parcel Count", compute="_compute_oms_parcel_count")

    @api.depends("oms_parcel_ids", "oms_group_line_ids.group_id.picking_ids.oms_parcel_ids")
    def _compute_oms_parcel_count(self):
        for order in self:
            order.oms_parcel_count = len(order._oms_get_parcels())

    @api.depends(
        "oms_parcel_ids.state",
        "picking_ids.move_ids.picked",
        "picking_ids.move_line_ids.picked",
        # the same of the transfers that are shared with other orders
        "oms_group_line_ids.group_id.picking_ids.oms_parcel_ids.state",
        "oms_group_line_ids.group_id.picking_ids.move_ids.picked",
        "oms_group_line_ids.group_id.picking_ids.move_line_ids.picked",
    )
    def _compute_oms_stage(self):
        return super()._compute_oms_stage()

    def action_view_oms_parcels(self):
        """Open the parcels of these orders."""
        return open_records(self._oms_get_parcels(), "oms_fulfillment.oms_parcel_action")

    def _oms_get_parcels(self):
        """Return the parcels with goods of these orders, those they share with other orders too."""
        if not any(order.oms_is_grouped for order in self):
            return self.oms_parcel_ids
        plain = self.filtered(lambda order: not order.oms_is_grouped)
        return plain.oms_parcel_ids | (self - plain)._oms_get_pickings().oms_parcel_ids

    def _oms_follow_carrier(self):
        """Have the open transfers of these orders go with the orders' carriers."""
        for order in self:
            pickings = order._oms_get_outbound_pickings()
            pickings.filtered(lambda picking: picking.state not in ("done", "cancel")).carrier_id = order.carrier_id

    def _get_same_parcel_fields(self):
        """Override of `oms_base`: a transfer goes with one carrier."""
        return [*super()._get_same_parcel_fields(), "carrier_id"]

    def _get_oms_stage(self):
        """Override of `oms_base` to tell picked, packed and delivered from what was scanned, packed and tracked."""
        stage = super()._get_oms_stage()
        deliveries = self._oms_get_pickings()._oms_filter_deliveries().filtered(lambda p: p.state != "cancel")
        if stage == "ready":
            # What comes straight from a supplier is not picked and packed here.
            waiting = deliveries.filtered(lambda p: p.state != "done" and p.picking_type_code == "outgoing")
            if waiting and all(picking._oms_is_packed() for picking in waiting):
                return "packed"
            if waiting and all(picking._oms_is_picked() for picking in waiting):
                return "picked"
        if stage == "shipped":
            parcels = deliveries._oms_get_live_parcels()
            if parcels and all(parcel.state == "delivered" for parcel in parcels):
                return "delivered"
        return stage

    def _oms_filter_unfollowed(self):
        """Override of `oms_base`: parcels are followed until they arrive. What is dropshipped has none of ours."""
        return (
            super()
            ._oms_filter_unfollowed()
            .filtered(lambda order: not order._oms_get_pickings()._oms_filter_deliveries()._oms_get_live_parcels())
        )

    def _oms_prepare_shipment_input(self):
        """Return this order as the pure `Shipment` that `routing.tariff` prices."""
        self.ensure_one()
        Parcel = self.env["oms.parcel"]
        lines = self.order_line.filtered(lambda line: line.product_id.type == "consu")
        volume = sum(
            line.product_uom_id._compute_quantity(line.product_uom_qty, line.product_id.uom_id) * line.product_id.volume
            for line in lines
        )
        return Shipment(
            country_id=self.partner_shipping_id.country_id.id or 0,
            state_id=self.partner_shipping_id.state_id.id or 0,
            warehouse_id=self.warehouse_id.id or 0,
            weight=self._get_estimated_weight() * Parcel._get_kilogram_factor(),
            volume=volume * Parcel._get_cubic_metre_factor(),
        )
