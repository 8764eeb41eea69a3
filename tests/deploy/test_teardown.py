"""Taking down goes on after a failure: what can be removed is removed, and the rest is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tidemark.aws import stacks
from tidemark.aws.connection import Connection
from tidemark.deploy import teardown
from tidemark.errors import TidemarkError
from tidemark.host.deployment import Deployment, paths
from tidemark.host.undo import Journal
from tidemark.targets.base import TargetOptions
from tidemark.targets.embedded import EmbeddedTarget
from tidemark.targets.endpoint import EndpointTarget
from tidemark.targets.stopping import starting

if TYPE_CHECKING:
    from pathlib import Path

ENDPOINT = "http://127.0.0.1:4000"
DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DeleteStack")


def record(state: Path, target: str, stack_name: str) -> None:
    Deployment(
        target=target,
        endpoint=ENDPOINT,
        region="us-east-1",
        stack_name=stack_name,
        api_url="",
        template_digest="",
        outputs={},
    ).save(state)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three stacks on an emulator that answers, and one on a target that runs here."""
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path))
    connection = Connection(region="us-east-1", endpoint=ENDPOINT)
    monkeypatch.setattr(EndpointTarget, "find", lambda _: connection)
    monkeypatch.setattr(EmbeddedTarget, "stop", lambda _: True)
    for name in ("First", "Second", "Third"):
        record(tmp_path, "endpoint", name)
    record(tmp_path, "embedded", "Tidemark")
    with starting(EmbeddedTarget(TargetOptions(state=tmp_path))):
        pass
    Journal(tmp_path).keep()
    return tmp_path


@pytest.mark.parametrize(
    "error", [TidemarkError("a lock"), DENIED, EndpointConnectionError(endpoint_url=ENDPOINT)]
)
def test_the_others_are_removed_and_the_failures_are_said_at_the_end(
    state: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def delete(_: object, stack_name: str) -> bool:
        if stack_name != "Second":
            raise error
        return True

    monkeypatch.setattr(stacks, "delete", delete)
    lines = teardown.down(state)

    assert next(lines) == f"Second on {ENDPOINT} is deleted."
    assert next(lines) == "The embedded target is stopped."
    with pytest.raises(TidemarkError) as failed:
        next(lines)
    assert str(failed.value).count(str(error).rstrip(".")) == 2
    assert [path.name for path in paths(state)] == ["endpoint.First.json", "endpoint.Third.json"]


def test_a_target_that_cannot_be_stopped_keeps_its_record_alone(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_: EmbeddedTarget) -> bool:
        raise TidemarkError("It does not end.")

    monkeypatch.setattr(EmbeddedTarget, "stop", stop)
    monkeypatch.setattr(stacks, "delete", lambda *_: True)

    left = r"^The embedded target is left \(It does not end\); to remove it: .* tidemark down$"
    with pytest.raises(TidemarkError, match=left):
        list(teardown.down(state))

    assert len(Journal(state).entries()) == 1
    assert [path.name for path in paths(state)] == ["embedded.Tidemark.json"]


@pytest.fixture
def noted(state: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """A stack on an endpoint that a run was to have for itself."""
    connection = Connection(region="us-east-1", endpoint=ENDPOINT)
    monkeypatch.setattr(EndpointTarget, "start", lambda _: connection)
    [first, *_] = [Deployment.load(path) for path in paths(state) if "endpoint" in path.name]
    teardown.begin(state, first)
    return Journal(state)


def test_a_stack_of_a_run_that_was_killed_is_deleted_and_forgotten(
    noted: Journal, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = stacks.LiveStack("CREATE_COMPLETE", {}, tags=dict(stacks.OUR_TAGS))
    monkeypatch.setattr(stacks, "await_settled", lambda *_: live)
    deleted: list[str] = []
    monkeypatch.setattr(stacks, "delete", lambda _, name: deleted.append(name))

    assert noted.heal().done == ["First on endpoint is deleted."]

    assert deleted == ["First"]
    assert "endpoint.First.json" not in {path.name for path in paths(state)}


def test_a_stack_of_that_name_that_is_somebody_elses_is_left(
    noted: Journal, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = stacks.LiveStack("CREATE_COMPLETE", {})
    monkeypatch.setattr(stacks, "await_settled", lambda *_: live)

    [left] = noted.heal().left

    assert left == (
        "First on endpoint is left (it is not of Tidemark's making); to remove it: "
        f"TIDEMARK_STATE_DIR={state} tidemark destroy --target endpoint --stack-name First"
    )


def test_a_stack_that_was_deleted_by_hand_is_not_left(noted: Journal, state: Path) -> None:
    (state / "deployments" / "endpoint.First.json").unlink()

    assert noted.heal().left == []
    assert [one.what for one in noted.entries()] == ["The embedded target"]


def test_what_was_not_started_here_is_not_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path))

    assert list(teardown.down(tmp_path)) == ["Nothing was running."]
