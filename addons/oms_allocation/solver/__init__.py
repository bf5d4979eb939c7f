"""Which warehouse sends what: plain Python, numbers in, a plan and its reasons out. No ORM, no clock, no randomness."""

from .distance import distance_km
from .solve import solve, solve_batch
from .types import Assignment, Cost, Demand, Loser, Order, Plan, Shortage, Supply, Warehouse
