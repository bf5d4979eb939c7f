"""What is known and decided of the orders of a batch."""

from collections import Counter
from dataclasses import dataclass, field

from ... import solver
from ..sellable.kit import fold, name_lots
from .const import CAUSES


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
    :param sent_ids: {order: ids of the warehouses that send something of it, whatever the plan is}
    :param given_up: {order: [RuleSpec, ...]}: preferences that would have left something behind
    :param plans: {order: solver.Plan}
    :param solved: the same as they were solved: kits are their parts there
    :param weighed: {order: how it was weighed against others that want the same, see `_oms_solve_batch`}
    :param parts: {id of a demand: kit.Part}
    :param lots: {id of a product below 0, which stands for a chosen lot: `kit.Lot`}
    :param stock: `stock.Stock`, what is left of it
    """

    strategies: dict
    places: dict
    refusals: dict
    sent_ids: dict = field(default_factory=dict)
    given_up: dict = field(default_factory=dict)
    plans: dict = field(default_factory=dict)
    solved: dict = field(default_factory=dict)
    weighed: dict = field(default_factory=dict)
    parts: dict = field(default_factory=dict)
    lots: dict = field(default_factory=dict)
    stock: dict = field(default_factory=dict)

    def get_candidates(self, order):
        """Return {warehouse: solver.Warehouse} of one order, with the refusals that still stand."""
        given_up = self.given_up.get(order, ())
        refused = {}
        for rule, refusal, warehouse_id in self.refusals.get(order, ()):
            if rule not in given_up:
                refused.setdefault(warehouse_id, []).append(refusal)
        is_limited = self._is_limited(order)
        candidates = {}
        for warehouse, values in self.places[order].items():
            refusals = tuple(refused.get(warehouse.id, ()))
            limits = {}
            if not is_limited and "capacity_left" in values:  # it says how busy it is, but may send more
                limits = {"capacity_left": None, "used": values["capacity"] - values["capacity_left"]}
            candidates[warehouse] = solver.Warehouse(**{**values, **limits}, refusals=refusals)
        return candidates

    def get_allowed(self, order, product_ids):
        """Return the places of one order, see `_oms_get_places`, that no rule keeps from sending these products."""
        refused = {
            warehouse_id
            for rule, refusal, warehouse_id in self.refusals.get(order, ())
            if refusal.product_id in (None, *product_ids) and rule not in self.given_up.get(order, ())
        } | self.get_full_ids(order)
        return [place for place in self.places[order].values() if place["id"] not in refused]

    def get_full_ids(self, order):
        """Return the ids of the warehouses that can make no parcel for one order today, whose strategy asks for it."""
        if not self._is_limited(order):
            return set()
        made = self.count_parcels(order)
        sending = self.plans[order].warehouse_ids if order in self.plans else ()
        return {
            place["id"]
            for place in self.places[order].values()
            if place.get("capacity_left") is not None
            and place["capacity_left"] <= made[place["id"]]
            and not place["is_open"]
            and place["id"] not in sending
        }

    def get_key(self, assignment):
        """Return (warehouse id, product id) of where a `solver.Assignment` takes from; a chosen lot has less then."""
        lot = self.lots.get(assignment.product_id)
        if not lot:
            return assignment.warehouse_id, assignment.product_id
        lot.left[assignment.warehouse_id] -= assignment.quantity
        return assignment.warehouse_id, lot.product_id

    def tell_kits(self):
        """Have the plans speak of kits instead of their parts, and of products where lots are chosen."""
        self.solved = self.plans
        if self.parts or self.lots:
            self.plans = {order: fold(name_lots(plan, self.lots), self.parts) for order, plan in self.solved.items()}

    def get_winners(self, order):
        """Return the warehouses that send something for one order."""
        return [warehouse for warehouse in self.places[order] if warehouse.id in self.plans[order].warehouse_ids]

    def get_waiting_place(self, line, reason="no_stock"):
        """Return the id of the warehouse where what is short of an order line waits; None without candidates.

        It is the nearest that may send it. What others have, but may not send in a further parcel, waits where the
        order's parcel leaves from, or they would send it after all; and so does what must not be a parcel of its own
        when it comes. What belongs together waits together.

        :param reason: see `solver.Shortage`
        """
        order, together = line.order_id, line._oms_get_kept_together()
        plan, allowed = self.plans[order], self.get_allowed(order, together.product_id.ids)
        if not allowed:
            return plan.nearest_id
        if reason != "no_stock" or len(together) > 1 or self.strategies[order].is_split_limited:
            sending = [place for place in allowed if place["id"] in plan.warehouse_ids or place["is_open"]]
            allowed = sending or allowed
        return min(allowed, key=lambda place: (*_get_way(place), place["id"]))["id"]

    def get_cause(self, order, shortage):
        """Return why one `solver.Shortage` is one: key of `const.CAUSES`."""
        if shortage.reason == "no_stock" and self.is_kept(order, {shortage.product_id}):
            return "kept"
        return shortage.reason if shortage.reason in dict(CAUSES) else "rule"

    def is_kept(self, order, product_ids, warehouse_ids=None):
        """Whether there is some of these products that one order may not take: others have it kept for them.

        :param warehouse_ids: where to look, None for all places of the order
        """
        return any(
            self.stock.get((place["id"], product_id), 0) > 0
            for place in self.places[order].values()
            if warehouse_ids is None or place["id"] in warehouse_ids
            for product_id in product_ids
        )

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

    def _is_limited(self, order):
        """Whether a rule that still stands asks for capacity."""
        given_up = self.given_up.get(order, ())
        return any(rule.type == "capacity" and rule not in given_up for rule in self.strategies[order].rules)

    def count_parcels(self, order=None):
        """Return {warehouse id: parcels} that the plans make, but for the one of ``order``."""
        return Counter(
            warehouse.id
            for other, plan in self.plans.items()
            if other != order
            for warehouse, place in self.places[other].items()
            if warehouse.id in plan.warehouse_ids and not place["is_open"]
        )
