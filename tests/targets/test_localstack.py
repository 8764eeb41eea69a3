"""LocalStack on an engine that is none: what it is started with, found by, and what is left."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from testcontainers.core.config import testcontainers_config

from tests.targets.fake_engine import CHOSEN_PORT, IMAGE, RUNNING, FakeEngine, exited
from tidemark.errors import NotStartedError, TidemarkError
from tidemark.host.undo import Journal
from tidemark.targets import compose_file, emulators
from tidemark.targets import engine as engine_of_docker
from tidemark.targets.base import SilentTargetError, Target, TargetOptions
from tidemark.targets.compose_file import read
from tidemark.targets.localstack import LocalStackTarget

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PORT = 45661
ENDPOINT = f"http://127.0.0.1:{PORT}"


@pytest.fixture(autouse=True)
def _answering(monkeypatch: pytest.MonkeyPatch) -> None:
    """LocalStack answers wherever it is asked, and nobody waits for long."""
    monkeypatch.setattr(emulators, "health", lambda *_: {"version": "4.14.0"})
    monkeypatch.setattr(Target, "patience_s", 0.0)
    monkeypatch.setattr(engine_of_docker, "_GONE_WITHIN_S", 0.1)
    monkeypatch.setattr(testcontainers_config, "_ryuk_disabled", False)


@pytest.fixture
def target(engine: FakeEngine, tmp_path: Path) -> LocalStackTarget:  # noqa: ARG001 -- where it starts
    return LocalStackTarget(TargetOptions(state=tmp_path / "state", port=PORT))


def again(target: LocalStackTarget, **options: object) -> LocalStackTarget:
    """The same for another process."""
    return LocalStackTarget(TargetOptions(state=target.options.state, **options))  # type: ignore[arg-type]


def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on nothing answers."""
    monkeypatch.setattr(emulators, "health", lambda *_: None)


def test_it_is_started_as_the_compose_file_describes_it(
    engine: FakeEngine, target: LocalStackTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALSTACK_AUTH_TOKEN", "ls-token")

    connection = target.start()

    assert connection.endpoint == ENDPOINT
    [started] = engine.created  # and no reaper
    assert testcontainers_config.ryuk_disabled is False, "that of the caller's own containers stays"
    project = {"COMPOSE_PROJECT_NAME": target.project, "LOCALSTACK_AUTH_TOKEN": "ls-token"}
    service, told = read(project), started.created_as
    assert dict(one.split("=", 1) for one in told["Env"]) == service["environment"]
    assert service["environment"]["LOCALSTACK_AUTH_TOKEN"] == "ls-token"
    assert (started.image, started.name) == (IMAGE, service["container_name"])
    assert started.labels.items() >= service["labels"].items()
    assert told["HostConfig"]["PortBindings"] == {
        "4566/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(PORT)}]
    }
    assert told["HostConfig"]["Binds"] == ["/var/run/docker.sock:/var/run/docker.sock:rw"]


def test_that_it_has_the_engines_socket_is_said_when_it_starts(
    target: LocalStackTarget, capsys: pytest.CaptureFixture[str]
) -> None:
    target.start()
    assert "LocalStack is given Docker's socket: as good as root" in capsys.readouterr().err

    target.start()  # it runs already
    assert capsys.readouterr().err == ""


def test_one_of_a_test_session_stays_away_from_the_usual_port(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALSTACK_PORT", str(PORT))
    own = LocalStackTarget(TargetOptions(state=tmp_path / "own", is_private=True))
    usual = LocalStackTarget(TargetOptions(state=tmp_path / "usual"))

    assert own.start().endpoint == f"http://127.0.0.1:{CHOSEN_PORT}"
    assert usual.start().endpoint == ENDPOINT
    assert len({one.name for one in engine.created}) == 2


def test_stopping_removes_it_and_its_function_containers_and_nothing_else(
    engine: FakeEngine, target: LocalStackTarget
) -> None:
    target.start()
    labels = {"tidemark.project": target.project}
    for name, own in {"function": labels, "theirs": {"tidemark.project": "other"}}.items():
        engine.add(name, {"Image": "lambda", "Labels": own}).state = RUNNING

    assert again(target).stop() is True

    assert engine.containers.keys() == {"theirs"}
    main = engine.created[0].name
    assert engine.calls[1:3] == [f"stop {main}", f"delete {main}"], "it removes its own functions"
    assert target.stop() is False


def test_what_is_killed_while_it_starts_is_written_down_and_undone_by_the_next_run(
    engine: FakeEngine, target: LocalStackTarget
) -> None:
    written: list[str] = []
    journal = Journal(target.options.state)
    engine.on_create = lambda: written.extend(one.what for one in journal.entries())

    target.start()

    assert written == ["The localstack target"]
    assert Journal(target.options.state).heal().done == ["The localstack target is stopped."]
    assert engine.containers == {}


def test_ctrl_c_leaves_nothing_although_the_engine_goes_on_creating(
    engine: FakeEngine, target: LocalStackTarget
) -> None:
    engine.on_create = lambda: os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        target.start()

    assert len(engine.created) == 1
    assert engine.containers == {}


@pytest.mark.parametrize(
    ("state", "is_there"),
    [(RUNNING, True), (exited(137), False), ({"Status": "created"}, False), (None, False)],
)
def test_it_is_found_while_its_own_container_runs(
    engine: FakeEngine, target: LocalStackTarget, state: dict[str, object] | None, *, is_there: bool
) -> None:
    target.start()
    [container] = engine.created
    if state is None:
        del engine.containers[container.name]
    else:
        container.state = state

    assert (again(target).find() is not None) is is_there


def miss_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Target, "patience_s", 5.0)
    answers = iter([None])
    monkeypatch.setattr(emulators, "health", lambda *_: next(answers, {"version": "4.14.0"}))


def test_a_missed_health_check_is_not_taken_for_the_end(
    engine: FakeEngine, target: LocalStackTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    target.start()
    miss_one(monkeypatch)

    assert again(target).start().endpoint == ENDPOINT

    assert len(engine.created) == len(engine.containers) == 1


@pytest.mark.parametrize("state", [RUNNING, RUNNING | {"Status": "paused", "Paused": True}])
def test_one_that_runs_and_stays_silent_is_left_alone_and_said(
    engine: FakeEngine,
    target: LocalStackTarget,
    monkeypatch: pytest.MonkeyPatch,
    state: dict[str, object],
) -> None:
    target.start()
    engine.created[0].state = state
    silent(monkeypatch)

    for ask in (again(target).find, again(target).start):
        with pytest.raises(SilentTargetError, match=r"runs and has not answered .*`tidemark down`"):
            ask()

    assert len(engine.containers) == 1


def test_one_that_has_ended_is_started_anew_and_its_rest_removed(
    engine: FakeEngine, target: LocalStackTarget
) -> None:
    target.start()
    engine.created[0].state = exited(137)
    labels = {"tidemark.project": target.project}
    engine.add("function", {"Image": "lambda", "Labels": labels})

    again(target, port=PORT).start()

    assert [one.image for one in engine.containers.values()] == [IMAGE]
    assert len(engine.created) == 3


def test_one_whose_record_is_lost_is_found_by_its_name_or_its_label(
    engine: FakeEngine, target: LocalStackTarget
) -> None:
    target.start()
    record = target.options.state / "localstack" / "container.json"
    record.unlink()
    assert target.find() is None, "nobody asks the engine without a reason"

    assert target.start().endpoint == ENDPOINT
    record.unlink()
    assert target.stop() is True

    assert engine.containers == {}


def test_how_it_ended_is_known_later(
    engine: FakeEngine, target: LocalStackTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    never_started = LocalStackTarget(TargetOptions(state=tmp_path))
    assert never_started.how_ended() is None
    target.start()
    [container] = engine.created

    assert target.how_ended() is None
    container.state = exited(3)
    assert target.how_ended() == "exit code 3"
    engine.is_gone = True
    assert target.how_ended() is None, "an engine that answers badly may only be busy"
    engine.is_gone = False
    engine.containers.clear()
    assert target.how_ended() == "its container is gone"
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    assert target.how_ended() == "no Docker engine answers (DOCKER_HOST tcp://127.0.0.1:1)"


def test_the_image_that_runs_is_told_whatever_the_shell_asks_for(
    engine: FakeEngine, target: LocalStackTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    target.start()
    monkeypatch.setenv("LOCALSTACK_IMAGE", "acme/localstack:10")

    assert target.versions() == {
        "image": IMAGE,
        "image id": f"sha256:of-{IMAGE}",
        "localstack": "4.14.0",
    }
    engine.containers.clear()
    assert target.versions() == {}


def test_where_there_is_no_engine_the_version_is_that_of_what_answers(
    target: LocalStackTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    target.start()
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    monkeypatch.setattr(compose_file, "_FILE", target.options.state / "not in an image")

    assert again(target, endpoint_url=ENDPOINT).versions() == {"localstack": "4.14.0"}


def test_another_port_or_image_than_what_runs_is_refused(
    target: LocalStackTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    target.start()

    with pytest.raises(NotStartedError, match=f"already runs on port {PORT}: leave out --port"):
        again(target, port=PORT + 1).start()
    monkeypatch.setenv("LOCALSTACK_IMAGE", "acme/localstack:10")
    with pytest.raises(
        NotStartedError, match=f"already runs the image {IMAGE}: leave out LOCALSTACK"
    ):
        again(target).start()
    monkeypatch.setenv("LOCALSTACK_IMAGE", IMAGE)
    assert again(target, port=PORT).start() == target.find()


@pytest.mark.parametrize("kept", ["main", "function"])
def test_what_the_engine_keeps_is_named_and_still_known(
    engine: FakeEngine, target: LocalStackTarget, kept: str
) -> None:
    target.start()
    name = engine.created[0].name if kept == "main" else kept
    engine.add("function", {"Image": "lambda", "Labels": {"tidemark.project": target.project}})
    engine.keeps = lambda one: one.name == name

    with pytest.raises(TidemarkError, match=rf"^LocalStack is left: .*{name}.*`docker rm --force`"):
        target.stop()

    assert engine.containers.keys() == {name}
    engine.keeps = lambda _: False
    assert again(target).stop() is True


def test_an_engine_that_goes_away_is_said_when_it_is_to_remove_and_asked_again(
    engine: FakeEngine, target: LocalStackTarget, tmp_path: Path
) -> None:
    target.start()
    engine.is_gone = True

    with pytest.raises(TidemarkError, match="Docker engine answers"):
        target.stop()
    target.keep_log(tmp_path / "target.log")
    assert not (tmp_path / "target.log").exists()

    engine.is_gone = False
    assert target.stop() is True


def test_without_docker_there_is_nothing_to_find_or_stop(
    target: LocalStackTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")

    assert target.find() is None
    assert target.stop() is False


def test_state_folders_do_not_share_a_localstack(tmp_path: Path) -> None:
    at: Callable[[str], LocalStackTarget] = lambda name: LocalStackTarget(  # noqa: E731 -- typed
        TargetOptions(state=tmp_path / name)
    )

    assert at("a").project != at("b").project
