"""Small functions without a model."""


def notification(message, kind="success", title=None):
    """Return the client action that shows ``message`` and then loads the screen again.

    :param kind: "success", "info", "warning" or "danger"
    """
    return {
        "type": "ir.actions.client",
        "tag": "display_notification",
        "params": {
            "type": kind,
            **({"title": title} if title else {}),
            "message": message,
            "next": {"type": "ir.actions.client", "tag": "soft_reload"},
        },
    }
