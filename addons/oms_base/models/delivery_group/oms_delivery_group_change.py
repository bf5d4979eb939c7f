from odoo import api, models
from odoo.fields import Command


class OmsDeliveryGroup(models.Model):
    """How groups change: what is put together, taken apart and given up.

    A change of what the warehouse has been asked for withdraws the moves of the lines that change place, and launches
    the lines again: it is the one way by which transfers are made.
    """

    _inherit = "oms.delivery.group"

    # === MAKE === #

    @api.model
    def _create_for_orders(self, orders):
        """Make a group of each of these orders, which have none, with everything they ship; their transfers stay.

        :return: dict {order: group}
        """
        groups = self.create([order._prepare_delivery_group_values() for order in orders])
        self.env["oms.delivery.group.line"].create(
            [
                {"group_id": group.id, "line_id": line.id, "quantity": line.product_uom_qty}
                for order, group in zip(orders, groups, strict=True)
                for line in order._oms_get_shippable_lines()
            ]
        )
        for order, group in zip(orders, groups, strict=True):
            # The group's reference takes the place of the order's own, which would keep its goods together.
            order.stock_reference_ids = [Command.set(group.reference_id.ids)]
            moves = order.order_line.move_ids.filtered(lambda move: move.state not in ("done", "cancel"))
            moves.write({"oms_delivery_group_id": group.id, "reference_ids": [Command.set(group.reference_id.ids)]})
            moves.picking_id.oms_delivery_group_id = group
        orders.oms_is_grouped = True
        return dict(zip(orders, groups, strict=True))

    # === PUT TOGETHER === #

    def _oms_merge(self):
        """Put these groups into the first of them.

        :raise UserError: naming what can't be merged, and why
        :return: the group that holds all
        """
        orders = self.order_ids
        orders._oms_lock_for_grouping()
        # sudo: oms.delivery.group, sale.order, stock.move - transfers follow the orders that the user may write
        target, *others = self.sudo().sorted("id")
        if not others:
            return self
        if len(orders) > 1:
            orders.sudo()._oms_check_mergeable(ignore_split=True)
        self.sudo()._check_not_released()
        target._take_over(self.union(*others).sudo().line_ids)
        target.write({"is_waiting": False, "wait_until": False})
        target._tidy()
        orders.sudo()._oms_finish_grouping("merged", target.name, target)
        return target.sudo(self.env.su)

    def _take_over(self, rows):
        """Move ``rows`` of other groups into this one; groups that are left with nothing go."""
        sources = rows.group_id - self
        rows._withdraw_moves()
        own = {row.line_id: row for row in self.line_ids}
        for row in rows:
            if row.line_id in own:
                own[row.line_id].quantity += row.quantity
                row.quantity = 0.0
            else:
                row.group_id = self
        sources._tidy()

    # === TAKE APART === #

    def _carve(self, parts, values_list):
        """Take ``parts`` out of this group.

        :param parts: list of dicts {order line: quantity}, none of them empty, together less than what is here
        :param values_list: list of dicts, more values for the group of each part
        :return: the new groups
        """
        self.ensure_one()
        rows = {row.line_id: row for row in self.line_ids}
        self.env["oms.delivery.group.line"].union(*(rows[line] for part in parts for line in part))._withdraw_moves()
        groups = self.create([{**self._prepare_part_values(), **values} for values in values_list])
        for part in parts:
            for line, quantity in part.items():
                rows[line].quantity -= quantity
        self.env["oms.delivery.group.line"].create(
            [
                {"group_id": group.id, "line_id": line.id, "quantity": quantity}
                for group, part in zip(groups, parts, strict=True)
                for line, quantity in part.items()
            ]
        )
        return groups

    def _prepare_part_values(self):
        """Return the values that a part taken out of this group has from it. Can be extended."""
        self.ensure_one()
        return {
            "company_id": self.company_id.id,
            "partner_id": self.partner_id.id,
            "currency_id": self.currency_id.id,
            "planned_date": self.planned_date,
            "is_waiting": self.is_waiting and not self.wait_until,
        }

    def _undo(self):
        """Take one group back: merged orders go apart, a part of an order goes back to the rest of it."""
        self.ensure_one()
        orders = self.order_ids
        orders._oms_lock_for_grouping()
        self._check_not_released()
        name = self.name
        if len(orders) > 1:
            self._take_apart(orders[1:])
        else:
            self._join_rest()
        orders._oms_finish_grouping("unmerged", name)

    def _take_apart(self, orders):
        """Give what this group holds of each of ``orders`` a group of its own; whole orders then need none."""
        self.ensure_one()
        for order in orders:
            rows = self.line_ids.filtered(lambda row, order=order: row.order_id == order)
            values = {**order._prepare_delivery_group_values(), "planned_date": self.planned_date}
            group = self.create([values | {"is_waiting": self.is_waiting and not self.wait_until}])
            group._take_over(rows)
            group._tidy()

    def _join_rest(self):
        """Put a part of an order back to the first other part that the warehouse does not work on.

        :raise UserError: when it works on all of them
        """
        self.ensure_one()
        siblings = (self.order_ids.oms_group_line_ids.group_id - self).sorted("id")
        open_siblings = siblings.filtered(lambda group: not group._get_release_problem())
        if siblings and not open_siblings:
            siblings._check_not_released()
        self.write({"is_waiting": False, "wait_until": False, "planned_date": False})
        if open_siblings:
            open_siblings[0]._take_over(self.line_ids)
            open_siblings[0]._tidy()
        else:
            self._tidy()

    # === TIDY UP === #

    def _tidy(self):
        """Bring these groups in line with what is left in them: empty ones go, and so do those that say nothing."""
        rows = self.line_ids
        rows.filtered(lambda row: row.uom_id.is_zero(row.quantity)).unlink()
        empty = self.filtered(lambda group: not group.line_ids)
        references = empty.reference_id
        empty.unlink()
        references.filtered(lambda reference: not reference.move_ids).unlink()
        left = self - empty
        for group in left:
            if group.reference_id.sale_ids != group.order_ids:
                group.reference_id.sale_ids = [Command.set(group.order_ids.ids)]
            if group.is_waiting and group.wait_until and not group.late_order_ids:
                group.is_waiting = False
        self._tidy_orders(left.order_ids)

    @api.model
    def _tidy_orders(self, orders):
        """Give up the groups that hold just one whole order and make nothing of it: it is a unit by itself."""
        for order in orders:
            group = order.oms_group_line_ids.group_id
            if len(group) == 1 and group.order_ids == order and not group.is_waiting and not group.planned_date:
                # Its transfers and their reference stay with the order.
                group.reference_id.name = order.name
                order.oms_is_grouped = False
                group.unlink()
            else:
                order.oms_is_grouped = bool(group)

    def _holds(self, parts):
        """Whether one group has all of ``parts`` in it."""
        self.ensure_one()
        held = {row.line_id: row.quantity for row in self.line_ids}
        return not self.env["sale.order"]._get_parts_problem(parts, held)
