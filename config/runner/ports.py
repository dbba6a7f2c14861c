"""Choosing TCP ports on the loopback address."""

import errno
import socket
import sys

from config.runner.process import RunnerError

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port that nobody used a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def listen(port: int, *, or_next: bool) -> socket.socket:
    """A listening socket on ``port``, or with ``or_next`` on the first free one of the hundred from there.

    The socket is handed to the server, so that two copies that start at once never choose the same port, and the
    address stays taken while the server restarts.
    """
    for candidate in range(port, min(port + (100 if or_next else 1), 65536)):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, candidate))
            listener.listen(128)
        except OSError as error:
            listener.close()
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise
        else:
            return listener
    raise RunnerError(f"Port {port} is taken; set SYNCLINE_PORT to another one.")


def reserve(port: int) -> tuple[int, socket.socket]:
    """The first port from ``port`` that is free and that no other copy has reserved, and the reservation to hold.

    For servers that open their port themselves, a moment later. The reservation is a name in Linux's abstract
    namespace: every account sees it, and it goes with the process. Elsewhere the port is only looked at.
    """
    for candidate in range(port, min(port + 100, 65536)):
        reservation = socket.socket(socket.AF_UNIX)
        try:
            if sys.platform == "linux":
                reservation.bind(f"\0syncline-port-{candidate}")
            listen(candidate, or_next=False).close()
        except (OSError, RunnerError):
            reservation.close()
        else:
            return candidate, reservation
    raise RunnerError(f"No port from {port} to {port + 99} is free.")


def is_listening(port: int) -> bool:
    """Whether somebody accepts connections on ``port``."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0
