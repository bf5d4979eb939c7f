from collections import defaultdict
from dataclasses import asdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from odoo.addons.oms_base.tools import open_records

from ..const import OPEN_PARCEL_STATES
from ..routing.tariff import rank


class StockPicking(models.Model):
    """The parcels of a delivery, from what is in them to what the shop is told."""

    _inherit = "stock.picking"

    oms_parcel_ids = fields.One2many("oms.parcel", "picking_id", string="Parcels")
    oms_parcel_count = fields.Integer(string="Parcel Count", compute="_compute_oms_parcel_count")

    @api.depends("oms_parcel_ids")
    def _compute_oms_parcel_count(self):
        for picking in self:
            picking.oms_parcel_count = len(picking.oms_parcel_ids)

    # === CRUD METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_except_numbered(self):
        """The database would take the parcels along, and with them numbers and labels that must be accounted for."""
        self.oms_parcel_ids._unlink_except_numbered()

    # === ACTION METHODS === #

    def action_oms_pack(self):
        """Put what is in no parcel yet into parcels, and open them."""
        self._oms_check_release()
        return open_records(self._oms_create_parcels() or self.oms_parcel_ids, "oms_fulfillment.oms_parcel_action")

    def action_view_oms_parcels(self):
        """Open the parcels of these transfers."""
        return open_records(self.oms_parcel_ids, "oms_fulfillment.oms_parcel_action")

    def action_cancel(self):
        """Override of `stock` to give up the parcels of cancelled deliveries."""
        res = super().action_cancel()
        cancelled = self.filtered(lambda picking: picking.state == "cancel")
        # sudo: oms.parcel - who cancels an order cancels its deliveries, and what was packed for them
        parcels_sudo = cancelled.sudo().oms_parcel_ids
        parcels_sudo.filtered(lambda parcel: parcel.state in OPEN_PARCEL_STATES).action_cancel()
        return res

    # === FACTS === #

    def _oms_is_released(self):
        """Override of `oms_base`: who scans a transfer, alone or in a batch, has claimed it; a parcel is work too.

        A batch alone says nothing: they are made, and started, by themselves.
        """
        is_worked_on = self.user_id or self._oms_get_live_parcels()
        return super()._oms_is_released() or (self.state != "cancel" and bool(is_worked_on))

    def _oms_get_live_parcels(self):
        """Return the parcels that are not cancelled."""
        return self.oms_parcel_ids.filtered(lambda parcel: parcel.state != "cancelled")

    def _oms_get_parcels(self):
        """Override of `oms_base`: what was packed, where all of it is known."""
        parcels = self._oms_get_live_parcels()
        # A number that only the transfer has is of all boxes: boxes without a number would be told without any.
        is_numbered = all(parcel.tracking_number for parcel in parcels) or not self.carrier_tracking_ref
        if not parcels or not is_numbered or not all(line.move_id for line in parcels.line_ids):
            return super()._oms_get_parcels()
        return [
            (
                parcel.tracking_number or "",
                parcel.tracking_url or "",
                {move: sum(lines.mapped("quantity")) for move, lines in parcel.line_ids.grouped("move_id").items()},
            )
            for parcel in parcels.sorted("number")
        ]

    def _oms_get_arrival_dates(self):
        """Override of `oms_base`: the delivery of the last parcel; before that the last movement the carrier told."""
        dates = super()._oms_get_arrival_dates()
        for picking in self:
            parcels = picking._oms_get_live_parcels()
            if told := [date for parcel in parcels if (date := parcel.delivered_date or parcel.last_event_date)]:
                dates[picking] = max(told)
        return dates

    def _oms_is_picked(self):
        """Whether the goods of one delivery have left their shelves: scanned, or brought by an earlier transfer."""
        self.ensure_one()
        moves = self.move_ids.filtered(lambda move: move.state != "cancel")
        brought = self.state == "assigned" and bool(moves.move_orig_ids.filtered(lambda move: move.state == "done"))
        # Odoo calls a move picked as soon as one of its lines is.
        lines_left = self.move_line_ids.filtered(lambda line: not line.picked and not line.oms_problem)
        return brought or (bool(moves) and all(move.picked for move in moves) and not lines_left)

    def _oms_is_packed(self):
        """Whether one delivery stands in closed parcels."""
        self.ensure_one()
        parcels = self._oms_get_live_parcels()
        if not parcels or any(parcel.state not in ("packed", "labelled") for parcel in parcels):
            return False
        left = self._oms_get_unpacked_content()[self]
        return not any(
            move.product_id.uom_id.compare(quantity, 0) > 0 for (_pack, move, _lot), quantity in left.items()
        )

    def _oms_get_content(self):
        """Return what goes out with each delivery: what was picked or, before anything was, what is reserved.

        :return: dict {picking: {(stock.package, stock.move, stock.lot): quantity in the product's unit}}
        """
        content = {picking: defaultdict(float) for picking in self}
        lines = self.move_line_ids.filtered(lambda line: line.state != "cancel" and line.quantity_product_uom > 0)
        for picking, picking_lines in lines.grouped("picking_id").items():
            for line in picking_lines.filtered("picked") or picking_lines:
                content[picking][line.result_package_id, line.move_id, line.lot_id] += line.quantity_product_uom
        return content

    def _oms_get_unpacked_content(self):
        """Return the part of `_oms_get_content` that is in no parcel yet, in the same form."""
        unpacked = self._oms_get_content()
        for picking, content in unpacked.items():
            packed = defaultdict(float)
            for line in picking._oms_get_live_parcels().line_ids:
                packed[line.move_id, line.lot_id] += line.quantity
            for key in content:
                _package, move, lot = key
                # A parcel packed before lots were chosen counts for any lot of the move.
                for packed_key in ((move, lot), (move, lot.browse())):
                    taken = min(content[key], packed[packed_key])
                    packed[packed_key] -= taken
                    content[key] -= taken
        return unpacked

    # === PARCELS === #

    def _oms_create_parcels(self):
        """Put what is in no parcel yet into new ones: one for each of Odoo's packages, one for what is in none.

        :return: the new parcels, as drafts
        """
        numbers = defaultdict(int)
        for parcel in self.oms_parcel_ids:
            numbers[parcel.picking_id] = max(numbers[parcel.picking_id], parcel.number)
        vals_list = []
        for picking, content in self._oms_get_unpacked_content().items():
            by_package = defaultdict(list)
            for (package, move, lot), quantity in content.items():
                if move.product_id.uom_id.compare(quantity, 0) > 0:
                    by_package[package].append(self._prepare_parcel_line(move, lot, quantity))
            for package, line_commands in by_package.items():
                numbers[picking] += 1
                vals_list.append(
                    {
                        "picking_id": picking.id,
                        "number": numbers[picking],
                        "package_id": package.id,
                        "line_ids": line_commands,
                    }
                )
        # Machine work whose story is in the order's timeline: no message a parcel.
        return self.env["oms.parcel"].with_context(tracking_disable=True).create(vals_list).with_env(self.env)

    @api.model
    def _prepare_parcel_line(self, move, lot, quantity):
        return Command.create(
            {
                "company_id": move.company_id.id,  # known here, so it is not written by a second statement
                "move_id": move.id,
                "product_id": move.product_id.id,
                "lot_id": lot.id,
                "quantity": quantity,
            }
        )

    def _oms_ensure_parcels(self):
        """Make the parcels fit what goes out.

        No parcel: made from the content. One open parcel: takes all of it. Several: must fit, a person packed them.

        :raise UserError: naming the transfer and what is missing or too much
        """
        unpacked = self.filtered(lambda picking: not picking._oms_get_live_parcels())
        unpacked._oms_create_parcels()
        packed = self - unpacked
        for picking, content in packed._oms_get_content().items():
            parcel = picking._oms_get_live_parcels()
            if len(parcel) == 1 and parcel.state in OPEN_PARCEL_STATES and not parcel._has_content(content):
                commands = [self._prepare_parcel_line(move, lot, qty) for (_pack, move, lot), qty in content.items()]
                parcel.line_ids = [Command.clear(), *commands]
        packed._oms_check_parcels()

    def _oms_check_parcels(self):
        """Refuse deliveries whose parcels hold something else than what goes out."""
        for picking, content in self._oms_get_content().items():
            balance = defaultdict(float)
            for (_package, move, _lot), quantity in content.items():
                balance[move.product_id] += quantity
            for line in picking._oms_get_live_parcels().line_ids:
                balance[line.product_id] -= line.quantity
            for product, quantity in balance.items():
                if not product.uom_id.is_zero(quantity):
                    raise UserError(picking._oms_get_parcel_problem(product, quantity))

    def _oms_get_parcel_problem(self, product, quantity):
        self.ensure_one()
        values = {"transfer": self.name, "quantity": abs(quantity), "product": product.display_name}
        if quantity > 0:
            return self.env._("%(transfer)s: %(quantity)g of %(product)s are in no parcel. Pack them first.", **values)
        return self.env._(
            "%(transfer)s: the parcels hold %(quantity)g of %(product)s more than goes out. Correct or cancel them.",
            **values,
        )

    # === SHIPPING === #

    def _action_done(self):
        """Override of `stock`: no delivery of a channel leaves without parcels and, where there are any, waybills."""
        deliveries = self._oms_filter_parcelled()
        deliveries._oms_prepare_shipping()
        res = super()._action_done()
        deliveries.filtered(lambda picking: picking.state == "done")._oms_finish_shipping()
        return res

    def _oms_filter_parcelled(self):
        """Return the deliveries that travel in parcels: those of channel orders, and those packed by hand."""
        return self.filtered(
            lambda picking: (
                picking.picking_type_code == "outgoing"
                and picking.state not in ("done", "cancel")
                and (picking.oms_parcel_ids or picking.sale_id.channel_id)
                and any(line.quantity_product_uom > 0 for line in picking.move_line_ids)
            )
        )

    def _oms_prepare_shipping(self):
        """Get everything on paper before the goods leave: parcels, carrier, weight, waybills, the transfer's reference.

        The reference is written before `_action_done`, as others read it there, and as `stock_delivery` then knows that
        there is nothing left to send.
        """
        self._oms_ensure_parcels()
        self._oms_take_over_reference()
        parcels = self._oms_get_live_parcels()
        parcels._check_weight()
        parcels._assign_waybills()
        for picking in self:
            picking._oms_check_carrier()
            live = picking._oms_get_live_parcels()
            if numbers := live.filtered("tracking_number").mapped("tracking_number"):
                values = {"carrier_tracking_ref": ",".join(numbers)}
                if picking.delivery_type == "oms_waybill":
                    values["carrier_price"] = picking._oms_get_carrier_price()
                picking.write(values)
                picking._add_delivery_cost_to_so()

    def _oms_get_carrier_price(self):
        """Return what the carrier asks for all parcels of one delivery, with Odoo's margins, as `_oms_get_exact_price`
        does without them."""
        self.ensure_one()
        # The order is only there to convert the fixed margin, which costs queries for every delivery.
        order = self.carrier_id.fixed_margin and self.sale_id
        return self.carrier_id._apply_margins(self._oms_get_exact_price(), order)

    def _oms_get_exact_price(self):
        """Return what the carrier asks for all parcels of one delivery, as Odoo's `send_shipping` has it: in the
        currency of the order, on which it may become a line."""
        self.ensure_one()
        price, company, order = sum(self._oms_get_live_parcels().mapped("price")), self.company_id, self.sale_id
        if not order or order.currency_id == company.currency_id:
            return price
        return company.currency_id._convert(price, order.currency_id, company, order.date_order)

    def _oms_check_carrier(self):
        """Refuse a delivery whose label is of another carrier than it goes out with."""
        self.ensure_one()
        for parcel in self._oms_get_live_parcels():
            if parcel.carrier_id != self.carrier_id:
                raise UserError(
                    self.env._(
                        "Parcel %(parcel)s has a waybill of %(labelled)s, but %(transfer)s goes out with %(carrier)s:"
                        " cancel the parcel or its waybill, or put the carrier back.",
                        parcel=parcel.name,
                        labelled=parcel.carrier_id.name,
                        transfer=self.name,
                        carrier=self.carrier_id.name or self.env._("no carrier"),
                    )
                )

    def _oms_take_over_reference(self):
        """Give a single parcel the number its transfer got elsewhere: typed in, or from a carrier's own connection."""
        for picking in self.filtered("carrier_tracking_ref"):
            parcel = picking._oms_get_live_parcels()
            if len(parcel) == 1 and not parcel.tracking_number:
                parcel.write({"tracking_number": picking.carrier_tracking_ref, "waybill_state": "assigned"})
                parcel._compute_prices()

    def _oms_finish_shipping(self):
        self._oms_take_over_reference()
        parcels = self._oms_get_live_parcels().filtered(lambda parcel: parcel.state in OPEN_PARCEL_STATES)
        parcels._set_state("shipped")
        parcels._start_tracking()

    # === CARRIER === #

    def _oms_ensure_carriers(self):
        """Choose a carrier for the deliveries without one: the cheapest that serves them. Leaves a decision with why.

        A company without tariffs sends without: its deliveries keep no carrier.

        :raise UserError: there are carriers with tariffs, but none for this address
        """
        for company, pickings in self.filtered(lambda picking: not picking.carrier_id).grouped("company_id").items():
            carriers = self.env["delivery.carrier"]._oms_get_candidates(company)
            if carriers:
                pickings._oms_choose_carriers(carriers)

    def _oms_choose_carriers(self, carriers):
        parcels = self._oms_get_live_parcels()
        quotes = carriers._oms_quote(parcels._prepare_shipments(), self.company_id)
        offers = {carrier: dict(zip(parcels, quotes[carrier], strict=True)) for carrier in carriers}
        decisions = []
        for picking in self:
            ranked = picking._oms_rank_carriers(offers)
            if not ranked:
                raise UserError(
                    self.env._(
                        "No carrier serves the address of %(transfer)s (%(address)s): set a carrier on the transfer or"
                        " add a tariff.",
                        transfer=picking.name,
                        address=picking.partner_id.display_name,
                    )
                )
            picking.carrier_id = ranked[0].carrier_id
            decisions += picking._prepare_carrier_decision_vals_list(ranked)
        # sudo: oms.decision - who packs may cause decisions, not write them
        self.env["oms.decision"].sudo().create(decisions)

    def _oms_rank_carriers(self, offers):
        """Return the `routing.tariff.Offer` of each carrier that serves every parcel of one delivery, best first.

        :param dict offers: {carrier: {parcel: Quote or None}}
        """
        self.ensure_one()
        parcels = self._oms_get_live_parcels()
        # sudo: delivery.carrier - Odoo matches zip prefixes, which a packer may not read
        serving = [carrier for carrier in offers if carrier.sudo()._match(self.partner_id, self)]
        return rank({carrier.id: [offers[carrier][parcel] for parcel in parcels] for carrier in serving})

    def _prepare_carrier_decision_vals_list(self, ranked):
        """Return the values of a decision for each order whose goods are in one delivery."""
        self.ensure_one()
        names = {carrier.id: carrier.name for carrier in self.carrier_id.browse(offer.carrier_id for offer in ranked)}
        values = {
            "kind": "carrier",
            "outcome": "chosen",
            "summary": self.env._(
                "%(transfer)s goes with %(carrier)s: the cheapest of %(count)s at %(price)s.",
                transfer=self.name,
                carrier=names[ranked[0].carrier_id],
                count=len(ranked),
                price=self.company_id.currency_id.format(ranked[0].price),
            ),
            "data": {
                "transfer": self.name,
                "candidates": [{"carrier": names[offer.carrier_id], **asdict(offer)} for offer in ranked],
            },
        }
        orders = self.move_ids.sale_line_id.order_id | self.sale_id
        return [{**values, "order_id": order.id} for order in orders]
