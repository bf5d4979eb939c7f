from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from odoo import api, models

from ...solver import Supply, solve_batch, solve_in_turn
from .kit import Lot


def prepare_supplies(view, ages, fresh_from=None):
    """Return the `solver.Supply`s of what may be taken.

    Where it is known how old goods are, what may not be taken is the oldest of them: others take it first.

    :param view: dict {(warehouse id, product id): quantity}
    :param ages: see `product.product._oms_get_ages`, with decimals; empty where nobody looks at it
    :param fresh_from: ordinal of the day until which goods must keep; older ones are told of, so that the solver
        can say why they are not taken
    """
    days = {}
    for (_warehouse_id, product_id), lots in ages.items():
        days.setdefault(product_id, set()).update(day for day, _quantity in lots if day)
    supplies = []
    for key, quantity in view.items():
        known = days.get(key[1]) or (0,)
        for day, available in reversed(ages.get(key, ())):
            is_old = fresh_from is not None and day is not None and day < fresh_from
            part = available if is_old else min(available, quantity)
            if part > 0:
                supplies.append(Supply(*key, part, lot_id=day or 0, expiry=day, preference=day or max(known)))
                quantity -= 0 if is_old else part
        if quantity > 0 or not ages:
            supplies.append(Supply(*key, quantity, preference=min(known)))  # what is reserved for the order itself
    return supplies


def lower_capacities(candidates, made):
    """Return ``candidates`` {warehouse: solver.Warehouse} with the parcels less that were ``made`` {id: number}."""
    if not made:
        return candidates
    return {
        warehouse: candidate
        if candidate.capacity_left is None or not made[candidate.id]
        else replace(candidate, capacity_left=max(0, candidate.capacity_left - made[candidate.id]))
        for warehouse, candidate in candidates.items()
    }


class SaleOrder(models.Model):
    """What stock the orders of a batch may take, and how it is shared among them."""

    _inherit = "sale.order"

    @api.model
    def _oms_lock_stock(self, demands, places):
        """Lock the stock that may be taken: what is read of it then stays true until the end of the transaction."""
        products, warehouses = self._oms_get_storable(demands), self._oms_get_warehouses(places)
        locked = self.env["stock.quant"]._oms_lock(products, warehouses.lot_stock_id)
        kinds = warehouses.out_type_id | warehouses.filtered(lambda one: one.delivery_steps != "ship_only").pick_type_id
        if any(kind.reservation_method != "at_confirm" for kind in kinds):
            # Nothing is reserved at once, so the promise itself must be what the next transaction stumbles over.
            locked.get_locked()._oms_touch()

    @api.model
    def _oms_read_stock(self, demands, places, given):
        """Return what the orders of ``places`` may take of the goods of ``demands`` as `stock.Stock`, in decimals.

        :param given: see `_oms_plan`: it counts as taken, but by these very orders, so it is theirs to take
        """
        products, orders = self._oms_get_storable(demands), self.browse().union(*places)
        units = {product.id: product.uom_id for product in products}
        own = defaultdict(float)
        for line, found in given.items():
            for part, needed in line._oms_get_counted_parts().items():
                for warehouse, quantity in found.items():
                    own[warehouse.id, part.id] += quantity * needed
        lives = {access.min_life_days for access in orders._oms_get_accesses().values()}
        stock = products._oms_get_stock(self._oms_get_warehouses(places), lives=lives, orders=orders, waiting=own)
        return stock.convert(lambda product_id, quantity: self._oms_to_decimal(units[product_id], quantity))

    @api.model
    def _oms_read_lots(self, demands, places, given):
        """Return the `kit.Lot`s that the lines of ``demands`` are to be of, see `Sourcing`; no query without any.

        :param given: see `_oms_plan`
        """
        lines = self.env["sale.order.line"].union(*demands).filtered("oms_lot_id")
        if not lines:
            return {}
        left = {lot: defaultdict(float) for lot in lines.oms_lot_id}
        rows = lines.product_id._query_lot_quantities(self._oms_get_warehouses(places), lines.oms_lot_id)
        for lot_id, warehouse_id, quantity in rows:
            left[lines.oms_lot_id.browse(lot_id)][warehouse_id] += quantity
        for line in lines:
            for warehouse, quantity in given.get(line, {}).items():
                waiting = line._oms_get_waiting_quantities().get(warehouse, 0.0)
                left[line.oms_lot_id][warehouse.id] += quantity - min(quantity, waiting)  # what it has is its own
        return {
            -lot.id: Lot(
                lot.id,
                lot.product_id.id,
                lot.expiration_date.toordinal() if lot.expiration_date else None,
                {id_: self._oms_to_decimal(lot.product_id.uom_id, q) for id_, q in quantities.items()},
            )
            for lot, quantities in left.items()
        }

    @api.model
    def _oms_get_warehouses(self, places):
        """Return the warehouses of all ``places`` {order: {warehouse: ...}}."""
        return self.env["stock.warehouse"].union(*(one for found in places.values() for one in found))

    @api.model
    def _oms_get_storable(self, lines):
        """Return the products of ``lines`` whose stock is counted, in the order of their ids; of kits, the parts."""
        parts = (part for line in lines for part in line._oms_get_counted_parts())
        return self.env["product.product"].union(*parts).sorted("id")

    @api.model
    def _oms_to_decimal(self, unit, quantity):
        return Decimal(repr(unit.round(quantity)))

    # === DECIDE === #

    def _oms_solve(self, demands, sourcing):
        """Return {order: solver.Plan} for the lines of these orders in ``demands``, the orders served in turn by their
        priority, each from what it may take of the stock, which is lowered by it, and besides the plans there are.

        :param sourcing: Sourcing
        """
        stock, strategies = sourcing.stock, sourcing.strategies
        candidates = {order: sourcing.get_candidates(order) for order in self}
        accesses = self._oms_get_accesses()
        lives = {order: access.min_life_days for order, access in accesses.items()}
        demands_by_order = self._oms_prepare_demands(demands, sourcing, lives)
        plans, made = {}, sourcing.count_parcels()
        kinds = {order: self._oms_get_age_kind(strategies[order], accesses[order]) for order in candidates}
        ages = self._oms_read_ages(self._oms_get_storable(demands), candidates, kinds.values())
        for (access, kind), orders in self._oms_group_by_access(accesses, kinds, stock):
            own = set()
            for line_id in [line.id for line in demands if line.id in stock.promised and line.order_id in orders]:
                own.update(stock.give_back(access, line_id))
            tasks = [
                order._oms_prepare_solver_order(
                    demands_by_order[order], lower_capacities(candidates[order], made), sourcing
                )
                for order in orders
            ]
            fresh_from = self._oms_get_fresh_day(access.min_life_days)
            view = stock.view(access, own)
            supplies = prepare_supplies(view, ages[kind], fresh_from)
            supplies += [supply for lot in sourcing.lots.values() for supply in lot.prepare_supplies(view)]
            found, weighed = orders._oms_solve_batch(tasks, supplies)
            sourcing.weighed.update(dict.fromkeys(orders, weighed))
            for task in tasks:
                plan = found[task.id]
                made.update(one.id for one in task.warehouses if one.id in plan.warehouse_ids and not one.is_open)
                for assignment in plan.assignments:
                    stock.take(access, sourcing.get_key(assignment), assignment.quantity)
            plans.update(found)
        return {order: plans[order.id] for order in candidates}

    def _oms_solve_batch(self, tasks, supplies):
        """Return {order id: solver.Plan}: orders that compete for what is scarce are weighed against each other, within
        the seconds that their company gives it (0: they are served in turn).

        :return: the plans, and how many orders compete, with what came of it; None where none do
        """
        seconds = max(0.0, min(self.company_id.mapped("oms_batch_seconds"))) if len(tasks) > 1 else 0.0
        if not seconds:
            return solve_in_turn(tasks, supplies), None
        result = solve_batch(tasks, supplies, seconds)
        if not result.competing:
            return result.plans, None
        return result.plans, {"orders": result.competing, "method": result.method, "gap": result.gap}

    @api.model
    def _oms_group_by_access(self, accesses, kinds, stock):
        """Return [((access, kind of age), orders)]: the orders in the turn in which they are served, and those that
        follow each other and may take the same together. Without pools, minimum lives, ages and promises it is one
        group."""
        orders = self.browse().union(*accesses).sorted(lambda order: order._get_allocation_sort_key())
        own = {line.order_id.id for line in self.env["sale.order.line"].browse(stock.promised)}
        groups = []  # [(key, orders)]
        for order in orders:
            key = (accesses[order], kinds[order], order.id in own and order.id)
            if groups and groups[-1][0] == key:
                groups[-1][1].append(order)
            else:
                groups.append((key, [order]))
        return [((access, kind), self.browse().union(*group)) for (access, kind, _own), group in groups]

    # === HOW OLD IT IS === #

    @api.model
    def _oms_get_age_kind(self, strategy, access):
        """Return by which day goods are told apart for an order: "expiry", "received", or None where all are alike."""
        if access.min_life_days:
            return "expiry"
        if any(aim == "fifo" for aim, _weight in strategy.aims):
            return "received"
        return "expiry" if strategy.needs("expiry") else None

    @api.model
    def _oms_read_ages(self, products, candidates, kinds):
        """Return {kind: ages in decimals}, see `product.product._oms_get_ages`; one query for each kind."""
        ages = {None: {}}
        units = {product.id: product.uom_id for product in products}
        warehouses = self._oms_get_warehouses(candidates)
        for kind in sorted({kind for kind in kinds if kind}):
            ages[kind] = {
                key: [(day, self._oms_to_decimal(units[key[1]], quantity)) for day, quantity in lots]
                for key, lots in products._oms_get_ages(warehouses, kind).items()
            }
        return ages

    @api.model
    def _oms_get_fresh_day(self, days):
        """Return the ordinal of the day until which goods that keep for ``days`` are good, None for no demand."""
        return self._oms_get_min_expiration(days).toordinal() if days else None

    def _get_allocation_sort_key(self):
        """Return what decides which order of a batch is served first: its priority, its channel, what was promised to
        be there first, then who came first (the order date is no help, Odoo sets it anew at confirmation). To be
        overridden for other priorities."""
        self.ensure_one()
        return (-int(self.oms_priority or 0), self.channel_id.sequence, self.commitment_date or datetime.max, self.id)
