"""The localstack target: LocalStack in Docker, by this checkout's compose file."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
from typing import TYPE_CHECKING, ClassVar

from tidemark import ports
from tidemark.environment import EMULATOR_CREDENTIALS, Connection, cleaned
from tidemark.errors import TidemarkError
from tidemark.processes import Children
from tidemark.state import find_checkout, read_json, write_json
from tidemark.targets import compose, engine
from tidemark.targets.base import EMULATOR_ACCOUNT, EMULATOR_REGION, Target
from tidemark.waiting import NotSeenError, NotYetError, eventually

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

DEFAULT_IMAGE = "localstack/localstack:4.14.0"

# Where everybody looks for LocalStack.
PREFERRED_PORT = 4566

_COMPOSE_FILE = "docker-compose.yml"
_HEALTHY_WITHIN_S = 120.0
_STOPPED_WITHIN_S = 20
_MARK = "tidemark.project"


def image_of(environ: Mapping[str, str]) -> str:
    """The image that an environment asks for, or the pinned one."""
    return environ.get("LOCALSTACK_IMAGE") or DEFAULT_IMAGE


class LocalStackTarget(Target):
    """LocalStack by Docker Compose; one per state folder, shared by the stacks on it."""

    name: ClassVar[str] = "localstack"
    summary: ClassVar[str] = "LocalStack, in Docker"
    is_ours: ClassVar[bool] = True

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
        if port is None or not _answers(port):
            return None
        return self.reach(_endpoint(port), EMULATOR_REGION)

    def stop(self) -> bool:
        """Stop LocalStack and remove its containers, network and volumes."""
        if self._recorded_port() is None:
            return False
        base = [*compose.command(), *self._files()]
        self._compose([*base, "stop", "--timeout", str(_STOPPED_WITHIN_S)], 0)
        # LocalStack removes its function containers when it has the time to; not after a kill.
        left = engine.asked(["ps", "--all", "--quiet", "--filter", f"label={_MARK}={self.project}"])
        if left:
            engine.asked(["rm", "--force", "--volumes", *left.split()])
        self._compose([*base, "down", "--volumes", "--remove-orphans"], 0)
        self._record.unlink(missing_ok=True)
        return True

    def reach(self, endpoint: str | None, region: str) -> Connection:
        """The connection for a recorded endpoint; see :meth:`Target.reach`."""
        return Connection(
            endpoint=endpoint,
            region=region,
            credentials=EMULATOR_CREDENTIALS,
            account=EMULATOR_ACCOUNT,
        )

    def versions(self) -> Mapping[str, str]:
        """The image, and the LocalStack in it as far as it answers."""
        port = self._recorded_port()
        health = _health(port) if port is not None else None
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
                cwd=self.options.state,
                log=self._folder / "compose.log",
            )
        except BaseException:
            children.stop()
            raise
        if finished.exit_code != 0:
            words = finished.output.strip().splitlines() or ["it said nothing"]
            raise TidemarkError(f"Docker Compose failed: {words[-1].rstrip('.')}.")

    def _await_healthy(self, port: int) -> None:
        def probe() -> bool | None:
            state = engine.asked(["inspect", "--format", "{{.State.Status}}", self._container])
            if state in {None, "exited", "dead"}:
                raise TidemarkError(
                    "LocalStack ended while starting (images after 4.14.0 need "
                    f"LOCALSTACK_AUTH_TOKEN): see {self._failed_log}."
                )
            if not _answers(port):
                raise NotYetError(f"container {state}, no answer on port {port}")
            return True

        try:
            eventually(probe, within_s=_HEALTHY_WITHIN_S, what="LocalStack to answer")
        except NotSeenError as not_seen:
            raise TidemarkError(f"LocalStack does not answer: {not_seen}") from not_seen


def _endpoint(port: int) -> str:
    return f"http://{ports.LOOPBACK}:{port}"


def _health(port: int) -> dict[str, object] | None:
    """What the health check on a loopback port says; ``None`` without an answer."""
    connection = http.client.HTTPConnection(ports.LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/_localstack/health")
        response = connection.getresponse()
        document: dict[str, object] = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    else:
        return document if response.status == http.client.OK else None
    finally:
        connection.close()


def _answers(port: int) -> bool:
    return _health(port) is not None
