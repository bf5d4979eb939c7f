"""Which calls of a connector may be made again when nobody knows whether they took effect."""

from .templates import find_names, read_pairs

# What it would mean if a call of a kind took effect twice.
DOUBLED = {
    "refund": "the buyer would be paid once more",
    "ship": "the shop would have the parcel twice",
    "cancel_lines": "as many units would be cancelled, and paid back, once more",
}
# Methods that say the same when they are repeated; what is paid by them is not left to that.
_SAFE_METHODS = {"refund": ("GET",), "ship": ("GET", "PUT", "DELETE"), "cancel_lines": ("GET", "PUT", "DELETE")}


def may_repeat(spec, endpoint):
    """Return whether a call can be made again when nobody knows whether it took effect: the shop is asked first, knows
    it by our key, or has it under an id that an earlier step gave."""
    if endpoint.kind not in DOUBLED or endpoint.method in _SAFE_METHODS[endpoint.kind]:
        return True
    pairs = (*read_pairs(endpoint.query_lines), *read_pairs(endpoint.header_lines))
    names = find_names([endpoint.path, *(template for _name, template in pairs), endpoint.get_body()])
    is_known = "idempotency_key" in names or "result" in find_names(endpoint.path)
    return bool(endpoint.done_expression or spec.idempotency_header) or is_known


def find_doubled(spec, kinds=tuple(DOUBLED)):
    """Return what may happen when the answer to a call of these kinds is lost: ["endpoints[0].done_expression: ...",
    ...], for calls that can't be repeated safely."""
    return [
        f"endpoints[{index}].done_expression: when the shop's answer is lost and the call is made again, "
        f"{DOUBLED[endpoint.kind]}. Say here how the shop's order shows that it is done, or send our key: in its "
        "header, or as {{ idempotency_key }}."
        for index, endpoint in enumerate(spec.endpoints)
        if endpoint.kind in kinds and not may_repeat(spec, endpoint)
    ]
