"""LocalStack when Docker is in trouble: one sentence that helps, and nothing left behind."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tidemark.errors import RefusedError, TidemarkError
from tidemark.targets import compose, emulators
from tidemark.targets import localstack as module
from tidemark.targets.base import TargetOptions
from tidemark.targets.choice import choose
from tidemark.targets.localstack import LocalStackTarget

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PORT = 45661
RUNNING = {"Status": "running", "ExitCode": 0, "OOMKilled": False}


def shown(
    state: dict[str, object], image: str = "acme/localstack:9", ports: Iterable[int] = ()
) -> str:
    """What `docker container inspect` shows of a container."""
    published = [{"HostIp": "127.0.0.1", "HostPort": str(port)} for port in ports]
    container = {
        "State": state,
        "Image": f"sha256:of-{image}",
        "Config": {"Image": image},
        "NetworkSettings": {"Ports": {"4566/tcp": published, "5678/tcp": None}},
    }
    return json.dumps([container])


@dataclass(frozen=True)
class Docker:
    """A `docker` alone on the PATH; it says what it is told to say, and notes its calls."""

    folder: Path

    def says(self, **answers: tuple[int, str]) -> None:
        """For each word that may stand among the arguments: exit code and output."""
        cases = "\n".join(
            f'*" {word} "*) printf "%s\\n" {shlex.quote(text)} >&{2 if code else 1}; exit {code};;'
            for word, (code, text) in answers.items()
        )
        note = f'echo "$LOCALSTACK_IMAGE|$*" >>{self.folder}/calls'
        script = f'#!/bin/sh\n{note}\ncase " $* " in\n{cases}\nesac\n'
        (self.folder / "docker").write_text(script)
        (self.folder / "docker").chmod(0o755)

    @property
    def calls(self) -> list[str]:
        """The verbs of Compose that were called."""
        words = [line.partition("docker-compose.yml ")[2].split() for line in self._noted]
        return [one[0] for one in words if one]

    @property
    def images(self) -> set[str]:
        """The images that Compose was told."""
        return {line.partition("|")[0] for line in self._noted if "docker-compose.yml" in line}

    @property
    def _noted(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    for name in ("LOCALSTACK_IMAGE", "LOCALSTACK_AUTH_TOKEN", "DOCKER_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(module, "_FUNCTIONS_GONE_WITHIN_S", 0.0)
    fake = Docker(folder)
    fake.says()
    return fake


@pytest.fixture
def localstack(tmp_path: Path) -> LocalStackTarget:
    return LocalStackTarget(TargetOptions(state=tmp_path / "state", port=PORT))


@pytest.fixture
def started(localstack: LocalStackTarget, monkeypatch: pytest.MonkeyPatch) -> LocalStackTarget:
    """The same, recorded as started, with a LocalStack that answers on its port."""
    folder = localstack.options.state / "localstack"
    folder.mkdir(parents=True)
    (folder / "container.json").write_text(json.dumps({"port": PORT}))
    health = {"edition": "community", "version": "9.0.0"}
    monkeypatch.setattr(emulators, "health", lambda _, target_name: health if target_name else None)
    return localstack


def nothing_is_left(docker: Docker, localstack: LocalStackTarget) -> bool:
    """Whether all that was begun was taken down, and the record of it."""
    record = localstack.options.state / "localstack" / "container.json"
    return docker.calls[-1] == "down" and not record.exists()


def test_an_engine_that_refuses_the_user_is_told_from_one_that_is_not_there(
    docker: Docker, tmp_path: Path
) -> None:
    docker.says(
        version=(
            1,
            (
                "permission denied while trying to connect to the Docker daemon socket at "
                "unix:///var/run/docker.sock"
            ),
        )
    )

    with pytest.raises(TidemarkError, match=r"does not let this user in .*group docker"):
        compose.command()
    choice = choose("auto", TargetOptions(state=tmp_path), {})
    assert choice.name == "embedded"
    assert choice.why is not None
    assert "does not let this user in" in choice.why


@pytest.mark.parametrize(
    ("printed", "kind", "sentence"),
    [
        (
            "Bind for 127.0.0.1:45661 failed: port is already allocated",
            RefusedError,
            "Port 45661 is taken",
        ),
        (
            "failed to register layer: write /usr/lib/x: no space left on device",
            TidemarkError,
            "The disk is full where Docker keeps .*docker system prune",
        ),
        (
            "manifest for localstack/localstack:4.14.0 not found: manifest unknown",
            TidemarkError,
            r"localstack/localstack:4\.14\.0 is not on this machine and cannot be pulled",
        ),
        (
            "dial tcp: lookup registry-1.docker.io: no such host",
            TidemarkError,
            r"cannot be pulled \(dial tcp: lookup registry-1\.docker\.io: no such host\)",
        ),
        (
            "something else.",
            TidemarkError,
            r"Docker does not start localstack/localstack:4\.14\.0: something else\.$",
        ),
    ],
)
def test_what_compose_says_becomes_a_sentence_that_helps(
    docker: Docker,
    localstack: LocalStackTarget,
    printed: str,
    kind: type[TidemarkError],
    sentence: str,
) -> None:
    docker.says(up=(1, f"Creating network\n{printed}"))

    with pytest.raises(kind, match=sentence):
        localstack.start()

    assert nothing_is_left(docker, localstack)


@pytest.mark.parametrize(
    ("state", "log", "sentence"),
    [
        (
            {"Status": "exited", "ExitCode": 55},
            "License activation failed! Reason: No credentials were found in the environment.",
            (
                r"The image acme/localstack:9 needs a token: set LOCALSTACK_AUTH_TOKEN, .*"
                r"localstack/localstack:4\.14\.0 runs without one"
            ),
        ),
        (
            {"Status": "exited", "ExitCode": 137, "OOMKilled": True},
            "Ready.",
            "the machine ran out of memory for it; its last words: Ready",
        ),
        (
            {"Status": "exited", "ExitCode": 3},
            "Traceback\nOSError: [Errno 28] No space left on device",
            "The disk is full where Docker keeps its images and containers",
        ),
        ({"Status": "dead", "ExitCode": 3}, "", "exit code 3; its last words: it said nothing"),
    ],
)
def test_a_container_that_ends_at_once_is_told_by_its_end_and_its_words(
    docker: Docker,
    localstack: LocalStackTarget,
    monkeypatch: pytest.MonkeyPatch,
    state: dict[str, object],
    log: str,
    sentence: str,
) -> None:
    monkeypatch.setenv("LOCALSTACK_IMAGE", "acme/localstack:9")
    docker.says(inspect=(0, shown(state)), logs=(0, log))

    with pytest.raises(TidemarkError, match=sentence):
        localstack.start()

    assert nothing_is_left(docker, localstack)
    assert log in (localstack.options.state / "localstack" / "failed.log").read_text()


def test_how_a_started_container_ended_is_known_later(
    docker: Docker, started: LocalStackTarget, tmp_path: Path
) -> None:
    docker.says(inspect=(0, shown(RUNNING)))
    assert started.how_ended() is None
    docker.says(inspect=(0, shown({"Status": "exited", "ExitCode": 137})))
    assert started.how_ended() == "exit code 137"
    docker.says(inspect=(1, "No such object"))
    assert started.how_ended() == "its container is gone"
    assert LocalStackTarget(TargetOptions(state=tmp_path)).how_ended() is None  # never started
    docker.says(version=(1, "Cannot connect to the Docker daemon"))
    assert started.how_ended() == "the Docker engine does not answer"


@pytest.mark.parametrize(
    "inspected",
    [
        (1, "No such container"),
        (0, shown({"Status": "exited", "ExitCode": 137})),
        (0, shown(RUNNING, ports=[PORT + 1])),
    ],
)
def test_a_localstack_of_somebody_else_on_the_port_is_not_taken_for_ours(
    docker: Docker, started: LocalStackTarget, inspected: tuple[int, str]
) -> None:
    docker.says(inspect=inspected)
    assert started.find() is None

    docker.says(inspect=(0, shown(RUNNING, ports=[PORT])))
    assert started.find() is not None


def test_the_image_that_runs_is_told_whatever_the_shell_asks_for(
    docker: Docker, started: LocalStackTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALSTACK_IMAGE", "acme/localstack:10")
    docker.says(inspect=(0, shown(RUNNING, "acme/localstack:9", [PORT])))

    assert started.versions() == {
        "image": "acme/localstack:9",
        "image id": "sha256:of-acme/localstack:9",
        "localstack": "9.0.0",
    }
    docker.says(inspect=(1, "No such container"))
    assert started.versions() == {}


def test_another_port_or_image_than_what_runs_is_refused(
    docker: Docker, started: LocalStackTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.says(inspect=(0, shown(RUNNING, "acme/localstack:9", [PORT])))
    assert started.start() == started.find()

    other_port = LocalStackTarget(TargetOptions(state=started.options.state, port=PORT + 1))
    with pytest.raises(RefusedError, match=f"already runs on port {PORT}: leave out --port"):
        other_port.start()
    monkeypatch.setenv("LOCALSTACK_IMAGE", "acme/localstack:10")
    with pytest.raises(
        RefusedError, match=r"already runs the image acme/localstack:9: leave out LOCALSTACK_IMAGE"
    ):
        started.start()
    monkeypatch.setenv("LOCALSTACK_IMAGE", "acme/localstack:9")
    assert started.start() == started.find()


def test_compose_is_told_the_image_so_that_no_file_of_its_own_says_another(
    docker: Docker, localstack: LocalStackTarget
) -> None:
    docker.says(up=(1, "something else."))

    with pytest.raises(TidemarkError, match="something else"):
        localstack.start()

    assert docker.images == {module.DEFAULT_IMAGE}


def test_a_container_whose_record_is_lost_is_found_by_its_label(
    docker: Docker, localstack: LocalStackTarget
) -> None:
    assert localstack.stop() is False
    docker.says(**{f"label=com.docker.compose.project={localstack.project}": (0, "0123456789ab")})

    assert localstack.stop() is True

    assert docker.calls == ["stop", "down"]


@pytest.mark.parametrize(
    ("listed", "left"),
    [
        ((0, "0123456789ab\nba9876543210"), r"last seen: 0123456789ab, ba9876543210\."),
        ((1, "Cannot connect"), "the Docker engine does not list its containers"),
    ],
)
def test_function_containers_that_stay_are_named_and_the_record_of_them_is_kept(
    docker: Docker, started: LocalStackTarget, listed: tuple[int, str], left: str
) -> None:
    ended = (0, shown({"Status": "exited", "ExitCode": 0}))
    docker.says(ps=listed, rm=(1, "device or resource busy"), inspect=ended)

    with pytest.raises(TidemarkError, match=left) as raised:
        started.stop()

    assert str(raised.value).startswith("LocalStack's function containers are left: ")
    assert started.how_ended() is not None, "it is still known to have been started"
    docker.says()
    assert started.stop() is True


@pytest.mark.parametrize("verb", ["stop", "down"])
def test_a_localstack_that_compose_does_not_remove_is_still_known(
    docker: Docker, started: LocalStackTarget, verb: str
) -> None:
    docker.says(**{verb: (1, "network has active endpoints.")})

    with pytest.raises(
        TidemarkError,
        match=r"does not remove LocalStack \(network has active endpoints\): run `tidemark down`",
    ):
        started.stop()

    docker.says()
    assert started.stop() is True


def test_without_docker_there_is_nothing_to_stop(
    localstack: LocalStackTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert localstack.stop() is False
