"""What a row saw of a target, and why it may have seen nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

TRYING_S = 60.0
"""How long a patient row goes on that would else go on to its end: one that tries to cause
something, or waits for what is not to come."""


class Comparison(StrEnum):
    """What a row says about a target."""

    SAME = "same"
    DIFFERS = "differs"
    NOT_SEEN = "not seen"
    NOT_PROBED = "not probed"
    FAILED = "failed"


class NotProbedError(Exception):
    """Raised by a row that cannot be probed here; the message is the reason."""


class NotSeenInTimeError(Exception):
    """Raised when the row's time has passed; the message is what was seen instead."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a row saw.

    Attributes:
        comparison: Whether that is what AWS documents.
        observed: What the target did, in words that are the same at every run.
        measured: Figures that vary from run to run.
    """

    comparison: Comparison
    observed: str
    measured: str = ""


def same(observed: str, measured: str = "") -> Observation:
    """The target does what AWS documents."""
    return Observation(Comparison.SAME, observed, measured)


def compare(is_same: bool, observed: str, measured: str = "") -> Observation:  # noqa: FBT001 -- it is what this is about
    """The target does what AWS documents, or something else."""
    return (same if is_same else differs)(observed, measured)


def differs(observed: str, measured: str = "") -> Observation:
    """The target does something else."""
    return Observation(Comparison.DIFFERS, observed, measured)
