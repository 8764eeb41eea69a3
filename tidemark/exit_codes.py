"""What a process that ran a verb says by its exit code."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class ExitCode(IntEnum):
    """The exit codes of every verb; their numbers are part of the interface."""

    OK = 0
    VIOLATED = 1
    SLO_MISSED = 2
    UNKNOWN = 3
    REFUSED = 64
    FAILED = 70
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """The code in words, as the last line of a verb prints it."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "ok",
    ExitCode.VIOLATED: "an invariant is violated",
    ExitCode.SLO_MISSED: "an SLO is missed",
    ExitCode.UNKNOWN: "unknown or incomplete",
    ExitCode.REFUSED: "refused before start",
    ExitCode.FAILED: "the harness or the target failed",
    ExitCode.INTERRUPTED: "interrupted",
}

# Which code a verb ends with when several apply: a wrong result outweighs a missing
# one, and a missing one outweighs a slow one. Nothing was judged under the first three.
_PRECEDENCE = (
    ExitCode.INTERRUPTED,
    ExitCode.REFUSED,
    ExitCode.FAILED,
    ExitCode.VIOLATED,
    ExitCode.UNKNOWN,
    ExitCode.SLO_MISSED,
    ExitCode.OK,
)


def gravest(codes: Iterable[ExitCode]) -> ExitCode:
    """The code to exit with when several apply; ``OK`` when there are none."""
    return min(codes, key=_PRECEDENCE.index, default=ExitCode.OK)
