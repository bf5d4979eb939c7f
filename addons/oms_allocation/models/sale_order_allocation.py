from dataclasses import replace
from decimal import Decimal
from functools import partial

from odoo import api, models

<<<<<<< HEAD
=======
from ..solver import Demand, Order, Supply, Warehouse, distance_km, solve_in_turn

>>>>>>> dev/sol

class SaleOrder(models.Model):
    """Prepare what the solver asks for, let it decide, write down what it decided and why."""

    _inherit = "sale.order"

    @api.model
    def _oms_allocate(self, missing):
        """Decide where what is missing comes from, and note it in the allocations of the lines.

        The stock is locked first: what is read after that stays true until the end of the transaction.

        :param missing: dict {order line: quantity in the product's unit}
        :return: the orders whose goods are not to be asked for yet, since their strategy wants them all
        """
        if not missing:
<<<<<<< HEAD
            return self.browse()
        sourcing = self._oms_plan(missing, partial(self._oms_lock_stock, missing))
        waiting = self._oms_hold_back(sourcing)
        going = {line: quantity for line, quantity in missing.items() if line.order_id not in waiting}
        self._oms_apply_plans(going, sourcing)
        self._oms_explain_plans(sourcing)
        self._oms_note_unfilled(sourcing)
        return waiting
=======
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

    @api.model
    def _oms_lock_stock(self, demands, candidates):
        """Lock the stock that may be taken and return it as {(warehouse id, product id): Decimal}."""
        products = self._oms_get_storable(demands)
        warehouses = self.env["stock.warehouse"].union(*(one for found in candidates.values() for one in found))
        locked = self.env["stock.quant"]._oms_lock(products, warehouses.lot_stock_id)
        if any(warehouse.out_type_id.reservation_method != "at_confirm" for warehouse in warehouses):
            # Nothing is reserved at once, so the promise itself must be what the next transaction stumbles over.
            self.env["stock.quant"].union(*locked.values())._oms_touch()
        sellable = products._oms_get_sellable_quantities(warehouses)
        units = {product.id: product.uom_id for product in products}
        return {
            (warehouse_id, product_id): self._oms_to_decimal(units[product_id], quantity)
            for (product_id, warehouse_id), quantity in sellable.items()
        }

    @api.model
    def _oms_get_storable(self, lines):
        """Return the products of ``lines`` whose stock is counted, in the order of their ids."""
        products = self.env["sale.order.line"].union(*lines).product_id
        return products.filtered("is_storable").sorted("id")

    @api.model
    def _oms_to_decimal(self, unit, quantity):
        return Decimal(repr(unit.round(quantity)))

    # === DECIDE === #

    @api.model
    def _oms_solve(self, demands, candidates, stock):
        """Return {order: solver.Plan} for the lines in ``demands``, the orders served in turn by their priority."""
        storable = self._oms_get_storable(demands)
        demands_by_order = {order: [] for order in candidates}
        for line, quantity in sorted(demands.items(), key=lambda item: (item[0].sequence, item[0].id)):
            if line.product_id in storable:
                decimal = self._oms_to_decimal(line.product_id.uom_id, quantity)
                demands_by_order[line.order_id].append(Demand(line.id, line.product_id.id, decimal))
        plans = solve_in_turn(
            [
                Order(order.id, tuple(demands_by_order[order]), tuple(candidates[order].values()))
                for order in sorted(candidates, key=lambda order: order._get_allocation_sort_key())
            ],
            [Supply(*key, quantity) for key, quantity in stock.items()],
        )
        return {order: plans[order.id] for order in candidates}

    def _get_allocation_sort_key(self):
        """Return what decides which order of a batch is served first: its channel, then who came first (the order date
        is no help, Odoo sets it anew at confirmation). To be overridden for other priorities."""
        self.ensure_one()
        return (self.channel_id.sequence, self.id)
>>>>>>> dev/sol

    # === APPLY === #

    @api.model
    def _oms_apply_plans(self, missing, sourcing):
        """Write the plans for the lines of ``missing`` into their allocations, in one go."""
        plans = {line.order_id: sourcing.plans[line.order_id] for line in missing}
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
                "distance_km": places[line.order_id][warehouse]["distance_km"] or 0.0,
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
        waiting_lines.order_id._oms_clear_filled()
        return waiting_lines.filtered(lambda line: sum(after[line].values()) < sum(before[line].values())).order_id

    def _oms_move_waiting(self, waiting):
        """Plan again what waits, and move it where the plan is better than to wait.

        :param waiting: dict {line: {warehouse: quantity that waits there}}
        """
        demands = {line: sum(found.values()) for line, found in waiting.items()}
        sourcing = self._oms_plan(demands, partial(self._oms_lock_stock_for_waiting, waiting))
        moved = self._oms_get_moved(waiting, sourcing.plans)
        if not moved:
            return
        self._oms_add_allocations({key: [quantity, 0.0] for key, quantity in moved.items()}, sourcing.places)
        moved_lines = self.env["sale.order.line"].union(*(line for line, _warehouse_id in moved))
        moved_lines._oms_launch_differences()
        self._oms_set_single_warehouse(moved_lines)
        changed = moved_lines.order_id
        self._oms_explain_plans(replace(sourcing, plans={order: sourcing.plans[order] for order in changed}))

    @api.model
    def _oms_lock_stock_for_waiting(self, waiting, places):
        """Return the stock as `_oms_lock_stock` does, with what these lines wait for.

        It is counted as promised; for these orders it is not, they are the ones it is promised to.

        :param waiting: dict {line: {warehouse: quantity that waits there}}
        """
        stock = self._oms_lock_stock(waiting, places)
        for line, found in waiting.items():
            for warehouse, quantity in found.items():
                key = (warehouse.id, line.product_id.id)
                stock[key] = stock.get(key, Decimal(0)) + self._oms_to_decimal(line.product_id.uom_id, quantity)
        return stock

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
