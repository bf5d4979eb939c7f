from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..facts.text import normalise_text

OPEN_STATES = ("draft", "sent", "sale")


class SaleOrder(models.Model):
    """Orders of one buyer for one address can go in one parcel: which ones, why not, and doing it."""

    _inherit = "sale.order"

    oms_merge_candidate_ids = fields.Many2many(
        "sale.order",
        string="Could Travel Together",
        compute="_compute_oms_merge_candidate_ids",
        help="Other orders that can go in the same parcel.",
    )
    oms_merge_candidate_count = fields.Integer(compute="_compute_oms_merge_candidate_ids")

    # === COMPUTE METHODS === #

    @api.depends("partner_id", "partner_shipping_id", "state", "oms_is_sealed", "oms_stage")
    def _compute_oms_merge_candidate_ids(self):
        self.oms_merge_candidate_ids = False
        self.oms_merge_candidate_count = 0
        stored = self.filtered(lambda order: order.channel_id and order.state in OPEN_STATES and order.id)
        for orders in stored._oms_find_merge_candidates().values():
            for order in orders & stored:
                order.oms_merge_candidate_ids = orders - order
                order.oms_merge_candidate_count = len(orders) - 1

    # === ACTION METHODS === #

    def action_oms_merge(self):
        """Put these orders into one parcel; one order alone goes with all that can go with it."""
        if len(self) == 1:
            group = self._oms_merge_with_candidates()
            if not group:
                raise UserError(self.env._("No other order can go in one parcel with %(order)s.", order=self.name))
            return group._get_form_action()
        return self._oms_merge()._get_form_action()

    # === WHICH ONES === #

    def _get_same_parcel_fields(self):
        """Return the fields that must be equal in all orders of one parcel.

        To be extended by addons that know more of what a transfer can have only one of.
        """
        return ["company_id", "currency_id"]

    def _get_merge_key(self):
        """Return what the orders of one parcel have in common, or None when an order can't be told by its address."""
        self.ensure_one()
        channel, keys = self.channel_id, self._prepare_keys()
        address, phone = keys["oms_address_key"], keys["oms_phone_key"]
        is_across = channel.merge_across_channels
        if not channel or not address or channel.merge_window_hours <= 0 or (is_across and not phone):
            return None
        return (
            *(self[name].id for name in self._get_same_parcel_fields()),
            0 if is_across else channel.id,
            # Another channel knows the buyer as another contact: there the phone has to do.
            "" if is_across else keys["oms_buyer_key"],
            self.warehouse_id.id,
            address,
            normalise_text(self.partner_shipping_id.name),
            phone,
        )

    def _get_merge_queue_domain(self):
        """Return the domain of the orders that may be found as candidates for others, before each is looked at."""
        return (
            Domain("state", "in", OPEN_STATES)
            & Domain("channel_id.merge_window_hours", ">", 0)
            & Domain("oms_is_sealed", "=", False)
            & Domain("locked", "=", False)
            & Domain("oms_stage", "not in", ("shipped", "delivered", "returning", "done"))
        )

    def _oms_find_merge_candidates(self):
        """Find what can go in one parcel with these orders, each order of the result with all others of its key.

        :return: dict {key: orders}, only keys with two orders or more, oldest first
        """
        keys = {key for order in self if (key := order._get_merge_key())}
        if not keys:
            return {}
        oldest = min(self.mapped("date_order")) - timedelta(hours=max(self.channel_id.mapped("merge_window_hours")))
        same_buyer = Domain("partner_id", "child_of", self.partner_id.commercial_partner_id.ids) | (
            Domain("channel_id.merge_across_channels", "=", True)
            & Domain("partner_shipping_id.name", "in", self.partner_shipping_id.mapped("name"))
        )
        found = self.search(
            self._get_merge_queue_domain()
            & Domain("company_id", "in", self.company_id.ids)
            & Domain("date_order", ">=", oldest)
            & same_buyer,
            order="date_order, id",
        )
        obstacles, weights = found._get_merge_obstacles(), found._oms_get_weights()
        candidates = {}
        for order in found:
            key = order._get_merge_key()
            if key in keys and order not in obstacles:
                candidates[key] = candidates.get(key, self.browse()) | order
        proposals = {}
        for key, orders in candidates.items():
            fitting = orders._oms_select_fitting(self, weights)
            if len(fitting) > 1 and not fitting._oms_is_merged():
                proposals[key] = fitting
        return proposals

    def _oms_get_weights(self):
        """Return {order: what its goods weigh, in the unit of the products' weights}."""
        weights = dict.fromkeys(self, 0.0)
        for line in self._oms_get_shippable_lines():
            weights[line.order_id] += line._oms_get_weight(line.product_uom_qty)
        return weights

    def _oms_select_fitting(self, wanted, weights):
        """Return those of these orders of one key that fit into one parcel, ``wanted`` ones before others."""
        fitting = self.browse()
        for order in self.sorted(lambda order: (order not in wanted, order.date_order, order.id)):
            if not (fitting | order)._get_parcel_problem(weights):
                fitting |= order
        return fitting.sorted(lambda order: (order.date_order, order.id))

    def _oms_is_merged(self):
        """Whether these orders are in one group already, all of them and wholly."""
        groups = self.oms_group_line_ids.group_id
        return len(groups) == 1 and all(order.oms_is_grouped for order in self)

    # === WHY NOT === #

    def _get_parcel_problem(self, weights):
        """Return the sentence that says why these orders of one key don't fit into one parcel, or an empty string.

        :param weights: dict {order: weight}
        """
        dates = self.mapped("date_order")
        hours = min(self.channel_id.mapped("merge_window_hours"), default=0.0)
        if max(dates) - min(dates) > timedelta(hours=hours):
            return self.env._("they were placed more than %(hours)g hours apart", hours=hours)
        limits = [limit for limit in self.channel_id.mapped("merge_weight_limit") if limit]
        weight = sum(weights[order] for order in self)
        if limits and weight > min(limits):
            return self.env._(
                "together they weigh %(weight)g, the limit is %(limit)g", weight=weight, limit=min(limits)
            )
        return ""

    def _get_merge_obstacles(self, ignore_split=False):
        """Return why each of these orders can't go in one parcel with others now.

        :return: dict {order: sentence}, only those that can't
        """
        obstacles = {}
        for order in self:
            problem = order._get_regroup_problem() or order._get_merge_problem()
            if not problem and not ignore_split and len(order.oms_group_line_ids.group_id) > 1:
                problem = self.env._("it is split: merge its delivery groups instead")
            if problem:
                obstacles[order] = problem
        return obstacles

    def _get_regroup_problem(self):
        """Return the sentence that says why nothing of one order may change its parcel any more, or an empty string.

        To be extended by addons that know more.
        """
        self.ensure_one()
        if not self.channel_id:
            return self.env._("it belongs to no channel")
        if self.state not in OPEN_STATES:
            return self.env._("it is cancelled")
        if self.locked:
            return self.env._("it is locked")
        if not self._oms_get_shippable_lines():
            return self.env._("it ships nothing")
        pickings = self._oms_get_pickings()
        if released := pickings.filtered(lambda picking: picking._oms_is_released()):
            return self.env._(
                "the warehouse works on %(transfers)s already", transfers=", ".join(sorted(released.mapped("name")))
            )
        if any(
            move.location_id.usage == "supplier" or (move.procure_method == "make_to_order" and not move.move_orig_ids)
            for move in self.order_line.move_ids
            if move.state not in ("done", "cancel")
        ):
            return self.env._("goods are bought or made for it")
        if self.state == "sale" and not self._oms_filter_open("allocate"):
            return self._get_hold_problem(self._oms_get_blocking_holds("allocate"))
        return ""

    def _get_merge_problem(self):
        """Return the sentence that says why one order may not be put together with others, or an empty string.

        To be extended by addons that know more.
        """
        self.ensure_one()
        if self.oms_is_sealed:
            return self.env._("it is sealed")
        holds = self._oms_get_blocking_holds("confirm").filtered(lambda hold: not hold.type_id.allows_merge)
        if holds := holds | self._oms_get_blocking_holds("refund"):
            return self._get_hold_problem(holds)
        if self.oms_awaits_balance:
            return self.env._("its balance is not paid yet")
        if any(line.qty_invoiced for line in self.order_line):
            return self.env._("it is invoiced already")
        return ""

    def _get_hold_problem(self, holds):
        return self.env._("it is on hold (%(holds)s)", holds=", ".join(holds.type_id.mapped("name")))

    def _oms_check_mergeable(self, ignore_split=False):
        """Refuse to put these orders into one parcel when one can't.

        :raise UserError: naming each order that can't, and why
        """
        obstacles = self._get_merge_obstacles(ignore_split)
        first, *others = self.sorted("id")
        key = first._get_merge_key()
        for order in others:
            if order not in obstacles and (key is None or order._get_merge_key() != key):
                obstacles[order] = self.env._(
                    "it is for another buyer, address, channel or warehouse than %(order)s", order=first.name
                )
        if not obstacles and (problem := self._get_parcel_problem(self._oms_get_weights())):
            obstacles = dict.fromkeys(self, problem)
        if obstacles:
            raise UserError(
                self.env._(
                    "These orders can't go in one parcel:\n%(orders)s\nLeave them out, or settle what parts them.",
                    orders="\n".join(
                        f"- {order.name}: {obstacles[order]}" for order in self.sorted("id") if order in obstacles
                    ),
                )
            )

    # === DOING IT === #

    def _oms_merge(self):
        """Put these orders into one delivery group. Doing it again does nothing.

        :raise UserError: naming each order that can't, and why
        :return: oms.delivery.group
        """
        self.check_access("write")
        # sudo: oms.delivery.group, stock.move - transfers follow the orders that the user may write
        orders_sudo = self.sudo().sorted("id")
        if len(orders_sudo) < 2:
            raise UserError(self.env._("Choose two orders or more to put them into one parcel."))
        orders_sudo._oms_lock_for_grouping()
        if orders_sudo._oms_is_merged():
            return orders_sudo.oms_group_line_ids.group_id.sudo(self.env.su)
        # Those who travel with one of them already have to fit as well.
        everybody = orders_sudo | orders_sudo.oms_group_line_ids.group_id.order_ids
        (everybody - orders_sudo)._oms_lock_for_grouping()
        everybody._oms_check_mergeable()
        self.env["oms.delivery.group"].sudo()._create_for_orders(
            orders_sudo.filtered(lambda order: not order.oms_is_grouped)
        )
        target, *others = orders_sudo.oms_group_line_ids.group_id.sorted("id")
        target._take_over(target.union(*others).line_ids - target.line_ids)
        target.write({"is_waiting": False, "wait_until": False})
        target._tidy()
        everybody._oms_finish_grouping("merged", target.name, target)
        everybody._oms_keep_grouping_decision("merge", target)
        return target.sudo(self.env.su)

    def _oms_merge_with_candidates(self):
        """Put each of these orders into one parcel with those that can go with it; what can't is passed over.

        The entry point for rules and for the button.

        :return: the delivery groups
        """
        groups = self.env["oms.delivery.group"]
        for orders in self._oms_find_merge_candidates().values():
            try:
                with self.env.cr.savepoint():
                    groups |= orders._oms_merge()
            except UserError:
                # Changed since it was found, or the user may not write one of them: they go on as they are.
                continue
        return groups

    def _oms_keep_grouping_decision(self, kind, groups):
        """Keep for each of these orders what was decided about its parcels."""
        data = {
            "groups": [
                {
                    "name": group.name,
                    "orders": group.order_ids.mapped("name"),
                    "weight": group.weight,
                    "total": group.amount_total,
                    "reason": group.reason or "",
                }
                for group in groups
            ]
        }
        if kind == "merge":
            summary = self.env._(
                "In one parcel (%(group)s): %(orders)s",
                group=groups.name,
                orders=", ".join(groups.order_ids.mapped("name")),
            )
        else:
            summary = self.env._("Split into %(groups)s", groups=", ".join(groups.mapped("name")))
        # sudo: oms.decision - written by what decides, never by hand
        self.env["oms.decision"].sudo().create(
            [{"order_id": order.id, "kind": kind, "outcome": kind, "summary": summary, "data": data} for order in self]
        )
