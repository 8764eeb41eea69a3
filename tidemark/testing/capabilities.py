"""What targets can do, as far as tests depend on it.

The probe decides it: its committed results for the pinned versions of the emulators, and for any
other version the row itself, asked on the target when the first test needs to know. AWS can do all
of it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib import metadata
from typing import TYPE_CHECKING

from tidemark.targets.compose_file import image_of
from tidemark.targets.emulators import emulator_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemark.probe.result import RowResult

CAPABILITIES: Mapping[str, str] = {
    "any-body": "a body that is no UTF-8, or nested without end, is refused and not a failure",
    "async-retries": "an asynchronous invocation that failed is retried, then dead-lettered",
    "callers": "the gateway tells a function who signed a request",
    "request-validators": "the gateway refuses what the API definition does not allow",
    "schedules": "EventBridge schedules fire",
    "signatures": "the gateway refuses requests that are not signed",
}

MEASURED: Mapping[tuple[str, str], frozenset[str]] = {
    ("embedded", "1.5.33"): frozenset({"async-retries", "request-validators"}),
    ("localstack", "4.14.0"): frozenset({"any-body", "callers", "signatures"}),
}
"""What the emulators lack, by target and version, according to the committed results."""


def look_up(target_name: str, endpoint: str | None) -> frozenset[str] | None:
    """The capabilities that a target is known to lack before it is started.

    Args:
        target_name: The target.
        endpoint: Where an endpoint target answers; which emulator it is tells its health check.

    Returns:
        ``None`` if this version of it was not measured yet.
    """
    if target_name == "aws":
        return frozenset()
    return MEASURED.get(_version(target_name, endpoint))


def _version(target_name: str, endpoint: str | None) -> tuple[str, str]:
    """A target and its version; the latter is empty if it is not known yet."""
    if target_name == "embedded":
        try:
            return target_name, metadata.version("ministack")
        except metadata.PackageNotFoundError:
            return target_name, ""
    if target_name == "localstack" and image_of(os.environ) == (pinned := image_of({})):
        return target_name, pinned.rpartition(":")[2]
    found = emulator_at(endpoint) if endpoint else None
    return (found.target, found.version) if found else (target_name, "")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a target can do; a capability is `in` it, or not.

    Attributes:
        target_name: The target.
        lacking: What it is known to lack; ``None`` if that is to be measured.
        measure: Asks the row that decides a capability, on the target.
    """

    target_name: str
    lacking: frozenset[str] | None
    measure: Callable[[str], RowResult]
    _row_results: dict[str, RowResult] = field(default_factory=dict, repr=False)

    def __contains__(self, capability: str) -> bool:
        if self.lacking is not None:
            return capability not in self.lacking
        return not self._row_result(capability).is_missing

    def why_not(self, capability: str) -> str:
        """A sentence on a capability that it lacks, without its full stop."""
        known = f"the {self.target_name} target lacks {capability}: {CAPABILITIES[capability]}"
        if self.lacking is not None:
            return known
        return f"{known} (probed now: {self._row_result(capability).observed})"

    def _row_result(self, capability: str) -> RowResult:
        if capability not in self._row_results:
            self._row_results[capability] = self.measure(capability)
        return self._row_results[capability]
