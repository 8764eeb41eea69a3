"""LocalStack by testcontainers, on an engine that is none: what it is told, and what goes wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import docker
import pytest
from docker.errors import DockerException
from testcontainers.core.config import ConnectionMode, testcontainers_config
from testcontainers.core.container import Reaper
from testcontainers.core.labels import LABEL_SESSION_ID, SESSION_ID

from tests.api.servers import bare_socket, served
from tests.testing.fake_engine import RUNNING, FakeEngine
from tidemark.errors import TidemarkError
from tidemark.targets import emulators
from tidemark.targets.base import TargetOptions
from tidemark.targets.container import SETTINGS, ContainerTarget
from tidemark.targets.localstack import DEFAULT_IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tidemark.api.exchange import Answer

RYUK = testcontainers_config.ryuk_image
PORT = 45662


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    """An engine with both images, whose Ryuk listens, and whose LocalStack answers."""
    for name in ("LOCALSTACK_IMAGE", "LOCALSTACK_AUTH_TOKEN", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(testcontainers_config, "tc_host_override", None)
    monkeypatch.setattr(testcontainers_config, "_ryuk_disabled", False)
    # Else it depends on where the tests run: in a container, by another address.
    mode = ConnectionMode.docker_host
    monkeypatch.setattr(testcontainers_config, "connection_mode_override", mode)
    monkeypatch.setattr(emulators, "answers", lambda *_: True)
    with bare_socket(lambda _: None) as (ryuk, _):
        port = int(ryuk.rpartition(":")[2])
        fake = FakeEngine({DEFAULT_IMAGE, RYUK}, {RYUK: port, DEFAULT_IMAGE: PORT})
        with served(fake) as endpoint:
            monkeypatch.setenv("DOCKER_HOST", endpoint.replace("http", "tcp"))
            yield fake
            fake.is_gone = False
            Reaper.delete_instance()


@pytest.fixture
def localstack(engine: FakeEngine, tmp_path: Path) -> ContainerTarget:  # noqa: ARG001 -- where it starts
    return ContainerTarget(TargetOptions(state=tmp_path))


def test_what_it_is_started_with(
    engine: FakeEngine, localstack: ContainerTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALSTACK_AUTH_TOKEN", "ls-token")

    connection = localstack.start()

    assert connection.endpoint == f"http://127.0.0.1:{PORT}"
    _, started = engine.created
    told = started.created_as
    environment = dict(one.split("=", 1) for one in told["Env"])
    assert environment.items() >= SETTINGS.items()
    assert environment["LOCALSTACK_AUTH_TOKEN"] == "ls-token"
    assert environment["MAIN_CONTAINER_NAME"] == started.name
    # By the first the reaper finds a function container of a killed session, by the second `stop`.
    of_session = f"{LABEL_SESSION_ID}={SESSION_ID}"
    mark = f"tidemark.testbed={started.name.rpartition('-')[2]}"
    assert environment["LAMBDA_DOCKER_FLAGS"] == f"-l {of_session} -l {mark}"
    assert told["Labels"][LABEL_SESSION_ID] == SESSION_ID
    assert told["HostConfig"]["PortBindings"] == {
        "4566/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]
    }
    assert any(one.endswith(":/var/run/docker.sock:rw") for one in told["HostConfig"]["Binds"])


def test_stopping_removes_it_and_its_function_containers_and_nothing_else(
    engine: FakeEngine, localstack: ContainerTarget
) -> None:
    localstack.start()
    mark = engine.created[1].name.rpartition("-")[2]
    for name, labels in {"function": {"tidemark.testbed": mark}, "theirs": {"a": "b"}}.items():
        engine._create(name, {"Image": "lambda", "Labels": labels})

    assert localstack.stop() is True

    assert {one.image for one in engine.containers.values()} == {RYUK, "lambda"}
    assert "theirs" in engine.containers
    assert "function" not in engine.containers
    assert localstack.stop() is False


def test_one_that_is_kept_has_no_reaper(engine: FakeEngine, tmp_path: Path) -> None:
    kept = ContainerTarget(TargetOptions(state=tmp_path), outlives=True)

    kept.start()

    [container] = engine.created
    assert container.image == DEFAULT_IMAGE
    assert container.name in kept.how_to_remove


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            (404, f"manifest for {DEFAULT_IMAGE} not found: manifest unknown"),
            rf"{DEFAULT_IMAGE} is not on this machine and cannot be pulled \(manifest for",
        ),
        (
            (500, "failed to register layer: write /usr/lib/x: no space left on device"),
            "The disk is full where Docker keeps its images and containers",
        ),
        ((500, "something else."), rf"Docker does not start {DEFAULT_IMAGE}: something else\.$"),
    ],
)
def test_an_image_that_cannot_be_pulled_is_a_sentence(
    engine: FakeEngine, localstack: ContainerTarget, said: tuple[int, str], sentence: str
) -> None:
    engine.images.remove(DEFAULT_IMAGE)
    engine.pull_says = said

    with pytest.raises(TidemarkError, match=sentence):
        localstack.start()

    assert nothing_is_left(engine)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("mkdir /var/lib/docker: no space left on device", "The disk is full where Docker keeps"),
        ("OCI runtime create failed", f"Docker does not start {DEFAULT_IMAGE}: OCI runtime"),
    ],
)
def test_a_container_that_does_not_start_is_a_sentence(
    engine: FakeEngine, localstack: ContainerTarget, said: str, sentence: str
) -> None:
    engine.start_says[DEFAULT_IMAGE] = (500, said)

    with pytest.raises(TidemarkError, match=sentence):
        localstack.start()

    assert nothing_is_left(engine)


@pytest.mark.parametrize(
    ("state", "log", "sentence"),
    [
        (
            {"Status": "exited", "ExitCode": 55},
            "License activation failed! No credentials were found in the environment.",
            f"The image {DEFAULT_IMAGE} needs a token: set LOCALSTACK_AUTH_TOKEN",
        ),
        (
            {"Status": "exited", "ExitCode": 137, "OOMKilled": True},
            "Ready.",
            "the machine ran out of memory for it; its last words: Ready",
        ),
    ],
)
def test_a_container_that_ends_at_once_is_told_by_its_end_and_its_words(
    engine: FakeEngine,
    localstack: ContainerTarget,
    state: dict[str, Any],
    log: str,
    sentence: str,
) -> None:
    engine.starts_as[DEFAULT_IMAGE] = state
    engine.log = log

    with pytest.raises(TidemarkError, match=sentence):
        localstack.start()

    kept = localstack.options.state / "failed" / "localstack.log"
    assert log in kept.read_text(encoding="utf-8")
    assert nothing_is_left(engine)


def test_a_reaper_without_an_image_is_told_from_a_localstack_without_one(
    engine: FakeEngine, localstack: ContainerTarget
) -> None:
    engine.images.remove(RYUK)

    with pytest.raises(TidemarkError) as raised:
        localstack.start()

    sentence = str(raised.value)
    assert sentence.startswith(f"Docker does not start {RYUK}, which removes what a killed")
    assert "(manifest unknown): name another by RYUK_CONTAINER_IMAGE" in sentence
    assert DEFAULT_IMAGE not in sentence
    assert engine.created == []


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({"Status": "exited", "ExitCode": 1}, "container did not become running"),
        (RUNNING, "Port mapping for container .* is not available"),
    ],
)
def test_a_reaper_that_does_not_run_is_a_sentence_and_is_not_left(
    engine: FakeEngine, localstack: ContainerTarget, state: dict[str, Any], says: str
) -> None:
    engine.starts_as[RYUK] = state
    engine.host_ports = {DEFAULT_IMAGE: PORT}

    with pytest.raises(TidemarkError, match=rf"Docker does not start {RYUK}, .* \({says}"):
        localstack.start()

    assert engine.containers == {}


def test_an_engine_that_goes_away_is_said_when_it_is_to_remove_and_asked_again(
    engine: FakeEngine, localstack: ContainerTarget, tmp_path: Path
) -> None:
    localstack.start()
    engine.is_gone = True

    with pytest.raises(TidemarkError, match="Docker does not remove LocalStack") as raised:
        localstack.stop()
    assert "(the engine is shutting down); once it answers: docker stop" in str(raised.value)
    assert localstack.how_ended() == "the Docker engine does not answer"
    localstack.keep_log(tmp_path / "target.log")
    assert not (tmp_path / "target.log").exists()

    engine.is_gone = False
    assert localstack.stop() is True
    assert nothing_is_left(engine)


def test_an_engine_that_goes_away_while_localstack_starts_says_both(
    engine: FakeEngine, localstack: ContainerTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answers(*_: object) -> bool:
        engine.is_gone = True
        return False

    monkeypatch.setattr(emulators, "answers", answers)

    with pytest.raises(TidemarkError, match="the Docker engine does not answer") as raised:
        localstack.start()

    [note] = raised.value.__notes__
    assert note.startswith("Docker does not remove LocalStack")


def test_a_function_container_that_localstack_removes_meanwhile_is_no_trouble(
    localstack: ContainerTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    localstack.start()
    call = FakeEngine._of_container

    def removing(self: FakeEngine, method: str, name: str, verb: str = "") -> Answer:
        answer = call(self, method, name, verb)
        return call(self, method, name, verb) if method == "DELETE" else answer

    monkeypatch.setattr(FakeEngine, "_of_container", removing)

    assert localstack.stop() is True


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            "('Connection aborted.', PermissionError(13, 'Permission denied'))",
            r"Docker does not let this user in \(permission denied\): add the user to the group",
        ),
        ("Error while fetching server API version: no such file", "No Docker engine answers"),
    ],
)
def test_an_engine_that_lets_nobody_in_is_told_from_none(
    localstack: ContainerTarget, monkeypatch: pytest.MonkeyPatch, error: str, sentence: str
) -> None:
    def refuse(**_: object) -> None:
        raise DockerException(error)

    monkeypatch.setattr(docker, "from_env", refuse)

    with pytest.raises(TidemarkError, match=sentence):
        localstack.start()


def nothing_is_left(engine: FakeEngine) -> bool:
    """Whether no container is there but the reaper."""
    return {one.image for one in engine.containers.values()} == {RYUK}
