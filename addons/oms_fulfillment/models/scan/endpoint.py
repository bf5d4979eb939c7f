"""What every call of the device has in common: one user, one session, one answer."""

import functools

from odoo.exceptions import ConcurrencyError, LockError, UserError

from .messages import ScanRefused, get_message


def scan_endpoint(method):
    """Make a session method an endpoint of the scanning app.

    The method runs on the caller's own locked session inside a savepoint and returns a message or None.
    The endpoint answers {"state": str, "data": dict, "message": dict or None}, also when a rule refuses.

    :param str uuid: made by the device for each call; the same uuid gets the stored answer and nothing is done twice
    :param int picking_id: the transfer the device shows; when another one is open by now the call does nothing
    """

    @functools.wraps(method)
    def endpoint(self, *args, uuid=None, picking_id=None, **kwargs):
        # sudo: oms.scan.call - technical log without access for users
        call_sudo = self.env["oms.scan.call"].sudo()
        if uuid:
            if answer := call_sudo._find_answer(uuid):
                return answer
            call_sudo = call_sudo._begin(uuid, method.__name__)
        session = self._get_own_session()
        if picking_id is not None and picking_id != session.picking_id.id:
            message = get_message(self.env, "stale")
        else:
            message = run_in_savepoint(session, method, args, kwargs, uuid)
        answer = session._get_answer(message)
        if uuid:
            call_sudo.answer = answer
        return answer

    return endpoint


def run_in_savepoint(session, method, args, kwargs, uuid):
    """Run ``method`` on ``session``; what a rule refuses is rolled back, logged and told."""
    try:
        with session.env.cr.savepoint():
            message = method(session, *args, **kwargs)
            session._skip_steps()
            return message
    except ScanRefused as refusal:
        message = get_message(session.env, refusal.code, **refusal.params)
        session._log(session._get_state(), result="refused", code=refusal.code, uuid=uuid, **refusal.log)
    except LockError:
        # Somebody else is at the same transfer this very moment: the server repeats the request.
        raise ConcurrencyError("The transfer is being worked on by another request.") from None
    except UserError as error:
        message = {"code": "refused", "level": "danger", "text": str(error)}
        session._log(session._get_state(), result="refused", code="refused", note=str(error), uuid=uuid)
    return message
