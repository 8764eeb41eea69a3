"""What Docker has, for tests that must leave nothing there."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tidemark.targets import engine
from tidemark.targets.localstack import DEFAULT_IMAGE

_PROJECT = "com.docker.compose.project"
# By these, a container belongs to a project: the second is that of function containers.
_MARKS = (_PROJECT, "tidemark.project")
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
    form = ("--format", "{{.Names}}")
    return [
        name
        for mark in _MARKS
        for name in docker("ps", "--all", *form, "--filter", f"label={mark}={project}")
    ]


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
    if not engine.answers():
        return "no Docker engine answers"
    if not engine.has_image(DEFAULT_IMAGE):
        return f"the image {DEFAULT_IMAGE} is not on this machine"
    return None
