"""Pure: money that goes back, shared over the payments by which it came."""


def share_out(amount, left):
    """Share what is given back over payments, those with the most left first.

    :param left: {payment: what can still be given back of it}
    :return: [(payment, part), ...]; together less than ``amount`` where no more is left
    """
    shares = []
    for payment, rest in sorted(left.items(), key=lambda pair: -pair[1]):
        part = min(amount, rest)
        if part > 0:
            shares.append((payment, part))
            amount -= part
    return shares


def join_names(names):
    """What the refunds that were made for one notice are called together."""
    return ",".join(sorted(names))
