"""What strategies are made of."""

AIMS = [
    ("parcels", "Fewest parcels"),
    ("cost", "Lowest cost"),
    ("days", "Fastest delivery"),
    ("distance", "Shortest way"),
    ("expiry", "What expires first"),
    ("fifo", "What came in first"),
    ("stock", "Even stock"),
    ("capacity", "Even workload"),
    ("priority", "Sourcing priority of the warehouses"),
]

SPLITS = [
    ("always", "Split it where it must be"),
    ("never", "Never split it"),
    ("value", "Split it above a value"),
]

SHORTAGES = [
    ("ship", "Send what is there, the rest waits"),
    ("complete", "Wait until all is there"),
    ("wait", "Wait some days, or until a date, for all, then go on"),
    ("cancel", "Cancel what is missing"),
    ("substitute", "Send a substitute"),
    ("transfer", "Bring it from another warehouse"),
    ("buy", "Order it from the supplier"),
    ("ask", "Ask a person"),
]

# After waiting in vain an order goes on as one of these.
AFTER_WAIT = [key for key in SHORTAGES if key[0] not in ("complete", "wait")]

# Why something is missing. What the solver says is named alike, but for rules, which are one here.
CAUSES = [
    ("no_stock", "Nobody has it"),
    ("kept", "Kept for others"),
    ("lot_life", "Expires too early"),
    ("rule", "A rule of the strategy"),
    ("rejected", "Rejected"),
    ("capacity", "No capacity left today"),
    ("split", "No further parcel allowed"),
    ("keep_together", "Belongs together"),
    ("taken", "Others get it"),
    ("not_worth", "Costs too much"),
    ("incomplete", "Waits for the rest"),
]

RULE_TYPES = [
    ("warehouses", "Only from certain warehouses"),
    ("zone", "Only from warehouses of the buyer's zone"),
    ("distance", "Only from near warehouses"),
    ("carrier", "Only where a carrier serves the address"),
    ("capacity", "Only where there is capacity left"),
    ("cutoff", "Only where it leaves today"),
]

# Aim: what of `solver.Cost` it looks at, and what one unit of it weighs in units of `oms.sourcing.aim.weight`.
# Amounts are scaled by the currency's smallest unit besides.
SOLVER_AIMS = {
    "parcels": (("parcels", "1"),),
    "cost": (("money", "1"),),
    "days": (("days", "1"),),
    "distance": (("unknown", "10"), ("metres", "0.00001")),  # an unknown way counts as 1,000 km
    "expiry": (("age", "1"),),  # by the day it expires, or that it came in: an order looks at one of them
    "fifo": (("age", "1"),),
    "stock": (("balance", "0.000001"),),
    "capacity": (("load", "0.001"),),
    "priority": (("priority", "1"),),
}
