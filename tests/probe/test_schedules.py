"""The row about schedules, on a stack that may be too young to tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.probe.asking import DEPLOYMENT, bench
from tidemark.aws import logs
from tidemark.aws.logs import Line
from tidemark.probe.observation import Comparison, NotProbedError, NotSeenInTimeError
from tidemark.probe.rows.schedules import schedule_fires

if TYPE_CHECKING:
    from tidemark.probe.bench import Bench


def _bench(*, age_s: float, has_sweeper: bool = True) -> Bench:
    changed = datetime.now(UTC) - timedelta(seconds=age_s)
    cloudformation = SimpleNamespace(
        describe_stacks=lambda **_: {"Stacks": [{"CreationTime": changed}]}
    )
    its_bench = bench(within_s=0, clients=SimpleNamespace(cloudformation=cloudformation))
    outputs = {"OutboxSweeperName": "sweeper"} if has_sweeper else {}
    its_bench.deployment = replace(DEPLOYMENT, outputs=outputs)
    return its_bench


def _logged(monkeypatch: pytest.MonkeyPatch, *at_s: int) -> None:
    lines = [Line(at * 1000, str(at), "outbox-sweeper", "") for at in at_s]

    def read(*_: Any, **__: Any) -> list[Line]:
        return lines

    monkeypatch.setattr(logs, "read", read)


def test_a_schedule_that_has_fired_is_seen_with_its_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    _logged(monkeypatch, 0, 1, 60, 61, 120)

    seen = schedule_fires.probe(_bench(age_s=300))

    assert (seen.comparison, seen.measured) == (Comparison.SAME, "every 59 s")


def test_a_schedule_that_fires_too_often_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    _logged(monkeypatch, 0, 15, 60)

    assert schedule_fires.probe(_bench(age_s=300)).comparison is Comparison.DIFFERS


def test_a_schedule_that_has_not_fired_is_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    _logged(monkeypatch)

    with pytest.raises(NotSeenInTimeError, match="has not fired"):
        schedule_fires.probe(_bench(age_s=300))


def test_a_stack_younger_than_its_schedule_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    _logged(monkeypatch)

    with pytest.raises(NotProbedError, match="younger than its schedule"):
        schedule_fires.probe(_bench(age_s=30))


def test_a_stack_without_a_sweeper_says_nothing() -> None:
    with pytest.raises(NotProbedError, match="no Outbox Sweeper"):
        schedule_fires.probe(_bench(age_s=300, has_sweeper=False))
