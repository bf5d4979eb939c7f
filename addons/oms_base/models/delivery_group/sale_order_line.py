from odoo import api, fields, models


class SaleOrderLine(models.Model):
    """A line that travels in several groups is asked of the warehouse group by group."""

    _inherit = "sale.order.line"

    oms_group_line_ids = fields.One2many("oms.delivery.group.line", "line_id", string="Delivery Groups", copy=False)
    oms_keep_together = fields.Char(
        string="Keep Together", copy=False, help="Lines of an order with the same word here are never split."
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._oms_filter_grouped()._oms_adapt_groups()
        return lines

    def write(self, vals):
        res = super().write(vals)
        if "product_uom_qty" in vals:
            self._oms_filter_grouped()._oms_adapt_groups()
        return res

    # === HOOKS === #

    def _get_keep_together_key(self):
        """Return what this line shares with those it may not be parted from, or None.

        To be extended by addons that know more of such bonds: a gift stays with what it was given for.
        """
        self.ensure_one()
        return self.oms_keep_together or None

    # === FACTS === #

    def _oms_filter_grouped(self):
        """Return the lines of orders with delivery groups. Asks nothing about the others."""
        return self.filtered(lambda line: line.order_id.oms_is_grouped and line._oms_is_shippable())

    def _oms_is_shippable(self):
        """Whether goods leave the house for this line."""
        self.ensure_one()
        return self.product_id.type == "consu" and not self.display_type and not self.is_expense

    def _oms_get_weight(self, quantity):
        """Return what ``quantity`` (in the line's unit) weighs, in the unit of the products' weights."""
        self.ensure_one()
        return self.product_uom_id._compute_quantity(quantity, self.product_id.uom_id) * self.product_id.weight

    # === LAUNCH === #

    def _action_launch_stock_rule(self, *, previous_product_uom_qty=False):
        """Override of `sale_stock`: the groups follow their lines first, so that each asks for what it lacks."""
        if self.env.context.get("skip_procurement"):
            return super()._action_launch_stock_rule(previous_product_uom_qty=previous_product_uom_qty)
        grouped = self._oms_follow_groups()
        res = super()._action_launch_stock_rule(previous_product_uom_qty=previous_product_uom_qty)
        if grouped:
            others = grouped.oms_group_line_ids.group_id._get_held_back_lines() - self
            grouped.oms_group_line_ids.group_id._tidy()
            others.sudo(self.env.su)._oms_relaunch()
        return res

    def _oms_follow_groups(self):
        """Bring the groups of these lines in line with what is ordered and what stands in transfers.

        To be called before something is decided about what they lack.

        :return: the lines that have groups, with the system's rights
        """
        # sudo: oms.delivery.group - groups follow the order that their user may change
        grouped_sudo = self._oms_filter_grouped().sudo()
        grouped_sudo._oms_adapt_groups(keep_empty=True)
        grouped_sudo.oms_group_line_ids.group_id._await_others()
        grouped_sudo._oms_sync_groups()
        return grouped_sudo

    def _oms_relaunch(self):
        """Ask the warehouse for what is missing of these lines now."""
        self.filtered(lambda line: line.state == "sale")._action_launch_stock_rule()

    def _get_qty_procurement(self, previous_product_uom_qty=False):
        """Override of `sale_stock`: what waits in a group counts as taken care of, so nobody asks for it yet."""
        quantity = super()._get_qty_procurement(previous_product_uom_qty)
        return quantity + self._oms_get_waiting_quantity()

    def _oms_get_waiting_quantity(self, for_others=False):
        """Return how much of one line waits in its groups and was not asked for yet, in the line's unit.

        :param for_others: only what waits for the other orders of its parcel
        """
        self.ensure_one()
        if not self.order_id.oms_is_grouped:
            return 0.0
        # sudo: oms.delivery.group - how much waits is no secret to who launches the rest
        return sum(
            max(row._get_pending_quantity(), 0.0)
            for row in self.sudo().oms_group_line_ids
            if row.group_id.is_waiting and (row.group_id.wait_until or not for_others)
        )

    def _create_procurements(self, product_qty, procurement_uom, values):
        """Override of `sale_stock`: one procurement for each group that the quantity belongs to."""
        if not self.order_id.oms_is_grouped or not self._oms_is_shippable():
            return super()._create_procurements(product_qty, procurement_uom, values)
        prepare = super()._create_procurements  # super() has no meaning inside the loop
        procurements = []
        quantity = procurement_uom._compute_quantity(product_qty, self.product_uom_id, round=False)
        # sudo: oms.delivery.group - groups follow the order that their user may change
        for row, part in self.sudo()._oms_share_over_groups(quantity, values.get("warehouse_id")):
            row.procured_quantity += part
            part = self.product_uom_id._compute_quantity(part, procurement_uom, round=False)
            group_values = row.group_id._prepare_procurement_values()
            procurements += prepare(part, procurement_uom, {**values, **group_values})
        return procurements

    def _oms_share_over_groups(self, quantity, warehouse):
        """Return which group asks for how much of ``quantity`` (in the line's unit), as a list of (row, quantity).

        Together they are ``quantity``. What is asked for goes to who lacks it, those of ``warehouse`` first; what is
        given back is taken from who has too much, then from the last, each by no more than it has open there.
        """
        self.ensure_one()
        compare = self.product_uom_id.compare
        if compare(quantity, 0.0) >= 0:
            rows = self._oms_get_launchable_rows(warehouse)
            rooms = [(row, row._get_pending_quantity()) for row in rows]
            fallback = rows[-1:] or self.oms_group_line_ids[-1:]
        else:
            rows = self.oms_group_line_ids.sorted("id", reverse=True)
            open_quantities = self._oms_get_open_quantities(warehouse)
            surplus = [(row, min(-row._get_pending_quantity(), open_quantities.get(row.group_id, 0.0))) for row in rows]
            rest = [(row, open_quantities.get(row.group_id, 0.0) - max(room, 0.0)) for row, room in surplus]
            rooms = [*surplus, *rest]
            fallback = rows[:1]
        parts, left = {}, abs(quantity)
        for row, room in rooms:
            taken = min(left, room)
            if compare(taken, 0.0) > 0:
                parts[row] = parts.get(row, 0.0) + taken
                left -= taken
        if compare(left, 0.0) > 0 and fallback:
            parts[fallback] = parts.get(fallback, 0.0) + left
        return [(row, part if quantity >= 0 else -part) for row, part in parts.items()]

    def _oms_get_launchable_rows(self, warehouse):
        """Return the rows of one line whose groups do not wait: those of ``warehouse`` first, of another one last."""
        return self.oms_group_line_ids.filtered(lambda row: not row.group_id.is_waiting).sorted(
            lambda row: (
                row.group_id.warehouse_id != warehouse if row.group_id.warehouse_id else 0.5,
                row.id,
            )
        )

    # === FOLLOW === #

    def _oms_adapt_groups(self, keep_empty=False):
        """Let the groups follow the ordered quantities: more goes to the last group that is still open, less is taken
        from the last open ones.

        :param keep_empty: leave groups that lost all for the caller, who still has to take back what they asked for
        """
        groups = self.env["oms.delivery.group"]
        for line in self:
            line_sudo = line.sudo()  # sudo: oms.delivery.group - groups follow the order that their user may change
            difference = line.product_uom_qty - sum(line_sudo.oms_group_line_ids.mapped("quantity"))
            sign = line.product_uom_id.compare(difference, 0.0)
            if sign > 0:
                line_sudo._oms_add_to_groups(difference)
            elif sign < 0:
                line_sudo._oms_take_from_groups(-difference)
                groups |= line_sudo.oms_group_line_ids.group_id
        if not keep_empty:
            groups._tidy()

    def _oms_add_to_groups(self, quantity):
        """Add ``quantity`` of one line to the last open group of its order, or to a new one."""
        self.ensure_one()
        groups = self.order_id.oms_group_line_ids.group_id.sorted("id")
        group = groups.filtered(lambda group: not group._get_release_problem())[-1:]
        if not group:
            group = groups.create([self.order_id._prepare_delivery_group_values()])
            group.reference_id.sale_ids = self.order_id
        row = group.line_ids.filtered(lambda row: row.line_id == self)
        if row:
            row.quantity += quantity
        else:
            self.env["oms.delivery.group.line"].create(
                [{"group_id": group.id, "line_id": self.id, "quantity": quantity}]
            )

    def _oms_take_from_groups(self, quantity):
        """Take ``quantity`` of one line from the last groups, those that are still open first."""
        self.ensure_one()
        rows = self.oms_group_line_ids.sorted("id", reverse=True)
        is_released = {row: bool(row.group_id._get_release_problem()) for row in rows}
        for row in rows.sorted(lambda row: is_released[row]):
            taken = min(quantity, row.quantity)
            if self.product_uom_id.compare(taken, 0.0) > 0:
                row.quantity -= taken
                quantity -= taken

    def _oms_sync_groups(self):
        """Note what the transfers of these lines have for each group: people change transfers too."""
        for line in self:
            procured = line._oms_get_procured_by_group()
            for row in line.oms_group_line_ids:
                quantity = procured.get(row.group_id, 0.0)
                if line.product_uom_id.compare(row.procured_quantity, quantity):
                    row.procured_quantity = quantity

    def _oms_get_procured_by_group(self):
        """Return {group: quantity in the line's unit} of what the transfers of one line were made for."""
        self.ensure_one()
        outgoing, incoming = self._oms_get_moves()
        quantities = {}
        for moves, sign in ((outgoing, 1), (incoming, -1)):
            for group, part in moves.grouped("oms_delivery_group_id").items():
                quantity = self._oms_count_in_unit(part, lambda move: move._oms_get_asked_quantity())
                quantities[group] = quantities.get(group, 0.0) + sign * quantity
        return quantities

    def _oms_get_open_quantities(self, warehouse):
        """Return {group: quantity in the line's unit} that is still open in the transfers of one line.

        :param warehouse: only what comes from there; empty for all
        """
        self.ensure_one()
        outgoing, _incoming = self._oms_get_moves()
        moves = outgoing.filtered(
            lambda move: (
                move.state != "done"
                and (not warehouse or (move.warehouse_id or move.location_id.warehouse_id) == warehouse)
            )
        )
        return {
            group: self._oms_count_in_unit(part, lambda move: move.product_uom_qty)
            for group, part in moves.grouped("oms_delivery_group_id").items()
        }

    def _oms_count_in_unit(self, moves, get_quantity):
        """Return what `_oms_count_moves` does, in the unit of the line."""
        count = self._oms_count_moves(moves, get_quantity)
        return self.product_id.uom_id._compute_quantity(count, self.product_uom_id, rounding_method="HALF-UP")
