from odoo import api, fields, models

from ..const import CLOSED_STAGES, STAGE_NUMBERS, STAGES


class SaleOrder(models.Model):
    """The order of a channel, and where it stands."""

    _inherit = "sale.order"

    channel_id = fields.Many2one("oms.channel", index="btree_not_null", check_company=True, tracking=True, copy=False)
    channel_order_id = fields.Char(
        string="Channel Order ID", copy=False, readonly=True, help="The order's technical id in the channel."
    )
    channel_order_ref = fields.Char(
        string="Channel Order", copy=False, index="trigram", help="The order number that the buyer sees in the channel."
    )
    channel_amount_total = fields.Monetary(
        string="Total in the Channel", copy=False, readonly=True, help="What the buyer was asked to pay by the channel."
    )
    channel_amount_difference = fields.Monetary(
        string="Difference to the Channel",
        compute="_compute_channel_amount_difference",
        store=True,
        help="Total of this order less the total in the channel.",
    )
    # Stored like Odoo's own delivery_status, which the same transactions write on the same row: the kanban, the pivot
    # and every counter group by it, and it adds no contention that is not there already.
    oms_stage = fields.Selection(
        STAGES,
        string="Stage",
        compute="_compute_oms_stage",
        store=True,
        index="btree_not_null",
        copy=False,
        group_expand="_group_expand_oms_stage",
    )
    oms_stage_number = fields.Integer(
        string="Stage Number",
        compute="_compute_oms_stage",
        store=True,
        aggregator=None,
        copy=False,
        help="Position of the stage on the way of an order: 10 to review ... 100 cancelled.",
    )
    oms_event_ids = fields.One2many("oms.event", "order_id", string="Timeline", copy=False)
    oms_decision_ids = fields.One2many("oms.decision", "order_id", string="Decisions", copy=False)
    oms_hold_ids = fields.One2many("oms.hold", "order_id", string="Holds", copy=False)
    # compute_sudo: who may read the order sees that it is held, and by which kind of hold
    oms_hold_count = fields.Integer(string="Active Holds", compute="_compute_oms_hold_count", compute_sudo=True)
    oms_hold_summary = fields.Char(string="Held For", compute="_compute_oms_hold_count", compute_sudo=True)

    _channel_order_uniq = models.UniqueIndex(
        "(channel_id, channel_order_id) WHERE channel_order_id IS NOT NULL",
        "This order of the channel is already there.",
    )

    # === COMPUTE METHODS === #

    @api.depends("amount_total", "channel_amount_total")
    def _compute_channel_amount_difference(self):
        for order in self:
            difference = order.amount_total - order.channel_amount_total if order.channel_amount_total else 0.0
            order.channel_amount_difference = order.currency_id.round(difference) if order.currency_id else difference

    @api.depends("channel_id", "state", "oms_is_launch_pending", "oms_hold_ids.state", "picking_ids.state")
    def _compute_oms_stage(self):
        for order in self:
            stage = order._get_oms_stage() if order.channel_id else False
            if order._oms_is_done(stage):
                stage = "done"
            order.oms_stage = stage
            order.oms_stage_number = STAGE_NUMBERS.get(stage, 0)

    def _compute_invoice_status(self):
        """Override of `sale`: what has arrived is done once it is invoiced, and services are delivered by what is noted
        or invoiced of them. The stage does not depend on the status as such, or every invoice would have all transfers
        of its order looked at."""
        res = super()._compute_invoice_status()
        stage = self._fields["oms_stage"]
        known = self - self.env.records_to_compute(stage)
        self.env.add_to_compute(
            stage,
            known.filtered(
                lambda order: (
                    order.oms_stage in ("delivered", "done")
                    or (order.oms_stage == "shipped" and not order.delivery_status)  # services only
                )
            ),
        )
        return res

    @api.depends("oms_hold_ids.state")
    def _compute_oms_hold_count(self):
        for order in self:
            holds = order.oms_hold_ids.filtered(lambda hold: hold.state == "active")
            order.oms_hold_count = len(holds)
            order.oms_hold_summary = ", ".join(holds.type_id.mapped("name"))

    @api.model
    def _group_expand_oms_stage(self, values, domain):
        """Show the stages in their order, those with work to do even when they are empty."""
        return [stage for stage, _label in STAGES if stage in values or stage not in (*CLOSED_STAGES, "part_shipped")]

    # === ACTION METHODS === #

    def action_view_oms_holds(self):
        """Open the holds of these orders."""
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_hold_action")
        return {**action, "domain": [("order_id", "in", self.ids)], "context": {"create": False}}

    def _get_invoiced(self):
        """Override of `sale`: a warehouse operator opens orders too, and may read no invoice."""
        if self.env["account.move.line"].has_access("read"):
            return super()._get_invoiced()
        orders_sudo = self.sudo()  # sudo: account.move - even writing "none" checks the right to read
        orders_sudo.invoice_ids, orders_sudo.invoice_count = False, 0
        return None

    # === BUSINESS METHODS === #

    def _prepare_confirmation_values(self):
        """Override of `sale`: an order of a channel keeps the time at which the buyer placed it."""
        values = super()._prepare_confirmation_values()
        if self and all(order.channel_id for order in self):
            values.pop("date_order", None)
        return values

    def _action_cancel(self):
        """Override of `sale` to close what is open around a cancelled order."""
        res = super()._action_cancel()
        orders = self.filtered("channel_id")
        # sudo: oms.hold - who may cancel the order need not be allowed to read its holds
        orders.sudo().oms_hold_ids._release(self.env._("The order was cancelled."), resolution="cancelled")
        orders._oms_log_event("cancelled")
        return res

    def _oms_get_sellable_quantities(self, products):
        """Return what these orders may still be promised, as a list of (orders that see the same, quantities).

        `oms_allocation` overrides it: what an order may take depends on its channel, its buyer and how long goods must
        keep. What is bound for an order already comes on top of it, see `_oms_get_promised_quantities`.

        :return: list of (orders, dict {(product id, warehouse id): quantity in the product's unit})
        """
        groups = []
        for channel, orders in self.grouped("channel_id").items():
            if channel:
                groups.append((orders, channel._get_sellable_quantities(products)))
                continue
            for warehouse, some in orders.grouped("warehouse_id").items():
                groups.append((some, products._oms_get_sellable_quantities(warehouse)))
        return groups

    def _oms_get_promised_quantities(self):
        """Return what is bound for these orders before they are allocated: {order id: {(product id, warehouse id):
        quantity}}. To be overridden by who binds anything; it is not among what is sellable, and theirs all the same.
        """
        return {}

    def _oms_log_event(self, code, document=None, message=None, data=None, date=None):
        """Write one event for each of these orders; the only way events are written.

        :param code: key of `oms.event.code`
        :param document: record(s) the event is about: one for all, or as many as there are orders, told apart by their
            order (``order_id`` or ``sale_id``)
        :param message: one line for the person who reads the timeline; or a dict {order id: line}
        :param data: JSON-able details
        :param date: when it happened, if not now (naive UTC)
        :return: the events
        """
        return self.env["oms.event"]._query_insert(self._prepare_event_vals_list(code, document, message, data, date))

    def _prepare_event_vals_list(self, code, document=None, message=None, data=None, date=None):
        """Return the values of the events of `_oms_log_event`, for who writes those of many documents at once."""
        documents = {}
        if document and len(document) > 1:
            order_field = "order_id" if "order_id" in document._fields else "sale_id"
            documents = {record[order_field].id: record for record in document}
        messages = message if isinstance(message, dict) else dict.fromkeys(self.ids, message)
        shared = {"code": code, "data": data, "user_id": self.env.uid, "date": date or fields.Datetime.now()}
        vals_list = []
        for order in self:
            record = documents.get(order.id, document)
            link = {"res_model": record._name, "res_id": record[:1].id} if record else {}
            keys = {"order_id": order.id, "company_id": order.company_id.id, "channel_id": order.channel_id.id}
            vals_list.append({**shared, **link, **keys, "message": messages.get(order.id)})
        return vals_list

    # === HOOKS === #

    def _get_oms_stage(self):
        """Return the stage of one order of a channel, from the facts.

        To be overridden by addons that know more facts; they add their own `@api.depends` to `_compute_oms_stage`.
        """
        self.ensure_one()
        if self.state == "cancel":
            return "cancel"
        held = bool(self._oms_get_blocking_holds("ship"))
        if self.state != "sale":
            return "held" if held else "new"
        pickings = self._oms_get_pickings().filtered(lambda picking: picking.state != "cancel")
        deliveries = pickings._oms_filter_deliveries()
        open_pickings = pickings.filtered(lambda picking: picking.state != "done") & self._oms_get_outbound_pickings()
        if not open_pickings and not self.oms_is_launch_pending:
            if deliveries:
                return "shipped"
            if not any(line.product_id.type == "consu" for line in self.order_line):
                return "delivered" if self._oms_are_services_settled() else "shipped"
            return "held" if held else "waiting"
        if held:
            return "held"
        if any(picking.state == "done" for picking in deliveries):
            return "part_shipped"
        if any(picking.state == "assigned" for picking in open_pickings):
            return "ready"
        return "waiting"

    def _oms_are_services_settled(self):
        """Whether all services of one order are delivered, or invoiced where nobody notes what is delivered."""
        self.ensure_one()
        return all(
            line.product_uom_id.compare(max(line.qty_delivered, line.qty_invoiced), line.product_uom_qty) >= 0
            for line in self.order_line
            if not line.display_type and not line.is_downpayment
        )

    def _oms_is_done(self, stage):
        """Whether nothing is left to do for one order in ``stage``: it has arrived and is invoiced. Where nobody will
        tell of its arrival, it has left, is invoiced, and paid."""
        self.ensure_one()
        if stage not in ("shipped", "delivered") or (stage == "shipped" and not self._oms_filter_unfollowed()):
            return False
        return self.invoice_status == "invoiced" and (stage == "delivered" or self._oms_is_paid())

    def _oms_is_paid(self):
        """Whether the posted invoices of one order are paid."""
        self.ensure_one()
        return all(
            move.payment_state in ("in_payment", "paid", "reversed")
            for move in self.invoice_ids
            if move.state == "posted" and move.is_sale_document()
        )

    def _oms_filter_unfollowed(self):
        """Return those of these orders, which have left, of whose arrival nobody will tell. Here: all; to be narrowed
        by who follows parcels (`oms_fulfillment`)."""
        return self

    def _oms_get_outbound_pickings(self):
        """Return the transfers that bring goods to the buyer: all but receipts and returns."""
        return self._oms_get_pickings().filtered(
            lambda picking: picking.picking_type_code != "incoming" and not picking.return_id
        )
