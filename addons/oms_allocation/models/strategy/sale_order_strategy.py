from copy import deepcopy
from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import ormcache

from ... import solver
from .const import SOLVER_AIMS
from .sourcing import Sourcing
from .spec import StrategySpec

# How often preferences are given up before the rest waits. Each round costs a run of the solver for who is short.
MAX_ROUNDS = 5


class SaleOrder(models.Model):
    """Which strategy an order is sourced by, and what the solver is told of it."""

    _inherit = "sale.order"

    oms_strategy_id = fields.Many2one(
        "oms.sourcing.strategy",
        string="Sourcing Strategy",
        check_company=True,
        copy=False,
        tracking=True,
        index="btree_not_null",
        help="How its warehouses are chosen. Empty: as its channel or its company says.",
    )

    def _oms_get_strategies(self):
        """Return {order: StrategySpec} as these orders are to be sourced now. Can be extended."""
        return self._oms_get_current_strategies()

    def _oms_get_current_strategies(self):
        """Return {order: StrategySpec}: the one of each order, or what is done without one."""
        return {order: order._oms_get_strategy()._get_spec() for order in self}

    def _oms_get_strategy(self):
        """Return the strategy of one order: its own, or its channel's, or its company's; empty where there is none."""
        self.ensure_one()
        return self.oms_strategy_id or self.channel_id.oms_strategy_id or self.company_id.oms_strategy_id

    # === PLAN === #

    @api.model
    def _oms_plan(self, demands, given=None, strategies=None, is_binding=True):
        """Decide where what is asked for comes from. Nothing is written.

        :param demands: dict {order line: quantity in the product's unit}
        :param given: dict {order line: {warehouse: quantity}} of what these lines were given already, or wait for, and
            is planned again
        :param strategies: {order: StrategySpec} where they are not to be the orders' own
        :param is_binding: it is to be done: stock and capacity are locked, so what was found stays true until the end
            of the transaction
        :return: Sourcing
        """
        orders = self.env["sale.order.line"].union(*demands).order_id
        given, strategies = given or {}, strategies or orders._oms_get_strategies()
        places = orders._oms_get_places(strategies, given, is_binding)
        sourcing = Sourcing(strategies, places, orders._oms_get_refusals(demands, places, strategies, given))
        if is_binding:
            self._oms_lock_stock(demands, places)
        sourcing.stock = self._oms_read_stock(demands, places, given)
        is_any_preferred = any(rule.is_preference for spec in strategies.values() for rule in spec.rules)
        before = deepcopy(sourcing.stock) if is_any_preferred else None
        todo = orders
        for round_ in range(MAX_ROUNDS):
            wanted = {line: quantity for line, quantity in demands.items() if line.order_id in todo}
            sourcing.plans.update(todo._oms_solve(wanted, sourcing))
            if round_ == MAX_ROUNDS - 1:
                break
            todo = todo.filtered(lambda order: sourcing.plans[order].shortages and sourcing.give_up_one(order))
            if not todo:
                break
            sourcing.stock = deepcopy(before)
            for order in todo:
                del sourcing.plans[order]
            self._oms_take_plans(sourcing.stock, sourcing.plans)
        return sourcing

    @api.model
    def _oms_take_plans(self, stock, plans):
        """Take what ``plans`` take from ``stock``, in which what is promised to their orders is still set aside."""
        orders = self.browse().union(*plans)
        accesses = orders._oms_get_accesses()
        lines = self.env["sale.order.line"].browse(list(stock.promised))
        for line in lines.filtered(lambda line: line.order_id in orders):
            stock.give_back(accesses[line.order_id], line.id)
        for order, plan in plans.items():
            for assignment in plan.assignments:
                stock.take(accesses[order], (assignment.warehouse_id, assignment.product_id), assignment.quantity)

    # === WHAT THE SOLVER IS TOLD === #

    def _oms_prepare_solver_order(self, demands, candidates, strategy):
        """Return one order as the solver wants it.

        :param demands: list of solver.Demand
        :param candidates: {warehouse: solver.Warehouse}
        :param strategy: StrategySpec
        """
        self.ensure_one()
        weight = 1 + int(self.oms_priority or 0)
        if strategy == StrategySpec():
            return solver.Order(self.id, tuple(demands), tuple(candidates.values()), weight=weight)
        return solver.Order(
            self.id,
            tuple(demands),
            tuple(candidates.values()),
            weight=weight,
            promised_days=self._oms_get_promised_days(fields.Datetime.now()),
            value=self._oms_to_cents(self.amount_untaxed / (self.currency_rate or 1.0)),
            strategy=self._oms_prepare_solver_strategy(strategy),
        )

    def _oms_get_promised_days(self, moment):
        """Return in how many days from ``moment`` the buyer of one order is to have it, None if nothing is promised."""
        self.ensure_one()
        return (self.commitment_date.date() - moment.date()).days if self.commitment_date else None

    def _oms_prepare_solver_strategy(self, strategy):
        """Return a strategy as the solver wants it, its amounts in the smallest unit of the company's currency."""
        cents = Decimal(10) ** self.company_id.currency_id.decimal_places
        levels = []
        for aim, weight in strategy.aims:
            levels.append(
                tuple(
                    (name, Decimal(factor) * Decimal(repr(weight)) / (cents if name == "money" else 1))
                    for name, factor in SOLVER_AIMS[aim]
                )
            )
        if strategy.is_weighted:
            levels = [sum(levels, ())]
        else:
            levels = [((name, 1),) for level in levels for name, _weight in level]
        return solver.Strategy(
            aims=((("missing", 1),), *levels),
            ship="complete" if strategy.on_shortage in ("complete", "wait", "ask") else "available",
            split={"always": "allowed", "never": "never", "value": "value"}[strategy.split],
            split_min_value=self._oms_to_cents(strategy.split_order_value),
            split_min_part=self._oms_to_cents(strategy.split_part_value),
            max_parcels=strategy.max_parcels or None,
            split_penalty=self._oms_to_cents(strategy.split_cost),
        )

    def _oms_prepare_demand(self, line, quantity, strategy, min_life_days=0):
        """Return what one line needs as the solver wants it.

        :param quantity: Decimal in the product's unit
        :param min_life_days: so long its goods must keep
        """
        product, group = line.product_id, line._get_keep_together_key()
        min_expiry = self._oms_get_fresh_day(min_life_days)
        if strategy == StrategySpec():
            return solver.Demand(line.id, product.id, quantity, keep_together=group, min_expiry=min_expiry)
        ordered = line.product_uom_id._compute_quantity(line.product_uom_qty, product.uom_id)
        value = line.price_subtotal / ordered / (self.currency_rate or 1.0) if ordered else 0.0
        return solver.Demand(
            line.id,
            product.id,
            quantity,
            keep_together=group,
            weight_g=round(product.weight * self._oms_get_grams()),
            volume_cm3=round(product.volume * 1e6),
            value=self._oms_to_cents(value),
            min_expiry=min_expiry,
        )

    @api.model
    @ormcache()
    def _oms_get_grams(self):
        """Return how many grams the unit of the products' weights has."""
        unit = self.env["product.template"]._get_weight_uom_id_from_ir_config_parameter()
        return unit._compute_quantity(1.0, self.env.ref("uom.product_uom_gram"), round=False)

    def _oms_to_cents(self, amount):
        """Return ``amount``, in the currency of the company, in its smallest unit."""
        return round(amount * 10**self.company_id.currency_id.decimal_places)

    # === PLACES === #

    def _oms_get_places(self, strategies, given, is_binding):
        """Return {order: {warehouse: values}}: who may serve each order, as values of its `solver.Warehouse`.

        :param given, is_binding: see `_oms_plan`
        """
        warehouses_by_channel = {channel: channel._get_warehouses() for channel in self.channel_id}
        origins = {
            warehouse: warehouse.partner_id._oms_get_place()[0]
            for warehouses in [*warehouses_by_channel.values(), self.oms_warehouse_id]
            for warehouse in warehouses
        }
        places = {}
        for order in self:
            destination, _source = order.partner_shipping_id._oms_get_place()
            parcels = order._oms_get_open_parcels(given)
            places[order] = {
                warehouse: {
                    "id": warehouse.id,
                    "distance_km": solver.distance_km(origins[warehouse], destination),
                    "priority": warehouse.oms_priority,
                    "is_open": warehouse in parcels,
                    "open_weight_g": parcels.get(warehouse, 0),
                }
                for warehouse in order.oms_warehouse_id or warehouses_by_channel[order.channel_id]
                if warehouse.company_id == order.company_id
            }
        self._oms_add_terms(places, strategies)
        self._oms_add_capacities(places, strategies, given, is_binding)
        return places

    def _oms_add_capacities(self, places, strategies, given, is_binding):
        """Add to ``places`` how many parcels can be made today, where the strategies look at it."""
        limited = {
            order: places[order]
            for order in self
            if strategies[order].has_rule("capacity") or strategies[order].needs("capacity")
        }
        if not limited:
            return
        rows = self.env["oms.allocation"].union(*(line.oms_allocation_ids for line in given))
        capacities = self._oms_get_warehouses(limited)._oms_get_capacities(
            fields.Datetime.now(),
            # What is planned again gives its parcels of today back.
            without=rows.filtered(lambda row: not row._get_kept_quantity(given)),
            is_locked=is_binding and any(strategies[order].has_rule("capacity") for order in limited),
        )
        for found in limited.values():
            for warehouse in capacities.keys() & found.keys():
                found[warehouse]["capacity"], found[warehouse]["capacity_left"] = capacities[warehouse]

    def _oms_add_terms(self, places, strategies):
        """Add to ``places`` what the strategies look at besides: freight, costs, days."""
        now = fields.Datetime.now()
        costed = self.filtered(
            lambda order: strategies[order].needs("cost", "days") or strategies[order].has_rule("carrier")
        )
        freights = costed._oms_get_freights(self._oms_get_warehouses({order: places[order] for order in costed}))
        for order in costed:
            for warehouse, values in places[order].items():
                terms = freights.get((order.id, warehouse.id))
                # An order of the past is studied by the clock of when it came.
                moment = order.date_order if strategies[order].is_studied else now
                values.update(order._oms_prepare_costs(warehouse, terms, moment))

    def _oms_prepare_costs(self, warehouse, terms, now):
        """Return what of `solver.Warehouse` says what a parcel of one order from ``warehouse`` costs, and when it is
        there.

        :param terms: `oms_base` FreightTerms, or None when no carrier is known
        """
        self.ensure_one()
        values = {
            "handling_order": self._oms_to_cents(warehouse.oms_order_cost),
            "handling_line": self._oms_to_cents(warehouse.oms_line_cost),
            "packaging": self._oms_to_cents(warehouse.oms_parcel_cost),
        }
        if terms:
            values["days"] = terms.days + (0 if warehouse._oms_leaves_today(now) else 1)
            values["freight"] = solver.Freight(
                first_grams=round(terms.first_weight * 1000),
                first_price=self._oms_to_cents(terms.first_price),
                step_grams=max(1, round(terms.step_weight * 1000)),
                step_price=self._oms_to_cents(terms.step_price),
                volume_divisor=round(terms.volume_divisor),
            )
        return values

    def _oms_get_open_parcels(self, given=None):
        """Return {warehouse: grams in it} of the parcels that are prepared for one order anyway and that nobody has
        begun to pick: one more product in them costs no way.

        :param given: see `_oms_plan`
        """
        self.ensure_one()
        parcels = {}
        for row in self.oms_allocation_ids.filtered(lambda row: row.state in ("planned", "procured")):
            if not (kept := row._get_kept_quantity(given or {})):
                continue
            found = row.line_id._oms_get_unpicked_quantities(is_unreleased=True)
            quantity = kept - row.procured_quantity + found.get(row.warehouse_id, 0.0)
            if row.uom_id.compare(quantity, 0) > 0:
                grams = round(quantity * row.product_id.weight * self._oms_get_grams())
                parcels[row.warehouse_id] = parcels.get(row.warehouse_id, 0) + grams
        return parcels
