"""Ports of servers that the tests start."""

import socket

_held = []


def free_port():
    """Return a TCP port of the loopback interface that is free, and kept for one server while this process lives.

    It is bound here, and nobody listens on it: Linux lets a server bind and listen on it besides, now and after each
    restart, but gives it to nobody who asks for any port, as other tests and all connections do.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do, in Python and in Node.js
    holder.bind(("127.0.0.1", 0))
    _held.append(holder)
    return holder.getsockname()[1]
