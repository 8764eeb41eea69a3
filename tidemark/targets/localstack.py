"""The localstack target: LocalStack in Docker, described by `docker-compose.yml`."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from tidemark.errors import RefusedError, TidemarkError
from tidemark.host import ports
from tidemark.host.progress import Steps
from tidemark.host.state import write_json
from tidemark.host.waiting import NotSeenError, NotYetError, eventually
from tidemark.targets import compose_file, container_trouble, emulators, engine
from tidemark.targets.base import LocalTarget, SilentTargetError
from tidemark.targets.stopping import starting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from docker import DockerClient

    from tidemark.aws.connection import Connection
    from tidemark.targets.compose_file import Described

_FIRST_ANSWER_WITHIN_S = 120.0
# By the engine, which kills them one after the other.
_GONE_WITHIN_S = 60.0


class LocalStackTarget(LocalTarget):
    """LocalStack in a container; one per state folder, shared by the stacks on it."""

    name: ClassVar[str] = "localstack"
    summary: ClassVar[str] = "LocalStack, in Docker"

    @property
    def _folder(self) -> Path:
        return self.options.state / self.name

    @property
    def _record(self) -> Path:
        """Says that one was started: without it, nobody needs to ask the engine."""
        return self._folder / "container.json"

    @property
    def _failed_log(self) -> Path:
        return self.options.state / "failed" / "localstack.log"

    @property
    def project(self) -> str:
        """What its containers are labelled with: one name for each state folder."""
        place = hashlib.sha256(str(self.options.state.resolve()).encode()).hexdigest()
        return f"tidemark-{place[:8]}"

    @property
    def _container(self) -> str:
        return f"{self.project}-{self.name}"

    def start(self) -> Connection:
        """Find LocalStack running or start it; see :meth:`Target.start`."""
        if (running := self._find_by_engine()) is not None:
            self._remember()
            self.refuse_another_port(running)
            self._refuse_another_image()
            return running
        self.stop()  # what is left of one that has ended
        with engine.connected() as docker:
            socket = engine.socket_path(docker)
        described = self._describe(socket)
        port = self._choose_port(described)
        _pull_if_missing(described.image)
        Steps().say("  LocalStack is given Docker's socket: as good as root on the engine's host.")
        with starting(self):
            self._remember()
            # Of its own: one that is begun is seen through, whatever interrupts, or what the
            # engine makes of it could not be removed.
            with ThreadPoolExecutor(1) as pool:
                pool.submit(_run, described, port).result()
            return self._await_first_answer(described)

    def find(self) -> Connection | None:
        """The running LocalStack; see :meth:`Target.find`."""
        return self._find_by_engine() if self._record.exists() else None

    def _find_by_engine(self) -> Connection | None:
        shown = engine.inspect(self._container)
        if shown is None or container_trouble.how_ended(shown["State"]) is not None:
            return None
        endpoint = _endpoint(shown)
        return None if endpoint is None else self.await_answer(endpoint, within_s=self.patience_s)

    def stop(self) -> bool:
        """Stop LocalStack, and remove it, its function containers, and their volumes.

        Raises:
            TidemarkError: Something is left, which the sentence names.
        """
        try:
            with engine.connected() as docker:
                was_any = self._remove_all(docker)
        except engine.EngineError:
            if not self._record.exists():
                return False
            raise
        self._record.unlink(missing_ok=True)
        return was_any

    def how_ended(self) -> str | None:
        """How the container ended, or the engine under it; see :meth:`Target.how_ended`."""
        if not self._record.exists():
            return None
        try:
            shown = engine.inspect(self._container)
        except engine.EngineError as error:
            return error.why if error.is_gone else None  # else it may only be busy
        if shown is None:
            return "its container is gone"
        return container_trouble.how_ended(shown["State"])

    def versions(self) -> Mapping[str, str]:
        """The image, and the LocalStack in it as far as it answers."""
        shown = engine.inspect(self._container) if self._record.exists() else None
        if shown is None:
            return {}
        found = {"image": shown["Config"]["Image"], "image id": shown["Image"]}
        endpoint = _endpoint(shown)
        version = endpoint and (emulators.health(endpoint, self.name) or {}).get("version")
        return found | ({"localstack": str(version)} if version else {})

    def keep_log(self, path: Path) -> None:
        """Write what LocalStack printed so far, if the engine tells."""
        try:
            with engine.connected() as docker:
                printed: bytes = docker.api.logs(self._container)
        except engine.EngineError:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(printed)

    def _describe(self, socket: str) -> Described:
        own = {"COMPOSE_PROJECT_NAME": self.project}
        return compose_file.describe({"DOCKER_SOCKET": socket, **os.environ, **own})

    def _remember(self) -> None:
        write_json(self._record, {"container": self._container})

    def _choose_port(self, described: Described) -> int | None:
        """The port to publish it at; ``None`` leaves the choice to the engine."""
        if self.options.is_private and self.options.port is None:
            return None
        return ports.choose(self.options.port, preferred=described.host_port)

    def _refuse_another_image(self) -> None:
        """Refuse an image that is not what runs.

        Raises:
            RefusedError: Such a one is asked for.
        """
        runs, wanted = self.versions().get("image"), os.environ.get("LOCALSTACK_IMAGE")
        if runs and wanted and wanted != runs:
            raise RefusedError(
                f"The localstack target already runs the image {runs}: leave out "
                "LOCALSTACK_IMAGE, or `tidemark down` first."
            )

    def _await_first_answer(self, described: Described) -> Connection:
        connection = None
        try:
            if (endpoint := _endpoint(engine.inspect(self._container))) is not None:
                connection = self.await_answer(endpoint, within_s=_FIRST_ANSWER_WITHIN_S)
        except SilentTargetError as silent:
            self.keep_log(self._failed_log)
            raise TidemarkError(
                f"LocalStack has not answered within {_FIRST_ANSWER_WITHIN_S:g} s of its start: "
                f"try again when the machine has less to do, or see {self._failed_log}."
            ) from silent
        if connection is not None:
            return connection
        how = self.how_ended() or "it publishes no port"
        self.keep_log(self._failed_log)
        log = self._failed_log
        printed = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
        pinned = compose_file.image_of({})
        raise container_trouble.of_end(printed, described.image, pinned, how, log)

    def _remove_all(self, docker: DockerClient) -> bool:
        """Remove all containers that bear its label; say whether there were any."""
        described = compose_file.describe({"COMPOSE_PROJECT_NAME": self.project})
        labels = [f"{label}={value}" for label, value in described.labels.items()]
        found: set[str] = set()

        def probe() -> bool:
            left = docker.containers.list(all=True, filters={"label": labels}, ignore_removed=True)
            found.update(one.name for one in left)
            # LocalStack goes first: given the time, it removes its functions' containers itself.
            left.sort(key=lambda one: one.name != described.name)
            for one in left:
                if one.name == described.name:
                    with suppress(engine.refusals()):
                        one.stop(timeout=described.stops_within_s)
                with suppress(engine.refusals()):
                    one.remove(v=True, force=True)
            if left:
                raise NotYetError(", ".join(one.name for one in left))
            return True

        try:
            eventually(probe, within_s=_GONE_WITHIN_S, what="its containers to be removed")
        except NotSeenError as not_seen:
            raise TidemarkError(
                f"LocalStack is left: {not_seen} `docker rm --force` says why; then run "
                "`tidemark down` again."
            ) from not_seen
        except engine.errors() as error:
            words = container_trouble.last_line(engine.words_of(error))
            raise TidemarkError(
                f"Docker does not remove LocalStack ({words}): run `tidemark down` again."
            ) from error
        return bool(found)


def _pull_if_missing(image: str) -> None:
    if engine.has_image(image):
        return
    with Steps().step(f"{image} is pulled") as show, engine.connected() as docker:
        try:
            engine.pull(docker, image, show)
        except engine.errors() as error:
            raise container_trouble.of_pull(engine.words_of(error), image) from error


def _run(described: Described, port: int | None) -> None:
    """Run a container as it is described, by testcontainers and without its reaper.

    The undo journal removes it, after a kill as well; the reaper would be a second container
    with the engine's socket, and end what is to be kept.
    """
    from testcontainers.core.config import testcontainers_config  # noqa: PLC0415 -- with the extra `localstack` only
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 -- likewise

    container = DockerContainer(
        described.image,
        env=dict(described.environment),
        name=described.name,
        volumes=[(there, here, "rw") for there, here in described.mounts],
        labels=dict(described.labels),
    )
    published: dict[str, Any] = container.ports
    published[str(described.port)] = (ports.LOOPBACK, port)
    others = testcontainers_config.ryuk_disabled
    testcontainers_config.ryuk_disabled = True
    try:
        container.start()
    except engine.errors() as error:
        words = engine.words_of(error)
        raise container_trouble.of_start(words, described.image, port) from error
    finally:
        testcontainers_config.ryuk_disabled = others
        container.get_docker_client().client.close()


def _port(shown: Mapping[str, Any] | None) -> int | None:
    """Where a container is published, as the engine shows it."""
    places = (shown or {"NetworkSettings": {"Ports": None}})["NetworkSettings"]["Ports"] or {}
    return next((int(at["HostPort"]) for bound in places.values() for at in bound or ()), None)


def _endpoint(shown: Mapping[str, Any] | None) -> str | None:
    port = _port(shown)
    return None if port is None else f"http://{ports.LOOPBACK}:{port}"
