"""The emulators that are known here, by their health checks."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tidemark.api.shown import shown_url
from tidemark.errors import NotStartedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

# In the order in which they are asked: ministack answers LocalStack's, too.
_HEALTH_CHECKS = {"embedded": "/_ministack/health", "localstack": "/_localstack/health"}
_ANSWERS_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Emulator:
    """An emulator that answers.

    Attributes:
        target: The target that starts emulators of its kind.
        version: Its version, as it says; empty if it does not.
    """

    target: str
    version: str


def parts_of(endpoint: str) -> SplitResult:
    """The parts of an endpoint's URL.

    Raises:
        NotStartedError: It is no such URL, or none that boto3 takes.
    """
    try:
        if _is_endpoint(endpoint, parts := urlsplit(endpoint)):
            return parts
    except ValueError:
        pass  # it has no parts, or a port that is none
    raise NotStartedError(
        f"{shown_url(endpoint)!r} is not the URL of an endpoint, like http://host:4566: the host "
        "is letters, digits, hyphens and dots, the port 1 to 65535."
    )


def _is_endpoint(url: str, parts: SplitResult) -> bool:
    from botocore.utils import is_valid_uri  # noqa: PLC0415 -- sessions without a deployment stay quick

    # The last is boto3's own check: a host name with an underscore is fine for Docker alone.
    return (
        parts.scheme in {"http", "https"}
        and parts.port != 0
        and not ("@" in parts.netloc or parts.query or parts.fragment)
        and is_valid_uri(url)
    )


def emulator_at(endpoint: str) -> Emulator | None:
    """The emulator that answers at an endpoint, if it is one that is known here.

    Raises:
        NotStartedError: That is no endpoint.
    """
    for target_name in _HEALTH_CHECKS:
        said = health(endpoint, target_name)
        if said is not None:
            return Emulator(target_name, str(said.get("version", "")))
    return None


def refuses(endpoint: str) -> bool:
    """Whether nobody listens at an endpoint: of all ways not to answer, the one that is certain.

    Raises:
        NotStartedError: That is no endpoint.
    """
    parts = parts_of(endpoint)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), _ANSWERS_WITHIN_S).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def answers(endpoint: str, target_name: str) -> bool:
    """Whether the emulator of that target answers its health check at an endpoint."""
    return health(endpoint, target_name) is not None


def version_at(endpoint: str, target_name: str) -> str | None:
    """The version of that target's emulator, as it says; ``None`` if it does not.

    Raises:
        NotStartedError: That is no endpoint.
    """
    version = (health(endpoint, target_name) or {}).get("version")
    return None if version is None else str(version)


def health(endpoint: str, target_name: str) -> Mapping[str, Any] | None:
    """What the health check of that target's emulator says; ``None`` if it does not answer.

    Raises:
        NotStartedError: That is no endpoint.
    """
    parts = parts_of(endpoint)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_ANSWERS_WITHIN_S)
    try:
        connection.request("GET", _HEALTH_CHECKS[target_name])
        response = connection.getresponse()
        document = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError):
        return None  # whatever it is, it is not that emulator
    else:
        is_one = response.status == http.client.OK and isinstance(document, dict)
        return document if is_one else None
    finally:
        connection.close()
