"""Docker is a help to some targets, and a need of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.targets.fake_engine import IMAGE, RUNNING, FakeEngine, exited, in_use
from tidemark.doctor import containers, docker
from tidemark.doctor.finding import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.doctor.finding import Finding


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    """The engine that docker's client finds."""
    fake = FakeEngine()
    with in_use(fake, monkeypatch):
        yield fake


def examine(
    environ: dict[str, str] | None = None, *, is_needed: bool = False
) -> dict[str, Finding]:
    return {one.name: one for one in docker.examine(environ or {}, is_needed=is_needed)}


def test_an_engine_with_the_image_is_well(engine: FakeEngine) -> None:
    assert engine.images == {IMAGE}

    found = examine(is_needed=True)

    assert {finding.state for finding in found.values()} == {State.OK}
    says = found["Docker"].says
    assert says.startswith("engine 27.0, DOCKER_HOST tcp://127.0.0.1:")
    assert says.endswith(", socket /var/run/docker.sock")
    assert found["LocalStack image"].says == f"{IMAGE} is here"


@pytest.mark.parametrize(("is_needed", "state"), [(False, State.WARNING), (True, State.PROBLEM)])
def test_no_engine_is_a_problem_only_for_a_target_in_docker(
    monkeypatch: pytest.MonkeyPatch,
    is_needed: bool,  # noqa: FBT001 -- a parameter of the test
    state: State,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")

    found = examine(is_needed=is_needed)

    assert [(name, one.state) for name, one in found.items()] == [("Docker", state)]
    assert found["Docker"].says == (
        "no Docker engine answers (DOCKER_HOST unix:///nowhere/docker.sock)"
    )
    assert str(found["Docker"].fix).startswith(
        "start it, correct DOCKER_HOST or the docker context"
    )


def test_an_engine_that_this_user_may_not_use_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tidemark.targets.engine._knock", refuse)

    finding = examine()["Docker"]

    assert "does not let this user in" in finding.says
    assert "the group docker" in str(finding.fix)


def test_a_missing_image_is_a_warning_for_it_can_be_pulled(engine: FakeEngine) -> None:
    engine.images.clear()

    finding = examine(is_needed=True)["LocalStack image"]

    assert finding.state is State.WARNING
    assert f"docker pull {IMAGE}" in str(finding.fix)


def test_a_newer_image_without_a_token_is_a_warning(engine: FakeEngine) -> None:
    newer = {"LOCALSTACK_IMAGE": "localstack/localstack:2026.10"}
    engine.images.add(newer["LOCALSTACK_IMAGE"])

    without = examine(newer)["LocalStack image"]
    with_token = examine(newer | {"LOCALSTACK_AUTH_TOKEN": "t0ken"})["LocalStack image"]

    assert (without.state, with_token.state) == (State.WARNING, State.OK)
    assert "t0ken" not in str(with_token)


def test_containers_are_left_over_once_their_localstack_is_gone(engine: FakeEngine) -> None:
    for name, project, state in (
        ("tidemark-abc-localstack", "tidemark-abc", RUNNING),
        ("function-1", "tidemark-abc", RUNNING),
        ("paused-localstack", "paused", {"Status": "paused"}),
        ("function-2", "gone", RUNNING),
        ("function-3", "gone", RUNNING),
        ("dead-localstack", "dead", exited(137)),
    ):
        labels = {"tidemark.project": project}
        engine.add(name, {"Image": "lambda", "Labels": labels}).state = state
    engine.add("theirs", {"Image": "postgres", "Labels": {}}).state = RUNNING

    found = list(containers.find_orphans())

    assert [finding.says for finding in found] == [
        "2 containers of a LocalStack that is gone (tidemark.project=gone)",
        "1 containers of a LocalStack that is gone (tidemark.project=dead)",
    ]
    assert str(found[0].fix).endswith("--filter label=tidemark.project=gone)")


def test_without_docker_no_container_is_left_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")

    assert list(containers.find_orphans()) == []
