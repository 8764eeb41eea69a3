"""One testbed for all processes of a test session under pytest-xdist.

The process that hands out the tests has the testbed, starts it when a worker first asks, and
removes it when all workers have ended: however a worker ends, the others keep what they use.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import asdict
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidemark.deploy.assembly import Assembly
from tidemark.errors import TidemarkError
from tidemark.host import failures
from tidemark.host.deployment import Deployment
from tidemark.host.ports import LOOPBACK
from tidemark.testing.testbed import DeployedApp, Testbed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemark.host.progress import Steps
    from tidemark.testing.options import Plan

_MOST_WAITING = 64
_LAST = "no more"


class Host:
    """Has the testbed and answers the workers, one after the other.

    Args:
        make_bed: Makes the testbed, once the first worker asks.

    Attributes:
        trouble: Why there was something that could not be deployed, if there was.
    """

    def __init__(self, make_bed: Callable[[], Testbed]) -> None:
        self._make_bed = make_bed
        self._bed: Testbed | None = None
        self.trouble: TidemarkError | None = None
        self._key = secrets.token_bytes(32)
        self._listener = Listener((LOOPBACK, 0), backlog=_MOST_WAITING, authkey=self._key)
        self._thread = threading.Thread(target=self._serve, name="testbed", daemon=True)
        self._thread.start()

    @property
    def invitation(self) -> dict[str, Any]:
        """What a worker must know, in plain values."""
        return {"port": self._listener.address[1], "key": self._key.hex()}

    def interrupt(self) -> None:
        """Stop what is still being deployed: nobody is to run tests on it any more."""
        if self._bed is not None:
            self._bed.interrupt()

    def close(self) -> Testbed | None:
        """Answer nobody any more, and return the testbed if there is one."""
        self.interrupt()
        _ask(self.invitation, _LAST)
        self._thread.join()
        self._listener.close()
        return self._bed

    def _serve(self) -> None:
        failed: dict[str, dict[str, Any]] = {}
        while True:
            try:
                with self._listener.accept() as worker:
                    asked = worker.recv()
                    if asked == _LAST:
                        worker.send({})
                        return
                    worker.send(self._answer(asked, failed))
            except (AuthenticationError, EOFError, OSError):
                continue  # a stranger, or a worker that has ended: the others are still there

    def _answer(
        self, contexts: Mapping[str, str], failed: dict[str, dict[str, Any]]
    ) -> dict[str, Any]:
        """The deployments, or why there are none, which stays so."""
        wanted = str(sorted(contexts.items()))
        if wanted in failed:
            return failed[wanted]
        try:
            if self._bed is None:
                self._bed = self._make_bed()
            bed = self._bed
            app = bed.app(contexts)
        except Exception as error:  # noqa: BLE001 -- nothing is lost: the worker raises it
            trouble = failures.known(error) or TidemarkError(repr(error))
            self.trouble = self.trouble or trouble
            failed[wanted] = {"error": "\n".join(failures.lines(trouble))}
            return failed[wanted]
        return {
            "name": app.name,
            "deployments": [asdict(one) for one in app.deployments],
            "assembly": None if app.assembly is None else str(app.assembly.folder),
        }


class Guest(Testbed):
    """The testbed of a worker: what it deploys, its host deploys, and only the host removes.

    Args:
        plan: What the session is to run on.
        state: The folder of the host's testbed.
        steps: Shows progress.
        invitation: See :attr:`Host.invitation`.
        worker: What the worker is called.
    """

    def __init__(
        self, plan: Plan, state: Path, steps: Steps, invitation: Mapping[str, Any], worker: str
    ) -> None:
        super().__init__(plan, state, steps)
        self.state = state / "workers" / worker
        self._invitation = invitation

    def _deploy(self, contexts: Mapping[str, str]) -> DeployedApp:
        answer = _ask(self._invitation, contexts)
        if "error" in answer:
            raise TidemarkError(answer["error"])
        folder = answer["assembly"]
        return DeployedApp(
            answer["name"],
            tuple(Deployment(**one) for one in answer["deployments"]),
            None if folder is None else Assembly.read(Path(folder)),
        )

    def keep_evidence(self) -> None:
        """Nothing: the host does."""

    def remove(self) -> None:
        """Nothing: others may still use it."""


def _ask(invitation: Mapping[str, Any], what: object) -> dict[str, Any]:
    """Ask a host, and wait until it answers, which a deploy's own deadlines bound.

    Raises:
        TidemarkError: There is no host any more.
    """
    try:
        with Client(
            (LOOPBACK, invitation["port"]), authkey=bytes.fromhex(invitation["key"])
        ) as host:
            host.send(what)
            answer: dict[str, Any] = host.recv()
    except (EOFError, OSError) as error:
        raise TidemarkError("The session is over: the process that started it is gone.") from error
    return answer
