"""The end of a test session's run: what of it is said, and what is written down."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest

from tests.workloads.shelves import CLIENTS, DEPLOYMENT, Shelves, System, raising
from tidemark.errors import ExitCode
from tidemark.history.recorder import RecordingError
from tidemark.history.writing import expect
from tidemark.host.state import write_json
from tidemark.testing.runs import SessionRuns
from tidemark.testing.verdicts import judge_runs
from tidemark.workloads.own import View

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def full_disk(*_: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def runs(tmp_path: Path) -> SessionRuns:
    """Of a session that put a book on a shelf."""
    Shelves.system = System()
    runs = SessionRuns(tmp_path, "20261123T101112-abc123", "main", print, Shelves)
    caller = runs.caller_of(DEPLOYMENT, CLIENTS)
    caller.command("put", caller.new_id(), {"thing": "book"})
    return runs


def judged(runs: SessionRuns) -> tuple[ExitCode, str]:
    runs.close()
    [(code, said)] = judge_runs(runs, [DEPLOYMENT], CLIENTS)
    return code, "\n".join(said)


def test_a_verdict_that_cannot_be_written_down_is_said_and_ends_the_session_with_3(
    runs: SessionRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidemark.testing.verdicts.write_json", full_disk)

    code, said = judged(runs)

    assert code is ExitCode.UNKNOWN
    assert "Verdict: holds" in said
    assert "could not be written to" in said
    assert "(No space left on device): make room there, and judge it again with" in said


def test_what_is_violated_is_violated_although_it_cannot_be_written_down(
    runs: SessionRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidemark.testing.verdicts.write_json", full_disk)
    [shelf] = Shelves.system.views
    Shelves.system.views[shelf] = View(1, {"things": ["stone"]})

    code, said = judged(runs)

    assert code is ExitCode.VIOLATED
    assert "could not be written to" in said


def test_a_run_that_cannot_be_closed_on_a_full_disk_is_said_to_be_lost(
    runs: SessionRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, document: Mapping[str, Any]) -> None:
        if "ended_by" in document:
            full_disk()
        write_json(path, document)

    monkeypatch.setattr("tidemark.history.writing.write_json", full)

    with pytest.raises(RecordingError, match=r"No space left on device.*make room there"):
        judged(runs)


def test_a_verdict_is_written_down(runs: SessionRuns) -> None:
    code, said = judged(runs)

    assert code is ExitCode.OK
    assert "could not be" not in said
    assert (runs.path_of("Shelves") / "verdict.json").is_file()


def test_a_session_that_did_too_little_says_what_is_unknown_and_ends_with_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Shelves.system = System()
    runs = SessionRuns(tmp_path, "20261123T101112-abc123", "main", print, Shelves)
    caller = runs.caller_of(DEPLOYMENT, CLIENTS)
    monkeypatch.setattr(Shelves, "send", raising)
    with pytest.raises(KeyError):  # nobody knows whether it was done
        caller.command("put", caller.new_id(), {"thing": "book"})

    code, said = judged(runs)

    assert code is ExitCode.UNKNOWN
    assert "I2 nothing lost: too little was seen: 0 events, and it takes 1" in said
    assert "What is unknown ends a session with 3; --tidemark-check report leaves" in said


def test_a_session_in_which_no_command_was_accepted_has_nothing_to_be_judged(
    tmp_path: Path,
) -> None:
    Shelves.system = System()
    runs = SessionRuns(tmp_path, "20261123T101112-abc123", "main", print, Shelves)
    caller = runs.caller_of(DEPLOYMENT, CLIENTS)
    caller.read(caller.new_id())
    caller.command("put", caller.new_id(), {"thing": "elephant"})

    code, said = judged(runs)

    assert code is ExitCode.OK
    assert said.endswith("on Shelves: nothing was accepted, so there is nothing to judge.")


def test_a_session_whose_process_was_killed_may_have_called(tmp_path: Path) -> None:
    Shelves.system = System()
    runs = SessionRuns(tmp_path, "20261123T101112-abc123", "main", print, Shelves)
    runs.caller_of(DEPLOYMENT, CLIENTS)
    expect(runs.path_of("Shelves"), ["killed"])

    code, _ = judged(runs)

    assert code is ExitCode.UNKNOWN
