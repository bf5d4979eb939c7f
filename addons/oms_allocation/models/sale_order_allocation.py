from dataclasses import replace

from odoo import api, fields, models


class SaleOrder(models.Model):
    """Prepare what the solver asks for, let it decide, write down what it decided and why."""

    _inherit = "sale.order"

    @api.model
    def _oms_allocate(self, missing):
        """Decide where what is missing comes from, and note it in the allocations of the lines.

        :param missing: dict {order line: quantity in the product's unit}
        :return: the orders whose goods are not to be asked for yet, since their strategy wants them all
        """
        if not missing:
            return self.browse()
        sourcing = self._oms_plan(missing)
        waiting = self._oms_hold_back(sourcing)
        going = {line: quantity for line, quantity in missing.items() if line.order_id not in waiting}
        self._oms_apply_plans(going, sourcing)
        self._oms_explain_plans(sourcing)
        self._oms_note_unfilled(sourcing)
        return waiting

    # === APPLY === #

    @api.model
    def _oms_apply_plans(self, missing, sourcing):
        """Write the plans for the lines of ``missing`` into their allocations, in one go."""
        plans = {line.order_id: sourcing.plans[line.order_id] for line in missing}
        additions = {}  # {(line, warehouse id): [quantity, short]}
        lines = {line.id: line for line in missing}
        planned_ids = set()
        for plan in plans.values():
            for line_id, quantities in plan.get_quantities().items():
                planned_ids.add(line_id)
                additions |= {(lines[line_id], id_): [float(part), 0.0] for id_, part in quantities.items()}
            for shortage in plan.shortages:
                planned_ids.add(shortage.line_id)
                line = lines[shortage.line_id]
                if warehouse_id := sourcing.get_waiting_place(line, shortage.reason):
                    entry = additions.setdefault((line, warehouse_id), [0.0, 0.0])
                    entry[0] += float(shortage.quantity)
                    entry[1] += float(shortage.quantity)
        for line, quantity in missing.items():
            plan = plans[line.order_id]
            if line.id not in planned_ids and plan.nearest_id:
                # No stock is counted for it, so it goes with the others, or from the nearest.
                warehouse_id = (plan.warehouse_ids or (plan.nearest_id,))[0]
                additions[line, warehouse_id] = [quantity, 0.0]
        self._oms_add_allocations(additions, sourcing.places)
        self._oms_set_single_warehouse(missing)

    @api.model
    def _oms_add_allocations(self, additions, places):
        """Add ``additions`` {(line, warehouse id): [quantity, of which short]} to the allocations there are."""
        vals_list = []
        for (line, warehouse_id), (quantity, short) in additions.items():
            allocation = line.oms_allocation_ids.filtered(lambda row, id_=warehouse_id: row.warehouse_id.id == id_)
            warehouse = self.env["stock.warehouse"].browse(warehouse_id)
            values = {
                "quantity": allocation.quantity + quantity,
                "shortage_quantity": allocation.shortage_quantity + short,
                "distance_km": places[line.order_id].get(warehouse, {}).get("distance_km") or 0.0,
            }
            if allocation:
                if quantity > 0 and allocation.uom_id.compare(allocation.quantity, allocation.done_quantity) <= 0:
                    values["given_date"] = fields.Datetime.now()  # a parcel of its own
                allocation.write(values)
            else:
                vals_list.append(
                    {**values, "order_id": line.order_id.id, "line_id": line.id, "warehouse_id": warehouse_id}
                )
        self.env["oms.allocation"].create(vals_list)

    @api.model
    def _oms_set_single_warehouse(self, lines):
        """Say on the order which warehouse serves it, where it is one: forecasts and reports of Odoo read it there."""
        orders = self.browse({line.order_id.id for line in lines})
        by_warehouse = {}
        for order in orders:
            warehouse = order.oms_allocation_ids.filtered(lambda row: row.state != "cancelled").warehouse_id
            if len(warehouse) == 1 and warehouse != order.warehouse_id:
                by_warehouse[warehouse] = by_warehouse.get(warehouse, self.browse()) | order
        for warehouse, changed in by_warehouse.items():
            changed.warehouse_id = warehouse

    # === REALLOCATE === #

    def _oms_reallocate(self):
        """Reserve what came in; move what still waits to a warehouse that has it.

        :return: the orders that got something they waited for
        """
        lines = self.order_line._oms_filter_allocatable()
        lines._oms_sync_allocations()
        before = {line: line._oms_get_waiting_quantities() for line in lines}
        waiting_lines = lines.filtered(lambda line: before[line])
        if not waiting_lines:
            return self.browse()
        waiting_lines.order_id._oms_take_turns()
        waiting_lines._oms_get_waiting_moves()._action_assign()
        waiting = {line: found for line in waiting_lines if (found := line._oms_get_waiting_quantities())}
        if waiting:
            waiting_lines.order_id._oms_move_waiting(waiting)
        after = {line: line._oms_get_waiting_quantities() for line in waiting_lines}
        waiting_lines._oms_set_shortages(after)
        waiting_lines.order_id._oms_clear_filled()
        return waiting_lines.filtered(lambda line: sum(after[line].values()) < sum(before[line].values())).order_id

    def _oms_move_waiting(self, waiting):
        """Plan again what waits, and move it where the plan is better than to wait.

        :param waiting: dict {line: {warehouse: quantity that waits there}}
        """
        given = self._oms_add_kept_together(waiting)
        sourcing = self._oms_plan_again(given)
        moved = self._oms_get_moved(given, sourcing.plans)
        if not moved:
            return
        self._oms_add_allocations({key: [quantity, 0.0] for key, quantity in moved.items()}, sourcing.places)
        moved_lines = self.env["sale.order.line"].union(*(line for line, _warehouse_id in moved))
        moved_lines._oms_launch_differences()
        self._oms_set_single_warehouse(moved_lines)
        changed = moved_lines.order_id
        self._oms_explain_plans(replace(sourcing, plans={order: sourcing.plans[order] for order in changed}))

    @api.model
    def _oms_add_kept_together(self, waiting):
        """Return ``waiting`` with all that belongs together with it, so that it moves as one or not at all. What
        belongs together with goods that somebody works on, or that left, is taken out: it waits where it is."""
        given = dict(waiting)
        for line in waiting:
            together = line._oms_get_kept_together()
            if len(together) == 1:
                continue
            open_quantities = {one: one._oms_get_unpicked_quantities(is_unreleased=True) for one in together}
            is_whole = all(not row._get_kept_quantity(open_quantities) for row in together.oms_allocation_ids)
            for one, found in open_quantities.items():
                if not is_whole:
                    given.pop(one, None)
                elif found:
                    given[one] = found
        return given

    @api.model
    def _oms_get_moved(self, waiting, plans):
        """Return {(line, warehouse id): quantity, negative where it leaves} of what the plans take elsewhere.

        What a plan finds where the line waits already stays there, and so does what it finds nowhere.
        """
        assigned = {line_id: found for plan in plans.values() for line_id, found in plan.get_quantities().items()}
        moved = {}
        for line, found in waiting.items():
            sources = {warehouse.id: quantity for warehouse, quantity in found.items()}
            targets = {id_: float(quantity) for id_, quantity in assigned.get(line.id, {}).items()}
            compare = line.product_id.uom_id.compare
            arriving = {
                id_: quantity - sources.get(id_, 0.0)
                for id_, quantity in targets.items()
                if compare(quantity, sources.get(id_, 0.0)) > 0
            }
            leaving = sum(arriving.values())
            moved.update({(line, id_): quantity for id_, quantity in arriving.items()})
            for id_, quantity in sources.items():
                taken = min(leaving, quantity - targets.get(id_, 0.0))
                if compare(taken, 0) > 0:
                    moved[line, id_] = -taken
                    leaving -= taken
        return moved
