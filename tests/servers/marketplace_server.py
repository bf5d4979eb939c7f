"""The simulated marketplace for tests: on a free port, and quiet, so that only what a test asks for happens."""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from .ports import free_port

SCRIPT = Path(__file__).parents[2] / "demo" / "marketplace.py"
SECRETS = {"tmall": ("tm-demo-key", "tm-demo-secret"), "jd": ("jd-demo-key", "jd-demo-secret")}


class MarketplaceServer:
    """``with MarketplaceServer() as market:`` - ``market.url``, ``market.place("tmall")``.

    :param rate: orders a minute of its own accord, 0 for none
    :param products: list of {"sku", "name", "price"}, default the living example's catalogue
    :param options: further arguments of demo/marketplace.py
    """

    def __init__(self, port=None, rate=0, products=None, options=("--quiet-market",), seed=7):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.rate, self.products, self.options, self.seed = rate, products, options, seed
        self._process = None
        self._folder = tempfile.TemporaryDirectory(prefix="oms-market-")

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.stop()
        self._folder.cleanup()

    @property
    def pid(self):
        return self._process and self._process.pid

    def start(self):
        """Start, with the book of an earlier start of this object if there was one."""
        command = [
            sys.executable,
            str(SCRIPT),
            "--port",
            str(self.port),
            "--rate",
            f"{self.rate}/min",
            "--history",
            "0",
        ]
        command += ["--seed", str(self.seed), "--state", str(Path(self._folder.name) / "book.json"), *self.options]
        if self.products:
            catalogue = Path(self._folder.name) / "catalogue.json"
            catalogue.write_text(json.dumps(self.products), encoding="utf-8")
            command += ["--catalogue", str(catalogue)]
        with open(Path(self._folder.name) / "log", "ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "PYTHONUTF8": "1"})
        end = time.monotonic() + 60
        while True:
            try:
                self.get("/health")
                return self
            except OSError:
                log = (Path(self._folder.name) / "log").read_text(errors="replace")
                assert self._process.poll() is None and time.monotonic() < end, log
                time.sleep(0.05)

    def stop(self):
        if self._process:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    # === ADMIN CALLS === #

    def get(self, path):
        return self._request(path, None)

    def post(self, path, **values):
        return self._request(path, json.dumps(values).encode())

    def place(self, shop="tmall", count=1):
        """Place orders of a shop; returns their ids."""
        return self.post("/admin/orders", shop=shop, count=count)["order_ids"]

    def act(self, order_id, action):
        """Let the buyer do something; True when the order allowed it."""
        return self.post("/admin/act", order_id=order_id, action=action)["done"]

    def get_order(self, order_id):
        return self.get(f"/admin/orders/{order_id}")

    def set(self, **settings):
        return self.post("/admin/settings", **settings)

    def _request(self, path, body):
        request = urllib.request.Request(self.url + path, data=body, headers={"Content-Type": "application/json"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            return json.loads(answer.read())
