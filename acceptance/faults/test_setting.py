"""A function's setting is broken for a block, and whole again however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import pytest

from acceptance.faults.conftest import HANDLER, TOPIC
from tidemark.errors import TidemarkError
from tidemark.faults import setting
from tidemark.faults.place import describe
from tidemark.faults.publishing import lost_publishes
from tidemark.host.undo import Journal
from tidemark.testing import session

if TYPE_CHECKING:
    from pathlib import Path

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment


def variables(aws: AwsClients) -> dict[str, str]:
    return aws.functions.get_function_configuration(FunctionName=HANDLER)["Environment"][
        "Variables"
    ]


WHOLE = {"TOPIC_ARN": TOPIC, "OTHER": "stays"}


def test_publishes_are_lost_for_a_block_and_never_after(
    aws: AwsClients, deployment: Deployment, tmp_path: Path
) -> None:
    journal = Journal(tmp_path)
    with lost_publishes(journal, aws, deployment, None):
        assert variables(aws) == {**WHOLE, "TOPIC_ARN": f"{TOPIC}-gone"}
        [begun] = journal.entries()
        assert begun.what == f"TOPIC_ARN={TOPIC}-gone of the function {HANDLER}"
        assert begun.parameters["value"] == TOPIC

    assert variables(aws) == WHOLE
    assert journal.entries() == []


def test_what_could_not_be_set_is_not_left_broken(
    aws: AwsClients, deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = setting._set

    def interrupted(*arguments: str) -> NoReturn:
        change(*arguments)  # type: ignore[arg-type]
        monkeypatch.setattr(setting, "_set", change)
        raise KeyboardInterrupt

    monkeypatch.setattr(setting, "_set", interrupted)
    with pytest.raises(KeyboardInterrupt), lost_publishes(Journal(tmp_path), aws, deployment, None):
        pass

    assert variables(aws) == WHOLE
    assert Journal(tmp_path).entries() == []


KILLED = """
import os, signal, sys
from pathlib import Path
from tidemark import targets
from tidemark.aws.clients import AwsClients
from tidemark.faults.publishing import lost_publishes
from tidemark.host.deployment import Deployment
from tidemark.host.locking import locked
from tidemark.host.undo import Journal

state, deployment = Path(sys.argv[1]), Deployment.load(Path(sys.argv[2]))
aws = AwsClients(targets.connection_to(deployment))
with locked(state), lost_publishes(Journal(state), aws, deployment, None):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_next_run_heals_what_a_killed_one_broke_before_it_breaks_it_again(
    aws: AwsClients, deployment: Deployment, tmp_path: Path
) -> None:
    state = tmp_path / "pytest" / "killed"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, state, deployment.save(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert variables(aws)["TOPIC_ARN"] == f"{TOPIC}-gone"

    assert list(session.heal(tmp_path)) == [
        f"An earlier run was killed. TOPIC_ARN of the function {HANDLER} is {TOPIC} again."
    ]

    assert variables(aws) == WHOLE
    with lost_publishes(Journal(tmp_path), aws, deployment, None):
        pass
    assert variables(aws) == WHOLE


def test_a_function_that_is_gone_needs_no_healing(deployment: Deployment, tmp_path: Path) -> None:
    place = describe(Journal(tmp_path), deployment)

    assert setting.restore(place, "no-such-function", "TOPIC_ARN", TOPIC) is None


def test_a_target_of_ours_that_is_gone_needs_no_healing(
    deployment: Deployment, tmp_path: Path
) -> None:
    place = describe(Journal(tmp_path), deployment)
    place["deployment"]["target"] = "embedded"

    assert setting.restore(place, HANDLER, "TOPIC_ARN", TOPIC) is None


def test_a_target_of_others_that_does_not_answer_leaves_it_written_down(
    deployment: Deployment, tmp_path: Path
) -> None:
    journal = Journal(tmp_path)
    place = describe(journal, deployment)
    place["deployment"]["endpoint"] = "http://127.0.0.1:1"
    undo = partial(setting.restore, place=place, name=HANDLER, variable="TOPIC_ARN", value=TOPIC)
    journal.begin("TOPIC_ARN", undo)

    [left] = journal.heal().left

    assert "No AWS answers at http://127.0.0.1:1" in left
    assert len(journal.entries()) == 1


def test_a_value_that_cannot_be_put_back_is_an_error(
    aws: AwsClients, deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise TidemarkError("It does not answer.")

    journal = Journal(tmp_path)
    with (
        pytest.raises(TidemarkError, match=r"is left \(It does not answer\); to remove it:"),
        monkeypatch.context() as patched,
        lost_publishes(journal, aws, deployment, None),
    ):
        patched.setattr(setting, "_set", refuse)

    assert journal.undo().done == [f"TOPIC_ARN of the function {HANDLER} is {TOPIC} again."]
    assert variables(aws) == WHOLE
