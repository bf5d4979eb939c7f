"""How soon a real Medusa shop has changed stock, end to end, while orders arrive and stock changes. See README.md.

Fails when a change took longer than the limit.
"""

import argparse
import contextlib
import json
import os
import random
import statistics
import sys
import threading
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parent
sys.path[:0] = [str(BENCH), str(BENCH.parent / "tests")]
import databases

RESULTS = BENCH / "results"
ADDRESS = {
    "first_name": "Ada",
    "last_name": "Bench",
    "address_1": "1 Main Street",
    "city": "Springfield",
    "province": "IL",
    "postal_code": "62701",
    "country_code": "us",
    "phone": "+12172000001",
}
PARTNER_ADDRESS = {
    "name": "Ada Bench",
    "street": "1 Main Street",
    "city": "Springfield",
    "zip": "62701",
    "province": "IL",
    "country_code": "US",
    "phone": "+12172000001",
}
POLL_SECONDS = 0.05
GIVE_UP_SECONDS = 90
LIMIT_SECONDS = 5  # for each change


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=300, help="products with stock in Odoo and in the shop")
    parser.add_argument("--listings", type=int, default=0, help="further listings that the shop does not have")
    parser.add_argument("--samples", type=int, default=60, help="changes whose way is measured")
    parser.add_argument("--checkouts", type=float, default=0.5, help="orders a second bought in the shop")
    parser.add_argument("--posted", type=float, default=2.0, help="orders a second posted by a partner")
    parser.add_argument("--changes", type=float, default=5.0, help="products a second whose stock is changed besides")
    parser.add_argument("--cron-threads", type=int, default=2, help="threads of Odoo's scheduler")
    parser.add_argument("--plain-template", help="database to take as plain Odoo, instead of installing one")
    parser.add_argument("--template", help="database with our addons to clone, instead of installing one")
    parser.add_argument("--keep", action="store_true", help="leave the database for a look")
    return parser.parse_args()


class Load:
    """People and programs that keep Odoo and the shop busy, each in a thread of its own."""

    def __init__(self, bench, args):
        self.bench, self.args = bench, args
        self.done = {"checkouts": 0, "posted": 0, "changes": 0}
        self.failed = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=(work, name, rate), daemon=True)
            for work, name, rate in (
                (self._buy, "checkouts", args.checkouts),
                (self._post, "posted", args.posted / 5),  # five orders a call
                (self._change, "changes", args.changes / 10),  # ten products a call
            )
            if rate
        ]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _repeat(self, work, name, rate):
        dice, client = random.Random(name), self.bench.odoo.login("admin", "admin")
        following = time.monotonic()
        while not self._stop.is_set():
            try:
                self.done[name] += work(dice, client)
            except Exception as error:  # noqa: BLE001  the load goes on; what failed is reported
                self.failed.append(f"{name}: {error}"[:200])
            following = max(following + 1 / rate, time.monotonic() - 5)
            self._stop.wait(max(following - time.monotonic(), 0))

    def _buy(self, dice, _client):
        items = {sku: dice.randint(1, 2) for sku in dice.sample(self.bench.busy, 2)}
        self.bench.shop.checkout(f"b{dice.randrange(10**6)}@example.com", ADDRESS, items, capture=True)
        return 1

    def _post(self, dice, _client):
        orders = [
            {
                "external_id": f"P-{time.time_ns()}-{index}",
                "placed_at": "2026-01-01T08:00:00Z",
                "currency": "USD",
                "buyer": {"id": str(dice.randrange(10**6)), "name": "Ada Bench", "email": "ada@example.com"},
                "shipping_address": PARTNER_ADDRESS,
                "lines": [
                    {"sku": sku, "title": sku, "quantity": 1, "price_unit": "10.00"}
                    for sku in dice.sample(self.bench.busy, 3)
                ],
            }
            for index in range(5)
        ]
        answer = self.bench.session.post(
            f"{self.bench.odoo.url}/oms/api/v1/orders",
            json={"orders": orders},
            headers={"Authorization": f"Bearer {self.bench.token}", "Idempotency-Key": str(time.time_ns())},
            timeout=60,
        )
        answer.raise_for_status()
        return len(orders)

    def _change(self, dice, client):
        skus = dice.sample(self.bench.busy, 10)
        self.bench.set_stock(client, {sku: dice.randint(500, 1500) for sku in skus})
        return len(skus)


class Bench:
    """An Odoo with a channel that leads to a Medusa shop of the same products."""

    def __init__(self, args, odoo, shop):
        import requests

        self.args, self.odoo, self.shop = args, odoo, shop
        self.session = requests.Session()
        self.skus = [f"PUB-{number:04}" for number in range(args.products)]
        # Nobody buys what is measured: its number is ours alone.
        self.watched, self.busy = self.skus[: args.products // 4], self.skus[args.products // 4 :]
        self.admin = odoo.login("admin", "admin")
        self.ids = {}

    def set_up(self):
        """Products and stock on both sides, the shop's listings here, and a partner with a key."""
        for start in range(0, len(self.skus), 50):
            rows = [
                {"sku": sku, "title": sku, "price": "10.00", "stock": 1000} for sku in self.skus[start : start + 50]
            ]
            if not start:
                keys = self.shop.seed(rows)
            else:
                self.shop.add_products(rows)
        admin = self.admin
        values = [{"name": sku, "default_code": sku, "is_storable": True, "taxes_id": [[5]]} for sku in self.skus]
        self.ids = dict(zip(self.skus, admin.call("product.product", "create", values), strict=True))
        self.location = admin.read("stock.warehouse", [], ["lot_stock_id"], limit=1)[0]["lot_stock_id"][0]
        self.set_stock(admin, dict.fromkeys(self.skus, 1000))
        self.channel = admin.create(
            "oms.channel",
            {
                "name": "Medusa",
                "code": "publish",
                "provider": "medusa",
                "base_url": self.shop.url,
                "api_key": keys["secret_key"],
                "location_ref": keys["location_id"],
                "webhook_secret": keys["webhook_secret"],
                "invoice_policy": "manual",
                "auto_confirm": True,
            },
        )
        self.shop.set_webhook_url(f"{self.odoo.url}/oms/webhook/{self.channel}")
        self._set_up_partner()
        admin.call("oms.channel", "action_import_listings", [self.channel])
        self._wait("the listings are matched", [["state", "=", "matched"]], len(self.skus))
        self._add_listings()
        admin.call("oms.channel", "action_publish_stock", [self.channel])
        self._wait("the stock is published", [["published_date", "!=", False]], len(self.skus))

    def _set_up_partner(self):
        partner = self.admin.create(
            "oms.channel", {"name": "Partner", "code": "partner", "invoice_policy": "manual", "auto_confirm": True}
        )
        key = self.admin.create(
            "oms.api.key", {"name": "bench", "channel_id": partner, "rate_limit": 60000, "can_write_orders": True}
        )
        answer = self.admin.call("oms.api.key", "action_generate_secret", [key])
        self.token = answer["context"]["default_token"]

    def _add_listings(self):
        """Listings that only make the channel larger: the shop refuses to be told of them once, and no more."""
        values = [
            {
                "channel_id": self.channel,
                "external_id": f"none-{number}",
                "sku": f"NONE-{number}",
                "product_id": self.ids[self.skus[number % len(self.skus)]],
                "is_publishing": False,
            }
            for number in range(self.args.listings)
        ]
        for start in range(0, len(values), 1000):
            self.admin.call("oms.channel.listing", "create", values[start : start + 1000])

    def _wait(self, what, domain, count):
        from servers.odoo_server import wait_until

        domain = [["channel_id", "=", self.channel], ["external_id", "not like", "none-"], *domain]
        wait_until(lambda: self.admin.call("oms.channel.listing", "search_count", domain) >= count, what, 300)

    def set_stock(self, client, quantities):
        """Count stock: one committed transaction."""
        rows = [
            {
                "product_id": self.ids[sku],
                "location_id": self.location,
                "inventory_quantity_auto_apply": quantity,
            }
            for sku, quantity in quantities.items()
        ]
        client.call("stock.quant", "create", rows, context={"inventory_mode": True})

    def measure(self, number):
        """Change one product's stock and ask the shop until it has it: seconds from the commit's answer."""
        sku = self.watched[number % len(self.watched)]
        # Up and down in turn: what rises must not tell goods of waiting orders as free, and may not wait for them.
        quantity = 2000 + number if number % 2 else 100 + number
        item = self.items[sku]
        self.set_stock(self.admin, {sku: quantity})
        start = time.monotonic()
        while time.monotonic() - start < GIVE_UP_SECONDS:
            levels = self.shop.admin("GET", f"/inventory-items/{item}/location-levels")["inventory_levels"]
            if any(level["stocked_quantity"] - level["reserved_quantity"] == quantity for level in levels):
                return time.monotonic() - start
            time.sleep(POLL_SECONDS)
        return float("inf")

    def run(self):
        """Measure under load: (seconds of each sample, what the load did)."""
        self.items = {sku: self.shop.get_inventory_item(sku)["id"] for sku in self.watched}
        seconds = []
        with Load(self, self.args) as load:
            time.sleep(5)  # the load gets going
            start = time.monotonic()
            for number in range(self.args.samples):
                seconds.append(self.measure(number))
                print(f"{'+' if number % 2 else '-'}{seconds[-1]:.2f}", end=" ", flush=True)
                time.sleep(random.Random(number).uniform(0, 1))
            elapsed = time.monotonic() - start
        print()
        return seconds, {**load.done, "seconds": elapsed, "failed": load.failed[:10], "failures": len(load.failed)}


def percentile(values, share):
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def main():
    args = arguments()
    databases.configure()
    os.environ["OMS_TEMPLATE"] = args.template or databases.template("ours", args.plain_template)
    databases.close(os.environ["OMS_TEMPLATE"])
    from servers.medusa_server import MedusaServer
    from servers.odoo_server import OdooServer
    from servers.ports import free_port

    with contextlib.ExitStack() as stack:
        odoo = stack.enter_context(OdooServer(f"{databases.PREFIX}publish", cron_threads=args.cron_threads))
        shop = stack.enter_context(
            MedusaServer(os.environ["OMS_MEDUSA_HOME"], free_port(), f"{databases.PREFIX}publish_shop")
        )
        bench = Bench(args, odoo, shop)
        bench.set_up()
        load_before = os.getloadavg()
        seconds, done = bench.run()
        orders = odoo.query(
            "SELECT state, count(*) FROM sale_order WHERE channel_id IS NOT NULL GROUP BY state ORDER BY state"
        )
        holds = odoo.query(
            "SELECT type.code, count(*) FROM oms_hold hold JOIN oms_hold_type type ON type.id = hold.type_id"
            " WHERE hold.state = 'active' GROUP BY type.code"
        )
        pushes = odoo.query("SELECT state, count(*) FROM oms_channel_push WHERE kind = 'stock' GROUP BY state")
        waiting = odoo.query("SELECT count(*) FROM oms_channel_message WHERE state = 'pending'")[0][0]
        if args.keep:
            stack.pop_all()
    figures = {
        "median": statistics.median(seconds),
        "p95": percentile(seconds, 0.95),
        "max": max(seconds),
        "samples": len(seconds),
    }
    print(f"From commit to the shop: median {figures['median']:.2f} s, p95 {figures['p95']:.2f} s, ", end="")
    print(f"max {figures['max']:.2f} s of {len(seconds)}")
    late = sum(second > LIMIT_SECONDS for second in seconds)
    print(f"within {LIMIT_SECONDS} s: {len(seconds) - late} of {len(seconds)}, {'BROKEN' if late else 'kept'}")
    print(f"load: {done}; orders {dict(orders)}, held for {dict(holds)}")
    print(f"messages waiting {waiting}, stock pushes {dict(pushes)}")
    print(f"load average before {load_before[0]:.1f}, after {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"publish-{time.strftime('%Y%m%d-%H%M%S')}.json"
    report = {"arguments": vars(args), "figures": figures, "seconds": seconds, "load": done, "average": load_before}
    target.write_text(json.dumps(report, indent=1, default=str))
    print(target)
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
