import logging
import re

from werkzeug.exceptions import RequestEntityTooLarge

from odoo import http
from odoo.http import request

from ...openapi import validation
from ...openapi.document import build_document, build_page
from ...openapi.operations import PREFIX, find_operation
from ...openapi.problems import ApiProblem
from .dispatcher import make_problem, make_response

_logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 2 * 1024 * 1024
SAFE_METHODS = ("GET", "HEAD")


class OmsApi(http.Controller):
    """The inbound API. Which calls there are, and what they take, stands in ``openapi``; what they do, in
    `oms.channel` (``_api_*``). Here is what all share: key, scope, rate, validation, idempotency, errors."""

    @http.route(
        [PREFIX, f"{PREFIX}/", f"{PREFIX}/<oms_anything:path>"],
        type="oms_api",
        auth="public",
        save_session=False,
        readonly=lambda controller, rule, args: request.httprequest.method in SAFE_METHODS,
        max_content_length=MAX_BODY_BYTES,
    )
    def serve(self, path=""):
        """Answer one call."""
        method = "GET" if request.httprequest.method == "HEAD" else request.httprequest.method
        if path in ("", "openapi.json"):
            return self._serve_document(path, method)
        headers = []
        try:
            operation, parameters, allowed = find_operation(method, path)
            if not allowed:
                raise ApiProblem(404, "not_found")
            if not operation:
                raise ApiProblem(405, "method_not_allowed", headers=[("Allow", ", ".join(allowed))])
            key_sudo = self._authenticate()
            headers += self._take_token(key_sudo)
            if operation.scope and operation.scope not in key_sudo._get_scopes():
                raise ApiProblem(403, "missing_scope", f"This call needs the scope {operation.scope}.")
            status, answer, more = self._run(operation, key_sudo, self._read_parameters(operation, parameters))
            if status >= 400:
                raise ApiProblem(status, answer["code"], headers=more, **answer.get("more", {}))
            return make_response(status, answer, headers=[*headers, *more])
        except ApiProblem as problem:
            return make_problem(problem, headers)

    def _serve_document(self, path, method):
        """The document and its page are open to everybody: they tell no secret."""
        if method != "GET":
            return make_problem(ApiProblem(405, "method_not_allowed", headers=[("Allow", "GET")]))
        if path:
            return make_response(200, build_document())
        # The page has no script and needs none.
        policy = "default-src 'none'; style-src 'unsafe-inline'"
        headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", policy)]
        return request.make_response(build_page(), headers)

    # === KEY AND RATE === #

    def _authenticate(self):
        """Return the key of the Authorization header, with the system's rights."""
        kind, _space, token = request.httprequest.headers.get("Authorization", "").partition(" ")
        # sudo: oms.api.key - the caller is no user; the key is all they have, and all that is looked at here
        key_sudo = request.env["oms.api.key"].sudo()
        if kind.lower() == "bearer" and re.fullmatch(r"oms_[0-9a-f]{1,32}_[A-Za-z0-9_-]{1,100}", token):
            key_sudo = key_sudo._find_by_token(token)
        if not key_sudo:
            raise ApiProblem(401, "unauthorized", headers=[("WWW-Authenticate", 'Bearer realm="oms"')])
        return key_sudo

    def _take_token(self, key_sudo):
        """Count this call. :return: the rate headers"""
        is_taken, left, wait, full_in = key_sudo.env["oms.api.bucket"]._take(key_sudo)
        headers = [
            ("RateLimit-Limit", str(key_sudo.rate_limit)),
            ("RateLimit-Remaining", str(left)),
            ("RateLimit-Reset", str(full_in)),
        ]
        if not is_taken:
            raise ApiProblem(429, "too_many_requests", headers=[*headers, ("Retry-After", str(wait))])
        return headers

    # === REQUEST === #

    def _read_parameters(self, operation, path_values):
        """Return the parameters of path and query, checked."""
        query, errors = request.httprequest.args, []
        known = {one["name"]: one for one in operation.parameters}
        values = dict(path_values)
        for name in query:
            if name not in known or known[name]["in"] != "query":
                errors.append({"path": name[:40], "message": "Unknown parameter."})
                continue
            given, schema = query.getlist(name), known[name]["schema"]
            if schema["type"] == "array":
                values[name] = given
            elif len(given) > 1:
                errors.append({"path": name, "message": "May be given once."})
            elif schema["type"] == "integer" and re.fullmatch(r"[0-9]{1,9}", given[0]):
                values[name] = int(given[0])
            else:
                values[name] = given[0]
        for name, one in known.items():
            if name in values:
                errors += validation.check_schema(one["schema"], values[name], name)
        if errors:
            raise ApiProblem(400, "invalid_parameter", errors=errors)
        return values

    def _read_body(self, operation):
        """Return (the body's bytes, its JSON value), checked but for the single orders: they have their own answers."""
        try:
            raw = request.httprequest.get_data(cache=True)
        except RequestEntityTooLarge as error:
            raise ApiProblem(413, "body_too_large", f"At most {MAX_BODY_BYTES} bytes.") from error
        if not raw and operation.is_body_optional:
            return raw, {}
        charset = request.httprequest.mimetype_params.get("charset", "utf-8").lower()
        if request.httprequest.mimetype != "application/json" or charset not in ("utf-8", "utf8"):
            raise ApiProblem(415, "unsupported_media_type")
        try:
            value = validation.read_json(raw)
        except validation.BodyError as error:
            raise ApiProblem(400, error.code, str(error)) from error
        if errors := validation.check_envelope(operation.body, value):
            raise ApiProblem(400, "invalid_request", errors=errors)
        return raw, value

    # === WORK === #

    def _run(self, operation, key_sudo, parameters):
        """Do the call, or answer as before where its Idempotency-Key was seen. :return: (status, body, headers)"""
        channel_sudo = key_sudo.channel_id.with_company(key_sudo.company_id)
        handler = getattr(channel_sudo, operation.handler)
        if not operation.body:
            status, answer = handler(parameters, None)
            if operation.name == "ping":
                answer = {**answer, "scopes": key_sudo._get_scopes()}
            return status, answer, []
        raw, body = self._read_body(operation)
        idempotency_key = request.httprequest.headers.get("Idempotency-Key")
        if idempotency_key is None:
            return *handler(parameters, body), []
        if not re.fullmatch(r"[!-~]{1,128}", idempotency_key):
            error = {"path": "Idempotency-Key", "message": "Must be 1 to 128 visible ASCII characters."}
            raise ApiProblem(400, "invalid_parameter", errors=[error])
        call_sudo = key_sudo.env["oms.api.call"]._begin(
            key_sudo, idempotency_key, f"{operation.method} {request.httprequest.path}", raw
        )
        if call_sudo.status:
            return call_sudo.status, call_sudo.answer, [("Idempotent-Replayed", "true")]
        try:
            status, answer = handler(parameters, body)
        except ApiProblem as problem:
            status, answer = problem.status, {"code": problem.code, "more": problem.more}
        call_sudo.write({"status": status, "answer": answer})
        return status, answer, []
