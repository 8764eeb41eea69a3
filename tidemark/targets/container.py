"""LocalStack for one test session: a container that testcontainers starts and removes."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from tidemark.errors import TidemarkError
from tidemark.host import ports
from tidemark.host.waiting import NotSeenError, NotYetError, eventually
from tidemark.targets import container_trouble, emulators
from tidemark.targets.base import EMULATOR_REGION, LocalTarget
from tidemark.targets.localstack import DEFAULT_IMAGE, image_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from testcontainers.core.container import DockerContainer

    from tidemark.aws.connection import Connection
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
            TidemarkError: There is no engine, no image and no way to get it, or no LocalStack
                that answers.
        """
        if self._connection is not None:
            return self._connection
        self._container = _new_container(self._id, outlives=self._outlives)
        try:
            endpoint = self._started(self._container)
            self._await_healthy(endpoint)
        except BaseException as error:
            try:
                self.stop()
            except TidemarkError as left:
                error.add_note(str(left))
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
        """Remove the container, the function containers, and their volumes.

        Raises:
            TidemarkError: The engine does not do it; this may be called again.
        """
        if self._container is None:
            return False
        self._connection = None
        docker = self._container.get_docker_client().client
        try:
            for one in _containers(docker, name=f"^/{_name(self._id)}$"):
                _done_unless_gone(one.stop, timeout=_STOP_WITHIN_S)
                _done_unless_gone(one.remove, v=True, force=True)
            for one in _containers(docker, label=f"{_MARK}={self._id}"):
                _done_unless_gone(one.remove, v=True, force=True)
        except _engine_errors() as error:
            raise TidemarkError(
                f"Docker does not remove LocalStack ({_words_of(error)}); once it answers: "
                f"{self.how_to_remove}"
            ) from error
        docker.close()
        self._container = None
        return True

    def how_ended(self) -> str | None:
        """How the container ended, or the engine under it; see :meth:`Target.how_ended`."""
        if self._container is None:
            return None
        from docker.errors import NotFound  # noqa: PLC0415 -- with the extra `localstack` only

        try:
            wrapped = self._container.get_wrapped_container()
            wrapped.reload()
        except NotFound:
            return "its container is gone"
        except _engine_errors():
            return "the Docker engine does not answer"
        return container_trouble.ended(wrapped.attrs["State"])

    def _started(self, container: DockerContainer) -> str:
        """Start a container, and return the endpoint that it will answer at."""
        _start_ryuk()
        try:
            container.start()
        except _engine_errors() as error:
            raise _not_started(container, error) from error
        try:
            port = container.get_exposed_port(_PORT)
        except _engine_errors() as error:
            self._refuse_an_ended()  # which publishes no port
            raise _not_started(container, error) from error
        return f"http://{ports.LOOPBACK}:{port}"

    def _refuse_an_ended(self) -> None:
        """Say why the container ended, if it did."""
        if (how := self.how_ended()) is None:
            return
        path = self.options.state / "failed" / "localstack.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.keep_log(path)
        printed = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        raise container_trouble.of_container(
            printed, image_of(os.environ), DEFAULT_IMAGE, how, path
        )

    def _await_healthy(self, endpoint: str) -> None:
        def probe() -> bool:
            self._refuse_an_ended()
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
        """Write what LocalStack printed so far to a file, if the engine tells."""
        if self._container is None:
            return
        with suppress(*_engine_errors()):
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
        raise TidemarkError(
            "testcontainers is not installed: `pip install 'tidemark-cqrs[localstack]'` brings it."
        ) from error
    # Else it may be the address of the engine's bridge, where the port is not published.
    testcontainers_config.tc_host_override = ports.LOOPBACK
    if outlives:
        testcontainers_config.ryuk_disabled = True  # it would remove the container all the same
    try:
        container = DockerContainer(image_of(os.environ))
    except DockerException as error:
        refused = "permission denied" in str(error).lower()
        raise TidemarkError(_NO_ENTRY if refused else _NO_ENGINE) from error
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


def _start_ryuk() -> None:
    """Start what removes the containers of a killed session; by itself, for errors of its own."""
    from testcontainers.core.config import testcontainers_config  # noqa: PLC0415 -- with the extra `localstack` only
    from testcontainers.core.container import Reaper  # noqa: PLC0415 -- likewise

    if testcontainers_config.ryuk_disabled:
        return
    try:
        Reaper.get_instance()
    except _engine_errors() as error:
        with suppress(*_engine_errors()):
            Reaper.delete_instance()
        raise TidemarkError(
            f"Docker does not start {testcontainers_config.ryuk_image}, which removes what a "
            f"killed session leaves ({_words_of(error)}): name another by RYUK_CONTAINER_IMAGE, or "
            "do without by TESTCONTAINERS_RYUK_DISABLED=true."
        ) from error


def _not_started(container: DockerContainer, error: Exception) -> TidemarkError:
    return container_trouble.of_engine(_all_of(error), str(container.image), None)


def _containers(docker: Any, **filters: str) -> list[Any]:
    found: list[Any] = docker.containers.list(all=True, filters=filters, ignore_removed=True)
    return found


def _done_unless_gone(do: Callable[..., object], **options: object) -> None:
    """Do something to a container that LocalStack, or the reaper, may remove meanwhile."""
    from docker.errors import APIError  # noqa: PLC0415 -- with the extra `localstack` only

    try:
        do(**options)
    except APIError as error:
        if error.status_code not in {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}:
            raise


def _words_of(error: Exception) -> str:
    return container_trouble.last_line(_all_of(error))


def _all_of(error: Exception) -> str:
    """What the engine said, or else docker's client."""
    return str(getattr(error, "explanation", None) or error)


def _engine_errors() -> tuple[type[Exception], ...]:
    """What docker's client and testcontainers raise where the engine does not do as it is told."""
    from docker.errors import DockerException  # noqa: PLC0415 -- with the extra `localstack` only

    # testcontainers' own are of the second kind; docker's client lets through those of `requests`,
    # which are of the third.
    return (DockerException, RuntimeError, OSError)
