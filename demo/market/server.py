"""HTTP around the gateway: the open API, the admin calls and a status page."""

import html
import json
import time
import urllib.parse
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .settings import SettingError

MAX_BODY = 1024 * 1024
RETRY_AFTER = 3
STYLE = """
body { font: 15px/1.5 sans-serif; margin: 2em auto; max-width: 60em; color: #333 }
table { border-collapse: collapse; margin: 0 0 1.5em }
td, th { border: 1px solid #ccc; padding: .2em .7em; text-align: left }
h1 { font-size: 1.4em } h2 { font-size: 1.1em } code { background: #f4f4f4 }
"""
PAGE = """<!doctype html>
<html lang="zh"><meta charset="utf-8"><meta http-equiv="refresh" content="5">
<title>模拟平台 Simulated marketplace</title><style>%(style)s</style>
<h1>模拟平台 Simulated marketplace</h1>
%(body)s
<p><code>POST /admin/settings</code> {"rate": "60/min", "throttle": 0.1}<br>
<code>POST /admin/outage</code> {"seconds": 30, "kind": "outage"}<br>
<code>POST /admin/orders</code> {"shop": "tmall", "count": 5}</p></html>"""


class Server(ThreadingHTTPServer):
    """:param market: the running Market (see demo/marketplace.py)"""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address, market):
        self.market = market
        super().__init__(address, Handler)


class Handler(BaseHTTPRequestHandler):
    server_version = "Marketplace"

    def do_GET(self):
        market = self.server.market
        if self.path == "/":
            self._answer(200, _render_page(market.get_state()).encode(), "text/html; charset=utf-8")
        elif self.path == "/health":
            self._json(200, {"status": "ok"})
        elif self.path == "/admin/state":
            self._json(200, market.get_state())
        elif self.path.startswith("/admin/orders/"):
            order = market.book.orders.get(urllib.parse.unquote(self.path.removeprefix("/admin/orders/")))
            self._json(200 if order else 404, order or {"error": "no such order"})
        else:
            self._json(404, {"error": "not found"})

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY:
            self._json(413, {"error": "too large"})
            return
        body = self.rfile.read(length)
        if self.path == "/router":
            self._route(dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)))
        elif self.path.startswith("/admin/"):
            self._admin(self.path.removeprefix("/admin/"), body)
        else:
            self._json(404, {"error": "not found"})

    # === OPEN API === #

    def _route(self, params):
        """One call of the open API. A half answer and a silence come after the work is done: that is what hurts."""
        market = self.server.market
        fault = market.faults.draw(params.get("app_key"))
        market.count(fault or "ok")
        if fault == "throttle":
            self._json(429, {"code": 1010, "msg": "调用频率超限"}, {"Retry-After": str(RETRY_AFTER)})
        elif fault == "outage":
            self._answer(503, b"<html><body>503 Service Temporarily Unavailable</body></html>", "text/html")
        elif fault == "busy":
            self._json(200, {"code": 5000, "msg": "系统繁忙，请稍后重试", "data": None})
        else:
            answer = {"request_id": uuid.uuid4().hex, **market.gateway.call(params)}
            if fault == "hang":
                time.sleep(market.settings.hang_seconds)
                self.close_connection = True
            else:
                self._json(200, answer, is_half=fault == "half")

    # === ADMIN === #

    def _admin(self, name, body):
        market = self.server.market
        if "json" not in self.headers.get("Content-Type", ""):  # a web page cannot send this from a form
            self._json(415, {"error": "send application/json"})
            return
        try:
            values = json.loads(body or b"{}")
            actions = {
                "settings": market.set_settings,
                "orders": market.place_orders,
                "act": market.act,
                "webhooks": market.set_webhook,
                "outage": market.begin_outage,
            }
            self._json(200, actions[name](**values))
        except (SettingError, KeyError, TypeError, ValueError, AttributeError) as error:
            self._json(400, {"error": str(error)})

    # === HELPERS === #

    def _json(self, status, value, headers=None, is_half=False):
        body = json.dumps(value, ensure_ascii=False).encode()
        self._answer(status, body, "application/json; charset=utf-8", headers, is_half)

    def _answer(self, status, body, content_type, headers=None, is_half=False):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if is_half else body)

    def log_message(self, *args):
        pass


def _render_page(state):
    parts = []
    for title, rows in (
        ("店铺 Shops", [(f"{row['code']} {row['name']}", row["summary"]) for row in state["shops"]]),
        ("订单 Orders", list(state["orders"].items())),
        ("接口 Calls", list(state["calls"].items())),
        ("消息 Webhooks", [*state["webhooks"].items(), ("last error", state["webhook_error"])]),
        ("设置 Settings", list(state["settings"].items())),
    ):
        cells = "".join(f"<tr><th>{html.escape(str(a))}</th><td>{html.escape(str(b))}</td></tr>" for a, b in rows)
        parts.append(f"<h2>{title}</h2><table>{cells}</table>")
    return PAGE % {"style": STYLE, "body": "".join(parts)}
