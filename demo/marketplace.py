#!/usr/bin/env python3
"""A simulated marketplace: several shops of a Chinese platform that keep selling. Standard library only.

    python demo/marketplace.py --port 9300 --rate 30/min --set throttle=0.1 --webhook tmall=http://127.0.0.1:8069/oms/webhook/1=SECRET

The open API is POST /router, what can be set while it runs POST /admin/settings, the status page GET /.
"""

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from market.book import Book
from market.gateway import Faults, Gateway
from market.server import Server
from market.settings import SHOPS, SettingError, Settings, Shop
from market.webhooks import WebhookSender

CATALOGUE = Path(__file__).with_name("catalogue.json")
TICK = 0.2
SAVE_EVERY = 5


class Market:
    """All parts together, and what the admin calls do.

    :param now: callable -> seconds since 1970
    """

    def __init__(self, shops, catalogue, settings, seed=1, state_file=None, now=time.time):
        self.settings, self.calls, self.started = settings, Counter(), now()
        self.sender = WebhookSender(settings, now, seed)
        self.book = Book(shops, catalogue, settings, now, seed, self.sender.notify, state_file)
        self.gateway, self.faults = Gateway(self.book), Faults(settings, seed)
        self._stop = threading.Event()

    def run(self):
        """Sell until stopped."""
        self.sender.start()
        credit, last, saved = 0.0, time.monotonic(), time.monotonic()
        while not self._stop.wait(TICK):
            now = time.monotonic()
            credit += 0 if self.settings.pause else (now - last) * self.settings.rate / 60
            last = now
            while credit >= 1 and self._unless_paused(self.book.place):
                credit -= 1
            self._unless_paused(self.book.run_due)
            if now - saved > SAVE_EVERY:
                self.book.save()
                saved = now
        self.book.save()

    def _unless_paused(self, work):
        """Do it, and return whether it was done: nothing happens any more once a pause is answered."""
        with self.book.lock:
            if not self.settings.pause:
                work()
            return not self.settings.pause

    def stop(self):
        self._stop.set()

    def add_history(self, count, hours):
        """Orders of the last hours, so that there is something to see at once."""
        if self.book.orders:
            return
        now = self.book.now()
        for index in range(count):
            self.book.place(moment=now - hours * 3600 * (1 - index / count))
        self.book.run_due(as_planned=True)

    def count(self, kind):
        self.calls[kind] += 1

    # === ADMIN === #

    def set_settings(self, **values):
        with self.book.lock:
            self.settings.update(values)
        return {"settings": self.settings.as_dict()}

    def place_orders(self, shop=None, count=1):
        """Place orders now; returns their ids."""
        if shop is not None and shop not in self.book.shops:
            raise ValueError(f"There is no shop {shop!r}.")
        return {"order_ids": [self.book.place(shop)["order_id"] for _index in range(min(int(count), 1000))]}

    def act(self, order_id, action):
        """Let a buyer do something: pay, edit_address, edit_message, edit_quantity, cancel, ask_refund, confirm."""
        if not hasattr(self.book, f"_buyer_{action}"):
            raise ValueError(f"Buyers do not know {action!r}.")
        return {"done": self.book.act(action, order_id)}

    def set_webhook(self, shop, url, secret):
        """Where a shop's news go; an empty url stops them."""
        target = self.book.shops[shop]
        target.webhook_url, target.webhook_secret = url, secret
        return {"shop": target.as_public()}

    def begin_outage(self, seconds, kind="outage"):
        """Everything fails for a while: outage (503), hang, half, throttle (429), busy."""
        self.faults.begin_outage(seconds, kind)
        return {"seconds": seconds, "kind": kind}

    def get_state(self):
        with self.book.lock:
            orders = list(self.book.orders.values())
            by_status = Counter(order["status"] for order in orders)
            by_shop = Counter(order["shop_code"] for order in orders)
            shops = [
                {
                    **shop.as_public(),
                    "orders": by_shop[shop.code],
                    "summary": f"{by_shop[shop.code]} orders, {shop.app_key}, webhook {shop.webhook_url or '-'}",
                }
                for shop in self.book.shops.values()
            ]
        return {
            "shops": shops,
            "orders": dict(sorted(by_status.items())),
            "calls": dict(sorted(self.calls.items())),
            "webhooks": dict(self.sender.counts),
            "webhook_error": self.sender.last_error,
            "settings": self.settings.as_dict(),
        }


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9300)
    parser.add_argument("--rate", default="30/min", help="orders: 30/min, 2/s, 100/h")
    parser.add_argument("--catalogue", default=CATALOGUE, help="JSON list of sku, name or name_zh, price, barcode")
    parser.add_argument(
        "--shops", help="JSON list of code, name, kind, app_key, app_secret, webhook_url, webhook_secret, prefix"
    )
    parser.add_argument("--webhook", action="append", default=[], metavar="SHOP=URL=SECRET")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="any setting, see GET /admin/state"
    )
    parser.add_argument("--quiet-market", action="store_true", help="no faults and no changes of mind, only orders")
    parser.add_argument(
        "--history", type=int, default=20, metavar="COUNT", help="orders of the last hours at the start"
    )
    parser.add_argument("--history-hours", type=float, default=6)
    parser.add_argument("--seed", default="1", help="the same seed gives the same orders")
    parser.add_argument("--state", help="file that keeps the book between runs")
    return parser.parse_args(arguments)


def make_market(options):
    """Market of the command line. Raises SettingError, OSError or ValueError with a sentence for a person."""
    settings = Settings()
    if options.quiet_market:
        settings.silence()
    settings.update({"rate": options.rate})
    settings.update(dict(_split(pair, 2, "NAME=VALUE") for pair in options.set))
    with open(options.catalogue, encoding="utf-8") as file:
        catalogue = json.load(file)
    if not catalogue:
        raise ValueError(f"{options.catalogue} has no products.")
    shops = [replace(shop) for shop in SHOPS]
    if options.shops:
        with open(options.shops, encoding="utf-8") as file:
            shops = [Shop(**values) for values in json.load(file)]
    by_code = {shop.code: shop for shop in shops}
    for pair in options.webhook:
        code, url, secret = _split(pair, 3, "SHOP=URL=SECRET")
        if code not in by_code:
            raise ValueError(f"There is no shop {code!r}; known: {', '.join(by_code)}.")
        by_code[code].webhook_url, by_code[code].webhook_secret = url, secret
    market = Market(shops, catalogue, settings, options.seed, options.state)
    market.add_history(options.history, options.history_hours)
    return market


def _split(pair, count, form):
    parts = pair.split("=", 1) if count == 2 else [*pair.split("=", 1)[:1], *pair.split("=", 1)[-1].rsplit("=", 1)]
    if len(parts) != count or not all(parts):
        raise ValueError(f"{pair!r} is not of the form {form}.")
    return parts


def main():
    options = parse_arguments()
    try:
        market = make_market(options)
        server = Server((options.host, options.port), market)
    except (SettingError, OSError, ValueError, TypeError, KeyError) as error:
        sys.exit(f"marketplace: {error}")
    signal.signal(signal.SIGTERM, lambda *_args: market.stop())
    signal.signal(signal.SIGINT, lambda *_args: market.stop())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"Simulated marketplace on http://{options.host}:{server.server_address[1]} (pid {os.getpid()})", flush=True)
    market.run()
    server.shutdown()


if __name__ == "__main__":
    main()
