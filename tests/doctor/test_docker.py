"""Docker is a help to some targets, and a need of one."""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING

import pytest

from tidemark.doctor import containers, docker
from tidemark.doctor.finding import State

if TYPE_CHECKING:
    from pathlib import Path

    from tidemark.doctor.finding import Finding

ANSWERS = {
    "version": "28.2.2",
    "context show": "colima",
    "context inspect": json.dumps([{"Endpoints": {"docker": {"Host": "tcp://elsewhere"}}}]),
    "compose version": "2.40.0",
    "image inspect": "sha256:1",
}


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH, for a `docker` that a test makes up."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    for name in ("DOCKER_HOST", "LOCALSTACK_IMAGE", "LOCALSTACK_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return folder


def install_docker(folder: Path, answers: dict[str, str]) -> None:
    """A `docker` that knows these answers, by the beginning of its arguments, and fails else."""
    cases = "".join(f"  '{asked}'*) echo '{said}';;\n" for asked, said in answers.items())
    script = folder / "docker"
    script.write_text(f'#!/bin/sh\ncase "$*" in\n{cases}  *) exit 1;;\nesac\n', encoding="utf-8")
    script.chmod(0o755)


def examine(
    folder: Path, environ: dict[str, str] | None = None, *, is_needed: bool = False
) -> dict[str, Finding]:
    found = docker.examine({"PATH": str(folder), **(environ or {})}, is_needed=is_needed)
    return {finding.name: finding for finding in found}


def test_an_engine_with_compose_and_image_is_well(bin_folder: Path) -> None:
    install_docker(bin_folder, ANSWERS)

    found = examine(bin_folder, is_needed=True)

    assert {finding.state for finding in found.values()} == {State.OK}
    assert found["Docker"].says == "engine 28.2.2, context colima, socket /var/run/docker.sock"
    assert found["Compose"].says == "2.40.0"
    assert found["LocalStack image"].says == "localstack/localstack:4.14.0 is here"


def test_an_engine_by_variable_is_named(bin_folder: Path) -> None:
    install_docker(bin_folder, ANSWERS)

    found = examine(bin_folder, {"DOCKER_HOST": "unix:///run/user/1000/docker.sock"})

    assert "DOCKER_HOST unix:///run/user/1000/docker.sock" in found["Docker"].says


@pytest.mark.parametrize(("is_needed", "state"), [(False, State.WARNING), (True, State.PROBLEM)])
def test_no_docker_is_a_problem_only_for_a_target_in_docker(
    bin_folder: Path,
    is_needed: bool,  # noqa: FBT001 -- a parameter of the test
    state: State,
) -> None:
    found = examine(bin_folder, is_needed=is_needed)

    assert [(name, one.state) for name, one in found.items()] == [("Docker", state)]
    assert "no `docker` on the PATH" in found["Docker"].says


def test_a_silent_engine_is_told_with_its_place(bin_folder: Path) -> None:
    install_docker(bin_folder, {"context show": "default"})

    found = examine(bin_folder, is_needed=True)

    assert found["Docker"].state is State.PROBLEM
    assert "context default" in found["Docker"].says
    assert "no engine answers" in found["Docker"].says


def test_a_socket_that_this_user_may_not_use_is_told_as_such(
    bin_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_docker(bin_folder, {"context show": "default"})
    path = tmp_path / "docker.sock"
    may = os.access
    monkeypatch.setattr(os, "access", lambda at, mode: at != path and may(at, mode))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))

        finding = examine(bin_folder, {"DOCKER_HOST": f"unix://{path}"})["Docker"]

    assert "this user may not use it" in finding.says
    assert str(path) in str(finding.fix)


def test_version_1_of_compose_is_well(bin_folder: Path) -> None:
    install_docker(bin_folder, {k: v for k, v in ANSWERS.items() if k != "compose version"})
    assert examine(bin_folder)["Compose"].state is State.WARNING

    (bin_folder / "docker-compose").touch(mode=0o755)

    assert examine(bin_folder)["Compose"].says.startswith("version 1")


def test_a_missing_image_is_a_warning_for_it_can_be_pulled(bin_folder: Path) -> None:
    install_docker(bin_folder, {k: v for k, v in ANSWERS.items() if k != "image inspect"})

    finding = examine(bin_folder, is_needed=True)["LocalStack image"]

    assert finding.state is State.WARNING
    assert "docker pull localstack/localstack:4.14.0" in str(finding.fix)


def test_a_newer_image_without_a_token_is_a_warning(bin_folder: Path) -> None:
    install_docker(bin_folder, ANSWERS)
    newer = {"LOCALSTACK_IMAGE": "localstack/localstack:2026.10"}

    without = examine(bin_folder, newer)["LocalStack image"]
    with_token = examine(bin_folder, newer | {"LOCALSTACK_AUTH_TOKEN": "t0ken"})["LocalStack image"]

    assert (without.state, with_token.state) == (State.WARNING, State.OK)
    assert "t0ken" not in str(with_token)


def test_function_containers_are_left_over_once_their_localstack_is_gone(bin_folder: Path) -> None:
    listed = {
        "ps --format": "tidemark-abc-localstack\nother",
        "ps --all --filter label=tidemark.project": "tidemark-abc\ntidemark-abc\ndead\ndead",
        "ps --all --filter label=tidemark.testbed": "s1",
    }
    install_docker(bin_folder, listed)

    found = list(containers.orphaned())

    gone = "function containers of a LocalStack that is gone"
    assert [finding.says for finding in found] == [
        f"2 {gone} (tidemark.project=dead)",
        f"1 {gone} (tidemark.testbed=s1)",
    ]
    filters = ["label=tidemark.project=dead)", "label=tidemark.testbed=s1)"]
    assert [str(finding.fix).split()[-1] for finding in found] == filters


def test_without_docker_no_container_is_left_over(bin_folder: Path) -> None:
    assert not (bin_folder / "docker").exists()

    assert list(containers.orphaned()) == []
