"""What is printed while things are set up: one line a step, with the seconds it took."""

import sys
import threading
import time
from contextlib import contextmanager


def say(text=""):
    """Print a line at once, also into a pipe."""
    print(text, flush=True)


class Progress:
    """Numbered steps: ``[3/7] Odoo 19 ... 12 s``."""

    def __init__(self, total):
        self.total = total
        self.number = 0

    @contextmanager
    def step(self, title):
        """Show ``title`` while the block runs and the time it took after it."""
        self.number += 1
        head = f"[{self.number}/{self.total}] {title} ..."
        started = time.monotonic()
        with _ticking(head, started):
            yield
        say(f" {_duration(time.monotonic() - started)}")

    def ready(self, title):
        """Count a step for which nothing had to be done."""
        self.number += 1
        say(f"[{self.number}/{self.total}] {title} ... ready")


@contextmanager
def _ticking(head, started):
    """Print ``head``; on a terminal let the seconds run beside it, so that nobody thinks it hangs."""
    print(head, end="", flush=True)
    if not sys.stdout.isatty():
        try:
            yield
        except BaseException:
            say()
            raise
        return
    done = threading.Event()

    def tick():
        while not done.wait(1):
            print(f"\r{head} {_duration(time.monotonic() - started)}", end="", flush=True)

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    except BaseException:
        done.set()
        say()
        raise
    done.set()
    thread.join()
    print(f"\r{head}", end="", flush=True)


def _duration(seconds):
    return f"{int(seconds // 60)} min {int(seconds % 60)} s" if seconds >= 60 else f"{max(seconds, 0.1):.0f} s"
