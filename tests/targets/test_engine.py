"""The engine: whether it is there, and where its socket is."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

import docker
import pytest

from tests.targets.fake_engine import IMAGE, FakeEngine
from tidemark.targets import engine as module
from tidemark.targets.base import TargetOptions
from tidemark.targets.choice import choose

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def options(tmp_path: Path) -> TargetOptions:
    return TargetOptions(state=tmp_path / "state")


def test_auto_takes_localstack_when_the_engine_holds_the_image(
    engine: FakeEngine, options: TargetOptions
) -> None:
    choice = choose("auto", options, {})

    assert engine.images == {IMAGE}
    assert choice.name == "localstack"
    assert choice.why == f"Docker and {IMAGE} are here; TARGET=embedded needs neither."


def test_auto_never_waits_for_a_download(engine: FakeEngine, options: TargetOptions) -> None:
    engine.images.clear()

    choice = choose("auto", options, {})

    assert choice.name == "embedded"
    assert choice.why == f"{IMAGE} is not on this machine; TARGET=localstack downloads it."


def test_auto_is_embedded_where_no_engine_answers(
    options: TargetOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")

    choice = choose("auto", options, {})

    assert choice.name == "embedded"
    why = "no Docker engine answers (DOCKER_HOST tcp://127.0.0.1:1)"
    assert choice.why == f"{why}; TARGET=localstack needs one."


@pytest.mark.usefixtures("engine")
def test_auto_is_embedded_in_ci_although_docker_is_there(options: TargetOptions) -> None:
    assert choose("auto", options, {"CI": "true"}).name == "embedded"


@pytest.mark.parametrize(
    ("host", "platform", "path"),
    [
        ("unix:///run/user/1000/docker.sock", "linux", "/run/user/1000/docker.sock"),
        ("unix:///run/podman/podman.sock", "linux", "/run/podman/podman.sock"),
        # An engine in a virtual machine, or elsewhere, has it at the usual place over there.
        ("unix:///Users/me/.colima/default/docker.sock", "darwin", "/var/run/docker.sock"),
        ("unix:///home/me/.docker/desktop/docker.sock", "linux", "/var/run/docker.sock"),
        ("tcp://10.0.0.1:2375", "linux", "/var/run/docker.sock"),
    ],
)
def test_the_engines_socket_is_where_functions_containers_can_be_started(
    host: str, platform: str, path: str
) -> None:
    client = docker.DockerClient(base_url=host, version="1.44")
    try:
        assert module.socket_path(client, platform) == path
    finally:
        client.close()


@pytest.mark.parametrize("is_current", [True, False])
def test_an_engine_in_a_docker_context_is_found(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_current: bool
) -> None:
    endpoint = os.environ["DOCKER_HOST"]
    folder = tmp_path / "contexts" / "meta" / hashlib.sha256(b"mine").hexdigest()
    folder.mkdir(parents=True)
    meta = {"Name": "mine", "Metadata": {}, "Endpoints": {"docker": {"Host": endpoint}}}
    (folder / "meta.json").write_text(json.dumps(meta))
    config = {"currentContext": "mine"} if is_current else {}
    (tmp_path / "config.json").write_text(json.dumps(config))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("DOCKER_HOST")
    if not is_current:
        monkeypatch.setenv("DOCKER_CONTEXT", "mine")
    engine.images.add("acme/only-here:1")

    assert module.place() == "context mine"
    assert module.has_image("acme/only-here:1")
