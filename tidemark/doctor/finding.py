"""What an examination finds: one line each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How something stands."""

    OK = "ok"
    WARNING = "warning"
    """The chosen target works all the same."""

    PROBLEM = "problem"
    """The chosen target needs it, and it is broken."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: What was looked at.
        state: How it stands.
        says: What was seen.
        fix: What to do, unless all is well.
    """

    name: str
    state: State
    says: str
    fix: str | None = None


def well(name: str, says: str) -> Finding:
    """Something is as it should be."""
    return Finding(name, State.OK, says)


def lacking(name: str, says: str, fix: str, *, is_needed: bool) -> Finding:
    """Something is not as it should be: a problem exactly if the chosen target needs it."""
    return Finding(name, State.PROBLEM if is_needed else State.WARNING, says, fix)
