import itertools
import math

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import float_round

from ...sharing import Item, pack
from ...tools import open_records

KINDS = ("shortage", "warehouse", "weight", "presale", "value")


class SaleOrder(models.Model):
    """An order may leave in several parcels: which goods in which, and doing it."""

    _inherit = "sale.order"

    # === ACTION METHODS === #

    def _get_desk_actions(self):
        """Override of the review desk."""
        actions = [
            *super()._get_desk_actions(),
            {
                "name": "action_oms_open_split",
                "label": self.env._("Split"),
                "icon": "fa-code-fork",
                "hotkey": "s",
            },
        ]
        if self.oms_merge_candidate_count:
            label = self.env._("Merge (%(count)s)", count=self.oms_merge_candidate_count)
            actions.append({"name": "action_oms_merge", "label": label, "icon": "fa-compress", "hotkey": "g"})
        return actions

    def action_oms_open_split(self):
        """Open the wizard that splits this order, or its open groups where it has several: each is split for itself."""
        self.ensure_one()
        groups = self.oms_delivery_group_ids.filtered(lambda group: group.state != "shipped")
        if len(groups) > 1:
            return open_records(groups, "oms_base.oms_delivery_group_action")
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_delivery_split_action")
        return {**action, "context": {"default_order_id": self.id, "dialog_size": "extra-large"}}

    # === DOING IT === #

    def _oms_split(self, parts, values_list=None, group=None):
        """Have ``parts`` of one order travel by themselves; what no part asks for stays where it is.

        :param parts: list of dicts {order line: quantity in the line's unit}
        :param values_list: more values for the group of each part, as a list of dicts
        :param group: the delivery group to take them from, when the order has several
        :raise UserError: naming the order and why not
        :return: all groups of the order
        """
        self.ensure_one()
        self.check_access("write")
        # sudo: oms.delivery.group, stock.move - transfers follow the order that the user may write
        order_sudo = self.sudo()
        order_sudo._oms_lock_for_grouping()
        if problem := order_sudo._get_regroup_problem():
            raise UserError(self.env._("%(order)s can't be split: %(reason)s.", order=self.name, reason=problem))
        parts = [{line.sudo(): quantity for line, quantity in part.items()} for part in parts]
        order_sudo._oms_check_parts(parts, group.sudo() if group else None)
        source = (group.sudo() if group else order_sudo._oms_find_group_of(parts)) or (
            self.env["oms.delivery.group"].sudo()._create_for_orders(order_sudo)[order_sudo]
        )
        (source.order_ids - order_sudo)._oms_lock_for_grouping()
        source._check_not_released()
        values_list = values_list or [{}] * len(parts)
        if order_sudo._oms_is_all_of(source, parts):
            # Nothing is left for the source but the first part itself.
            parts = parts[1:]
            first_values, *values_list = values_list
            source.write(first_values)
            if first_values.get("is_waiting"):
                source.line_ids._withdraw_moves()
        groups = source | source._carve(parts, values_list)
        groups._tidy()
        order_sudo._oms_finish_grouping("split", ", ".join(groups.mapped("name")), groups)
        order_sudo._oms_keep_grouping_decision("split", groups)
        return order_sudo.oms_group_line_ids.group_id.sorted("id").sudo(self.env.su)

    def _oms_find_group_of(self, parts):
        """Return the one group of this order that holds all ``parts``; none for an order without groups.

        :raise UserError: when they are in several
        """
        lines = self.order_line.browse({line.id for part in parts for line in part})
        groups = self.oms_group_line_ids.group_id
        if len(groups) <= 1:
            return groups
        holding = groups.filtered(lambda group: group._holds(parts))
        if not holding:
            raise UserError(
                self.env._(
                    "%(order)s is split already, and no delivery group holds all of %(products)s: split one of its"
                    " delivery groups.",
                    order=self.name,
                    products=", ".join(lines.product_id.mapped("display_name")),
                )
            )
        return holding.sorted("id")[:1]

    def _oms_is_all_of(self, group, parts):
        """Whether ``parts`` take everything that ``group`` holds."""
        left = {row.line_id: row.quantity for row in group.line_ids}
        for part in parts:
            for line, quantity in part.items():
                left[line] -= quantity
        return all(line.product_uom_id.is_zero(quantity) for line, quantity in left.items())

    def _oms_get_splittable(self, group=None):
        """Return {line: quantity} of what can be split: the whole order, or what a group holds of it."""
        self.ensure_one()
        rows = (group or self.oms_group_line_ids.group_id[:1]).line_ids if self.oms_is_grouped or group else None
        if rows is None:
            return {line: line.product_uom_qty for line in self._oms_get_shippable_lines()}
        return {row.line_id: row.quantity for row in rows if row.order_id == self}

    def _oms_check_parts(self, parts, group=None):
        """Refuse parts that nobody wants: empty, too small in value, or dividing what has to stay together.

        :raise UserError: naming the order and what is wrong
        """
        group = group or self._oms_find_group_of(parts)
        whole = self._oms_get_splittable(group)
        problem = self._get_parts_problem(parts, whole)
        all_parts = [] if problem else self._oms_get_all_parts(parts, whole)
        if len(all_parts) == 1 and not group.order_ids - self:
            problem = self.env._("nothing would be left of it")
        if problem:
            raise UserError(self.env._("%(order)s can't be split: %(reason)s.", order=self.name, reason=problem))
        self._oms_check_kept_together(all_parts)
        self._oms_check_minimum_value(all_parts)

    def _get_parts_problem(self, parts, whole):
        """Return the sentence that says why ``parts`` can't be taken out of ``whole``, or an empty string.

        :param parts: list of dicts {order line: quantity}
        :param whole: dict {order line: quantity}
        """
        totals = {}
        for part in parts:
            for line, quantity in part.items():
                if line.product_uom_id.compare(quantity, 0.0) <= 0:
                    return self.env._("a part would be empty")
                totals[line] = totals.get(line, 0.0) + quantity
        for line, total in totals.items():
            there = whole.get(line, 0.0)
            if line.product_uom_id.compare(total, there) > 0:
                return self.env._(
                    "%(quantity)g of %(product)s are asked for, %(there)g are there",
                    quantity=total,
                    product=line.product_id.display_name,
                    there=there,
                )
        return "" if totals and all(parts) else self.env._("a part would be empty")

    def _oms_check_kept_together(self, all_parts):
        """Refuse to part what has to stay together.

        :raise UserError: naming the order and what would be parted
        """
        places = {}
        for number, part in enumerate(all_parts):
            for line, quantity in part.items():
                key = line._get_keep_together_key()
                if key is not None and not line.product_uom_id.is_zero(quantity):
                    places.setdefault(key, set()).add(number)
        if divided := [str(key) for key, numbers in places.items() if len(numbers) > 1]:
            raise UserError(
                self.env._(
                    "%(order)s can't be split: it would part what has to stay together (%(what)s).",
                    order=self.name,
                    what=", ".join(divided),
                )
            )

    def _oms_check_minimum_value(self, all_parts):
        """Refuse parts that are worth less than the channel wants.

        :raise UserError: naming the order and the value
        """
        minimum = self.channel_id.split_minimum_value
        for part in all_parts if minimum else ():
            value = sum(line._oms_get_value(quantity) for line, quantity in part.items())
            if self.currency_id.compare_amounts(value, minimum) < 0:
                raise UserError(
                    self.env._(
                        "%(order)s can't be split: a part would be worth %(value)s, the smallest allowed is"
                        " %(minimum)s.",
                        order=self.name,
                        value=self.currency_id.format(value),
                        minimum=self.currency_id.format(minimum),
                    )
                )

    def _oms_get_all_parts(self, parts, whole):
        """Return ``parts`` with what they leave of ``whole`` as one more, in front, if they leave anything."""
        rest = dict(whole)
        for part in parts:
            for line, quantity in part.items():
                rest[line] = rest.get(line, 0.0) - quantity
        rest = {line: quantity for line, quantity in rest.items() if line.product_uom_id.compare(quantity, 0.0) > 0}
        return [rest, *parts] if rest else list(parts)

    # === BY WHAT === #

    def _oms_split_by(self, kind, **options):
        """Split these orders by ``kind`` where it can be done and makes a difference; the others are passed over.

        The entry point for rules.

        :param kind: "shortage", "warehouse", "weight", "presale" or "value"
        :return: the delivery groups of the orders that were split
        """
        groups = self.env["oms.delivery.group"]
        for order in self:
            try:
                with self.env.cr.savepoint():
                    groups |= getattr(order, f"_oms_split_by_{kind}")(**options)
            except UserError:
                continue  # it is one of those that can't be split, and goes as it is
        return groups

    def _oms_split_by_shortage(self, group=None):
        """Split one order into what is there and what has to be waited for."""
        return self._oms_split_into(*self._oms_get_shortage_parts(group), group=group)

    def _oms_split_by_warehouse(self, group=None):
        """Split one order by the warehouses its goods come from."""
        return self._oms_split_into(*self._oms_get_warehouse_parts(group), group=group)

    def _oms_split_by_weight(self, limit=0.0, group=None):
        """Split one order into parcels that weigh no more than ``limit``."""
        return self._oms_split_into(*self._oms_get_weight_parts(group, limit), group=group)

    def _oms_split_by_presale(self, group=None):
        """Split one order by the days on which its pre-sale products arrive; those parts wait for their day."""
        return self._oms_split_into(*self._oms_get_presale_parts(group), group=group)

    def _oms_split_by_value(self, limit=0.0, group=None):
        """Split one order into parcels worth no more than ``limit``, taxes included."""
        return self._oms_split_into(*self._oms_get_value_parts(group, limit), group=group)

    def _oms_split_into(self, parts, values_list, group=None):
        """Split one order into ``parts``, unless there is just one."""
        if len(parts) < 2:
            return self.env["oms.delivery.group"]
        return self._oms_split(parts, values_list, group=group)

    def _oms_get_shortage_parts(self, group=None, limit=0.0):
        whole = self._oms_get_splittable(group)
        available = self._oms_get_available_quantities(whole)
        now, rest = {}, {}
        bundles = {}
        for line in whole:
            bundles.setdefault(line._get_keep_together_key() or line, []).append(line)
        for key, lines in bundles.items():
            is_short = any(line.product_uom_id.compare(available[line], whole[line]) < 0 for line in lines)
            for line in lines:
                quantity = available[line] if key == line else 0.0 if is_short else whole[line]
                quantity = float_round(
                    quantity, precision_rounding=line.product_uom_id.rounding, rounding_method="DOWN"
                )
                for part, amount in ((now, quantity), (rest, whole[line] - quantity)):
                    if line.product_uom_id.compare(amount, 0.0) > 0:
                        part[line] = amount
        return [part for part in (now, rest) if part], [
            values for part, values in ((now, {}), (rest, {"reason": self.env._("Waits for stock")})) if part
        ]

    def _oms_get_available_quantities(self, whole):
        """Return {line: how much of ``whole`` is there}: reserved for it, or before confirmation not promised yet."""
        if self.state == "sale":
            reserved = {
                line: line._oms_count_in_unit(line._oms_get_moves()[0], lambda move: move.quantity) for line in whole
            }
            return {line: min(quantity, reserved[line]) for line, quantity in whole.items()}
        needs = {line: line.product_id._oms_explode(1.0) for line in whole}
        products = self.env["product.product"].union(*itertools.chain(*needs.values())).filtered("is_storable")
        sellable = self._oms_sum_promised(self._oms_get_promised_quantities().get(self.id, {}))
        for _orders, quantities in self._oms_get_sellable_quantities(products):
            for (product_id, _id), quantity in quantities.items():
                sellable[product_id] = sellable.get(product_id, 0.0) + quantity
        return {
            line: line._oms_take_sellable(
                quantity, {part: needed for part, needed in needs[line].items() if part in products}, sellable
            )
            for line, quantity in whole.items()
        }

    def _oms_get_warehouse_parts(self, group=None, limit=0.0):
        parts = {}
        for line, quantity in self._oms_get_splittable(group).items():
            found = line._oms_get_warehouse_quantities(quantity)
            for warehouse, part in found.items():
                parts.setdefault(warehouse, {})[line] = part
        return list(parts.values()), [{"warehouse_id": warehouse.id, "reason": warehouse.name} for warehouse in parts]

    def _oms_get_weight_parts(self, group=None, limit=0.0):
        return self._oms_pack(self._oms_get_splittable(group), limit, lambda line: line._oms_get_weight(1.0))

    def _oms_get_value_parts(self, group=None, limit=0.0):
        return self._oms_pack(self._oms_get_splittable(group), limit, lambda line: line._oms_get_value(1.0))

    def _oms_pack(self, whole, limit, get_size):
        if limit <= 0:
            raise UserError(self.env._("Give a limit above zero to split %(order)s.", order=self.name))
        items = [
            Item(line, quantity, get_size(line), line._get_keep_together_key()) for line, quantity in whole.items()
        ]
        parts = pack(items, limit)
        return parts, [{}] * len(parts)

    def _oms_get_presale_parts(self, group=None, limit=0.0):
        today = fields.Date.context_today(self)
        whole = self._oms_get_splittable(group)
        dates = {}
        for line in whole:
            key = line._get_keep_together_key() or line
            dates[key] = max(line._oms_get_presale_date() or today, dates.get(key, today))
        parts = {}
        for line, quantity in whole.items():
            parts.setdefault(dates[line._get_keep_together_key() or line], {})[line] = quantity
        values = {date: self._prepare_presale_values(date) if date > today else {} for date in parts}
        ordered = sorted(parts)
        return [parts[date] for date in ordered], [values[date] for date in ordered]

    def _prepare_presale_values(self, date):
        return {
            "is_waiting": True,
            "planned_date": fields.Datetime.to_datetime(date),
            "reason": self.env._("Pre-sale until %(date)s", date=date),
        }


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    oms_ship_from = fields.Date(
        string="Ships From", copy=False, help="The day the shop promised for this line; it does not leave before."
    )

    def _oms_get_presale_date(self):
        """Return the day this line may leave from, or False: what the shop promised for the line; for a pre-sale
        product what it promised for the order; else the product's own day."""
        self.ensure_one()
        date = self.product_id.oms_presale_date
        return self.oms_ship_from or (date and self.order_id.oms_presale_ship_date) or date

    def _oms_get_value(self, quantity):
        """Return what ``quantity`` of this line costs, taxes included."""
        self.ensure_one()
        return self.price_total / self.product_uom_qty * quantity if self.product_uom_qty else 0.0

    def _oms_take_sellable(self, quantity, needs, sellable):
        """Return how much of ``quantity`` of one line is there, and take it off: two lines share a product's stock.

        :param needs: dict {product kept in stock: how much of it goes into one of what is sold}
        :param sellable: dict {product id: quantity}
        """
        if not needs:
            return quantity
        unit = self.product_id.uom_id
        there = min(max(sellable.get(part.id, 0.0), 0.0) / needed for part, needed in needs.items())
        if set(needs) != {self.product_id}:
            there = math.floor(there + 1e-6)  # no part of a kit goes by itself
        available = min(quantity, unit._compute_quantity(there, self.product_uom_id, round=False))
        taken = self.product_uom_id._compute_quantity(available, unit, round=False)
        for part, needed in needs.items():
            sellable[part.id] = sellable.get(part.id, 0.0) - taken * needed
        return available

    def _oms_get_warehouse_quantities(self, quantity):
        """Return {warehouse: quantity in the line's unit} of where ``quantity`` of one line comes from.

        From its transfers, once there are any: they are what was decided, by whomever.
        """
        self.ensure_one()
        outgoing, _incoming = self._oms_get_moves()
        found, left = {}, quantity
        for warehouse, moves in outgoing.grouped(
            lambda move: move.warehouse_id or move.location_id.warehouse_id
        ).items():
            part = min(left, self._oms_count_in_unit(moves, lambda move: move.product_uom_qty))
            found[warehouse] = part
            left -= part
        if self.product_uom_id.compare(left, 0.0) > 0:
            warehouse = self.warehouse_id or self.order_id.warehouse_id
            found[warehouse] = found.get(warehouse, 0.0) + left
        return {warehouse: part for warehouse, part in found.items() if self.product_uom_id.compare(part, 0.0) > 0}
