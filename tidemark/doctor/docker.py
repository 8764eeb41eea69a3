"""Docker: the engine and its context, Compose, and the LocalStack image."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tidemark.doctor.finding import Finding, lacking, well
from tidemark.errors import TidemarkError
from tidemark.targets import compose, engine
from tidemark.targets.localstack import DEFAULT_IMAGE, image_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_EMBEDDED = "TARGET=embedded needs none"


def examine(environ: Mapping[str, str], *, is_needed: bool) -> Iterator[Finding]:
    """Engine, context, Compose and image, as far as each builds on the one before.

    Args:
        environ: The environment, which may name an engine and an image.
        is_needed: Whether the chosen target runs in Docker.
    """
    name = "Docker"
    if shutil.which("docker", path=environ.get("PATH")) is None:
        fix = f"install it for TARGET=localstack; {_EMBEDDED}"
        yield lacking(name, "no `docker` on the PATH", fix, is_needed=is_needed)
        return
    version = engine.asked(["version", "--format", "{{.Server.Version}}"], environ)
    where = _where(environ)
    if version is None:
        yield _silent(where, environ, is_needed=is_needed)
        return
    yield well(name, f"engine {version}, {where}")
    yield _compose(environ, is_needed=is_needed)
    yield _image(environ)


def _where(environ: Mapping[str, str]) -> str:
    if environ.get("DOCKER_HOST"):
        return f"DOCKER_HOST {environ['DOCKER_HOST']}"
    context = engine.asked(["context", "show"], environ) or "unknown"
    return f"context {context}, socket {engine.socket_path(environ)}"


def _silent(where: str, environ: Mapping[str, str], *, is_needed: bool) -> Finding:
    socket = Path(engine.socket_path(environ))
    if socket.is_socket() and not os.access(socket, os.R_OK | os.W_OK):
        says = f"{where}: this user may not use it"
        fix = f"add the user to the group of {socket} and log in again; {_EMBEDDED}"
    else:
        says = f"{where}: no engine answers"
        fix = f"start the engine, or correct DOCKER_HOST or the docker context; {_EMBEDDED}"
    return lacking("Docker", says, fix, is_needed=is_needed)


def _compose(environ: Mapping[str, str], *, is_needed: bool) -> Finding:
    try:
        command = compose.command(environ)
    except TidemarkError:
        fix = f"install the plugin (`docker compose`) for TARGET=localstack; {_EMBEDDED}"
        return lacking("Compose", "not installed", fix, is_needed=is_needed)
    version = engine.asked([*command[1:], "version", "--short"], environ) if command[1:] else None
    return well("Compose", version or f"version 1 ({command[0]})")


def _image(environ: Mapping[str, str]) -> Finding:
    image = image_of(environ)
    name = "LocalStack image"
    if not engine.has_image(image):
        fix = f"docker pull {image}, or let `tidemark up --target localstack` do so"
        return lacking(name, f"{image} is not here", fix, is_needed=False)
    if image != DEFAULT_IMAGE and not environ.get("LOCALSTACK_AUTH_TOKEN"):
        return lacking(
            name,
            f"{image} is here; images after 4.14.0 stop without a token",
            f"set LOCALSTACK_AUTH_TOKEN, or unset LOCALSTACK_IMAGE for {DEFAULT_IMAGE}",
            is_needed=False,
        )
    return well(name, f"{image} is here")
