"""Sends the market's news to the merchants: signed, and as unreliable as the real ones."""

import hashlib
import heapq
import hmac
import http.client
import json
import random
import threading
import time
import urllib.error
import urllib.request

ATTEMPTS = 3
TIMEOUT = 10
THREADS = 2


def sign(secret, timestamp, body):
    """Hex HMAC-SHA256 over the time of sending, a line feed and the raw body."""
    return hmac.new(secret.encode(), f"{timestamp}\n".encode() + body, hashlib.sha256).hexdigest()


class WebhookSender:
    """A queue by time and the threads that empty it. ``counts`` is shown on the status page."""

    def __init__(self, settings, now, seed=1):
        self.settings, self.now = settings, now
        self.rng = random.Random(f"{seed}:webhooks")
        self.queue, self.sequence = [], 0
        self.condition = threading.Condition()
        self.counts = {"sent": 0, "failed": 0, "lost": 0, "duplicates": 0, "delayed": 0}
        self.last_error = ""
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def start(self):
        for _index in range(THREADS):
            threading.Thread(target=self._run, daemon=True).start()

    def notify(self, shop, topic, order):
        """Queue what a merchant is to know; the content is the order's number and state, to be read again by its id."""
        if not shop.webhook_url or not shop.webhook_secret:
            return
        with self.condition:
            self.sequence += 1
            message = {
                "msg_id": f"{shop.code}-{order['order_id']}-{order['row_version']}-{topic}",
                "topic": topic,
                "shop_code": shop.code,
                "order_id": order["order_id"],
                "row_version": order["row_version"],
                "modified": order["modified"],
            }
            body = json.dumps(message, ensure_ascii=False).encode()
            if self.rng.random() < self.settings.webhook_loss:
                self.counts["lost"] += 1
                return
            delay = 0.2
            if self.rng.random() < self.settings.webhook_disorder:
                delay += self.rng.uniform(3, 40)
                self.counts["delayed"] += 1
            self._push(delay, shop, body, 1)
            if self.rng.random() < self.settings.webhook_duplicate:
                self._push(delay + self.rng.uniform(0, 15), shop, body, 1)
                self.counts["duplicates"] += 1

    def _push(self, delay, shop, body, attempt):
        self.sequence += 1
        heapq.heappush(self.queue, (time.monotonic() + delay, self.sequence, shop, body, attempt))
        self.condition.notify()

    def _run(self):
        while True:
            with self.condition:
                while not self.queue or self.queue[0][0] > time.monotonic():
                    wait = self.queue[0][0] - time.monotonic() if self.queue else None
                    self.condition.wait(wait if wait is None or wait > 0 else 0.01)
                _due, _sequence, shop, body, attempt = heapq.heappop(self.queue)
            error = self._send(shop, body)
            with self.condition:
                if not error:
                    self.counts["sent"] += 1
                    continue
                self.last_error = f"{shop.code}: {error}"
                if attempt < ATTEMPTS:
                    self._push(2 * 3**attempt, shop, body, attempt + 1)
                else:
                    self.counts["failed"] += 1

    def _send(self, shop, body):
        """ "" or why it did not arrive."""
        timestamp = str(int(self.now()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-Market-Timestamp": timestamp,
            "X-Market-Sign": sign(shop.webhook_secret, timestamp, body),
        }
        try:
            request = urllib.request.Request(shop.webhook_url, data=body, headers=headers, method="POST")
            with self._opener.open(request, timeout=TIMEOUT):
                return ""
        except urllib.error.HTTPError as error:
            error.close()
            return f"HTTP {error.code}"
        except (OSError, ValueError, http.client.HTTPException) as error:
            return str(error) or type(error).__name__
