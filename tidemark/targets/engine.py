"""The Docker engine, as the docker command line knows it: contexts, DOCKER_HOST, rootless."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ANSWERS_WITHIN_S = 10.0
_DEFAULT_SOCKET = "/var/run/docker.sock"


@dataclass(frozen=True, slots=True)
class Container:
    """A container, as the engine shows it.

    Attributes:
        image: The image that it was made from, by the name that was given.
        image_id: The same by its id: names can be given to other images.
        state: Its state, in the engine's words.
        ports: The ports of the engine's host at which it can be reached; none unless it runs.
    """

    image: str
    image_id: str
    state: Mapping[str, object]
    ports: frozenset[int]


def asked(
    arguments: Sequence[str],
    environ: Mapping[str, str] | None = None,
    *,
    with_errors: bool = False,
    within_s: float = _ANSWERS_WITHIN_S,
) -> str | None:
    """What `docker` printed, or ``None`` when there is no docker, no engine, or an error.

    Args:
        arguments: What to ask.
        environ: The environment, which may name an engine.
        with_errors: Return standard error too, among the rest.
        within_s: How long it may take.
    """
    env = dict(os.environ if environ is None else environ)
    docker = shutil.which("docker", path=env.get("PATH"))
    if docker is None:
        return None
    try:
        finished = subprocess.run(
            [docker, *arguments],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if with_errors else subprocess.DEVNULL,
            text=True,
            timeout=within_s,
            check=False,
            # Else a second Ctrl-C in a terminal would end it, too, in the midst of cleaning up.
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return finished.stdout.strip() if finished.returncode == 0 else None


def answers(environ: Mapping[str, str] | None = None) -> bool:
    """Whether an engine answers."""
    return asked(["version", "--format", "{{.Server.Version}}"], environ) is not None


def refuses_user(environ: Mapping[str, str] | None = None) -> bool:
    """Whether there is an engine that this user may not use."""
    env = dict(os.environ if environ is None else environ)
    docker = shutil.which("docker", path=env.get("PATH"))
    if docker is None:
        return False
    try:
        finished = subprocess.run(
            [docker, "version"],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=_ANSWERS_WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return finished.returncode != 0 and "permission denied" in finished.stderr.lower()


def container(name: str) -> Container | None:
    """The container of that name; ``None`` when there is none, or the engine does not say."""
    shown = asked(["container", "inspect", name])
    if shown is None:
        return None
    [found] = json.loads(shown)
    published = found["NetworkSettings"]["Ports"] or {}
    return Container(
        image=found["Config"]["Image"],
        image_id=found["Image"],
        state=found["State"],
        ports=frozenset(
            int(at["HostPort"]) for places in published.values() for at in places or ()
        ),
    )


def labelled(label: str, value: str) -> list[str] | None:
    """The containers that bear a label, running or not; ``None`` when the engine does not say."""
    listed = asked(["ps", "--all", "--quiet", "--filter", f"label={label}={value}"])
    return None if listed is None else listed.split()


def has_image(image: str) -> bool:
    """Whether the engine holds an image already."""
    return asked(["image", "inspect", "--format", "{{.Id}}", image]) is not None


def socket_path(environ: Mapping[str, str] | None = None, platform: str = sys.platform) -> str:
    """The engine's Unix socket, for containers that start containers.

    `DOCKER_HOST` says where, else the docker context in use. An engine in a virtual machine, or
    on another one, has its socket at the usual place over there.
    """
    env = os.environ if environ is None else environ
    host = env.get("DOCKER_HOST") or _context_host(env)
    is_here = host.startswith("unix://") and platform == "linux" and "/.docker/" not in host
    return host.removeprefix("unix://") if is_here else _DEFAULT_SOCKET


def _context_host(environ: Mapping[str, str]) -> str:
    shown = asked(["context", "inspect"], environ)
    try:
        [context] = json.loads(shown or "")
        return str(context["Endpoints"]["docker"]["Host"])
    except (ValueError, KeyError, TypeError):
        return ""
