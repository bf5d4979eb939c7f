from collections import defaultdict

from odoo import fields, models


class SaleOrderLine(models.Model):
    """Lines of channel orders take their goods from the warehouses of their allocations."""

    _inherit = "sale.order.line"

    oms_allocation_ids = fields.One2many("oms.allocation", "line_id", string="Allocations", copy=False)

    def _action_launch_stock_rule(self, *, previous_product_uom_qty=False):
        """Override of `sale_stock`: decide first where the goods come from, or go back to."""
        if self.env.context.get("skip_procurement"):
            return super()._action_launch_stock_rule(previous_product_uom_qty=previous_product_uom_qty)
        self._oms_follow_groups()  # what waits in a delivery group is not to be allocated yet
        # sudo: oms.allocation - nobody writes allocations by hand, they follow the order that its user may change
        lines = self.sudo()._oms_filter_launchable()._oms_filter_allocatable()
        missing, surplus = lines._oms_compare_with_procured(previous_product_uom_qty)
        lowered = lines.browse().concat(*surplus)
        lowered._oms_sync_allocations()
        for line, quantity in surplus.items():
            line._oms_take_back(quantity)
        if lowered:
            lowered.env["sale.order"]._oms_trigger_reallocation(lowered.product_id)
        waiting = lines.env["sale.order"]._oms_allocate(missing)
        self.filtered(lambda line: line.order_id in waiting)._oms_await_launch()
        waiting.oms_group_line_ids.group_id._await_others()  # whose parcel is not all there holds it up
        lines = lines.filtered(lambda line: line.order_id not in waiting)
        launched = self.filtered(lambda line: line.order_id not in waiting)._oms_sort_by_turn()
        res = super(SaleOrderLine, launched)._action_launch_stock_rule(
            previous_product_uom_qty=previous_product_uom_qty
        )
        lines._oms_set_procured()
        lines._oms_lower_shortages()
        return res

    def _create_procurements(self, product_qty, procurement_uom, values):
        """Override of `sale_stock`: one procurement for each warehouse whose transfers differ from its allocation.

        They add up to ``product_qty``. The exception is a line that is lowered below what already left: no warehouse
        has that much open, and what is too much is left alone instead of coming back as a receipt from the buyer.
        """
        split = self._oms_get_split() if self._oms_filter_allocatable() else {}
        if not split:
            return super()._create_procurements(product_qty, procurement_uom, values)
        prepare = super()._create_procurements  # super() has no meaning inside the comprehension
        return [
            procurement
            for warehouse, quantity in split.items()
            for procurement in prepare(
                self.product_id.uom_id._compute_quantity(quantity, procurement_uom, round=False),
                procurement_uom,
                {**values, "warehouse_id": warehouse},
            )
        ]

    def _oms_sort_by_turn(self):
        """Return these lines in the turn in which their orders are served, what is short last: Odoo reserves for who
        was launched first, and who waits would take what was found for others."""
        orders = self.order_id
        if len(orders) < 2 or not orders.channel_id:
            return self
        turns = {order: turn for turn, order in enumerate(orders.sorted(lambda one: one._get_allocation_sort_key()))}
        # sudo: oms.allocation - who launches the lines need not be allowed to read where they come from
        return self.sorted(
            lambda line: (
                any(row.shortage_quantity > 0 for row in line.sudo().oms_allocation_ids),
                turns[line.order_id],
            )
        )

    # === WHICH LINES === #

    def _oms_filter_allocatable(self):
        """Return the lines that allocation decides on: goods of channel orders without a route of their own."""
        lines = self.filtered(
            lambda line: line.order_id.channel_id and line.state == "sale" and not line.order_id.locked
        )
        return lines._oms_filter_from_stock()

    def _oms_get_counted_parts(self):
        """Return {product: quantity in one unit of the line's product} of what one line takes from the shelf and whose
        stock is counted: its product, or the parts of a kit."""
        self.ensure_one()
        product = self.product_id
        parts = product.with_company(self.company_id)._oms_explode(1.0)
        if product not in parts and self.move_ids.filtered(
            lambda move: move.product_id == product and move.state != "cancel"
        ):
            parts = {product: 1.0}  # it became a kit after it was asked for
        return {self.env["product.product"].browse(part.id): n for part, n in parts.items() if part.is_storable}

    # === WHAT IS MISSING === #

    def _oms_compare_with_procured(self, previous_product_uom_qty, with_late=False):
        """Return what the allocations lack, and what they have too much, as two dicts {line: quantity in product unit}.

        It is counted from the same number as Odoo's own launch, so the two never disagree.

        :param with_late: what waits for other orders of its parcel is lacked too, as it is when these orders go
        """
        missing, surplus = {}, {}
        for line in self:
            unit = line.product_id.uom_id
            ordered = line.product_uom_qty - line._get_qty_procurement(previous_product_uom_qty)
            if with_late:
                ordered += line._oms_get_waiting_quantity(for_others=True)
            pending = sum(allocation._get_pending_quantity() for allocation in line.oms_allocation_ids)
            quantity = line.product_uom_id._compute_quantity(ordered, unit, rounding_method="HALF-UP") - pending
            if unit.compare(quantity, 0) > 0:
                missing[line] = unit.round(quantity)
            elif unit.compare(quantity, 0) < 0:
                surplus[line] = unit.round(-quantity)
        return missing, surplus

    def _oms_take_back(self, quantity):
        """Lower the allocations of one line by ``quantity`` (product unit), each by no more than has not left yet.

        First what waits for stock, then what nobody has begun to pick, then the rest; what comes from farthest first.
        """
        self.ensure_one()
        waiting, untouched = self._oms_get_waiting_quantities(), self._oms_get_unpicked_quantities()
        allocations = self.oms_allocation_ids.sorted(lambda allocation: (-allocation.distance_km, -allocation.id))
        for limits in (waiting, untouched, None):
            for allocation in allocations:
                warehouse = allocation.warehouse_id
                takeable = allocation.quantity - allocation.done_quantity
                if limits is not None:
                    takeable = min(takeable, limits.get(warehouse, 0.0))
                taken = min(quantity, takeable)
                if allocation.uom_id.compare(taken, 0) > 0:
                    allocation.quantity -= taken
                    allocation.shortage_quantity = max(0.0, allocation.shortage_quantity - taken)
                    untouched[warehouse] = untouched.get(warehouse, 0.0) - taken
                    quantity -= taken

    def _oms_get_split(self):
        """Return {warehouse: quantity} of what the transfers of one line lack, negative of what they have too much."""
        self.ensure_one()
        # sudo: oms.allocation - as above
        rows = self.sudo().oms_allocation_ids
        split = {row.warehouse_id.with_env(self.env): row._get_pending_quantity() for row in rows}
        # What leaves a warehouse comes first: its delivery group then lacks it, and gets what another warehouse sends.
        return {warehouse: split[warehouse] for warehouse in sorted(split, key=split.get) if split[warehouse]}

    def _oms_set_procured(self):
        """Note that the transfers now have what the allocations of these lines say."""
        for allocation in self.oms_allocation_ids:
            if allocation.procured_quantity != allocation.quantity:
                allocation.procured_quantity = allocation.quantity

    def _oms_launch_differences(self):
        """Make the transfers of these lines follow their allocations, without asking what Odoo thinks is missing."""
        self._oms_follow_groups()
        procurements = []
        for line in self:
            line = line.with_company(line.company_id)
            unit = line.product_id.uom_id
            procurements += line._create_procurements(0.0, unit, line._prepare_procurement_values())
        self.env["stock.rule"].run(procurements)
        self._oms_set_procured()

    def _oms_lower_shortages(self):
        """Note no more as short than transfers wait for: Odoo may reserve what a plan left to others who wait."""
        for line in self:
            rows = line.oms_allocation_ids.filtered(lambda row: row.shortage_quantity > 0)
            waiting = line._oms_get_waiting_quantities() if rows else {}
            for row in rows:
                short = min(row.shortage_quantity, waiting.get(row.warehouse_id, 0.0))
                if row.shortage_quantity != short:
                    row.write(row._prepare_shortage_values(short))
        self._oms_forget_settled()

    def _oms_set_shortages(self, waiting):
        """Note what these lines still wait for.

        :param waiting: dict {line: {warehouse: quantity}}
        """
        for line in self:
            for allocation in line.oms_allocation_ids:
                short = waiting[line].get(allocation.warehouse_id, 0.0)
                if allocation.uom_id.compare(allocation.shortage_quantity, short):
                    allocation.write(allocation._prepare_shortage_values(short))
        self._oms_forget_settled()

    # === FACTS === #

    def _oms_sync_allocations(self):
        """Bring the allocations of these lines in line with their transfers, which people change too: they cancel one,
        or ship more or less than asked. A launch that is under way is left alone: it sets the numbers at its end.
        """
        vals_list = []
        for line in self:
            allocations = {allocation.warehouse_id: allocation for allocation in line.oms_allocation_ids}
            if any(allocation._get_pending_quantity() for allocation in allocations.values()):
                continue
            procured, done = line._oms_get_procured_quantities()
            waiting = line._oms_get_waiting_quantities()
            for warehouse in procured.keys() | allocations.keys():
                allocation = allocations.get(warehouse)
                values = {
                    "quantity": procured.get(warehouse, 0.0),
                    "procured_quantity": procured.get(warehouse, 0.0),
                    "done_quantity": done.get(warehouse, 0.0),
                }
                if not allocation:
                    vals_list.append(
                        {**values, "order_id": line.order_id.id, "line_id": line.id, "warehouse_id": warehouse.id}
                    )
                    continue
                values["shortage_quantity"] = min(allocation.shortage_quantity, waiting.get(warehouse, 0.0))
                compare = allocation.uom_id.compare
                changed = {name: value for name, value in values.items() if compare(allocation[name], value)}
                if "shortage_quantity" in changed:
                    changed |= allocation._prepare_shortage_values(changed["shortage_quantity"])
                if changed:
                    allocation.write(changed)
        if vals_list:
            self.env["oms.allocation"].create(vals_list)

    def _oms_get_procured_quantities(self):
        """Return what transfers were made for one line and what left by them: two dicts {warehouse: quantity}.

        A delivery in several steps counts once: by its first step for the one, by its last for the other. What was
        picked and is put back into stock, because the line was lowered meanwhile, is no longer on its way; nor is what
        was picked for an order that was cancelled then.
        """
        self.ensure_one()
        procured, done = defaultdict(float), defaultdict(float)
        first_moves, back_moves = self._oms_get_moves()
        back_moves = back_moves.filtered(lambda move: not move.location_id._is_outgoing())
        last_moves, _returns = self._oms_get_moves(strict=True)
        for moves, sign in ((first_moves - back_moves, 1), (back_moves, -1)):
            for warehouse, quantity in self._oms_count_by_warehouse(
                moves, lambda move: move._oms_get_asked_quantity()
            ).items():
                procured[warehouse] += sign * quantity
        last_moves = last_moves.filtered(lambda move: move.state == "done")
        done.update(self._oms_count_by_warehouse(last_moves, lambda move: move.quantity))
        return dict(done if self.state == "cancel" else procured), dict(done)

    def _oms_count_by_warehouse(self, moves, get_quantity):
        """Return {warehouse: quantity in product unit} of what ``moves`` of one line stand for, see
        `_oms_count_moves`."""
        groups = moves.grouped(lambda move: move._oms_get_warehouse())
        return {warehouse: self._oms_count_moves(group, get_quantity) for warehouse, group in groups.items()}

    def _oms_get_waiting_quantities(self):
        """Return {warehouse: quantity in product unit} of what transfers of one line wait for and have not reserved."""
        self.ensure_one()
        first_moves, _returns = self._oms_get_moves()
        moves = first_moves.filtered(lambda move: move.state in ("confirmed", "partially_available", "assigned"))
        asked = self._oms_count_by_warehouse(moves, lambda move: move.product_uom_qty)
        reserved = self._oms_count_by_warehouse(moves, lambda move: min(move.quantity, move.product_uom_qty))
        return {
            warehouse: asked[warehouse] - quantity
            for warehouse, quantity in reserved.items()
            if asked[warehouse] > quantity
        }

    def _oms_get_unpicked_quantities(self, is_unreleased=False):
        """Return {warehouse: quantity in product unit} of what transfers of one line ask for and nobody has picked.

        :param is_unreleased: only of transfers that no one works on
        """
        self.ensure_one()
        first_moves, _returns = self._oms_get_moves()
        moves = first_moves.filtered(
            lambda move: (
                move.state not in ("done", "cancel")
                and not move.picked
                and not (is_unreleased and move.picking_id._oms_is_released())
            )
        )
        return self._oms_count_by_warehouse(moves, lambda move: move.product_uom_qty)

    def _oms_get_kept_together(self):
        """Return the lines that one line may not be parted from, with itself."""
        self.ensure_one()
        key = self._get_keep_together_key()
        return self.order_id.order_line.filtered(lambda line: line._get_keep_together_key() == key) if key else self

    def _oms_get_waiting_moves(self):
        """Return the transfers of these lines that wait for stock and are the first step of their way."""
        moves = self.env["stock.move"]
        for line in self:
            first_moves, _returns = line._oms_get_moves()
            moves |= first_moves.filtered(lambda move: move.state in ("confirmed", "partially_available"))
        return moves
