from odoo import api, fields, models
from odoo.exceptions import LockError, UserError, ValidationError

from ...sharing import OrderMoney, share_order
from ...tools import open_records


class SaleOrder(models.Model):
    """The delivery groups of an order, and what follows from them for Odoo's own figures.

    Odoo knows one order of a transfer (`stock.picking.sale_id`). An order whose goods travel with those of others finds
    its transfers by its moves; every other order finds them as ever.
    """

    _inherit = "sale.order"

    # Plain and on the row itself: an order without groups costs no question about them.
    oms_is_grouped = fields.Boolean(string="Has Delivery Groups", readonly=True, copy=False)
    oms_is_sealed = fields.Boolean(
        string="Sealed", copy=False, help="A sealed order is not put into one parcel with others."
    )
    oms_group_line_ids = fields.One2many(
        "oms.delivery.group.line", "order_id", string="Delivery Group Lines", copy=False
    )
    oms_delivery_group_ids = fields.Many2many(
        "oms.delivery.group",
        string="Delivery Groups",
        compute="_compute_oms_delivery_group_ids",
        compute_sudo=True,  # who may read the order may know that it has groups, not what else is in them
    )
    oms_delivery_group_count = fields.Integer(
        string="Delivery Group Count", compute="_compute_oms_delivery_group_ids", compute_sudo=True
    )

    # === COMPUTE METHODS === #

    @api.depends("oms_group_line_ids.group_id")
    def _compute_oms_delivery_group_ids(self):
        for order in self:
            order.oms_delivery_group_ids = order.oms_group_line_ids.group_id.sorted("id")
            order.oms_delivery_group_count = len(order.oms_delivery_group_ids)

    @api.depends("oms_group_line_ids.group_id.picking_ids.state", "oms_group_line_ids.group_id.is_waiting")
    def _compute_oms_stage(self):
        """Override to follow the transfers that are shared with other orders."""
        return super()._compute_oms_stage()

    @api.depends("oms_group_line_ids.group_id.picking_ids.state", "oms_group_line_ids.group_id.is_waiting")
    def _compute_delivery_status(self):
        """Override of `sale_stock`: an order that shares transfers, or has parts that wait, has them all counted."""
        res = super()._compute_delivery_status()
        for order in self.filtered("oms_is_grouped"):
            pickings = order._oms_get_pickings().filtered(lambda picking: picking.state != "cancel")
            is_done = [picking.state == "done" for picking in pickings]
            if not pickings:
                order.delivery_status = False
            elif all(is_done) and not order._oms_has_waiting_parts():
                order.delivery_status = "full"
            elif any(is_done):
                order.delivery_status = "partial" if any(order.order_line.mapped("qty_delivered")) else "started"
            else:
                order.delivery_status = "pending"
        return res

    def _compute_effective_date(self):
        """Override of `sale_stock`: the first delivery may be one that is shared with other orders.

        Without a dependency on the groups: Odoo would take the delivery date of bank statement lines, which depends on
        this, away with them on uninstall. `stock.picking._action_done` has it computed instead.
        """
        res = super()._compute_effective_date()
        for order in self.filtered("oms_is_grouped"):
            deliveries = order._oms_get_pickings().filtered(
                lambda picking: picking.state == "done" and picking.location_dest_id.usage == "customer"
            )
            order.effective_date = min((date for date in deliveries.mapped("date_done") if date), default=False)
        return res

    @api.depends("oms_group_line_ids.group_id.picking_ids")
    def _compute_picking_ids(self):
        """Override of `sale_stock`: count the transfers that are shared with other orders too."""
        res = super()._compute_picking_ids()
        for order in self.filtered("oms_is_grouped"):
            order.delivery_count = len(order._oms_get_pickings())
        return res

    # === CONSTRAINT METHODS === #

    @api.constrains(lambda self: self._get_same_parcel_fields())
    def _check_same_parcel_fields(self):
        """What a transfer can have only one of stays the same in all orders that share one."""
        names = self._get_same_parcel_fields()
        for order in self.filtered("oms_is_grouped"):
            for group in order.sudo().oms_group_line_ids.group_id:  # sudo: oms.delivery.group - read for a check
                for name in names:
                    if len({other[name] for other in group.order_ids}) > 1:
                        raise ValidationError(
                            self.env._(
                                "%(order)s travels with %(others)s (%(group)s): %(field)s must be the same. Undo the"
                                " merge first.",
                                order=order.name,
                                others=", ".join((group.order_ids - order).mapped("name")),
                                group=group.name,
                                field=self._fields[name]._description_string(self.env),
                            )
                        )

    # === CRUD METHODS === #

    def _oms_after_change(self, parts):
        """Override of the review: a parcel goes to one address."""
        res = super()._oms_after_change(parts)
        if "address" in parts:
            # sudo: oms.delivery.group - groups follow the order that its user may change
            self.filtered("oms_is_grouped").sudo()._oms_follow_address()
        return res

    # === ACTION METHODS === #

    def action_view_delivery(self):
        """Override of `sale_stock`: open the transfers that are shared with other orders too."""
        if any(order.oms_is_grouped for order in self):
            return self._get_action_view_picking(self._oms_get_pickings())
        return super().action_view_delivery()

    def action_view_oms_delivery_groups(self):
        """Open the delivery groups of these orders."""
        return open_records(self.oms_delivery_group_ids, "oms_base.oms_delivery_group_action")

    # === FACTS === #

    def _oms_get_pickings(self):
        """Return the transfers that move goods of these orders, those they share with others too."""
        if not any(order.oms_is_grouped for order in self):
            return self.picking_ids  # `self`, so that the orders around it are read in the same query
        plain = self.filtered(lambda order: not order.oms_is_grouped)
        return plain.picking_ids | (self - plain).order_line.move_ids.picking_id

    def _oms_has_waiting_parts(self):
        """Whether a part of one order waits and has not been asked of the warehouse."""
        self.ensure_one()
        return self.oms_is_grouped and any(group.is_waiting for group in self.sudo().oms_group_line_ids.group_id)

    def _get_oms_stage(self):
        """Override: an order of which a part still waits is not shipped."""
        stage = super()._get_oms_stage()
        return "part_shipped" if stage == "shipped" and self._oms_has_waiting_parts() else stage

    def _oms_get_shippable_lines(self):
        """Return the lines of these orders for which goods leave the house."""
        return self.order_line.filtered(
            lambda line: line._oms_is_shippable() and line.product_uom_id.compare(line.product_uom_qty, 0.0) > 0
        )

    def _oms_share_money(self, parts):
        """Return what each of ``parts`` of one order costs; together they are the order's totals to the cent.

        :param parts: list of (order line, quantity) that make up everything the order ships
        :return: list of `sharing.Money`
        """
        self.ensure_one()
        lines = self.order_line.browse({line.id for line, _quantity in parts})
        round_amount = self.currency_id.round
        others = (self.order_line - lines).filtered(lambda line: line.price_subtotal < 0)
        discount = round_amount(sum(others.mapped("price_subtotal")))
        goods = {line.id: (round_amount(line.price_subtotal), round_amount(line.price_tax)) for line in lines}
        money = OrderMoney(
            lines=goods,
            discount=discount,
            # Taken from the total, so that whatever rounds an order's total is in one of the shares.
            shipping=round_amount(self.amount_untaxed - sum(amount for amount, _tax in goods.values()) - discount),
            tax=round_amount(self.amount_tax),
        )
        return share_order(money, [(line.id, quantity) for line, quantity in parts], self.currency_id.decimal_places)

    def _prepare_delivery_group_values(self):
        """Return the values of a delivery group of one order. Can be extended."""
        self.ensure_one()
        return {
            "company_id": self.company_id.id,
            "partner_id": self.partner_shipping_id.id,
            "currency_id": self.currency_id.id,
        }

    # === BUSINESS METHODS === #

    def _action_cancel(self):
        """Override of `sale`: a cancelled order leaves its groups. Odoo would cancel a shared transfer as a whole."""
        grouped = self.filtered("oms_is_grouped")
        if grouped:
            # sudo: oms.delivery.group - groups follow the order that their user may cancel
            grouped.sudo()._oms_leave_groups()
        return super()._action_cancel()

    def _oms_leave_groups(self):
        """Take these orders out of all their groups, and their open goods out of the transfers of others."""
        for order in self:
            order.order_line.move_ids._oms_leave_shared_transfers()
            groups = order.oms_group_line_ids.group_id
            others = groups.line_ids.line_id - order.order_line
            order.oms_group_line_ids.unlink()
            groups._tidy()
            others._oms_relaunch()  # they may have waited for this order
        self.oms_is_grouped = False

    def _oms_follow_address(self):
        """Take these orders out of parcels that go to another address now, unless the warehouse works on them: then
        Odoo asks a person, as it does for every transfer under way."""
        for order in self:
            for group in order.oms_group_line_ids.group_id.sorted("id"):
                others = group.order_ids - order
                if not others or group._get_release_problem():
                    if not others and not group._get_release_problem():
                        group.partner_id = order.partner_shipping_id
                    continue
                if order._get_merge_key() != others[0]._get_merge_key():
                    name = group.name
                    group._take_apart(order)
                    order._oms_finish_grouping("unmerged", name)
                    others.order_line._oms_relaunch()  # they may have waited for this order

    def _oms_ask_anew(self):
        """Call back what the warehouses were asked for by these orders, which nobody has begun to pick, and ask for it
        where it comes from now. `oms_allocation` overrides it: there the plan says from where."""
        self.order_line.move_ids._oms_withdraw()
        self.order_line._oms_relaunch()

    def _oms_lock_for_grouping(self):
        """Lock these orders: what is read of them after that is nobody else's to change before this is done.

        :raise UserError: when somebody else is at it
        """
        try:
            # sudo: sale.order - taking the lock is no change
            self.sudo().sorted("id").lock_for_update(allow_referencing=True)
        except LockError as error:
            raise UserError(
                self.env._(
                    "Somebody else is changing one of the orders %(orders)s. Try again in a moment.",
                    orders=", ".join(self.mapped("name")),
                )
            ) from error

    def _oms_finish_grouping(self, code, name, groups=None):
        """Launch what changed its place, check that nothing was lost, and tell the timeline.

        :param code: event code: "merged", "split" or "unmerged"
        :param name: what it was about, for the timeline
        """
        # A launch reads what the change of groups left in the database, not what it was before.
        self.order_line._oms_relaunch()
        self._oms_check_groups()
        self._oms_log_event(code, document=groups[:1] if groups else None, message=name)

    def _oms_check_groups(self):
        """Check that the groups of these orders hold what was ordered, no unit less or more.

        :raise ValidationError: naming the line
        """
        for line in self.filtered("oms_is_grouped")._oms_get_shippable_lines():
            quantity = sum(line.oms_group_line_ids.mapped("quantity"))
            if line.product_uom_id.compare(quantity, line.product_uom_qty):
                raise ValidationError(
                    self.env._(
                        "%(order)s: %(ordered)g of %(product)s were ordered, the delivery groups hold %(quantity)g.",
                        order=line.order_id.name,
                        product=line.product_id.display_name,
                        ordered=line.product_uom_qty,
                        quantity=quantity,
                    )
                )
