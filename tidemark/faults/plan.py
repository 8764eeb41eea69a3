"""Faults as a run's history has them: planned, going on, and how often they struck."""

from __future__ import annotations

import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.host.undo import Journal
    from tidemark.trace.letters import Letter

LOST_PUBLISH = "lost publish"
POISON = "poison"
DUPLICATE = "duplicate delivery"
REORDERED = "reordering"
THROTTLED = "throttled"


class History(Protocol):
    """Where rows of a run are written down."""

    def plan(self, fault: str, times: int) -> None:
        """Note that a fault is to strike so many times."""

    def note_letter(self, letter: Letter) -> None:
        """Note a dead letter that is taken out of its queue."""

    def add(self, table: str, values: dict[str, Any]) -> None:
        """Write a row of a table down."""


@dataclass
class Fault:
    """A fault that goes on.

    Attributes:
        start_ns: When it was seen to begin, UTC nanoseconds.
    """

    start_ns: int = field(default_factory=time.time_ns)
    _strikes: list[dict[str, Any]] = field(default_factory=list)

    def begin(self) -> None:
        """Note that it is seen to act from now on."""
        self.start_ns = time.time_ns()

    def strike(
        self,
        times: int = 1,
        *,
        message_id: str | None = None,
        event_id: str | None = None,
        aggregate: str | None = None,
    ) -> None:
        """Note that it had an effect.

        Args:
            times: How often.
            message_id: The message that it sent.
            event_id: The event that it concerns.
            aggregate: The account that it concerns.
        """
        about = {"message_id": message_id, "event_id": event_id, "aggregate": aggregate}
        self._strikes.append(about | {"fired": times})

    def rows(self, end_ns: int | None) -> list[dict[str, Any]]:
        """Its rows: one for each effect that was noted, or one that says that it had none."""
        nothing = dict.fromkeys(("message_id", "event_id", "aggregate")) | {"fired": 0}
        when = {"start_ns": self.start_ns, "end_ns": end_ns}
        return [one | when | {"id": uuid.uuid4().hex[:12]} for one in self._strikes or [nothing]]


@contextmanager
def planned(
    history: History | None, name: str, *, times: int = 1, journal: Journal | None = None
) -> Iterator[Fault]:
    """Write a fault into the history: that it was planned, and at the end what it did.

    It has healed when its block ends well or, where a journal has its undoing, when that is done.

    Args:
        history: Where to; nothing is written without one.
        name: The fault.
        times: How often it is to strike, at least.
        journal: Where its undoing is written down.
    """
    if history is not None:
        history.plan(name, times)
    before = _begun(journal)
    fault, is_well = Fault(), False
    try:
        yield fault
        is_well = True
    finally:
        has_healed = is_well or (journal is not None and _begun(journal) <= before)
        if history is not None:
            for row in fault.rows(time.time_ns() if has_healed else None):
                history.add("faults", {"fault": name} | row)


def _begun(journal: Journal | None) -> set[str]:
    return set() if journal is None else {one.file_name for one in journal.entries()}
