"""Codes of the proof: what a rehearsal says of an order."""

# What a rehearsal found of an order, the most telling first: an order is of the first kind that fits.
CHANGE_KINDS = [
    ("error", "Can't Be Judged"),
    ("cancelled", "Cancelled"),
    ("newly_held", "Newly Held"),
    ("no_longer_held", "No Longer Held"),
    ("other_hold", "Other Hold"),
    ("gift", "Gift"),
    ("tagged", "Tagged"),
    ("changed", "Other Change"),
]

# How many rehearsed orders of a chunk share a transaction, and how long it may keep others from those orders.
CHUNK_SIZE = 50
