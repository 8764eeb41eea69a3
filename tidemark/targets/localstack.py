"""The localstack target: LocalStack in Docker, by this checkout's compose file."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, ClassVar

from tidemark.aws.connection import cleaned
from tidemark.errors import RefusedError, TidemarkError
from tidemark.host import ports
from tidemark.host.processes import Children
from tidemark.host.state import find_checkout, read_json, write_json
from tidemark.host.waiting import NotSeenError, NotYetError, eventually
from tidemark.targets import compose, container_trouble, emulators, engine
from tidemark.targets.base import EMULATOR_REGION, LocalTarget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tidemark.aws.connection import Connection
    from tidemark.host.processes import Finished

DEFAULT_IMAGE = "localstack/localstack:4.14.0"

# Where everybody looks for LocalStack.
PREFERRED_PORT = 4566

_COMPOSE_FILE = "docker-compose.yml"
_HEALTHY_WITHIN_S = 120.0
_STOPPED_WITHIN_S = 20
# By the engine, which kills them one after the other.
_FUNCTIONS_GONE_WITHIN_S = 60.0
_MARK = "tidemark.project"
_COMPOSE_MARK = "com.docker.compose.project"


def image_of(environ: Mapping[str, str]) -> str:
    """The image that an environment asks for, or the pinned one."""
    return environ.get("LOCALSTACK_IMAGE") or DEFAULT_IMAGE


class LocalStackTarget(LocalTarget):
    """LocalStack by Docker Compose; one per state folder, shared by the stacks on it."""

    name: ClassVar[str] = "localstack"
    summary: ClassVar[str] = "LocalStack, in Docker"

    @property
    def _folder(self) -> Path:
        return self.options.state / self.name

    @property
    def _record(self) -> Path:
        return self._folder / "container.json"

    @property
    def _failed_log(self) -> Path:
        return self._folder / "failed.log"

    @property
    def _container(self) -> str:
        return f"{self.project}-localstack"

    @property
    def project(self) -> str:
        """The name of the compose project: one for each state folder."""
        place = hashlib.sha256(str(self.options.state.resolve()).encode()).hexdigest()
        return f"tidemark-{place[:8]}"

    def start(self) -> Connection:
        """Find LocalStack running or start it; see :meth:`Target.start`."""
        running = self.find()
        if running is not None:
            self._refuse_another()
            return running
        base = compose.command()
        self.stop()
        port = ports.choose(self.options.port, preferred=PREFERRED_PORT)
        write_json(self._record, {"project": self.project, "port": port})
        try:
            self._bring_up([*base, *self._files(), "up", "--detach"], port)
            self._await_healthy(port)
        except BaseException:
            self.keep_log(self._failed_log)
            self.stop()
            raise
        return self.reach(_endpoint(port), EMULATOR_REGION)

    def find(self) -> Connection | None:
        """The running LocalStack; see :meth:`Target.find`.

        Another one may answer on its port when its container is gone.
        """
        port = self._recorded_port()
        if port is None:
            return None
        container = engine.container(self._container)
        if container is None or port not in container.ports:
            return None
        if not emulators.answers(_endpoint(port), self.name):
            return None
        return self.reach(_endpoint(port), EMULATOR_REGION)

    def _refuse_another(self) -> None:
        """Refuse a port or an image that is not what runs.

        Raises:
            RefusedError: One is asked for.
        """
        port, container = self._recorded_port(), engine.container(self._container)
        if self.options.port not in (None, port):
            raise RefusedError(
                f"The localstack target already runs on port {port}: leave out --port, or "
                "`tidemark down` first."
            )
        wanted = os.environ.get("LOCALSTACK_IMAGE")
        if wanted and container is not None and wanted != container.image:
            raise RefusedError(
                f"The localstack target already runs the image {container.image}: leave out "
                "LOCALSTACK_IMAGE, or `tidemark down` first."
            )

    def stop(self) -> bool:
        """Stop LocalStack and remove its containers, network and volumes.

        Raises:
            TidemarkError: Something is left, which the sentence names.
        """
        if self._recorded_port() is None and not engine.labelled(_COMPOSE_MARK, self.project):
            return False
        base = [*compose.command(), *self._files()]
        self._take_down([*base, "stop", "--timeout", str(_STOPPED_WITHIN_S)])
        self._remove_functions()
        self._take_down([*base, "down", "--volumes", "--remove-orphans"])
        self._record.unlink(missing_ok=True)
        return True

    def how_ended(self) -> str | None:
        """How the container ended, or the engine under it; see :meth:`Target.how_ended`."""
        if self._recorded_port() is None:
            return None
        if not engine.answers():
            return "the Docker engine does not answer"
        container = engine.container(self._container)
        if container is None:
            return "its container is gone"
        return container_trouble.ended(container.state)

    def _remove_functions(self) -> None:
        """Remove the function containers; LocalStack does so if it ends in its own time."""

        def probe() -> bool:
            left = engine.labelled(_MARK, self.project)
            if left is None:
                raise NotYetError("the Docker engine does not list its containers")
            if left:
                remove = ["rm", "--force", "--volumes", *left]
                engine.asked(remove, within_s=_FUNCTIONS_GONE_WITHIN_S)
                raise NotYetError(", ".join(left))
            return True

        try:
            eventually(probe, within_s=_FUNCTIONS_GONE_WITHIN_S, what="them to be removed")
        except NotSeenError as not_seen:
            raise TidemarkError(
                f"LocalStack's function containers are left: {not_seen} `docker rm --force` says "
                "why; then run `tidemark down` again."
            ) from not_seen

    def versions(self) -> Mapping[str, str]:
        """The image, and the LocalStack in it as far as it answers."""
        port, container = self._recorded_port(), engine.container(self._container)
        if port is None or container is None:
            return {}
        version = (emulators.health(_endpoint(port), self.name) or {}).get("version")
        found = {"image": container.image, "image id": container.image_id}
        return found | ({"localstack": str(version)} if version else {})

    def keep_log(self, path: Path) -> None:
        """Write what LocalStack printed so far."""
        printed = engine.asked(["logs", self._container], with_errors=True)
        if printed is not None:
            path.write_text(printed + "\n", encoding="utf-8")

    def _recorded_port(self) -> int | None:
        port = (read_json(self._record) or {}).get("port")
        return port if isinstance(port, int) else None

    def _files(self) -> list[str]:
        checkout = find_checkout()
        if checkout is None:
            raise TidemarkError("LocalStack is started from a checkout of Tidemark: run it there.")
        return ["--project-name", self.project, "--file", str(checkout / _COMPOSE_FILE)]

    def _bring_up(self, command: Sequence[str], port: int) -> None:
        finished = self._compose(command, port, self._folder / "compose.log")
        if finished.exit_code != 0:
            raise container_trouble.of_engine(finished.output, image_of(os.environ), port)

    def _take_down(self, command: Sequence[str]) -> None:
        finished = self._compose(command)
        if finished.exit_code != 0:
            words = container_trouble.last_line(finished.output)
            raise TidemarkError(
                f"Docker Compose does not remove LocalStack ({words}): run `tidemark down` again."
            )

    def _compose(
        self, command: Sequence[str], port: int = PREFERRED_PORT, log: Path | None = None
    ) -> Finished:
        children = Children()
        try:
            return children.run(
                command,
                env=cleaned()
                | {
                    "COMPOSE_PROJECT_NAME": self.project,
                    "DOCKER_SOCKET": engine.socket_path(),
                    # Else a `.env` beside the file could name one that nobody here knows of.
                    "LOCALSTACK_IMAGE": image_of(os.environ),
                    "LOCALSTACK_PORT": str(port),
                },
                cwd=_existing(self.options.state),
                log=log,
            )
        except BaseException:
            children.stop()
            raise

    def _await_healthy(self, port: int) -> None:
        def probe() -> bool | None:
            if (how := self.how_ended()) is not None:
                printed = engine.asked(["logs", self._container], with_errors=True) or ""
                raise container_trouble.of_container(
                    printed, image_of(os.environ), DEFAULT_IMAGE, how, self._failed_log
                )
            if not emulators.answers(_endpoint(port), self.name):
                raise NotYetError(f"no answer on port {port}")
            return True

        try:
            eventually(probe, within_s=_HEALTHY_WITHIN_S, what="LocalStack to answer")
        except NotSeenError as not_seen:
            raise TidemarkError(f"LocalStack does not answer: {not_seen}") from not_seen


def _existing(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _endpoint(port: int) -> str:
    return f"http://{ports.LOOPBACK}:{port}"
