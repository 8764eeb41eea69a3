"""What targets can do, as far as tests depend on it. AWS can do all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark.testing.emulators import emulator_at

if TYPE_CHECKING:
    from collections.abc import Mapping

CAPABILITIES: Mapping[str, str] = {
    "any-body": "a body that is no UTF-8, or nested without end, is refused and not a failure",
    "async-retries": "an asynchronous invocation that failed is retried, then dead-lettered",
    "request-validators": "the gateway refuses what the API definition does not allow",
    "schedules": "EventBridge schedules fire",
    "signatures": "the gateway refuses requests that are not signed",
}

_LACKS: Mapping[str, frozenset[str]] = {
    "embedded": frozenset({"async-retries", "request-validators"}),
    "localstack": frozenset({"any-body", "signatures"}),
}


def lacking(target_name: str, endpoint: str | None) -> frozenset[str]:
    """The capabilities that a target is known to lack.

    Args:
        target_name: The target.
        endpoint: Where an endpoint target answers; which emulator it is tells its health check.
    """
    if target_name == "endpoint" and endpoint is not None:
        target_name = emulator_at(endpoint) or target_name
    return _LACKS.get(target_name, frozenset())
