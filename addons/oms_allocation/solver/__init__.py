"""Which warehouse sends what: plain Python, numbers in, a plan and its reasons out. No ORM, no clock, no randomness."""

from .batch import solve_batch
from .compare import get_totals
from .distance import distance_km
from .hints import find_hints
from .results import BatchResult, Hint, Totals
from .solve import solve, solve_in_turn, solve_order
from .types import (
    AIMS,
    DEFAULT_STRATEGY,
    Assignment,
    Cost,
    Demand,
    Freight,
    Loser,
    Money,
    OpenOrder,
    Order,
    Plan,
    Receipt,
    Refusal,
    Shortage,
    Strategy,
    Supply,
    Warehouse,
    ordered,
)
