from odoo import api, models

from ..solver import Warehouse, distance_km


class SaleOrder(models.Model):
    """Prepare what the solver asks for, let it decide, write down what it decided and why."""

    _inherit = "sale.order"

    @api.model
    def _oms_allocate(self, missing):
        """Decide where what is missing comes from, and note it in the allocations of the lines.

        The stock is locked first: what is read after that stays true until the end of the transaction.

        :param missing: dict {order line: quantity in the product's unit}
        """
        if not missing:
            return
        orders = self.env["sale.order.line"].union(*missing).order_id
        candidates = orders._oms_get_candidates()
        stock = self._oms_lock_stock(missing, candidates)
        plans = self._oms_solve(missing, candidates, stock)
        self._oms_apply_plans(missing, plans, candidates)
        self._oms_explain_plans(plans, candidates)

    # === PREPARE === #

    def _oms_get_candidates(self):
        """Return {order: {warehouse: solver.Warehouse}}: who may serve each order, and how far it is."""
        warehouses_by_channel = {channel: channel._get_warehouses() for channel in self.channel_id}
        origins = {
            warehouse: warehouse.partner_id._oms_get_place()[0]
            for warehouses in [*warehouses_by_channel.values(), self.oms_warehouse_id]
            for warehouse in warehouses
        }
        candidates = {}
        for order in self:
            destination, _source = order.partner_shipping_id._oms_get_place()
            open_warehouses = order._oms_get_open_warehouses()
            candidates[order] = {
                warehouse: Warehouse(
                    id=warehouse.id,
                    distance_km=distance_km(origins[warehouse], destination),
                    priority=warehouse.oms_priority,
                    is_open=warehouse in open_warehouses,
                )
                for warehouse in order.oms_warehouse_id or warehouses_by_channel[order.channel_id]
                if warehouse.company_id == order.company_id
            }
        return candidates

    def _oms_get_open_warehouses(self):
        """Return the warehouses that prepare a parcel for one order anyway: one more product in it costs no way."""
        self.ensure_one()
        return self.oms_allocation_ids.filtered(
            lambda row: (
                row.state in ("planned", "procured")
                and row.uom_id.compare(row.quantity, row.done_quantity + row.shortage_quantity) > 0
            )
        ).warehouse_id

    # === APPLY === #

    @api.model
    def _oms_apply_plans(self, missing, plans, candidates):
        """Write the plans into the allocations of the lines, in one go."""
        additions = {}  # {(line, warehouse id): [quantity, short]}
        lines = {line.id: line for line in missing}
        planned_ids = set()
        for plan in plans.values():
            for assignment in plan.assignments:
                planned_ids.add(assignment.line_id)
                key = (lines[assignment.line_id], assignment.warehouse_id)
                additions.setdefault(key, [0.0, 0.0])[0] += float(assignment.quantity)
            for shortage in plan.shortages:
                planned_ids.add(shortage.line_id)
                if plan.nearest_id:
                    entry = additions.setdefault((lines[shortage.line_id], plan.nearest_id), [0.0, 0.0])
                    entry[0] += float(shortage.quantity)
                    entry[1] += float(shortage.quantity)
        for line, quantity in missing.items():
            plan = plans[line.order_id]
            if line.id not in planned_ids and plan.nearest_id:
                # No stock is counted for it, so it goes with the others, or from the nearest.
                warehouse_id = (plan.warehouse_ids or (plan.nearest_id,))[0]
                additions[line, warehouse_id] = [quantity, 0.0]
        self._oms_add_allocations(additions, candidates)
        self._oms_set_single_warehouse(missing)

    @api.model
    def _oms_add_allocations(self, additions, candidates):
        """Add ``additions`` {(line, warehouse id): [quantity, of which short]} to the allocations there are."""
        vals_list = []
        for (line, warehouse_id), (quantity, short) in additions.items():
            allocation = line.oms_allocation_ids.filtered(lambda row, id_=warehouse_id: row.warehouse_id.id == id_)
            distance = next(w.distance_km for w in candidates[line.order_id].values() if w.id == warehouse_id)
            values = {
                "quantity": allocation.quantity + quantity,
                "shortage_quantity": allocation.shortage_quantity + short,
                "distance_km": distance or 0.0,
            }
            if allocation:
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
        waiting_lines._oms_get_waiting_moves()._action_assign()
        waiting = {line: found for line in waiting_lines if (found := line._oms_get_waiting_quantities())}
        if waiting:
            waiting_lines.order_id._oms_move_waiting(waiting)
        after = {line: line._oms_get_waiting_quantities() for line in waiting_lines}
        waiting_lines._oms_set_shortages(after)
        return waiting_lines.filtered(lambda line: sum(after[line].values()) < sum(before[line].values())).order_id

    def _oms_move_waiting(self, waiting):
        """Plan again what waits, and move it where the plan is better than to wait.

        :param waiting: dict {line: {warehouse: quantity that waits there}}
        """
        demands = {line: sum(found.values()) for line, found in waiting.items()}
        orders = self.browse({line.order_id.id for line in waiting})
        candidates = orders._oms_get_candidates()
        stock = self._oms_lock_stock(demands, candidates, waiting)
        plans = self._oms_solve(demands, candidates, stock)
        moved = self._oms_get_moved(waiting, plans)
        if not moved:
            return
        self._oms_add_allocations({key: [quantity, 0.0] for key, quantity in moved.items()}, candidates)
        moved_lines = self.env["sale.order.line"].union(*(line for line, _warehouse_id in moved))
        moved_lines._oms_launch_differences()
        self._oms_set_single_warehouse(moved_lines)
        changed = moved_lines.order_id
        self._oms_explain_plans({order: plan for order, plan in plans.items() if order in changed}, candidates)

    @api.model
    def _oms_get_moved(self, waiting, plans):
        """Return {(line, warehouse id): quantity, negative where it leaves} of what the plans take elsewhere.

        What a plan finds where the line waits already stays there, and so does what it finds nowhere.
        """
        assigned = {}
        for plan in plans.values():
            for assignment in plan.assignments:
                assigned.setdefault(assignment.line_id, {})[assignment.warehouse_id] = float(assignment.quantity)
        moved = {}
        for line, found in waiting.items():
            sources = {warehouse.id: quantity for warehouse, quantity in found.items()}
            targets = assigned.get(line.id, {})
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
