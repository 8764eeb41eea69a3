"""Loopback ports."""

from __future__ import annotations

import socket

from tidemark.errors import NotStartedError

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def choose(wanted: int | None, preferred: int | None = None) -> int:
    """The wanted loopback port, else the preferred one if it is free, else any free one.

    Raises:
        NotStartedError: The wanted port is taken or no port number.
    """
    if wanted is None and preferred is not None and is_free(preferred):
        return preferred
    if wanted is None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind((LOOPBACK, 0))
            port: int = probe.getsockname()[1]
            return port
    if not 1 <= wanted <= 65535:
        raise NotStartedError(f"{wanted} is no port: choose one from 1 to 65535.")
    if not is_free(wanted):
        raise NotStartedError(
            f"Port {wanted} is taken: stop what listens there, choose another --port, or leave "
            "the choice to Tidemark."
        )
    return wanted
