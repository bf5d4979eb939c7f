"""What a piece of work costs: CPU of this process and of its PostgreSQL backend, SQL queries; and how noisy it is."""

import gc
import os
import time

_CALIBRATION_ROUNDS = 100_000


def calibration():
    """CPU seconds of a fixed loop. It grows when neighbours take cache, turbo or the other half of the core."""
    start = time.process_time()
    x = 0
    for i in range(_CALIBRATION_ROUNDS):
        x += i * i % 7
    return time.process_time() - start


def backend_cpu(pid):
    """CPU seconds used so far by the process ``pid``: nanoseconds where the kernel counts them, else clock ticks."""
    try:
        with open(f"/proc/{pid}/schedstat") as file:
            return int(file.read().split()[0]) / 1e9
    except OSError:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Meter:
    """Context manager around the work of one stage; leaves ``python`` and ``postgres`` (CPU seconds), ``queries``."""

    def __init__(self, cr):
        self.cr = cr
        self.pid = cr._cnx.info.backend_pid

    def __enter__(self):
        gc.collect()
        gc.disable()  # a collection of what another database left behind must not be billed here
        self.queries = self.cr.sql_log_count
        self.postgres = backend_cpu(self.pid)
        self.python = time.process_time()
        return self

    def __exit__(self, *exc):
        self.python = time.process_time() - self.python
        self.postgres = backend_cpu(self.pid) - self.postgres
        self.queries = self.cr.sql_log_count - self.queries
        gc.enable()
