"""Codes shared by the models of the addon."""

PARCEL_STATES = [
    ("draft", "To Pack"),
    ("packed", "To Label"),
    ("labelled", "To Ship"),
    ("shipped", "Handed Over"),
    ("in_transit", "In Transit"),
    ("out_for_delivery", "Out for Delivery"),
    ("delivered", "Delivered"),
    ("exception", "Exception"),
    ("returned", "Returned to Sender"),
    ("cancelled", "Cancelled"),
]

# Still in the warehouse: content, weight and waybill may change.
OPEN_PARCEL_STATES = ("draft", "packed", "labelled")
# With the carrier: tracking events move these.
MOVING_PARCEL_STATES = ("shipped", "in_transit", "out_for_delivery", "exception")
# Left the warehouse, wherever it is now.
GONE_PARCEL_STATES = (*MOVING_PARCEL_STATES, "delivered", "returned")

WAYBILL_STATES = [
    ("none", "Not Needed"),
    ("to_assign", "To Assign"),
    ("assigned", "Assigned"),
    ("to_recycle", "Label to Destroy"),
    ("recycled", "Recycled"),
    ("void", "Void"),
]

TRACKING_CODES = [
    ("pending", "Announced"),
    ("picked_up", "Picked Up"),
    ("in_transit", "In Transit"),
    ("out_for_delivery", "Out for Delivery"),
    ("ready_for_pickup", "Ready for Pickup"),
    ("delivery_delayed", "Delayed"),
    ("delivery_failed", "Delivery Failed"),
    ("on_hold", "On Hold at the Carrier"),
    ("return_to_sender", "Returned to Sender"),
    ("delivered", "Delivered"),
    ("cancelled", "Cancelled by the Carrier"),
    ("unknown", "Other"),
]

# What a tracking code says about the parcel. A code that is not here is told to people and changes nothing.
TRACKING_STATES = {
    "picked_up": "in_transit",
    "in_transit": "in_transit",
    "delivery_delayed": "in_transit",
    "out_for_delivery": "out_for_delivery",
    "ready_for_pickup": "out_for_delivery",
    "delivery_failed": "exception",
    "on_hold": "exception",
    "cancelled": "exception",
    "return_to_sender": "returned",
    "delivered": "delivered",
}
