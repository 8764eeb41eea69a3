"""What is broken on purpose is in the run's history, with what was planned and what it did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tidemark.faults.plan import planned
from tidemark.host.undo import Journal, undoer

if TYPE_CHECKING:
    from pathlib import Path

    from tidemark.trace.letters import Letter


@dataclass
class Written:
    plans: Counter[str] = field(default_factory=Counter)
    faults: list[dict[str, Any]] = field(default_factory=list)

    def plan(self, fault: str, times: int) -> None:
        self.plans[fault] += times

    def note_letter(self, letter: Letter) -> None:
        pass

    def add(self, table: str, values: dict[str, Any]) -> None:
        assert table == "faults"
        self.faults.append(values)


@pytest.fixture
def history() -> Written:
    return Written()


def test_a_fault_is_written_with_each_of_its_strikes(history: Written) -> None:
    with planned(history, "poison", times=2) as fault:
        fault.strike(message_id="m1", aggregate="a")
        fault.strike(message_id="m2")

    assert history.plans == {"poison": 2}
    assert [one["message_id"] for one in history.faults] == ["m1", "m2"]
    assert {one["fault"] for one in history.faults} == {"poison"}
    assert len({one["id"] for one in history.faults}) == 2
    assert all(one["start_ns"] <= one["end_ns"] for one in history.faults)


def test_one_that_never_struck_is_written_too(history: Written) -> None:
    with planned(history, "lost publish"):
        pass

    assert history.plans == {"lost publish": 1}
    assert [one["fired"] for one in history.faults] == [0]


def test_one_whose_block_failed_was_not_seen_to_heal(history: Written) -> None:
    with pytest.raises(AssertionError), planned(history, "poison"):
        raise AssertionError

    assert [one["end_ns"] for one in history.faults] == [None]


@undoer
def undone(*, well: bool) -> None:
    if not well:
        raise OSError


@pytest.mark.parametrize("is_undone", [True, False])
def test_one_with_an_undoing_has_healed_once_that_is_done(
    history: Written, tmp_path: Path, *, is_undone: bool
) -> None:
    journal = Journal(tmp_path)

    with (
        pytest.raises(KeyboardInterrupt),
        planned(history, "lost publish", journal=journal),
        journal.begun("It", partial(undone, well=is_undone)),
    ):
        raise KeyboardInterrupt

    assert [one["end_ns"] is not None for one in history.faults] == [is_undone]


def test_without_a_history_a_fault_is_none_the_less_one() -> None:
    with planned(None, "poison") as fault:
        fault.strike()
