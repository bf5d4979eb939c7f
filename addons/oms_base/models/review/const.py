"""Codes of the review."""

TRIGGERS = [
    ("received", "Order received"),
    ("changed", "Order changed"),
    ("confirm", "Before confirming"),
    ("allocate", "Before allocating"),
    ("release", "Before release to the warehouse"),
    ("ship", "Before shipping"),
    ("schedule", "On a schedule"),
]
# What judges an order that is not confirmed yet, in one go and one sequence.
REVIEW_TRIGGERS = ("received", "confirm")

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# What a domain raises that can't be read, or names a field that is gone.
DOMAIN_ERRORS = (ValueError, SyntaxError, TypeError, KeyError, AttributeError)
