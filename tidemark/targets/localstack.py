"""The localstack target: LocalStack in Docker, by this checkout's compose file."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, ClassVar

from tidemark import ports
from tidemark.environment import cleaned
from tidemark.errors import TidemarkError
from tidemark.processes import Children
from tidemark.state import find_checkout, read_json, write_json
from tidemark.targets import compose, container_trouble, emulators, engine
from tidemark.targets.base import EMULATOR_REGION, LocalTarget
from tidemark.waiting import NotSeenError, NotYetError, eventually

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tidemark.environment import Connection

DEFAULT_IMAGE = "localstack/localstack:4.14.0"

# Where everybody looks for LocalStack.
PREFERRED_PORT = 4566

_COMPOSE_FILE = "docker-compose.yml"
_HEALTHY_WITHIN_S = 120.0
_STOPPED_WITHIN_S = 20
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
            recorded = self._recorded_port()
            if self.options.port not in (None, recorded):
                raise TidemarkError(
                    f"The localstack target already runs on port {recorded}: leave out --port, or "
                    "`tidemark down` first."
                )
            return running
        base = compose.command()
        self.stop()
        port = ports.choose(self.options.port, preferred=PREFERRED_PORT)
        write_json(self._record, {"project": self.project, "port": port})
        try:
            self._compose([*base, *self._files(), "up", "--detach"], port)
            self._await_healthy(port)
        except BaseException:
            self.keep_log(self._failed_log)
            self.stop()
            raise
        return self.reach(_endpoint(port), EMULATOR_REGION)

    def find(self) -> Connection | None:
        """The running LocalStack; see :meth:`Target.find`."""
        port = self._recorded_port()
        if port is None or not emulators.answers(_endpoint(port), self.name):
            return None
        return self.reach(_endpoint(port), EMULATOR_REGION)

    def stop(self) -> bool:
        """Stop LocalStack and remove its containers, network and volumes."""
        if self._recorded_port() is None and not self._labelled(_COMPOSE_MARK):
            return False
        base = [*compose.command(), *self._files()]
        self._compose([*base, "stop", "--timeout", str(_STOPPED_WITHIN_S)], 0)
        # LocalStack removes its function containers when it has the time to; not after a kill.
        if left := self._labelled(_MARK):
            engine.asked(["rm", "--force", "--volumes", *left])
        self._compose([*base, "down", "--volumes", "--remove-orphans"], 0)
        self._record.unlink(missing_ok=True)
        return True

    def how_ended(self) -> str | None:
        """How the container ended, or the engine under it; see :meth:`Target.how_ended`."""
        if self._recorded_port() is None:
            return None
        if not engine.answers():
            return "the Docker engine does not answer"
        state = self._state()
        if state is None:
            return "its container is gone"
        return container_trouble.ended(state)

    def _state(self) -> dict[str, object] | None:
        """What the engine says of the container; ``None`` when there is none."""
        shown = engine.asked(["inspect", "--format", "{{json .State}}", self._container])
        return None if shown is None else dict(json.loads(shown))

    def _labelled(self, label: str) -> list[str]:
        """The containers that bear a label with this project's name."""
        asked = ["ps", "--all", "--quiet", "--filter", f"label={label}={self.project}"]
        return (engine.asked(asked) or "").split()

    def versions(self) -> Mapping[str, str]:
        """The image, and the LocalStack in it as far as it answers."""
        port = self._recorded_port()
        health = emulators.health(_endpoint(port), self.name) if port is not None else None
        version = (health or {}).get("version")
        return {"image": image_of(os.environ)} | ({"localstack": str(version)} if version else {})

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

    def _compose(self, command: Sequence[str], port: int) -> None:
        children = Children()
        try:
            finished = children.run(
                command,
                env=cleaned()
                | {
                    "COMPOSE_PROJECT_NAME": self.project,
                    "DOCKER_SOCKET": engine.socket_path(),
                    "LOCALSTACK_PORT": str(port),
                },
                cwd=_existing(self.options.state),
                log=self._folder / "compose.log" if port else None,
            )
        except BaseException:
            children.stop()
            raise
        if finished.exit_code != 0:
            raise container_trouble.of_engine(
                finished.output, image_of(os.environ), port, who="Docker Compose"
            )

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
