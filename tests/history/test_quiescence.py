"""A run is over when its queue is seen empty and its log says that all is projected."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tests.workloads.shelves import CLIENTS, DEPLOYMENT
from tidemark.history import quiescence

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

QUEUED = replace(DEPLOYMENT, outputs={"QueueName": "events"})


@dataclass
class Log:
    """A workload whose log says one after the other how many events are not projected."""

    owed: Iterable[int] = (0,)
    scans: int = 0

    def __post_init__(self) -> None:
        *first, last = self.owed
        self._coming = itertools.chain(first, itertools.repeat(last))

    def unprojected(self, prefix: str) -> int:
        assert prefix == "run"
        self.scans += 1
        return next(self._coming)


def waited(
    log: Any,
    held: Iterable[int],
    monkeypatch: pytest.MonkeyPatch,
    *,
    deployment: Any = QUEUED,
    within_s: float = 20.0,
) -> str:
    *first, last = held
    depths = itertools.chain(first, itertools.repeat(last))
    monkeypatch.setattr(quiescence, "depth", lambda *_: next(depths))
    return quiescence.await_quiescence(deployment, CLIENTS, log, "run", within_s=within_s).how


def test_the_log_is_read_once_when_the_queue_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()

    assert waited(log, [4, 1, 0], monkeypatch) == "quiet"
    assert log.scans == 1


def test_what_is_not_projected_is_waited_for_although_the_queue_is_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = Log(owed=(2, 1, 0))

    assert waited(log, [0], monkeypatch) == "quiet"
    assert log.scans == 3


def test_messages_of_others_are_waited_for_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    assert waited(Log(), [7], monkeypatch) == "quiet (foreign messages)"


def test_events_that_stay_unprojected_end_with_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert waited(Log(owed=(1,)), [0], monkeypatch, within_s=0.2) == "deadline"


def test_where_there_is_no_queue_the_log_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(owed=(1, 0))

    assert waited(log, [9], monkeypatch, deployment=DEPLOYMENT) == "quiet"
    assert log.scans == 2
