"""Docker: the engine, and the LocalStack image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark.doctor.finding import Finding, lacking, well
from tidemark.targets import engine
from tidemark.targets.compose_file import image_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def examine(environ: Mapping[str, str], *, is_needed: bool) -> Iterator[Finding]:
    """The engine, and the image in it.

    Args:
        environ: The environment, which may name an image.
        is_needed: Whether the chosen target runs in Docker.
    """
    image = image_of(environ)
    try:
        with engine.connected() as docker:
            version, socket = docker.version()["Version"], engine.socket_path(docker)
        has_image = engine.has_image(image)
    except engine.EngineError as error:
        fix = f"{error.fix}; TARGET=embedded needs none"
        yield lacking("Docker", error.why, fix, is_needed=is_needed)
        return
    yield well("Docker", f"engine {version}, {engine.place()}, socket {socket}")
    yield _image(image, environ, has_image=has_image)


def _image(image: str, environ: Mapping[str, str], *, has_image: bool) -> Finding:
    name, pinned = "LocalStack image", image_of({})
    if not has_image:
        fix = f"docker pull {image}, or let `tidemark up --target localstack` do so"
        return lacking(name, f"{image} is not here", fix, is_needed=False)
    if image != pinned and not environ.get("LOCALSTACK_AUTH_TOKEN"):
        return lacking(
            name,
            f"{image} is here; images after 4.14.0 stop without a token",
            f"set LOCALSTACK_AUTH_TOKEN, or unset LOCALSTACK_IMAGE for {pinned}",
            is_needed=False,
        )
    return well(name, f"{image} is here")
