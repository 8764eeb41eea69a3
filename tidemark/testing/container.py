"""LocalStack for one test session: a container that testcontainers starts and removes."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from tidemark import ports
from tidemark.errors import TidemarkError
from tidemark.targets import container_trouble, emulators
from tidemark.targets.base import EMULATOR_REGION, LocalTarget
from tidemark.targets.localstack import DEFAULT_IMAGE, image_of
from tidemark.waiting import NotSeenError, NotYetError, eventually

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from testcontainers.core.container import DockerContainer

    from tidemark.environment import Connection
    from tidemark.targets.base import TargetOptions

_PORT = 4566
_HEALTHY_WITHIN_S = 120.0
# LocalStack removes its function containers when it has the time to.
_STOP_WITHIN_S = 20
_MARK = "tidemark.testbed"

SETTINGS: Mapping[str, str] = {
    "DISABLE_EVENTS": "1",
    "DYNAMODB_HEAP_SIZE": "512m",
    "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "0.5",
    "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0.1",
    "LAMBDA_IGNORE_ARCHITECTURE": "1",
    "LAMBDA_RETRY_BASE_DELAY": "1",
    "LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT": "60",
    "SQS_ENDPOINT_STRATEGY": "path",
}
"""What LocalStack is told; `docker-compose.yml` tells it the same, and why."""


_NO_ENGINE = (
    "No Docker engine answers: start it, correct DOCKER_HOST or the docker context, or take "
    "--target embedded."
)
_NO_ENTRY = (
    "Docker does not let this user in (permission denied): add the user to the group docker and "
    "log in again, use rootless Docker, or take --target embedded."
)


class NotHereError(TidemarkError):
    """This machine does not have what the target needs."""


class ContainerTarget(LocalTarget):
    """LocalStack in a container of its own, on a loopback port that is free.

    Args:
        options: See :class:`Target`.
        outlives: Whether it is to run on when the session is over, however that ends.
    """

    name: ClassVar[str] = "localstack"
    summary: ClassVar[str] = "LocalStack, in a container of the session's own"

    def __init__(self, options: TargetOptions, *, outlives: bool = False) -> None:
        super().__init__(options)
        self._outlives = outlives
        self._id = uuid.uuid4().hex[:12]
        self._container: DockerContainer | None = None
        self._connection: Connection | None = None

    def start(self) -> Connection:
        """Start LocalStack, or find it started; see :meth:`Target.start`.

        Raises:
            NotHereError: There is no engine, or no image and no way to get it.
        """
        if self._connection is not None:
            return self._connection
        self._container = _new_container(self._id, outlives=self._outlives)
        try:
            endpoint = _started(self._container)
            self._await_healthy(endpoint)
        except BaseException:
            self.stop()
            raise
        self._connection = self.reach(endpoint, EMULATOR_REGION)
        return self._connection

    def join(self, endpoint: str) -> None:
        """Use what another process of the session started, and will stop."""
        self._connection = self.reach(endpoint, EMULATOR_REGION)

    def find(self) -> Connection | None:
        """The running LocalStack; see :meth:`Target.find`."""
        connection = self._connection
        if connection is None or not emulators.answers(str(connection.endpoint), self.name):
            return None
        return connection

    def stop(self) -> bool:
        """Remove the container, the function containers, and their volumes."""
        container, self._container, self._connection = self._container, None, None
        if container is None:
            return False
        docker = container.get_docker_client().client
        for one in docker.containers.list(all=True, filters={"name": f"^/{_name(self._id)}$"}):
            one.stop(timeout=_STOP_WITHIN_S)
            one.remove(v=True, force=True)
        for one in docker.containers.list(all=True, filters={"label": f"{_MARK}={self._id}"}):
            one.remove(v=True, force=True)
        docker.close()
        return True

    def how_ended(self) -> str | None:
        """How the container ended, or the engine under it; see :meth:`Target.how_ended`."""
        if self._container is None:
            return None
        from docker.errors import DockerException, NotFound  # noqa: PLC0415 -- with the extra `localstack` only
        from requests.exceptions import RequestException  # noqa: PLC0415 -- what docker's client raises unwrapped

        try:
            wrapped = self._container.get_wrapped_container()
            wrapped.reload()
        except NotFound:
            return "its container is gone"
        except (DockerException, RequestException):
            return "the Docker engine does not answer"
        return container_trouble.ended(wrapped.attrs["State"])

    def _await_healthy(self, endpoint: str) -> None:
        def probe() -> bool:
            if (how := self.how_ended()) is not None:
                path = self.options.state / "failed" / "localstack.log"
                path.parent.mkdir(parents=True, exist_ok=True)
                self.keep_log(path)
                printed = path.read_text(encoding="utf-8", errors="replace")
                raise container_trouble.of_container(
                    printed, image_of(os.environ), DEFAULT_IMAGE, how, path
                )
            if not emulators.answers(endpoint, self.name):
                raise NotYetError(f"no answer at {endpoint}")
            return True

        try:
            eventually(probe, within_s=_HEALTHY_WITHIN_S, what="LocalStack to answer")
        except NotSeenError as not_seen:
            raise TidemarkError(f"LocalStack does not answer: {not_seen}") from not_seen

    @property
    def how_to_remove(self) -> str:
        """The command that removes it, once it has outlived its session."""
        name = _name(self._id)
        return f"docker stop --time {_STOP_WITHIN_S} {name} && docker rm --volumes {name}"

    def versions(self) -> Mapping[str, str]:
        """The image."""
        return {"image": image_of(os.environ)}

    def keep_log(self, path: Path) -> None:
        """Write what LocalStack printed so far to a file."""
        if self._container is not None:
            path.write_bytes(b"".join(self._container.get_logs()))


def _name(session_id: str) -> str:
    return f"tidemark-testbed-{session_id}"


def _new_container(session_id: str, *, outlives: bool) -> DockerContainer:
    try:
        from docker.errors import DockerException  # noqa: PLC0415 -- with the extra `localstack` only
        from testcontainers.core.config import (  # noqa: PLC0415 -- likewise
            get_docker_socket,
            testcontainers_config,
        )
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415 -- likewise
        from testcontainers.core.labels import LABEL_SESSION_ID, SESSION_ID  # noqa: PLC0415 -- likewise
    except ImportError as error:
        raise NotHereError(
            "testcontainers is not installed: `pip install 'tidemark[localstack]'` brings it."
        ) from error
    # Else it may be the address of the engine's bridge, where the port is not published.
    testcontainers_config.tc_host_override = ports.LOOPBACK
    if outlives:
        testcontainers_config.ryuk_disabled = True  # it would remove the container all the same
    try:
        container = DockerContainer(image_of(os.environ))
    except DockerException as error:
        refused = "permission denied" in str(error).lower()
        raise NotHereError(_NO_ENTRY if refused else _NO_ENGINE) from error
    published: dict[str, Any] = container.ports
    published[str(_PORT)] = (ports.LOOPBACK,)
    # The reaper finds what a killed session leaves by the first label; `stop` by the second.
    labels = (f"{LABEL_SESSION_ID}={SESSION_ID}", f"{_MARK}={session_id}")
    return (
        container.with_name(_name(session_id))
        .with_envs(
            **SETTINGS,
            LAMBDA_DOCKER_FLAGS=" ".join(f"-l {label}" for label in labels),
            LOCALSTACK_AUTH_TOKEN=os.environ.get("LOCALSTACK_AUTH_TOKEN", ""),
            MAIN_CONTAINER_NAME=_name(session_id),
        )
        .with_volume_mapping(get_docker_socket(), "/var/run/docker.sock", "rw")
    )


def _started(container: DockerContainer) -> str:
    """Start a container, and return the endpoint that it will answer at."""
    from docker.errors import APIError  # noqa: PLC0415 -- with the extra `localstack` only

    try:
        container.start()
    except APIError as error:
        said = str(error.explanation or error)
        trouble = container_trouble.of_engine(said, str(container.image), None)
        if isinstance(trouble, container_trouble.MissingImageError):
            raise NotHereError(str(trouble)) from error
        raise trouble from error
    return f"http://{ports.LOOPBACK}:{container.get_exposed_port(_PORT)}"
