from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import ormcache

from ... import solver
from .const import SOLVER_AIMS
from .spec import StrategySpec

# How often preferences are given up before the rest waits. Each round costs a run of the solver for who is short.
MAX_ROUNDS = 5


def _get_way(place):
    """Return what the nearest place is found by, see `_oms_get_places`."""
    distance = place["distance_km"]
    return distance is None, distance or 0.0, place["priority"]


@dataclass
class Sourcing:
    """What is known and decided of the orders of a batch.

    :param strategies: {order: StrategySpec}
    :param places: {order: {warehouse: values of its `solver.Warehouse`}}
    :param refusals: {order: [(RuleSpec, solver.Refusal, warehouse id), ...]}
    :param given_up: {order: [RuleSpec, ...]}: preferences that would have left something behind
    :param plans: {order: solver.Plan}
    :param stock: `stock.Stock`, what is left of it
    """

    strategies: dict
    places: dict
    refusals: dict
    given_up: dict = field(default_factory=dict)
    plans: dict = field(default_factory=dict)
    stock: dict = field(default_factory=dict)

    def get_candidates(self, order):
        """Return {warehouse: solver.Warehouse} of one order, with the refusals that still stand."""
        given_up = self.given_up.get(order, ())
        refused = {}
        for rule, refusal, warehouse_id in self.refusals.get(order, ()):
            if rule not in given_up:
                refused.setdefault(warehouse_id, []).append(refusal)
        is_limited = any(rule.type == "capacity" and rule not in given_up for rule in self.strategies[order].rules)
        candidates = {}
        for warehouse, values in self.places[order].items():
            limits = {} if is_limited else {"capacity_left": None}
            candidates[warehouse] = solver.Warehouse(
                **{**values, **limits}, refusals=tuple(refused.get(warehouse.id, ()))
            )
        return candidates

    def get_allowed(self, order, product_id):
        """Return the places of one order, see `_oms_get_places`, that no rule keeps from sending a product."""
        refused = {
            warehouse_id
            for rule, refusal, warehouse_id in self.refusals.get(order, ())
            if refusal.product_id in (None, product_id) and rule not in self.given_up.get(order, ())
        }
        return [place for place in self.places[order].values() if place["id"] not in refused]

    def get_waiting_place(self, order, product_id, reason="no_stock"):
        """Return the id of the warehouse where a product that is short waits for one order; None without candidates.

        It is the nearest that may send it. What others have, but may not send in a further parcel, waits where the
        order's parcel leaves from, or they would send it after all.

        :param reason: see `solver.Shortage`
        """
        plan, allowed = self.plans[order], self.get_allowed(order, product_id)
        if not allowed:
            return plan.nearest_id
        if reason != "no_stock" and (winners := [place for place in allowed if place["id"] in plan.warehouse_ids]):
            allowed = winners
        return min(allowed, key=lambda place: (*_get_way(place), place["id"]))["id"]

    def give_up_one(self, order):
        """Give up the last preference of ``order`` that keeps a warehouse away. Return whether there was one."""
        given_up = self.given_up.get(order, [])
        refusing = {rule for rule, _refusal, _id in self.refusals.get(order, ())}
        limited = {rule for rule in self.strategies[order].rules if rule.type == "capacity"}
        for rule in reversed(self.strategies[order].rules):
            if rule.is_preference and rule not in given_up and rule in refusing | limited:
                self.given_up[order] = [*given_up, rule]
                return True
        return False


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
    def _oms_plan(self, demands, prepare_stock, strategies=None, is_fresh=False):
        """Decide where what is asked for comes from. Nothing is written.

        :param demands: dict {order line: quantity in the product's unit}
        :param prepare_stock: called with ({order: warehouses}); returns a `stock.Stock`
        :param strategies: {order: StrategySpec} where they are not to be the orders' own
        :param is_fresh: no warehouse prepares a parcel for these orders that more could go into
        :return: Sourcing
        """
        orders = self.env["sale.order.line"].union(*demands).order_id
        strategies = strategies or orders._oms_get_strategies()
        places = orders._oms_get_places(strategies, is_fresh=is_fresh)
        sourcing = Sourcing(strategies, places, orders._oms_get_refusals(demands, places, strategies))
        stock = sourcing.stock = prepare_stock(places)
        before = (
            deepcopy(stock) if any(rule.is_preference for spec in strategies.values() for rule in spec.rules) else None
        )
        todo = orders
        for _round in range(MAX_ROUNDS):
            candidates = {order: sourcing.get_candidates(order) for order in todo}
            wanted = {line: quantity for line, quantity in demands.items() if line.order_id in todo}
            sourcing.plans.update(self._oms_solve(wanted, candidates, stock, strategies))
            todo = todo.filtered(lambda order: sourcing.plans[order].shortages and sourcing.give_up_one(order))
            if not todo:
                break
            stock = sourcing.stock = deepcopy(before)
            self._oms_take_plans(stock, {o: plan for o, plan in sourcing.plans.items() if o not in todo})
        return sourcing

    @api.model
    def _oms_take_plans(self, stock, plans):
        """Take what ``plans`` take from ``stock``."""
        accesses = self.browse().union(*plans)._oms_get_accesses()
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
        if strategy == StrategySpec():
            return solver.Order(self.id, tuple(demands), tuple(candidates.values()))
        return solver.Order(
            self.id,
            tuple(demands),
            tuple(candidates.values()),
            value=self._oms_to_cents(self.amount_untaxed / (self.currency_rate or 1.0)),
            strategy=self._oms_prepare_solver_strategy(strategy),
        )

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

    def _oms_prepare_demand(self, line, quantity, strategy):
        """Return what one line needs as the solver wants it.

        :param quantity: Decimal in the product's unit
        """
        if strategy == StrategySpec():
            return solver.Demand(line.id, line.product_id.id, quantity)
        product = line.product_id
        ordered = line.product_uom_id._compute_quantity(line.product_uom_qty, product.uom_id)
        value = line.price_subtotal / ordered / (self.currency_rate or 1.0) if ordered else 0.0
        return solver.Demand(
            line.id,
            product.id,
            quantity,
            keep_together=line._get_keep_together_key(),
            weight_g=round(product.weight * self._oms_get_grams()),
            volume_cm3=round(product.volume * 1e6),
            value=self._oms_to_cents(value),
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

    def _oms_get_places(self, strategies, is_fresh=False):
        """Return {order: {warehouse: values}}: who may serve each order, as values of its `solver.Warehouse`."""
        warehouses_by_channel = {channel: channel._get_warehouses() for channel in self.channel_id}
        origins = {
            warehouse: warehouse.partner_id._oms_get_place()[0]
            for warehouses in [*warehouses_by_channel.values(), self.oms_warehouse_id]
            for warehouse in warehouses
        }
        places = {}
        for order in self:
            destination, _source = order.partner_shipping_id._oms_get_place()
            open_warehouses = () if is_fresh else order._oms_get_open_warehouses()
            places[order] = {
                warehouse: {
                    "id": warehouse.id,
                    "distance_km": solver.distance_km(origins[warehouse], destination),
                    "priority": warehouse.oms_priority,
                    "is_open": warehouse in open_warehouses,
                }
                for warehouse in order.oms_warehouse_id or warehouses_by_channel[order.channel_id]
                if warehouse.company_id == order.company_id
            }
        self._oms_add_terms(places, strategies)
        return places

    def _oms_add_terms(self, places, strategies):
        """Add to ``places`` what the strategies look at besides: freight, costs, days, capacity."""
        now = fields.Datetime.now()
        limited = [
            order for order in self if strategies[order].has_rule("capacity") or strategies[order].needs("capacity")
        ]
        if limited:
            warehouses = self.env["stock.warehouse"].union(*(one for order in limited for one in places[order]))
            capacities = warehouses._oms_get_capacities(now)
            for order in limited:
                for warehouse, values in places[order].items():
                    if warehouse in capacities:
                        values["capacity"], values["capacity_left"] = capacities[warehouse]
        costed = self.filtered(
            lambda order: strategies[order].needs("cost", "days") or strategies[order].has_rule("carrier")
        )
        freights = costed._oms_get_freights(self.env["stock.warehouse"].union(*(w for o in costed for w in places[o])))
        for order in costed:
            for warehouse, values in places[order].items():
                terms = freights.get((order.id, warehouse.id))
                values.update(order._oms_prepare_costs(warehouse, terms, now))

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

    def _oms_get_open_warehouses(self):
        """Return the warehouses that prepare a parcel for one order anyway: one more product in it costs no way."""
        self.ensure_one()
        return self.oms_allocation_ids.filtered(
            lambda row: (
                row.state in ("planned", "procured")
                and row.uom_id.compare(row.quantity, row.done_quantity + row.shortage_quantity) > 0
            )
        ).warehouse_id
