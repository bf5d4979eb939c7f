"""What a program started from a test must not inherit."""

import resource


def lift_memory_limit():
    """Odoo limits the address space of its process, and so of what it starts: `preexec_fn` of programs that reserve far
    more than they use. Chromium does, and Node's fetch, which fails without it."""
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
