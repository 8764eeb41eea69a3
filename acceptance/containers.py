"""What Docker has, for tests that must leave nothing there."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tidemark.targets import engine
from tidemark.targets.base import TargetOptions
from tidemark.targets.compose_file import image_of
from tidemark.targets.localstack import LocalStackTarget

if TYPE_CHECKING:
    from acceptance.program import Program

IMAGE = image_of({})
_MARK = "tidemark.project"
# What Compose gives to what it makes when a person runs it.
_PROJECT = "com.docker.compose.project"
_ANSWERS_WITHIN_S = 60.0


def docker(*words: str) -> list[str]:
    """The lines that `docker` prints."""
    finished = subprocess.run(
        ["docker", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=_ANSWERS_WITHIN_S,
    )
    assert finished.returncode == 0, f"docker {' '.join(words)}: {finished.stderr}"
    return finished.stdout.splitlines()


def containers(project: str) -> list[str]:
    """The names of a project's containers, those of the functions included."""
    named = ("--format", "{{.Names}}", "--filter", f"label={_MARK}={project}")
    return docker("ps", "--all", *named)


def everything(project: str) -> list[str]:
    """The names of all that a project has in Docker; of volumes those that bear its label."""
    named = ("--format", "{{.Name}}", "--filter", f"label={_PROJECT}={project}")
    return [
        *containers(project),
        *docker("network", "ls", *named),
        *docker("volume", "ls", *named),
    ]


def ownerless_volumes() -> set[str]:
    """The volumes that no container has: an image's own bear no label."""
    return set(docker("volume", "ls", "--quiet", "--filter", "dangling=true"))


def require() -> None:
    """Skip a test on a machine that has no engine or not the image; in CI, fail it."""
    why = _missing()
    if why is not None and os.environ.get("CI"):
        pytest.fail(f"{why}, and in CI these tests are not skipped", pytrace=False)
    if why is not None:
        pytest.skip(why)


def _missing() -> str | None:
    if shutil.which("docker") is None:
        return "there is no `docker` on the PATH"
    try:
        return None if engine.has_image(IMAGE) else f"the image {IMAGE} is not on this machine"
    except engine.EngineError as error:
        return error.why


def target_of(program: Program) -> LocalStackTarget:
    """The target of a program's state folder."""
    return LocalStackTarget(TargetOptions(state=program.state))


def left_by(program: Program) -> list[str]:
    """What is left of a program's target: in Docker, as processes, as a record."""
    record = program.state / "localstack" / "container.json"
    return [
        *everything(target_of(program).project),
        *program.left_running(),
        *([str(record)] if record.exists() else []),
    ]


def container_of(program: Program) -> str:
    """The name of LocalStack's container."""
    return f"{target_of(program).project}-localstack"


def functions_of(program: Program) -> set[str]:
    """The names of the containers that functions run in."""
    return set(containers(target_of(program).project)) - {container_of(program)}
