"""A search that ended early goes on, or says why it cannot."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.capacity.searched import DEPLOYMENT, ran
from tidemark.aws.connection import EMULATOR_CREDENTIALS, Connection
from tidemark.cli import known, searching
from tidemark.errors import ExitCode, TidemarkError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.capacity.searched import Target
    from tidemark.cli.load_step import Ended


def test_after_ctrl_c_it_goes_on_without_repeating_a_step(target: Target) -> None:
    ran("--seed", "s")
    whole, target.tried = target.tried, []
    target.interrupted_at = 3
    code, said = ran("--seed", "s")
    assert code is ExitCode.INTERRUPTED
    assert "Interrupted after 3 steps; `tidemark capacity --resume` goes on." in said

    target.interrupted_at = None
    code, said = ran("--resume")
    assert code is ExitCode.OK
    assert "93.5 writes/s and 222 reads/s" in said
    assert target.tried == whole
    assert target.warmed[-2:] == [("write", 72), ("read", 144)]


def test_a_search_that_has_ended_is_not_resumed(target: Target) -> None:
    ran("--profile", "write")
    code, said = ran("--resume")
    assert code is ExitCode.NOT_STARTED
    assert "There is no search to go on with" in said
    assert len(target.warmed) == 1


def test_what_is_deployed_now_is_not_what_the_search_was_of(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    target.interrupted_at = 1
    ran()
    other = replace(DEPLOYMENT, template_digest="other")
    monkeypatch.setattr(known, "choose", lambda *_: (other, None))
    code, said = ran("--resume")
    assert code is ExitCode.NOT_STARTED
    assert "not what is deployed now" in said


@pytest.mark.parametrize(
    "edited",
    [
        {"tried": [5]},
        {"tried": [{"profile": "write", "rate": "18", "run": "run1"}]},
        {"wanted": {"profiles": 5}},
        {"wanted": {"bounds": {"write_p99_ms": "500"}}},
        {"wanted": {"most_steps": None}},
    ],
)
def test_a_search_whose_file_was_edited_is_not_resumed(
    target: Target, tmp_path: Path, edited: dict[str, Any]
) -> None:
    target.interrupted_at = 1
    ran("--profile", "write")
    [file] = (tmp_path / "capacity").glob("*.json")
    document = json.loads(file.read_text())
    if isinstance(edited.get("wanted"), dict):
        edited = {"wanted": document["wanted"] | edited["wanted"]}
    file.write_text(json.dumps(document | edited))

    code, said = ran("--resume")

    assert code is ExitCode.NOT_STARTED
    assert f"{file} is no search for capacity: remove it, and begin anew." in said


def test_a_search_whose_file_is_torn_is_in_nobodys_way_but_that_of_who_resumes_it(
    target: Target, tmp_path: Path
) -> None:
    target.interrupted_at = 1
    ran("--profile", "write")
    [file] = (tmp_path / "capacity").glob("*.json")
    file.write_text(file.read_text()[:99])

    code, said = ran("--resume")
    assert code is ExitCode.NOT_STARTED
    assert f"{file} is no search for capacity" in said
    target.interrupted_at = None
    assert ran("--profile", "write")[0] is ExitCode.OK


def test_a_search_that_is_interrupted_before_its_first_step_goes_on_as_it_was_begun(
    target: Target,
) -> None:
    target.interrupted_at = 0
    ran("--profile", "read", "--seed", "s")
    target.interrupted_at = None
    assert ran("--resume", "--json")[0] is ExitCode.OK
    assert {profile for profile, _ in target.tried} == {"read"}


def test_a_target_that_dies_leaves_a_search_that_goes_on(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> Ended:
        raise TidemarkError("the target does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(searching, "load", dies)
        code, said = ran("--profile", "write")
    assert code is ExitCode.FAILED
    assert "The search stopped after 0 steps; `tidemark capacity --resume` goes on." in said
    assert said.endswith("the target does not answer")
    assert ran("--resume")[0] is ExitCode.OK
    assert target.tried


def test_a_target_that_dies_in_the_middle_of_a_step_has_not_failed_at_its_rate(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_gone(_: object) -> Connection:
        if target.tried:
            raise TidemarkError("the target does not answer")
        return Connection("us-east-1", DEPLOYMENT.endpoint, EMULATOR_CREDENTIALS)

    target.others = {1: ExitCode.FAILED}
    with monkeypatch.context() as patched:
        patched.setattr(known, "connect", is_gone)
        code, said = ran("--profile", "write", "--seed", "s")
    assert code is ExitCode.FAILED
    assert "The search stopped after 1 steps; `tidemark capacity --resume` goes on." in said
    assert said.endswith("the target does not answer")

    code, said = ran("--resume")
    assert code is ExitCode.OK
    assert "93.5 writes/s" in said
