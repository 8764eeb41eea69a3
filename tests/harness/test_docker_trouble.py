"""LocalStack when Docker is in trouble: one sentence that helps, and nothing left behind."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tidemark.errors import RefusedError, TidemarkError
from tidemark.targets import compose
from tidemark.targets.base import TargetOptions
from tidemark.targets.choice import choose
from tidemark.targets.localstack import LocalStackTarget

if TYPE_CHECKING:
    from pathlib import Path

RUNNING = json.dumps({"Status": "running", "ExitCode": 0, "OOMKilled": False})


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
        script = f'#!/bin/sh\necho "$*" >>{self.folder}/calls\ncase " $* " in\n{cases}\nesac\n'
        (self.folder / "docker").write_text(script)
        (self.folder / "docker").chmod(0o755)

    @property
    def calls(self) -> list[str]:
        """The verbs of Compose that were called."""
        lines = (self.folder / "calls").read_text().splitlines()
        words = [line.partition("docker-compose.yml ")[2].split() for line in lines]
        return [one[0] for one in words if one]


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    for name in ("LOCALSTACK_IMAGE", "LOCALSTACK_AUTH_TOKEN", "DOCKER_HOST"):
        monkeypatch.delenv(name, raising=False)
    fake = Docker(folder)
    fake.says()
    return fake


@pytest.fixture
def localstack(tmp_path: Path) -> LocalStackTarget:
    return LocalStackTarget(TargetOptions(state=tmp_path / "state", port=45661))


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
        ("something else.", TidemarkError, r"Docker Compose failed: something else\.$"),
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
            "The disk is full where Docker keeps its containers",
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
    docker.says(inspect=(0, json.dumps(state)), logs=(0, log))

    with pytest.raises(TidemarkError, match=sentence):
        localstack.start()

    assert nothing_is_left(docker, localstack)
    assert log in (localstack.options.state / "localstack" / "failed.log").read_text()


def test_how_a_started_container_ended_is_known_later(
    docker: Docker, localstack: LocalStackTarget
) -> None:
    assert localstack.how_ended() is None  # it was never started
    folder = localstack.options.state / "localstack"
    folder.mkdir(parents=True)
    (folder / "container.json").write_text('{"port": 45661}')

    docker.says(inspect=(0, RUNNING))
    assert localstack.how_ended() is None
    docker.says(inspect=(0, json.dumps({"Status": "exited", "ExitCode": 137})))
    assert localstack.how_ended() == "exit code 137"
    docker.says(inspect=(1, "No such object"))
    assert localstack.how_ended() == "its container is gone"
    docker.says(version=(1, "Cannot connect to the Docker daemon"))
    assert localstack.how_ended() == "the Docker engine does not answer"


def test_a_container_whose_record_is_lost_is_found_by_its_label(
    docker: Docker, localstack: LocalStackTarget
) -> None:
    assert localstack.stop() is False
    docker.says(ps=(0, "0123456789ab"))

    assert localstack.stop() is True

    assert docker.calls == ["stop", "down"]


def test_without_docker_there_is_nothing_to_stop(
    localstack: LocalStackTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert localstack.stop() is False
