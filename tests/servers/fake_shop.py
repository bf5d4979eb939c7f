"""The FakeMedusa of the addon's tests behind a real port, for tests that cross processes."""

import http.server
import json
import threading
from urllib.parse import parse_qsl, urlsplit

from odoo.addons.oms_channels.tests.common import FakeMedusa


class ShopServer(http.server.ThreadingHTTPServer):
    """The FakeMedusa behind a real port; ``before`` and ``after`` its work it calls these with (method, path)."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), ShopHandler)
        self.shop = FakeMedusa()
        self.before = self.after = None
        self.writes = []  # (path, body) of every call that changes something, whether the caller lived to hear or not
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc_info):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        """A client that was killed is what this is about."""


class ShopHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.serve()

    def do_POST(self):
        self.serve()

    def serve(self):
        server, url = self.server, urlsplit(self.path)
        path = url.path.removeprefix("/admin")
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        if server.before:
            server.before(self.command, path)
        if self.command == "POST":
            server.writes.append((path, body))
        status, answer = server.shop.answer(self.command, path, dict(parse_qsl(url.query)), body)
        if server.after:
            server.after(self.command, path)
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        """Silent."""
