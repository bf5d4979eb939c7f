import json
import logging

from werkzeug.exceptions import HTTPException

from odoo.exceptions import ConcurrencyError
from odoo.http import Dispatcher, Response
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ...openapi.document import PROBLEM_TYPE
from ...openapi.problems import ApiProblem

_logger = logging.getLogger(__name__)

_CODES = {
    400: "invalid_request",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
}


class OmsApiDispatcher(Dispatcher):
    """Serves the inbound API: any method, any body; whatever goes wrong is answered as problem details."""

    routing_type = "oms_api"

    @classmethod
    def is_compatible_with(cls, request):
        return True

    def dispatch(self, endpoint, args):
        # The body is not read here: the controller does it, once the key is known and within its limits.
        self.request.params = dict(args)
        return self.request.registry["ir.http"]._dispatch(endpoint)

    def handle_error(self, exc):
        if isinstance(exc, ApiProblem):
            return make_problem(exc)
        if isinstance(exc, HTTPException) and exc.code in _CODES:
            return make_problem(ApiProblem(exc.code, _CODES[exc.code]))
        if isinstance(exc, (ConcurrencyError, *PG_CONCURRENCY_EXCEPTIONS_TO_RETRY)):
            return make_problem(ApiProblem(503, "busy", headers=[("Retry-After", "2")]))
        return make_problem(ApiProblem(500, "server_error"))


def make_response(status, body, media="application/json", headers=()):
    """Return a JSON response."""
    return Response(
        json.dumps(body, ensure_ascii=False),
        status=status,
        headers=[("Content-Type", media), ("Cache-Control", "no-store"), *headers],
    )


def make_problem(problem, headers=()):
    """Return the response that tells a problem."""
    return make_response(problem.status, problem.body, PROBLEM_TYPE, [*problem.headers, *headers])
