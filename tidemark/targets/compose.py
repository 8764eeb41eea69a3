"""Docker Compose, version 2 (`docker compose`) or 1 (`docker-compose`)."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from tidemark.errors import TidemarkError
from tidemark.targets import engine

if TYPE_CHECKING:
    from collections.abc import Mapping


def command(environ: Mapping[str, str] | None = None) -> list[str]:
    """How to call Compose here.

    Raises:
        TidemarkError: There is no Docker, no engine that answers, or no Compose.
    """
    env = os.environ if environ is None else environ
    if shutil.which("docker", path=env.get("PATH")) is None:
        raise TidemarkError(
            "LocalStack needs Docker, and there is no `docker` on the PATH: install it, or take "
            "the target that needs none, TARGET=embedded."
        )
    if engine.refuses_user(env):
        raise TidemarkError(
            "Docker does not let this user in (permission denied): add the user to the group "
            "docker and log in again, use rootless Docker, or take TARGET=embedded."
        )
    if not engine.answers(env):
        raise TidemarkError(
            "Docker is installed and no engine answers: start it, correct DOCKER_HOST or the "
            "docker context, or take TARGET=embedded."
        )
    found = installed(env)
    if found is None:
        raise TidemarkError(
            "Docker is here and Compose is not: install its plugin (`docker compose`), or take "
            "TARGET=embedded."
        )
    return found


def installed(environ: Mapping[str, str] | None = None) -> list[str] | None:
    """How to call Compose where an engine answers; ``None`` when it is not installed."""
    env = os.environ if environ is None else environ
    docker = shutil.which("docker", path=env.get("PATH"))
    if docker is not None and engine.asked(["compose", "version", "--short"], env) is not None:
        return [docker, "compose"]
    standalone = shutil.which("docker-compose", path=env.get("PATH"))
    return None if standalone is None else [standalone]
