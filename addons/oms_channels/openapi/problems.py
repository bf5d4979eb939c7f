"""What a call answers when it can't do what was asked: RFC 9457 problem details with a stable code."""

TITLES = {
    "bad_json": "The body is no JSON",
    "bad_encoding": "The body is not UTF-8",
    "too_deep": "The JSON is nested too deep",
    "invalid_request": "The request is not valid",
    "invalid_parameter": "A parameter is not valid",
    "unauthorized": "The key is missing, wrong, expired or revoked",
    "missing_scope": "The key lacks a scope",
    "not_found": "There is nothing here",
    "unknown_order": "The channel has no such order",
    "method_not_allowed": "The path does not know this method",
    "idempotency_conflict": "The Idempotency-Key was used with another body",
    "body_too_large": "The body is too large",
    "unsupported_media_type": "The body must be application/json",
    "nothing_accepted": "Nothing of it can be accepted",
    "too_many_requests": "Too many calls",
    "busy": "Others work on the same orders",
    "server_error": "Something went wrong on our side",
}


class ApiProblem(Exception):
    """A refusal, with all that the answer needs.

    :param code: key of TITLES
    :param more: extension members of the problem (errors, results)
    """

    def __init__(self, status, code, detail="", headers=(), **more):
        super().__init__(f"{code}: {detail}")
        self.status, self.code, self.detail = status, code, detail
        self.headers, self.more = tuple(headers), more

    @property
    def body(self):
        """The problem as a JSON-able dict."""
        return {
            "type": f"urn:oms:problem:{self.code}",
            "title": TITLES[self.code],
            "status": self.status,
            "code": self.code,
            "detail": self.detail or f"{TITLES[self.code]}.",
            **self.more,
        }
