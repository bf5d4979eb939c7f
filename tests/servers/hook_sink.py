"""Catches webhooks: a small HTTP server that keeps what it gets."""

import http.server
import threading
import time
from typing import NamedTuple


class Call(NamedTuple):
    path: str
    headers: dict  # keys in lower case
    body: bytes


class HookSink:
    """``with HookSink() as sink:`` - ``sink.url``, ``sink.calls``. ``status`` is what senders are answered."""

    def __init__(self, port=0):
        self.calls, self.status = [], 200
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                sink.calls.append(Call(self.path, {key.lower(): value for key, value in self.headers.items()}, body))
                self.send_response(sink.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self._server.shutdown()
        self._server.server_close()

    def clear(self):
        self.calls.clear()

    def wait_for(self, condition, seconds=120):
        """Return the calls once ``condition(calls)`` holds; AssertionError with what came when it never does."""
        end = time.monotonic() + seconds
        while not condition(list(self.calls)):
            assert time.monotonic() < end, [call.path for call in self.calls] + [call.headers for call in self.calls]
            time.sleep(0.05)
        return list(self.calls)
