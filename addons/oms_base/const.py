"""Codes shared by the models of the suite."""

# Gates in the order an order meets them. A hold on a gate also closes the gates behind it; "refund" stands apart.
GATES = [
    ("confirm", "Confirm"),
    ("allocate", "Allocate"),
    ("release", "Release to the warehouse"),
    ("ship", "Ship"),
    ("refund", "Refund"),
]
GATE_NUMBERS = {"confirm": 10, "allocate": 20, "release": 30, "ship": 40}

# Where an order stands. The numbers leave room, and make "everything before shipping" a range.
STAGES = [
    ("new", "To Review"),
    ("held", "On Hold"),
    ("waiting", "Waiting for Stock"),
    ("ready", "To Pick"),
    ("picked", "To Pack"),
    ("packed", "To Ship"),
    ("part_shipped", "Partly Shipped"),
    ("shipped", "Shipped"),
    ("delivered", "Delivered"),
    ("returning", "Returning"),
    ("done", "Done"),
    ("cancel", "Cancelled"),
]
STAGE_NUMBERS = {
    "new": 10,
    "held": 20,
    "waiting": 30,
    "ready": 40,
    "picked": 50,
    "packed": 60,
    "part_shipped": 65,
    "shipped": 70,
    "delivered": 80,
    "returning": 85,
    "done": 90,
    "cancel": 100,
}

# Nothing is left to do for an order in these, so they are out of the open counts.
CLOSED_STAGES = ("delivered", "done", "cancel")

# Batches above 50 orders are slower per order: caches and recomputation grow faster than queries fall.
BATCH_SIZE = 50

# Nothing of an order in these has left yet, so what is decided about it may still change.
SHIPPED_NUMBER = STAGE_NUMBERS["part_shipped"]
UNSHIPPED_STAGES = tuple(stage for stage, number in STAGE_NUMBERS.items() if number < SHIPPED_NUMBER)

# Up to so many orders are judged in memory, where few queries count more than few comparisons.
IN_MEMORY_LIMIT = 100
