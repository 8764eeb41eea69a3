"""Which target `auto` means."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tidemark import targets
from tidemark.api.shown import shown_url
from tidemark.errors import NotStartedError
from tidemark.targets import engine
from tidemark.targets.base import LostKeyError
from tidemark.targets.compose_file import image_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemark.targets.base import TargetOptions

AUTO = "auto"
_STARTED_HERE = ("embedded", "localstack")


@dataclass(frozen=True, slots=True)
class Choice:
    """A target's name.

    Attributes:
        name: The target.
        why: Why it was chosen and how to get the other, or ``None`` when the caller said so.
    """

    name: str
    why: str | None = None


def choose(name: str, options: TargetOptions, environ: Mapping[str, str]) -> Choice:
    """Resolve `auto`, and check any other name.

    What runs already wins; then LocalStack, when a Docker engine answers and holds the image, so
    that nobody waits for a download; else the embedded target, which needs nothing.

    Raises:
        NotStartedError: There is no such target, or the options contradict it.
        SilentTargetError: One runs here, perhaps, and does not answer.
    """
    if name != AUTO:
        return _checked(name, options)
    if options.endpoint_url:
        return Choice("endpoint", f"an endpoint URL is given ({shown_url(options.endpoint_url)}).")
    running = [one for one in _STARTED_HERE if _runs(one, options)]
    if len(running) == 1:
        return Choice(running[0], "it runs here already; `tidemark down` first to choose anew.")
    if environ.get("CI"):
        return Choice("embedded", "CI is set; TARGET=localstack takes LocalStack.")
    return _by_engine(image_of(environ))


def _checked(name: str, options: TargetOptions) -> Choice:
    if name not in targets.names():
        raise NotStartedError(
            f"There is no target {name!r}: choose one of {AUTO}, {', '.join(targets.names())}."
        )
    if options.endpoint_url and not targets.class_of(name).takes_endpoint_url:
        raise NotStartedError(f"--endpoint-url goes with --target endpoint, not {name}.")
    return Choice(name)


def _by_engine(image: str) -> Choice:
    try:
        is_here = engine.has_image(image)
    except engine.EngineError as error:
        return Choice("embedded", f"{error.why}; TARGET=localstack needs one.")
    if not is_here:
        return Choice(
            "embedded", f"{image} is not on this machine; TARGET=localstack downloads it."
        )
    return Choice("localstack", f"Docker and {image} are here; TARGET=embedded needs neither.")


def _runs(name: str, options: TargetOptions) -> bool:
    try:
        return targets.create(name, replace(options, port=None)).find() is not None
    except LostKeyError:
        return True  # `up` starts it anew, and says so
    except engine.EngineError:
        return False  # it cannot be used, whatever runs there
