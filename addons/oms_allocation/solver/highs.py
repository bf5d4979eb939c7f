"""Objectives of a `model.Model` minimised one after the other by HiGHS (MIT, https://highs.dev)."""

from __future__ import annotations

import math
from typing import NamedTuple

from .model import Model

TOLERANCE = 1e-6


class Answer(NamedTuple):
    """:param values: of the columns, None when nothing was found
    :param level: the first objective that is not proven, None when all are
    :param gap: how far from its best possible that one may be at most, as a share
    :param seconds: what it took
    """

    values: list[int] | None
    level: int | None
    gap: float | None
    seconds: float


def load():
    """Return the library, or None where it is not installed."""
    try:
        import highspy
    except ImportError:
        return None
    return highspy


def minimize(highspy, model: Model, seconds: float, start: list[int] | None = None) -> Answer:
    """Minimise the objectives of ``model`` in turn: each with what those before it reached as a limit.

    :param seconds: for all of them, by the library's own clock
    :param start: values of the columns to begin with
    """
    solver = _get_solver(highspy, model)
    values, spent = start, 0.0
    for level, costs in enumerate(model.costs):
        if not costs or _is_settled(model, level):
            continue
        if spent >= seconds:
            return Answer(values, level, None, spent)
        _set_objective(solver, model, costs)
        if values is not None:
            solution = highspy.HighsSolution()
            solution.col_value = [float(value) for value in values]
            solver.setSolution(solution)
        spent += _run(solver, seconds - spent)
        info = solver.getInfo()
        if info.primal_solution_status == 2:
            values = [round(value) for value in solver.getSolution().col_value]
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            reached = sum(cost * values[column] for column, cost in costs.items()) if values else None
            return Answer(values, level, _get_gap(model.constants[level], reached, info.mip_dual_bound), spent)
        reached = sum(cost * values[column] for column, cost in costs.items())
        solver.addRow(-math.inf, reached, len(costs), list(costs), [float(cost) for cost in costs.values()])
    return Answer(values, None, 0.0, spent)


def bound(highspy, model: Model, reached: list[int], seconds: float) -> tuple[int | None, float | None]:
    """Return (level, gap) of the first objective where less than ``reached`` can't be ruled out, (None, 0.0) if none.

    Ruled out by the model without whole numbers, of which the best is never worse than that with them.
    """
    solver = _get_solver(highspy, model, is_whole=False)
    solver.setOptionValue("solver", "ipm")  # a fraction of the simplex method's time on thousands of orders
    for level, costs in enumerate(model.costs):
        if not costs or _is_settled(model, level):
            continue
        _set_objective(solver, model, costs)
        seconds -= _run(solver, seconds)
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return level, None
        target = reached[level] - model.constants[level]
        gap = _get_gap(model.constants[level], target, solver.getInfo().objective_function_value)
        if gap:
            return level, gap
        solver.addRow(-math.inf, target, len(costs), list(costs), [float(cost) for cost in costs.values()])
    return None, 0.0


def _run(solver, seconds: float) -> float:
    """Run for so long at most; return the seconds it took."""
    before = solver.getRunTime()  # of all runs, while the limit is for one
    solver.setOptionValue("time_limit", max(0.0, seconds))
    solver.run()
    return solver.getRunTime() - before


def _is_settled(model: Model, level: int) -> bool:
    """Say whether an objective is the multiple of one before it: when all orders weigh the same, "missing" is."""
    costs = model.costs[level]
    for before in model.costs[:level]:
        if before.keys() == costs.keys():
            column = next(iter(costs))
            if all(before[key] * costs[column] == cost * before[column] for key, cost in costs.items()):
                return True
    return False


def _get_gap(constant: int, reached: int | None, bound: float) -> float | None:
    if reached is None or not math.isfinite(bound):
        return None
    total = constant + reached
    return max(0.0, (reached - math.ceil(bound - TOLERANCE)) / max(1, abs(total)))


def _get_solver(highspy, model: Model, is_whole: bool = True):
    solver = highspy.Highs()
    solver.silent()
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("random_seed", 1)
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.setOptionValue("mip_abs_gap", 0.99)  # objectives are whole numbers
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(model.columns), len(model.rows)
    lp.col_cost_ = [0.0] * len(model.columns)
    lp.col_lower_ = [0.0] * len(model.columns)
    lp.col_upper_ = [float(upper) for upper, _is_integer in model.columns]
    kinds = highspy.HighsVarType
    if is_whole:
        lp.integrality_ = [kinds.kInteger if is_integer else kinds.kContinuous for _upper, is_integer in model.columns]
    lp.row_lower_ = [-math.inf if lower is None else float(lower) for lower, _upper, _factors in model.rows]
    lp.row_upper_ = [math.inf if upper is None else float(upper) for _lower, upper, _factors in model.rows]
    starts, index, value = [0], [], []
    for _lower, _upper, factors in model.rows:
        index.extend(factors)
        value.extend(float(factor) for factor in factors.values())
        starts.append(len(index))
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = starts, index, value
    solver.passModel(lp)
    return solver


def _set_objective(solver, model: Model, costs: dict[int, int]):
    columns = list(range(len(model.columns)))
    solver.changeColsCost(len(columns), columns, [float(costs.get(column, 0)) for column in columns])
