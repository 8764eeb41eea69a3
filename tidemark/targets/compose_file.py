"""What LocalStack is started with: `docker-compose.yml` is the one place that says it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidemark.errors import NotStartedError

if TYPE_CHECKING:
    from collections.abc import Mapping

# That of the checkout; a wheel has a copy.
_FILE = Path(__file__).with_name("docker-compose.yml")
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


def read(environ: Mapping[str, str]) -> Mapping[str, Any]:
    """The service `localstack`, with an environment's values for the file's variables."""
    import yaml  # noqa: PLC0415 -- only where LocalStack is looked for

    services = yaml.safe_load(_FILE.read_text(encoding="utf-8"))["services"]
    service: Mapping[str, Any] = _filled(services["localstack"], environ)
    return service


def image_of(environ: Mapping[str, str]) -> str:
    """The image that an environment asks for; the pinned one, without a wish in it."""
    return str(read(environ)["image"])


def usual_port(environ: Mapping[str, str]) -> int:
    """Where everybody looks for LocalStack.

    Raises:
        NotStartedError: The environment names a port that is none.
    """
    _, port, _ = read(environ)["ports"][0].split(":")
    if not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise NotStartedError(f"LOCALSTACK_PORT is {port!r}: choose a port from 1 to 65535.")
    return int(port)


def _filled(value: Any, environ: Mapping[str, str]) -> Any:
    """A value with its variables, as Compose fills them in: an empty one is none."""
    if isinstance(value, dict):
        return {key: _filled(one, environ) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, environ) for one in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: environ.get(found[1]) or found[2] or "", value)
    return value
