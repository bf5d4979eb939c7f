import json
from pathlib import Path

from odoo.tests import BaseCase

from odoo.addons.oms_channels.adapters.http import HttpResponse

DATA = Path(__file__).parent / "data"
SHOP = "https://shop.test"


def read_data(name):
    """A recorded payload of tests/data, a new copy each time."""
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


class FakeTransport:
    """Answers from a list, in order, and keeps the requests. An answer is a JSON value, (status, JSON value[, headers])
    or an exception."""

    def __init__(self, *answers):
        self.answers, self.requests = list(answers), []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, HttpResponse):
            return answer
        status, value, headers = (*answer, {})[:3] if isinstance(answer, tuple) else (200, answer, {})
        return HttpResponse(status, {"content-type": "application/json", **headers}, json.dumps(value).encode())

    @property
    def calls(self):
        """[(method, path below the shop, body)] of the requests."""
        return [
            (request.method, request.url.removeprefix(SHOP), json.loads(request.body) if request.body else None)
            for request in self.requests
        ]


class AdapterCase(BaseCase):
    """Pure tests: no database, one function stands for the network."""

    maxDiff = None
