"""A target is written down before it is started, and until it is stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tidemark.errors import TidemarkError
from tidemark.host.deployment import Deployment, paths
from tidemark.host.undo import Journal
from tidemark.targets.base import TargetOptions
from tidemark.targets.embedded import EmbeddedTarget
from tidemark.targets.stopping import is_started, starting, stop_started

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def target(tmp_path: Path, stops: list[str]) -> EmbeddedTarget:  # noqa: ARG001 -- it is not to stop for real
    return EmbeddedTarget(TargetOptions(state=tmp_path))


@pytest.fixture
def stops(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was stopped."""
    stopped: list[str] = []

    def stop(target: EmbeddedTarget) -> bool:
        stopped.append(target.name)
        return True

    monkeypatch.setattr(EmbeddedTarget, "stop", stop)
    return stopped


def test_one_that_is_started_runs_on_until_it_is_stopped_and_what_was_on_it_is_forgotten(
    target: EmbeddedTarget, stops: list[str], tmp_path: Path
) -> None:
    for name in ("embedded", "endpoint"):
        Deployment(
            target=name,
            endpoint="http://127.0.0.1:1",
            region="us-east-1",
            stack_name="Tidemark",
            api_url="",
            template_digest="",
            outputs={},
        ).save(tmp_path)
    with starting(target):
        assert is_started(target)  # whatever happens to this process now
    assert is_started(target)
    assert stops == []

    assert stop_started(tmp_path, "embedded").done == ["The embedded target is stopped."]

    assert not is_started(target)
    assert [path.name for path in paths(tmp_path)] == ["endpoint.Tidemark.json"]


@pytest.mark.parametrize("error", [TidemarkError("It did not start."), KeyboardInterrupt()])
def test_one_that_fails_to_start_is_stopped(
    target: EmbeddedTarget, stops: list[str], error: BaseException
) -> None:
    with pytest.raises(type(error)), starting(target):
        raise error

    assert stops == ["embedded"]
    assert not is_started(target)


def test_one_that_is_begun_anew_and_fails_is_stopped_as_well(
    target: EmbeddedTarget, stops: list[str], tmp_path: Path
) -> None:
    with starting(target):
        pass
    Journal(tmp_path).keep()

    with pytest.raises(TidemarkError), starting(target):
        raise TidemarkError("It did not start.")

    assert stops == ["embedded"]
    assert not is_started(target)


def test_one_that_can_neither_be_started_nor_stopped_is_named_with_what_removes_it(
    target: EmbeddedTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_: EmbeddedTarget) -> bool:
        raise TidemarkError("It does not end.")

    monkeypatch.setattr(EmbeddedTarget, "stop", stop)
    with pytest.raises(TidemarkError, match="It did not start") as failed, starting(target):
        raise TidemarkError("It did not start.")

    remedy = f"TIDEMARK_STATE_DIR={tmp_path} tidemark down"
    [note] = failed.value.__notes__
    assert note == f"The embedded target is left (It does not end); to remove it: {remedy}"
    assert is_started(target)
