"""The Docker engine, as testcontainers finds it: by DOCKER_HOST, or the docker context in use."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from urllib3.exceptions import HTTPError

from tidemark.api.shown import shown_url
from tidemark.errors import TidemarkError
from tidemark.host.waiting import NotSeenError, NotYetError, eventually
from tidemark.targets import container_trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from docker import DockerClient

_ANSWERS_WITHIN_S = 10
# Of a busy engine: creating, starting and removing take their time.
_OBEYS_WITHIN_S = 60
# One container after the other.
_GONE_WITHIN_S = 60.0
_DEFAULT_SOCKET = "/var/run/docker.sock"


class EngineError(TidemarkError):
    """There is no engine to be used: why, a colon, what to do, and that there is another target.

    Attributes:
        is_gone: Whether nobody listens where it is to be; else it may be busy.
    """

    def __init__(self, sentence: str, *, is_gone: bool = False) -> None:
        super().__init__(sentence)
        self.is_gone = is_gone

    @property
    def why(self) -> str:
        """Why not, as a part of another sentence."""
        words = str(self).rpartition(": ")[0]
        return words[0].lower() + words[1:] if words.startswith(("No", "There")) else words

    @property
    def fix(self) -> str:
        """What to do about it."""
        return str(self).rpartition(": ")[2].removesuffix(", or take the embedded target.")


@contextmanager
def connected() -> Iterator[DockerClient]:
    """A client of the engine, for a block that does nothing but talk to it.

    Raises:
        EngineError: There is none, or none that lets this user in, or it fails in the block.
    """
    try:
        from testcontainers.core.docker_client import DockerClient as Client  # noqa: PLC0415 -- with the extra `localstack` only
    except ImportError as error:
        raise EngineError(
            "There is no client of Docker engines (testcontainers is not installed): "
            "`pip install 'tidemark-cqrs[localstack]'` brings it, or take the embedded target."
        ) from error
    try:
        _knock()
        client = Client(timeout=_ANSWERS_WITHIN_S).client
    except PermissionError as error:
        raise EngineError(
            "Docker does not let this user in (permission denied): add the user to the group "
            "docker and log in again, use rootless Docker, or take the embedded target."
        ) from error
    except errors() as error:
        raise EngineError(
            f"No Docker engine answers ({place()}): start it, correct DOCKER_HOST or the docker "
            "context, or take the embedded target.",
            is_gone=isinstance(error, ConnectionRefusedError | FileNotFoundError),
        ) from error
    client.api.timeout = _OBEYS_WITHIN_S
    try:
        yield client
    except errors() as error:
        raise EngineError(
            f"Docker is in trouble ({words_of(error)}): try again, or take the embedded target."
        ) from error
    finally:
        client.close()


def _knock() -> None:
    """Connect and hang up: docker's client does not tell apart why nobody answers."""
    from docker.context import ContextAPI  # noqa: PLC0415 -- with the extra `localstack` only
    from docker.utils import parse_host  # noqa: PLC0415 -- likewise

    host = os.environ.get("DOCKER_HOST") or ContextAPI.kwargs_from_context().get("base_url")
    at = urlsplit(parse_host(host))
    if at.scheme == "http+unix":
        with socket.socket(socket.AF_UNIX) as trial:
            trial.settimeout(_ANSWERS_WITHIN_S)
            trial.connect(at.path)
    elif at.scheme != "ssh":
        socket.create_connection((at.hostname or "", at.port or 0), _ANSWERS_WITHIN_S).close()


def errors() -> tuple[type[Exception], ...]:
    """What the client raises where the engine does not do as it is told."""
    from docker.errors import DockerException  # noqa: PLC0415 -- with the extra `localstack` only

    # It lets through those of `requests`, which are of the second kind, and of urllib3.
    return (DockerException, OSError, HTTPError)


def refusals(name: str = "APIError") -> type[Exception]:
    """What the client raises where the engine answers and refuses, in general or by name."""
    from docker import errors as found  # noqa: PLC0415 -- with the extra `localstack` only

    refusal: type[Exception] = getattr(found, name)
    return refusal


def words_of(error: Exception) -> str:
    """What the engine said, or else its client."""
    return str(getattr(error, "explanation", None) or error)


def place() -> str:
    """Where the engine is looked for."""
    from docker.context.config import get_current_context_name  # noqa: PLC0415 -- with the extra `localstack` only

    host, context = os.environ.get("DOCKER_HOST"), os.environ.get("DOCKER_CONTEXT")
    if host:
        return f"DOCKER_HOST {shown_url(host)}"
    return f"context {context or get_current_context_name()}"


def inspect(container: str) -> Mapping[str, Any] | None:
    """What the engine shows of the container of that name; ``None`` if there is none.

    Raises:
        EngineError: It does not say.
    """
    with connected() as docker, suppress(refusals("NotFound")):
        shown: Mapping[str, Any] = docker.api.inspect_container(container)
        return shown
    return None


def has_image(image: str) -> bool:
    """Whether the engine holds an image already.

    Raises:
        EngineError: It does not say.
    """
    with connected() as docker, suppress(refusals("NotFound")):
        docker.images.get(image)
        return True
    return False


def pull(image: str, show: Callable[[str], None]) -> None:
    """Download an image.

    Args:
        image: Its name.
        show: Is told how far it is, again and again.

    Raises:
        TidemarkError: The registry, or the engine, does not give it.
    """
    from docker.utils import parse_repository_tag  # noqa: PLC0415 -- with the extra `localstack` only

    repository, tag = parse_repository_tag(image)
    layers: dict[str, Mapping[str, int]] = {}
    with connected() as docker:
        try:
            for line in docker.api.pull(repository, tag=tag or "latest", stream=True, decode=True):
                if "error" in line:
                    raise container_trouble.of_pull(line["error"], image)
                if "total" in (detail := line.get("progressDetail") or {}):
                    layers[line["id"]] = detail
                    done = sum(one["current"] for one in layers.values())
                    total = sum(one["total"] for one in layers.values())
                    show(f"{done / 1e6:.0f} of {total / 1e6:.0f} MB")
        except errors() as error:
            raise container_trouble.of_pull(words_of(error), image) from error


def remove_all(service: Mapping[str, Any]) -> bool:
    """Remove a service's container, those that bear its labels, and their volumes.

    Args:
        service: The service, as Compose's file describes it.

    Returns:
        Whether there were any.

    Raises:
        TidemarkError: Some are left.
    """
    labels = [f"{label}={value}" for label, value in service["labels"].items()]
    main, grace_s = service["container_name"], int(service["stop_grace_period"].removesuffix("s"))
    found: set[str] = set()

    def probe() -> bool:
        left = docker.containers.list(all=True, filters={"label": labels}, ignore_removed=True)
        # The main one goes first: given the time, it removes the others itself.
        for one in sorted(left, key=lambda one: one.name != main):
            found.add(one.name)
            if one.name == main:
                with suppress(refusals()):
                    one.stop(timeout=grace_s)
            with suppress(refusals()):
                one.remove(v=True, force=True)
        if left:
            raise NotYetError(", ".join(one.name for one in left))
        return True

    with connected() as docker:
        try:
            eventually(probe, within_s=_GONE_WITHIN_S, what="all containers to be removed")
        except NotSeenError as not_seen:
            raise TidemarkError(
                f"LocalStack is left: {not_seen} `docker rm --force` says why; then run "
                "`tidemark down` again."
            ) from not_seen
    return bool(found)


def socket_path(docker: DockerClient, platform: str = sys.platform) -> str:
    """The engine's Unix socket, for containers that start containers.

    An engine in a virtual machine, or on another one, has its socket at the usual place there.
    """
    adapter: Any = docker.api.get_adapter(docker.api.base_url)
    path = str(getattr(adapter, "socket_path", ""))
    is_here = path and platform == "linux" and "/.docker/" not in path
    return path if is_here else _DEFAULT_SOCKET
