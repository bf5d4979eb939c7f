"""From what the search found to a plan that says where, how much, what it costs, and why not otherwise."""

from __future__ import annotations

from .fill import Load, Parts, Steps, count_steps
from .problem import Problem, Site, get_parcel_values, get_refusal
from .search import Bounds, Search, Solution, finish
from .types import Assignment, Cost, Loser, Money, Plan, Shortage, Warehouse

LOSER_LIMIT = 2_000  # steps to find the best plan with a loser; beyond them its cost is that of the best found


def make_plan(bounds: Bounds, solution: Solution | None, steps: Steps, explain=True) -> Plan:
    """Return the plan for ``solution``, with the losers unless ``explain`` is False."""
    problem = bounds.problem
    if solution is None:
        cost, money = get_cost(problem, {}, (problem.demanded, 0, 0, 0)), Money()
        assignments, winners, shares = (), [], [{} for _line in problem.lines]
    else:
        loads = finish(problem, solution)
        winners = [site for site in solution.sites if loads[site].picks]
        cost, money = get_cost(problem, loads, solution.parts), get_money(problem, loads)
        assignments, shares = get_assignments(problem, winners, solution.shares), solution.shares
    losers = ()
    if explain:
        used = {site.id for site in winners}
        losers = tuple(
            get_loser(bounds, candidate, cost)
            for candidate in sorted(problem.order.warehouses, key=lambda one: (not one.is_open, *get_way(one), one.id))
            if candidate.id not in used
        )
    return Plan(
        assignments=assignments,
        shortages=get_shortages(problem, shares, winners),
        cost=cost,
        money=money,
        warehouse_ids=tuple(site.id for site in winners),
        nearest_id=get_nearest(problem),
        losers=losers,
        demanded=problem.stock.quantity(problem.demanded),
        is_proven=steps.left >= 0,
    )


def get_way(candidate: Warehouse):
    return (candidate.distance_km is None, round((candidate.distance_km or 0) * 1000), candidate.priority)


def get_nearest(problem: Problem) -> int | None:
    candidates = problem.allowed or problem.order.warehouses
    return min(candidates, key=lambda one: (get_way(one), one.id)).id if candidates else None


def get_assignments(problem: Problem, sites: list[Site], shares) -> tuple[Assignment, ...]:
    """Name the lots: within a warehouse those to go first go to the first line."""
    lots = {site: [[list(lot) for lot in lots] for lots in site.lots] for site in sites}
    assignments = []
    for line, shared in zip(problem.lines, shares, strict=True):
        for site in sites:
            rest = shared.get(site, 0)
            for lot in lots[site][line.product]:
                taken = min(rest, lot[2])
                if taken:
                    assignments.append(
                        Assignment(
                            line.id,
                            problem.products[line.product],
                            site.id,
                            problem.stock.quantity(taken),
                            lot[0],
                        )
                    )
                    lot[2] -= taken
                    rest -= taken
                if not rest:
                    break
    return tuple(assignments)


# === WHAT IT COSTS === #


def get_money(problem: Problem, loads: dict[Site, Load]) -> Money:
    freight = handling = packaging = 0
    new = 0
    for site, load in loads.items():
        if not load.picks:
            continue
        handling += load.picks * site.pick
        freight += site.freight.step_price * count_steps(site, problem.stock.scale, load.grams, load.cm3)
        if not site.is_open:
            new += 1
            freight += site.freight.first_price
            handling += site.candidate.handling_order
            packaging += site.candidate.packaging
    beyond = max(0, new - (not problem.open))
    return Money(freight, handling, packaging, beyond * problem.strategy.split_penalty)


def get_cost(problem: Problem, loads: dict[Site, Load], parts: Parts) -> Cost:
    """Return what the loads cost by each aim.

    :param parts: what they cost beside the parcels
    """
    missing, money, balance, age = parts
    new = [site.candidate for site, load in loads.items() if load.picks and not site.is_open]
    sums = dict.fromkeys(("parcels", "money", "metres", "unknown", "priority", "load"), 0)
    for candidate in new:
        for aim, value in get_parcel_values(candidate, problem.strategy).items():
            sums[aim] += value
    if new and not problem.open:
        money -= problem.strategy.split_penalty
    sums["money"] += money
    days = [problem.get_days(one) for one in (*problem.open, *new)]
    quantity = problem.stock.quantity
    return Cost(
        missing=quantity(missing), days=max(days, default=0), balance=quantity(balance), age=quantity(age), **sums
    )


# === WHY NOT OTHERWISE === #


def get_loser(bounds: Bounds, candidate: Warehouse, best: Cost) -> Loser:
    """Compare the plan with the best one that uses ``candidate``."""
    problem = bounds.problem
    site = next((one for one in problem.sites if one.id == candidate.id), None)
    if site is None:
        return get_outsider(problem, candidate)
    covered = problem.stock.quantity(sum(site.offer))
    solution = Search(bounds, Steps(LOSER_LIMIT), site).run()
    if solution is None:
        return Loser(candidate.id, "forbidden", None, covered)
    cost = get_cost(problem, finish(problem, solution), solution.parts)
    return Loser(candidate.id, get_reason(problem, cost, best), cost, covered)


def get_outsider(problem: Problem, candidate: Warehouse) -> Loser:
    """Say why a candidate is none, or has nothing."""
    zero = problem.stock.quantity(0)
    if refusal := get_refusal(candidate):
        return Loser(candidate.id, refusal[0], None, zero, refusal[1])
    for refusal in candidate.refusals:
        if refusal.product_id in problem.products:
            return Loser(candidate.id, refusal.reason, None, zero, refusal.args)
    if any(lot.left > 0 for product in problem.hidden for lot in get_lots(problem, product, candidate.id)):
        return Loser(candidate.id, "lot_life", None, zero)
    taken = any(
        lot.given > lot.left
        for product in range(len(problem.products))
        for lot in get_lots(problem, product, candidate.id)
    )
    return Loser(candidate.id, "taken" if taken else "no_stock", None, zero)


def get_lots(problem: Problem, product: int, warehouse_id: int):
    return problem.stock.lots.get(problem.products[product], {}).get(warehouse_id, ())


def get_reason(problem: Problem, cost: Cost, best: Cost) -> str:
    """Return the aim by which ``cost`` is worse: of the first level that differs, what adds most."""
    for level in problem.strategy.aims:
        worse = {aim: (getattr(cost, aim) - getattr(best, aim)) * weight for aim, weight in level}
        if sum(worse.values()) > 0:
            aim = max(worse, key=worse.get)
            return "distance" if aim == "metres" else aim
    return "tie"


def get_shortages(problem: Problem, shares, winners: list[Site]) -> tuple[Shortage, ...]:
    left = {site: list(site.has) for site in problem.sites}
    for line, shared in zip(problem.lines, shares, strict=True):
        for site, quantity in shared.items():
            left[site][line.product] -= quantity
    shortages = []
    for line, shared in zip(problem.lines, shares, strict=True):
        short = line.quantity - sum(shared.values())
        if short:
            reason = get_shortage_reason(problem, line, short, left, winners)
            shortages.append(Shortage(line.id, problem.products[line.product], problem.stock.quantity(short), reason))
    return tuple(shortages)


def get_shortage_reason(problem: Problem, line, short, left, winners) -> str:
    there = sum(has[line.product] for has in left.values())
    if there:
        if problem.strategy.ship == "complete" and not winners:
            return "incomplete" if there >= short else get_absence(problem, line)
        if line.group is not None:
            return "keep_together"
        return "split" if problem.levels.most_first else "not_worth"
    if line.group is not None and any(site.has[line.product] for site in problem.sites):
        return "keep_together"
    return get_absence(problem, line)


def get_absence(problem: Problem, line) -> str:
    """Say why nobody can send more of a product."""
    for candidate in problem.order.warehouses:
        if any(lot.left > 0 for lot in get_lots(problem, line.product, candidate.id)):
            if refusal := get_refusal(candidate):
                return refusal[0]
            for refusal in candidate.refusals:
                if refusal.product_id == problem.products[line.product]:
                    return refusal.reason
    if problem.hidden.get(line.product):
        return "lot_life"
    given = any(
        lot.given > lot.left for candidate in problem.allowed for lot in get_lots(problem, line.product, candidate.id)
    )
    return "taken" if given else "no_stock"
