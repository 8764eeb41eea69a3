"""What targets can do, as far as tests depend on it. AWS can do all of it."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

CAPABILITIES: Mapping[str, str] = {
    "async-retries": "an asynchronous invocation that failed is retried, then dead-lettered",
    "request-validators": "the gateway refuses what the API definition does not allow",
    "schedules": "EventBridge schedules fire",
    "signatures": "the gateway refuses requests that are not signed",
}

_LACKS: Mapping[str, frozenset[str]] = {
    "embedded": frozenset({"async-retries", "request-validators"}),
    "localstack": frozenset({"signatures"}),
}
_HEALTH_CHECKS = {"embedded": "/_ministack/health", "localstack": "/_localstack/health"}


def lacking(target_name: str, endpoint: str | None) -> frozenset[str]:
    """The capabilities that a target is known to lack.

    Args:
        target_name: The target.
        endpoint: Where an endpoint target answers; which emulator it is tells its health check.
    """
    if target_name == "endpoint" and endpoint is not None:
        target_name = _emulator_at(endpoint) or target_name
    return _LACKS.get(target_name, frozenset())


def _emulator_at(endpoint: str) -> str | None:
    """The emulator that answers at an endpoint, if it is one that is known here."""
    return next((name for name, path in _HEALTH_CHECKS.items() if _is_there(endpoint, path)), None)


def _is_there(endpoint: str, path: str) -> bool:
    parts = urlsplit(endpoint)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False  # whatever it is, it is not that emulator
    finally:
        connection.close()
