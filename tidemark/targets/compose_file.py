"""What LocalStack is started with: `docker-compose.yml` is the one place that says it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidemark.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

# That of the checkout; a wheel has a copy.
_FILE = Path(__file__).with_name("docker-compose.yml")
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


@dataclass(frozen=True, slots=True)
class Described:
    """A container, as the file describes it.

    Attributes:
        image: Its image.
        name: What it is called.
        labels: The labels that it bears, and what it starts.
        environment: Its variables.
        mounts: What of the host it has, as (there, here).
        host_port: Where it is best published.
        port: The port that it listens on.
        stops_within_s: The time that it takes to stop in an orderly way, in seconds.
    """

    image: str
    name: str
    labels: Mapping[str, str]
    environment: Mapping[str, str]
    mounts: list[tuple[str, str]]
    host_port: int
    port: int
    stops_within_s: int


def describe(environ: Mapping[str, str]) -> Described:
    """LocalStack's container, with an environment's values for the file's variables.

    Raises:
        RefusedError: The environment names a port that is none.
    """
    import yaml  # noqa: PLC0415 -- with the extra `localstack` only

    service = yaml.safe_load(_FILE.read_text(encoding="utf-8"))["services"]["localstack"]
    says = _filled(service, environ)
    [(_, host_port, port)] = [one.split(":") for one in says["ports"]]
    if not host_port.isdecimal() or not 1 <= int(host_port) <= 65535:
        raise RefusedError(f"LOCALSTACK_PORT is {host_port!r}: choose a port from 1 to 65535.")
    return Described(
        image=says["image"],
        name=says["container_name"],
        labels=says["labels"],
        environment=says["environment"],
        mounts=[
            (there, here) for there, _, here in (one.rpartition(":") for one in says["volumes"])
        ],
        host_port=int(host_port),
        port=int(port),
        stops_within_s=int(says["stop_grace_period"].removesuffix("s")),
    )


def image_of(environ: Mapping[str, str]) -> str:
    """The image that an environment asks for; without a wish in it, the pinned one."""
    return describe(environ).image


def _filled(value: Any, environ: Mapping[str, str]) -> Any:
    """A value with its variables, as Compose fills them in: an empty one is none."""
    if isinstance(value, dict):
        return {key: _filled(one, environ) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, environ) for one in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: environ.get(found[1]) or found[2] or "", value)
    return value
