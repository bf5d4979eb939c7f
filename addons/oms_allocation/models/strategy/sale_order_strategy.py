from copy import deepcopy
from dataclasses import replace
from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import ormcache

from ... import solver
from ..sellable.kit import Part, get_batches, get_part_id
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
    def _oms_plan(self, demands, given=None, strategies=None, is_binding=True, is_sending=True):
        """Decide where what is asked for comes from. Nothing is written.

        :param demands: dict {order line: quantity in the product's unit}
        :param given: dict {order line: {warehouse: quantity}} of what these lines were given already, or wait for, and
            is planned again
        :param strategies: {order: StrategySpec} where they are not to be the orders' own
        :param is_binding: it is to be done: stock and capacity are locked, so what was found stays true until the end
            of the transaction
        :param is_sending: parcels are made of it, so places of the day are given away
        :return: Sourcing
        """
        orders = self.env["sale.order.line"].union(*demands).order_id
        given, strategies = given or {}, strategies or orders._oms_get_strategies()
        if is_binding and is_sending:
            orders._oms_take_turns(strategies)
        places = orders._oms_get_places(strategies, given)
        sent_ids = orders._oms_get_sent_ids(strategies, given)
        refusals = orders._oms_get_refusals(demands, places, strategies, sent_ids)
        sourcing = Sourcing(strategies, places, refusals, sent_ids)
        if is_binding:
            self._oms_lock_stock(demands, places)
        sourcing.stock = self._oms_read_stock(demands, places, given)
        sourcing.lots = self._oms_read_lots(demands, places, given)
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
            sourcing.lots = self._oms_read_lots(demands, places, given)
            self._oms_take_plans(sourcing)
        sourcing.tell_kits()
        return sourcing

    @api.model
    def _oms_take_plans(self, sourcing):
        """Take what the plans take from the stock, in which what is promised to their orders is still set aside.

        :param sourcing: Sourcing
        """
        stock, plans = sourcing.stock, sourcing.plans
        orders = self.browse().union(*plans)
        accesses = orders._oms_get_accesses()
        lines = self.env["sale.order.line"].browse(list(stock.promised))
        for line in lines.filtered(lambda line: line.order_id in orders):
            stock.give_back(accesses[line.order_id], line.id)
        for order, plan in plans.items():
            for assignment in plan.assignments:
                stock.take(accesses[order], sourcing.get_key(assignment), assignment.quantity)

    # === WHAT THE SOLVER IS TOLD === #

    def _oms_prepare_solver_order(self, demands, candidates, sourcing):
        """Return one order as the solver wants it.

        :param demands: list of solver.Demand
        :param candidates: {warehouse: solver.Warehouse}
        :param sourcing: Sourcing
        """
        self.ensure_one()
        strategy = sourcing.strategies[self]
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
            sent_ids=sourcing.sent_ids.get(self, frozenset()),
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

    def _oms_prepare_demands(self, demands, sourcing, min_life_days):
        """Return {order: [solver.Demand, ...]} of what lines need of goods whose stock is counted; of kits, the parts.

        :param demands: see `_oms_plan`
        :param sourcing: Sourcing, which is told of the parts
        :param min_life_days: {order: so long its goods must keep}
        """
        found = {order: [] for order in self}
        for line, quantity in sorted(demands.items(), key=lambda item: (item[0].sequence, item[0].id)):
            order, product = line.order_id, line.product_id
            parts = line._oms_get_counted_parts()
            strategy, min_expiry = sourcing.strategies[order], self._oms_get_fresh_day(min_life_days[order])
            quantity = self._oms_to_decimal(product.uom_id, quantity)
            value = order._oms_get_unit_value(line) if strategy != StrategySpec() else 0
            if parts.keys() == {product}:
                group = line._get_keep_together_key()
                demand = self._oms_prepare_demand(line.id, product, quantity, group, strategy)
                asked_id = -line.oms_lot_id.id if -line.oms_lot_id.id in sourcing.lots else product.id
                found[order].append(replace(demand, product_id=asked_id, value=value, min_expiry=min_expiry))
                continue
            for batch, kits in enumerate(get_batches(quantity) if parts else ()):
                # All parts of a kit come from one warehouse, or it is none.
                group = line._get_keep_together_key() or f"kit,{line.id},{batch}"
                for number, (part, needed) in enumerate(parts.items()):
                    part_id = get_part_id(line.id, batch, number)
                    needed = self._oms_to_decimal(part.uom_id, float(kits) * needed)
                    sourcing.parts[part_id] = Part(line.id, product.id, batch, kits, needed)
                    demand = self._oms_prepare_demand(part_id, part, needed, group, strategy)
                    share = round(value * kits / needed) if number == 0 and needed else 0
                    found[order].append(replace(demand, value=share, min_expiry=min_expiry))
        return found

    @api.model
    def _oms_prepare_demand(self, line_id, product, quantity, group, strategy):
        """Return what a line, or a part of it, needs of a product as the solver wants it.

        :param quantity: Decimal in the product's unit
        :param group: what it is kept together with, or None
        """
        if strategy == StrategySpec():
            return solver.Demand(line_id, product.id, quantity, keep_together=group)
        return solver.Demand(
            line_id,
            product.id,
            quantity,
            keep_together=group,
            weight_g=round(product.weight * self._oms_get_grams()),
            volume_cm3=round(product.volume * 1e6),
        )

    def _oms_get_unit_value(self, line):
        """Return what one unit of a line's product is worth, in the smallest unit of the company's currency."""
        ordered = line.product_uom_id._compute_quantity(line.product_uom_qty, line.product_id.uom_id)
        return self._oms_to_cents(line.price_subtotal / ordered / (self.currency_rate or 1.0) if ordered else 0.0)

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

    def _oms_get_places(self, strategies, given):
        """Return {order: {warehouse: values}}: who may serve each order, as values of its `solver.Warehouse`.

        :param given: see `_oms_plan`
        """
        candidates = self._oms_get_candidates()
        origins = {
            warehouse: warehouse.partner_id._oms_get_place()[0]
            for warehouse in self.env["stock.warehouse"].union(*candidates.values())
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
                for warehouse in candidates[order]
            }
        self._oms_add_terms(places, strategies)
        self._oms_add_capacities(places, strategies, given)
        return places

    def _oms_get_candidates(self):
        """Return {order: the warehouses that may serve it}."""
        by_channel = {channel: channel._get_warehouses() for channel in self.channel_id}
        return {
            order: (order.oms_warehouse_id or by_channel[order.channel_id]).filtered(
                lambda warehouse, company=order.company_id: warehouse.company_id == company
            )
            for order in self
        }

    def _oms_take_turns(self, strategies=None):
        """Wait for the turn at the warehouses whose parcels of today these orders may get, where a rule counts them.

        Whoever locks stock and gives parcels away takes the turns first, of all orders it works on: two that locked the
        one and wanted the other would wait for each other.
        """
        strategies = strategies or self._oms_get_current_strategies()
        limited = self.filtered(lambda order: strategies[order].has_rule("capacity"))
        if limited:
            warehouses = self.env["stock.warehouse"].union(*limited._oms_get_candidates().values())
            self.env["oms.warehouse.turn"]._take(warehouses._oms_get_limits(fields.Datetime.now()))

    def _oms_add_capacities(self, places, strategies, given):
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
