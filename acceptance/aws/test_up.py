"""What `up` leaves as it is: what is deployed and does not work, and how it was chosen to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NoReturn

import pytest

from acceptance.aws.small_stack import Person, RecordingCdk, bring_up, write_app
from tidemark import targets
from tidemark.deploy import evidence, first_deposit
from tidemark.deploy.first_deposit import DoesNotWorkError, FirstDeposit
from tidemark.errors import InterruptedByUserError
from tidemark.host.deployment import paths
from tidemark.host.locking import locked
from tidemark.targets.aws import AwsTarget
from tidemark.targets.base import TargetOptions
from tidemark.targets.stopping import starting

if TYPE_CHECKING:
    from pathlib import Path

    import boto3

    from acceptance.aws.conftest import Run
    from tidemark.aws.connection import Connection


class OwnTarget(AwsTarget):
    """moto's account, as a target that is started and stopped here."""

    name: ClassVar[str] = "aws"
    is_ours: ClassVar[bool] = True
    asks_first: ClassVar[bool] = False
    runs: ClassVar[list[str]] = []

    def start(self) -> Connection:
        with starting(self):
            self.runs.append("started")
        return super().start()

    def find(self) -> Connection | None:
        return super().start() if self.runs and self.runs[-1] == "started" else None

    def stop(self) -> bool:
        self.runs.append("stopped")
        return True


@pytest.fixture(autouse=True)
def _small(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_app(checkout)
    monkeypatch.setattr("tidemark.cli.stack.Cdk", RecordingCdk)
    monkeypatch.setattr(first_deposit, "make", lambda *_: FirstDeposit("a", 1, 1, 0, 0, 0))
    monkeypatch.setattr(OwnTarget, "runs", [])


@pytest.fixture
def own_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OwnTarget:
    target = OwnTarget(TargetOptions(state=tmp_path / "state"))
    monkeypatch.setattr(targets, "create", lambda *_: target)
    return target


def does_not_work(*_: object) -> NoReturn:
    raise DoesNotWorkError("It does not work.")


def test_what_does_not_work_stays_is_known_and_the_way_to_remove_it_is_said(
    account: boto3.Session, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_deposit, "make", does_not_work)

    ended = run("up", "--target", "aws", "--yes")

    assert ended.exit_code == 70
    assert (
        "It does not work. It stays as it is, to be looked at with `tidemark logs`; "
        "`tidemark down --target aws` removes it. What there is to look at: "
        f"{tmp_path}/state/failed/Tidemark" in ended.sentence
    )
    account.client("cloudformation").describe_stacks(StackName="Tidemark")
    assert [path.name for path in paths(tmp_path / "state")] == ["aws.Tidemark.json"]
    assert run("down", "--target", "aws", "--yes").exit_code == 0


@pytest.mark.usefixtures("account")
def test_a_target_that_was_started_for_it_runs_on(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_deposit, "make", does_not_work)
    target = OwnTarget(TargetOptions(state=tmp_path / "state"))

    with pytest.raises(DoesNotWorkError):
        bring_up(target, checkout, Person()).up()

    assert target.runs == ["started"]


@pytest.mark.usefixtures("account")
def test_a_target_that_was_started_is_stopped_and_forgotten_when_the_user_interrupts(
    checkout: Path, own_target: OwnTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(first_deposit, "make", interrupt)
    with pytest.raises(InterruptedByUserError):
        bring_up(own_target, checkout, Person()).up()

    assert own_target.runs == ["started", "stopped"]
    assert paths(tmp_path / "state") == []


@pytest.mark.usefixtures("account")
def test_a_second_up_keeps_what_the_first_was_told_and_says_so(run: Run) -> None:
    up = ["up", "--target", "aws", "--yes"]
    assert run(*up, "--retention", "retain").exit_code == 0

    ended = run(*up)

    assert (
        "Stack Tidemark: it keeps retention retain, as it is deployed (-c retention=destroy "
        "changes that)." in ended.sentence
    )
    assert "is there and current" in ended.sentence


@pytest.mark.usefixtures("account")
def test_a_diff_waits_for_no_deploy(run: Run, tmp_path: Path) -> None:
    assert run("up", "--target", "aws", "--yes").exit_code == 0

    with locked(tmp_path / "state"):
        ended = run("diff", "--target", "aws")

    assert ended.exit_code == 64
    assert "is at work in" in ended.sentence


@pytest.mark.usefixtures("account")
def test_a_diff_of_a_stack_that_is_not_there_yet_runs(run: Run) -> None:
    assert run("diff", "--target", "aws").exit_code == 0


@pytest.mark.usefixtures("account")
def test_a_ctrl_c_while_evidence_is_kept_ends_that_alone(
    checkout: Path, own_target: OwnTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr("tidemark.deploy.undoing.keep_evidence", interrupt)
    with pytest.raises(Exception, match="deploy of Tidemark failed: it failed") as error:
        bring_up(own_target, checkout, Person(), fails=["deploy"]).up()

    assert "Interrupted before all" in error.value.__notes__[0]
    assert own_target.runs == ["started", "stopped"]
    assert evidence.keep is not interrupt
