"""Small functions without a model."""

import logging

from odoo.service.model import MAX_TRIES_ON_CONCURRENCY_FAILURE, PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

_logger = logging.getLogger(__name__)


def work_undisturbed(env, work):
    """Call ``work``, again in a new transaction when another one changed the same rows first: the snapshot of this one
    is of no use any more then. For background work: what was done before and not committed is lost with it.

    :return: whether it got through
    """
    for _try in range(MAX_TRIES_ON_CONCURRENCY_FAILURE):
        try:
            work()
            env.cr.flush()
            return True
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY as error:
            env.cr.rollback()
            _logger.info("Background work met a concurrent update (%s)", error.pgcode)
    return False


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
