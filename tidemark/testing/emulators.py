"""Which emulator answers at an endpoint."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

_HEALTH_CHECKS = {"embedded": "/_ministack/health", "localstack": "/_localstack/health"}


def emulator_at(endpoint: str) -> str | None:
    """The target whose emulator answers at an endpoint, if it is one that is known here."""
    return next((name for name in _HEALTH_CHECKS if answers(endpoint, name)), None)


def answers(endpoint: str, target_name: str) -> bool:
    """Whether the emulator of that target answers its health check at an endpoint."""
    parts = urlsplit(endpoint)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", _HEALTH_CHECKS[target_name])
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False  # whatever it is, it is not that emulator
    finally:
        connection.close()
