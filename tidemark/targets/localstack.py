"""The localstack target: LocalStack in Docker, as `docker-compose.yml` describes it."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from tidemark.aws.principals import NOBODY
from tidemark.errors import NotStartedError, TidemarkError
from tidemark.host import ports
from tidemark.host.state import read_json, write_json
from tidemark.targets import compose_file, container_trouble, emulators, engine
from tidemark.targets.base import LocalTarget, SilentTargetError
from tidemark.targets.stopping import starting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tidemark.aws.clients import AwsClients
    from tidemark.aws.connection import Connection

_FIRST_ANSWER_WITHIN_S = 120.0


class LocalStackTarget(LocalTarget):
    """LocalStack in a container; one per state folder, shared by the stacks on it."""

    name: ClassVar[str] = "localstack"
    summary: ClassVar[str] = "LocalStack, in Docker"

    @property
    def _record(self) -> Path:
        """Says that one was started: without it, nobody needs to ask the engine."""
        return self.options.state / self.name / "container.json"

    @property
    def project(self) -> str:
        """What its containers are labelled with: one name for each state folder."""
        place = hashlib.sha256(str(self.options.state.resolve()).encode()).hexdigest()
        return f"tidemark-{place[:8]}"

    def _described(self, **own: str) -> Mapping[str, Any]:
        return compose_file.read({**own, **os.environ, "COMPOSE_PROJECT_NAME": self.project})

    @property
    def _container(self) -> str:
        return str(self._described()["container_name"])

    def start(self) -> Connection:
        """Find LocalStack running or start it; see :meth:`Target.start`."""
        if (running := self._find(within_s=self.patience_s)) is not None:
            self._remember()
            self.refuse_another_port(running)
            self._refuse_another_image()
            return running
        self.stop()  # what is left of one that has ended
        return self._start_anew()

    def find(self) -> Connection | None:
        """The running LocalStack; see :meth:`Target.find`."""
        return self._find(within_s=self.patience_s) if self._record.exists() else None

    def stop(self) -> bool:
        """Stop LocalStack, and remove it, its function containers, and their volumes.

        Raises:
            TidemarkError: Something is left, which the sentence names.
        """
        try:
            was_any = engine.remove_all(self._described())
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

    def principal(self, clients: AwsClients) -> str:  # noqa: ARG002 -- it is the same for all
        """Nobody: its gateway does not tell functions who signed a request."""
        return NOBODY

    def versions(self) -> Mapping[str, str]:
        """The image where an engine shows it, and the LocalStack that answers."""
        found, endpoint = {}, self.options.endpoint_url
        with suppress(engine.EngineError):  # where a container sends load from, there is none
            record = read_json(self._record)
            shown = engine.inspect(record["container"]) if record else None
            if shown is not None:
                found = {"image": shown["Config"]["Image"], "image id": shown["Image"]}
                endpoint = _endpoint(shown)
        version = emulators.version_at(endpoint, self.name) if endpoint else None
        return found | ({"localstack": version} if version else {})

    def keep_log(self, path: Path) -> None:
        """Write what LocalStack printed so far, if the engine tells."""
        try:
            with engine.connected() as docker:
                printed: bytes = docker.api.logs(self._container)
        except engine.EngineError:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(printed)

    def _start_anew(self) -> Connection:
        from tidemark.host.progress import Steps  # noqa: PLC0415 -- sessions without a deployment stay quick

        steps = Steps()
        with engine.connected() as docker:
            described = self._described(DOCKER_SOCKET=engine.socket_path(docker))
        port = self.options.port
        if port is not None or not self.options.is_private:  # else the engine chooses
            port = ports.choose(port, preferred=compose_file.usual_port(os.environ))
        if not engine.has_image(image := described["image"]):
            steps.say(f"  {image} is not on this machine: it is pulled, this once.")
            with steps.step(f"{image} is pulled") as show:
                engine.pull(image, show)
        steps.say("  LocalStack is given Docker's socket: as good as root on the engine's host.")
        with starting(self):
            self._remember()
            # By a thread, which an interruption lets finish: what the engine makes of a request
            # that was left alone could not be removed.
            with ThreadPoolExecutor(1) as pool:
                pool.submit(_run, described, port).result()
            return self._await_first_answer(image)

    def _remember(self) -> None:
        write_json(self._record, {"container": self._container})

    def _find(self, *, within_s: float) -> Connection | None:
        shown = engine.inspect(self._container)
        if shown is None or container_trouble.how_ended(shown["State"]) is not None:
            return None
        return self.await_answer(_endpoint(shown), within_s=within_s)

    def _refuse_another_image(self) -> None:
        runs, wanted = self.versions().get("image"), os.environ.get("LOCALSTACK_IMAGE")
        if runs and wanted and wanted != runs:
            raise NotStartedError(
                f"The localstack target already runs the image {runs}: leave out "
                "LOCALSTACK_IMAGE, or `tidemark down` first."
            )

    def _await_first_answer(self, image: str) -> Connection:
        log = self.options.state / "failed" / "localstack.log"
        try:
            if (connection := self._find(within_s=_FIRST_ANSWER_WITHIN_S)) is not None:
                return connection
        except SilentTargetError as silent:
            self.keep_log(log)
            raise TidemarkError(
                f"LocalStack has not answered within {_FIRST_ANSWER_WITHIN_S:g} s of its start: "
                f"try again when the machine has less to do, or see {log}."
            ) from silent
        how = self.how_ended() or "nobody knows how"
        self.keep_log(log)
        raise container_trouble.of_end(log, image, how)


def _run(described: Mapping[str, Any], port: int | None) -> None:
    """Run a container as it is described, by testcontainers and without its reaper.

    The undo journal removes it, after a kill as well; the reaper would be a second container
    with the engine's socket, and end what is to be kept.
    """
    from testcontainers.core.config import testcontainers_config  # noqa: PLC0415 -- with the extra `localstack` only
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 -- likewise

    mounts = [one.rpartition(":") for one in described["volumes"]]
    container = DockerContainer(
        described["image"],
        env=described["environment"],
        name=described["container_name"],
        volumes=[(there, here, "rw") for there, _, here in mounts],
        labels=described["labels"],
    )
    published: dict[str, Any] = container.ports
    published[described["ports"][0].rpartition(":")[2]] = (ports.LOOPBACK, port)
    others = testcontainers_config.ryuk_disabled
    testcontainers_config.ryuk_disabled = True
    try:
        container.start()
    except engine.errors() as error:
        words = engine.words_of(error)
        raise container_trouble.of_start(words, described["image"], port) from error
    finally:
        testcontainers_config.ryuk_disabled = others
        container.get_docker_client().client.close()


def _endpoint(shown: Mapping[str, Any]) -> str:
    """Where a container that runs is published, as the engine shows it."""
    places = shown["NetworkSettings"]["Ports"]
    port = next((at["HostPort"] for bound in places.values() for at in bound or ()), None)
    if port is None:
        raise SilentTargetError("LocalStack's container has no port: `tidemark down` removes it.")
    return f"http://{ports.LOOPBACK}:{port}"
