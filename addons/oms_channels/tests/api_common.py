import copy
import json

from odoo.tests import HttpCase

from odoo.addons.oms_channels.openapi.operations import PREFIX

from .common import ChannelsCommon

ORDER = {
    "external_id": "A-1",
    "reference": "NO-1",
    "placed_at": "2026-03-01T10:00:00+08:00",
    "currency": "USD",
    "buyer": {"id": "b1", "name": "张三", "email": "zhang@example.com"},
    "shipping_address": {
        "name": "张三",
        "street": "文三路 90 号",
        "city": "杭州市",
        "zip": "310012",
        "country_code": "CN",
        "phone": "013800000000",
    },
    "lines": [
        {"external_id": "L1", "sku": "OMS-MOUSE", "quantity": 2, "price_unit": "19.99"},
        {"external_id": "L2", "sku": "OMS-KEYB", "quantity": 1, "price_unit": 49.5, "discount_amount": "9.50"},
    ],
    "shippings": [{"name": "SF", "amount": "10.00"}],
    "payments": [{"external_id": "pay-1", "provider": "wechat", "amount": "89.98"}],
}


def make_order(number=1, **values):
    """An order in the API's own schema."""
    order = {**copy.deepcopy(ORDER), "external_id": f"A-{number}", "reference": f"NO-{number}"}
    order["payments"][0]["external_id"] = f"pay-{number}"
    return {**order, **values}


class ApiCase(ChannelsCommon, HttpCase):
    """A channel without a shop, and a key that may do all with it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The token of a call is taken in a transaction of its own, which tests can't open beside a read-only one.
        cls.set_registry_readonly_mode(False)
        cls.channel.write({"provider": False, "base_url": False, "auto_confirm": False})
        cls.key, cls.token = cls._create_key()

    @classmethod
    def _create_key(cls, channel=None, **values):
        key = cls.env["oms.api.key"].create(
            {
                "name": "Mini program",
                "channel_id": (channel or cls.channel).id,
                "can_cancel": True,
                "rate_limit": 6000,
                **values,
            }
        )
        return key, key._generate_secret()

    def _call(self, method, path, body=None, token=None, headers=None, raw=None):
        """Call the API; ``body`` is sent as JSON, ``raw`` as it is."""
        given = {"Authorization": f"Bearer {token or self.token}"}
        data = raw
        if body is not None:
            data = json.dumps(body).encode()
        if data is not None:
            given["Content-Type"] = "application/json"
        return self.url_open(PREFIX + path, data=data, headers={**given, **(headers or {})}, method=method)

    def _assert_problem(self, response, status, code):
        self.assertEqual(response.status_code, status, response.text[:500])
        self.assertEqual(response.headers["Content-Type"], "application/problem+json")
        problem = response.json()
        self.assertEqual((problem["status"], problem["code"]), (status, code))
        return problem

    def _send(self, *orders, **values):
        return self._call("POST", "/orders", {"orders": list(orders)}, **values)

    def _get(self, external_id):
        return self._call("GET", f"/orders/{external_id}").json()
