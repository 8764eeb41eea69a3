"""What a search is told, what its load runs are told by it, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.cli.capacity.searched import DEPLOYMENT, ran
from tidemark.cli import known
from tidemark.errors import ExitCode
from tidemark.host.state import state_dir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.cli.capacity.searched import Target


def test_every_load_run_of_a_search_sends_from_as_many_processes(target: Target) -> None:
    target.interrupted_at = 1
    ran("--profile", "write", "--processes", "2")
    target.interrupted_at = None
    ran("--resume")
    arguments = list(target.arguments)
    assert arguments[arguments.index("--processes") + 1] == "2"


def test_a_step_has_callers_enough_for_its_slowest_answers(target: Target) -> None:
    ran("--profile", "write", "--start", "90", "--max-steps", "1", "--slo", "write_p99_ms=1000")
    arguments = list(target.arguments)
    assert arguments[arguments.index("--users") + 1] == "90"


def test_a_target_that_is_late_without_any_load_has_a_bound_of_its_own(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = replace(DEPLOYMENT, target="localstack")
    monkeypatch.setattr(known, "choose", lambda *_: (emulator, None))
    target.interrupted_at = 1
    for said, bound in (((), 3000), (("--slo", "lag_p99_ms=900"), 900)):
        ran("--profile", "write", *said)
        newest = max((state_dir() / "capacity").glob("*.json"), key=lambda one: one.stat().st_mtime)
        assert json.loads(newest.read_text())["wanted"]["bounds"]["lag_p99_ms"] == bound


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--slo", "write_p9_ms=3"), "There is no measure write_p9_ms; the nearest is"),
        (("--slo", "write_p99_ms=soon"), "--slo write_p99_ms must be 0 or more, and not soon."),
        (("--profile", "ramp"), "ramp has no steady rate, and a search is for one."),
        (("--profile", "wirte"), "There is no profile wirte; the nearest is write"),
        (("--profile", "write", "--start", "3001"), "at most 3000 calls/s with write"),
        (("--start", "0"), "--start must be more than 0"),
        (("--resume", "--step", "5"), "leave the others away"),
        (("--processes", "0"), "--processes must be 1 or more, or -1 for one on each core."),
        (("--resume",), "There is no search to go on with"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_anything_is_sent(
    target: Target, arguments: Sequence[str], sentence: str
) -> None:
    code, said = ran(*arguments)
    assert code is ExitCode.NOT_STARTED
    assert sentence in said
    assert not target.warmed
