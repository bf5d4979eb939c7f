from collections import defaultdict
from decimal import Decimal

from odoo import api, models

from ...solver import Supply, solve_batch, solve_in_turn


class SaleOrder(models.Model):
    """What stock the orders of a batch may take, and how it is shared among them."""

    _inherit = "sale.order"

    @api.model
    def _oms_lock_stock(self, demands, candidates, waiting=None):
        """Lock the stock that may be taken and return it as `stock.Stock`, in decimals.

        :param waiting: dict {line: {warehouse: quantity}} that these orders wait for there: it is theirs to take
        """
        own = defaultdict(float)
        for line, found in (waiting or {}).items():
            # It is counted as promised; for these orders it is not, they are the ones it is promised to.
            for warehouse, quantity in found.items():
                own[warehouse.id, line.product_id.id] += quantity
        products = self._oms_get_storable(demands)
        warehouses = self.env["stock.warehouse"].union(*(one for found in candidates.values() for one in found))
        locked = self.env["stock.quant"]._oms_lock(products, warehouses.lot_stock_id)
        if any(warehouse.out_type_id.reservation_method != "at_confirm" for warehouse in warehouses):
            # Nothing is reserved at once, so the promise itself must be what the next transaction stumbles over.
            self.env["stock.quant"].union(*locked.values())._oms_touch()
        return self.browse().union(*candidates)._oms_read_stock(products, warehouses, own)

    def _oms_read_stock(self, products, warehouses, own):
        """Return what these orders may take as `stock.Stock`, in decimals.

        :param own: dict {(warehouse id, product id): quantity} that counts as taken, but by these very orders
        """
        lives = {access.min_life_days for access in self._oms_get_accesses().values()}
        stock = products._oms_get_stock(warehouses, lives=lives, orders=self, waiting=own)
        units = {product.id: product.uom_id for product in products}
        return stock.convert(lambda product_id, quantity: self._oms_to_decimal(units[product_id], quantity))

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
    def _oms_solve(self, demands, candidates, stock, strategies):
        """Return {order: solver.Plan} for the lines in ``demands``, the orders served in turn by their priority, each
        from what it may take of ``stock``, which is lowered by it.

        :param candidates: {order: {warehouse: solver.Warehouse}}
        :param strategies: {order: StrategySpec}
        """
        storable = self._oms_get_storable(demands)
        demands_by_order = {order: [] for order in candidates}
        for line, quantity in sorted(demands.items(), key=lambda item: (item[0].sequence, item[0].id)):
            if line.product_id in storable:
                decimal = self._oms_to_decimal(line.product_id.uom_id, quantity)
                order = line.order_id
                demands_by_order[order].append(order._oms_prepare_demand(line, decimal, strategies[order]))
        plans = {}
        for access, orders in self._oms_group_by_access(candidates, stock):
            own = set()
            for line_id in [line.id for line in demands if line.id in stock.promised and line.order_id in orders]:
                own.update(stock.give_back(access, line_id))
            tasks = [
                order._oms_prepare_solver_order(demands_by_order[order], candidates[order], strategies[order])
                for order in orders
            ]
            supplies = [Supply(*key, quantity) for key, quantity in stock.view(access, own).items()]
            found = self._oms_solve_batch(tasks, supplies)
            for plan in found.values():
                for assignment in plan.assignments:
                    stock.take(access, (assignment.warehouse_id, assignment.product_id), assignment.quantity)
            plans.update(found)
        return {order: plans[order.id] for order in candidates}

    @api.model
    def _oms_solve_batch(self, tasks, supplies):
        """Return {order id: solver.Plan}: orders that compete for what is scarce are weighed against each other, within
        the seconds that the company gives it (0: they are served in turn)."""
        seconds = max(0.0, self.env.company.oms_batch_seconds) if len(tasks) > 1 else 0.0
        return solve_batch(tasks, supplies, seconds).plans if seconds else solve_in_turn(tasks, supplies)

    @api.model
    def _oms_group_by_access(self, candidates, stock):
        """Return [(access, orders)]: the orders in the turn in which they are served, and those that follow each other
        and may take the same together. Without pools, minimum lives and promises it is one group."""
        orders = self.browse().union(*candidates).sorted(lambda order: order._get_allocation_sort_key())
        accesses = orders._oms_get_accesses()
        own = {line.order_id.id for line in self.env["sale.order.line"].browse(stock.promised)}
        groups = []  # [(key, orders)]
        for order in orders:
            key = (accesses[order], order.id in own and order.id)
            if groups and groups[-1][0] == key:
                groups[-1][1].append(order)
            else:
                groups.append((key, [order]))
        return [(access, self.browse().union(*group)) for (access, _own), group in groups]

    def _get_allocation_sort_key(self):
        """Return what decides which order of a batch is served first: its channel, then who came first (the order date
        is no help, Odoo sets it anew at confirmation). To be overridden for other priorities."""
        self.ensure_one()
        return (self.channel_id.sequence, self.id)
