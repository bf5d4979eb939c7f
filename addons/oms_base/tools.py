"""Small functions without a model."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

from odoo.service.model import MAX_TRIES_ON_CONCURRENCY_FAILURE, PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

TURNS = 0x0E5  # the advisory locks of whose turn it is: with the id of what is gone for
MAX_TURNS = 200  # locks at once: who goes for more waits for the first of them only


class Turn(NamedTuple):
    """What somebody went for who came too late: ``oms_turn`` of the error that says so.

    :param ids: of what it went for, see ``TURNS``
    :param is_over: SQL that says whether nothing of it is left, so that there is nothing to wait for; None where it is
        always waited for
    """

    ids: Sequence[int]
    is_over: SQL | None = None


def take_turn(cr, turn):
    """Wait for all who went for the same before, and begin a new transaction that sees what they left.

    A transaction sees the database as it was at its first statement, so nobody can wait within it: who gets a lock then
    still reads what was there before. Therefore the wait is in a transaction of its own, at locks of the session; the
    next one takes them over and gives them back when it ends. Whoever does not wait is let through all the same: the
    turn keeps nobody from anything, it only spares those who do wait a try in vain.

    :param cr: nothing is to be done in its transaction: it is rolled back
    :param turn: Turn
    """
    parameters = [TURNS, sorted(turn.ids)[:MAX_TURNS]]
    cr.rollback()
    try:
        cr.execute("SELECT pg_advisory_lock(%s, id) FROM unnest(%s) AS id", parameters)
        cr.rollback()
        if not _is_over(cr, turn):
            cr.execute("SELECT pg_advisory_xact_lock(%s, id) FROM unnest(%s) AS id", parameters)
    except Exception:
        cr.rollback()
        raise
    finally:
        cr.execute("SELECT pg_advisory_unlock(%s, id) FROM unnest(%s) AS id", parameters)


def _is_over(cr, turn):
    if turn.is_over is None:
        return False
    cr.execute(turn.is_over)
    return cr.fetchone()[0]


def work_in_turn(env, work, may_repeat=lambda: True):
    """Call ``work``, again in a new transaction when another one took first what this one goes for: as Odoo's
    `retrying` does, but when those before are through instead of after a random time. All other errors are left to it.

    What goes for something that is short says so: its error has a `Turn` as ``oms_turn``.

    :param may_repeat: whether a failed call left nothing behind but what is rolled back
    """
    for tries_left in reversed(range(MAX_TRIES_ON_CONCURRENCY_FAILURE)):
        try:
            result = work()
            if not env.cr.closed:
                env.cr.flush()
            return result
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY as error:
            turn = getattr(error, "oms_turn", None)
            if not turn or not tries_left or not may_repeat():
                raise
            env.cr.rollback()
            env.transaction.reset()
            env.registry.reset_changes()
            take_turn(env.cr, turn)
            _logger.info("A request came too late for what it went for (%s), and has its turn now", error.pgcode)
    return None


def work_undisturbed(env, work):
    """Call ``work``, again in a new transaction when another one changed the same rows first: the snapshot of this one
    is of no use any more then. For background work: what was done before and not committed is lost with it.

    :return: whether it got through
    """
    for tries_left in reversed(range(MAX_TRIES_ON_CONCURRENCY_FAILURE)):
        try:
            work()
            env.cr.flush()
            return True
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY as error:
            env.cr.rollback()
            _logger.info("Background work met a concurrent update (%s)", error.pgcode)
            if tries_left and (turn := getattr(error, "oms_turn", None)):
                take_turn(env.cr, turn)
    return False


def open_records(records, xml_id):
    """Return the action ``xml_id`` on ``records`` only, none of which is made there: a single one in its form."""
    action = records.env["ir.actions.act_window"]._for_xml_id(xml_id)
    action.update(domain=[("id", "in", records.ids)], context={"create": False})
    if len(records) == 1:
        forms = [view for view in action["views"] if view[1] == "form"]
        action.update(res_id=records.id, views=forms or [(False, "form")])
    return action


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
