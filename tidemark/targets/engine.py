"""The Docker engine, as the docker command line knows it: contexts, DOCKER_HOST, rootless."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ANSWERS_WITHIN_S = 10.0
_DEFAULT_SOCKET = "/var/run/docker.sock"


def asked(arguments: Sequence[str], environ: Mapping[str, str] | None = None) -> str | None:
    """What `docker` printed, or ``None`` when there is no docker, no engine, or an error."""
    env = dict(os.environ if environ is None else environ)
    docker = shutil.which("docker", path=env.get("PATH"))
    if docker is None:
        return None
    try:
        finished = subprocess.run(
            [docker, *arguments],
            env=env,
            capture_output=True,
            text=True,
            timeout=_ANSWERS_WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return finished.stdout.strip() if finished.returncode == 0 else None


def answers(environ: Mapping[str, str] | None = None) -> bool:
    """Whether an engine answers."""
    return asked(["version", "--format", "{{.Server.Version}}"], environ) is not None


def has_image(image: str) -> bool:
    """Whether the engine holds an image already."""
    return asked(["image", "inspect", "--format", "{{.Id}}", image]) is not None


def socket_path(environ: Mapping[str, str] | None = None) -> str:
    """The engine's Unix socket on this machine, for containers that start containers.

    `DOCKER_HOST` says where, else the docker context in use; a remote engine has its socket at
    the usual place on its own machine.
    """
    env = os.environ if environ is None else environ
    host = env.get("DOCKER_HOST") or _context_host(env)
    return host.removeprefix("unix://") if host.startswith("unix://") else _DEFAULT_SOCKET


def _context_host(environ: Mapping[str, str]) -> str:
    shown = asked(["context", "inspect"], environ)
    try:
        [context] = json.loads(shown or "")
        return str(context["Endpoints"]["docker"]["Host"])
    except (ValueError, KeyError, TypeError):
        return ""
