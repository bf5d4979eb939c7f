from decimal import Decimal

from odoo import api, models

from ...solver import Supply, solve_in_turn


class SaleOrder(models.Model):
    """What stock the orders of a batch may take, and how it is shared among them."""

    _inherit = "sale.order"

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
    def _oms_solve(self, demands, candidates, stock, strategies):
        """Return {order: solver.Plan} for the lines in ``demands``, the orders served in turn by their priority.

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
        plans = solve_in_turn(
            [
                order._oms_prepare_solver_order(demands_by_order[order], candidates[order], strategies[order])
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
