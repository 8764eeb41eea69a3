"""The runs of a test session: one for each stack that it calls, in folders that outlive it."""

from __future__ import annotations

import hashlib
import itertools
import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tidemark.api.httpx_transport import HttpxTransport
from tidemark.api.op import Purpose
from tidemark.api.session import Writer
from tidemark.aws.api_clients import client_of
from tidemark.errors import NotStartedError
from tidemark.faults.plan import planned
from tidemark.history import retention
from tidemark.history.places import folder_of_runs
from tidemark.workloads.calling import Caller
from tidemark.workloads.own_checks import make

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tidemark.api.client import Client
    from tidemark.api.exchange import Transport
    from tidemark.api.op import Op
    from tidemark.aws.clients import AwsClients
    from tidemark.faults.plan import Fault
    from tidemark.history.writing import RunWriter
    from tidemark.host.deployment import Deployment
    from tidemark.testing.open_run import OpenRun
    from tidemark.workloads.own import OwnWorkload
    from tidemark.workloads.workload import Workload

_LONGEST_NAME = 40
_numbers = itertools.count(1)


class SessionRuns:
    """Makes clients whose calls are written down, alike in each process of a session.

    Args:
        folder: The folder of all runs' folders.
        session: The session's name, which begins with its time and is the same in each process.
        process: The process's own.
        say: Tells people what was removed.
        own: What describes the system, if it is one of the project's own.
    """

    def __init__(
        self,
        folder: Path,
        session: str,
        process: str,
        say: Callable[[str], object],
        own: type[OwnWorkload] | None = None,
    ) -> None:
        self._folder = folder
        self._session = session
        self._process = process
        self._say = say
        self._own = own
        self._runs: dict[str, OpenRun | Unrecorded] = {}

    @classmethod
    def of_session(
        cls,
        state: Path,
        process: str,
        say: Callable[[str], object],
        own: type[OwnWorkload] | None = None,
    ) -> Self:
        """The runs of the session that a folder below the state folder belongs to."""
        return cls(folder_of_runs(state.parents[1]), state.name, process, say, own)

    @contextmanager
    def client_of(
        self,
        deployment: Deployment,
        clients: AwsClients,
        around: Callable[[Transport], Transport],
        transport: Transport | None = None,
    ) -> Iterator[Client]:
        """A client of a deployment's API, in the run that this session makes there.

        Args:
            deployment: The deployment.
            clients: The AWS clients of its target.
            around: Makes another transport out of the one that sends.
            transport: What sends the requests, if it must be another than usual.
        """
        run = self._run(deployment, clients)
        with HttpxTransport(ca_bundle=clients.connection.ca_bundle) as usual:
            yield client_of(
                deployment,
                clients,
                around(transport or usual),
                session=run.writer.session("session"),
                sink=run.take,
                purpose=Purpose.TEST,
                principal=run.principal,
            )

    @property
    def own(self) -> type[OwnWorkload]:
        """What describes the project's own system.

        Raises:
            NotStartedError: Nobody said.
        """
        if self._own is None:
            raise NotStartedError(
                "`tidemark_caller` needs to know the system: name the class that describes it, "
                "--tidemark-workload MODULE:CLASS."
            )
        return self._own

    def caller_of(self, deployment: Deployment, clients: AwsClients) -> Caller:
        """A caller of the project's own system, in the run that this session makes there.

        Args:
            deployment: The deployment.
            clients: The AWS clients of its target.

        Raises:
            NotStartedError: Nobody said what describes the system.
            WorkloadError: What describes it cannot be made.
        """
        workload = make(self.own, deployment, clients)
        run = self._run(deployment, clients)
        return Caller(workload=workload, session=run.writer.session("session"), sink=run.take)

    def history_of(self, deployment: Deployment, clients: AwsClients) -> SessionHistory:
        """What a test may ask of the run that this session makes on a deployment."""
        run = self._run(deployment, clients)
        return SessionHistory(run.path, run.path.name, run.history)

    @property
    def paths(self) -> list[Path]:
        """Where the runs of this process are."""
        return [run.path for run in self._runs.values()]

    def path_of(self, stack_name: str) -> Path:
        """Where the run of this session on a stack is, in whichever process."""
        return self._folder / self._run_id(stack_name)

    def workload_of(self, deployment: Deployment, clients: AwsClients) -> Workload:
        """What is known of a stack."""
        from tidemark.testing.open_run import workload_of  # noqa: PLC0415 -- with the extra `history`

        return workload_of(deployment, clients, self._own)

    def close(self) -> None:
        """Write down the rest of what this process called.

        Raises:
            RecordingError: It cannot be written.
        """
        with ExitStack() as closing:
            for run in self._runs.values():
                closing.callback(run.close)
            self._runs = {}

    def _run(self, deployment: Deployment, clients: AwsClients) -> OpenRun | Unrecorded:
        name = deployment.stack_name
        if name not in self._runs:
            writer = Writer(self._run_id(name), self._process)
            path = self._folder / writer.run_id
            if not path.exists() and (removed := retention.clear(self._folder)):
                self._say(removed)
            self._runs[name] = self._opened(path, writer, deployment, clients)
        return self._runs[name]

    def _opened(
        self, path: Path, writer: Writer, deployment: Deployment, clients: AwsClients
    ) -> OpenRun | Unrecorded:
        try:
            from tidemark.testing.open_run import OpenRun  # noqa: PLC0415 -- with the extra `history`
        except ImportError:
            if not self._runs:
                self._say(
                    "What the tests call is not written down: `pip install "
                    "'tidemark-cqrs[history]'` brings what does."
                )
            return Unrecorded(path, writer)
        return OpenRun(path, writer, deployment, clients, self._own)

    def _run_id(self, stack_name: str) -> str:
        time, _, _ = self._session.partition("-")
        own = hashlib.sha256(f"{self._session}/{stack_name}".encode()).hexdigest()[:6]
        return f"{time}-{own}"


@dataclass(frozen=True)
class Unrecorded:
    """A run of which nothing is kept, for want of what writes it down."""

    path: Path
    writer: Writer
    principal: None = None
    history: None = None

    def take(self, op: Op) -> None:
        """Keep nothing."""

    def close(self) -> None:
        """There is nothing to be written down."""


@dataclass(frozen=True)
class SessionHistory:
    """The history of a session's calls on one stack, as a test may ask for it.

    Attributes:
        path: The run's folder.
        run_id: The run's id: accounts, owners and keys that are to be judged begin with it.
        writer: Takes further rows, for :mod:`tidemark.faults`; none if nothing is written down.
    """

    path: Path
    run_id: str
    writer: RunWriter | None

    @contextmanager
    def fault(self, name: str, *, times: int = 1) -> Iterator[Fault]:
        """Write a fault down that a test injects for as long as a block lasts.

        It has healed when the block ends well. The verdict says whether it struck often enough.

        Args:
            name: The fault.
            times: How often it is to strike, at least: call `strike` of what is yielded.
        """
        with planned(self.writer, name, times=times) as fault:
            yield fault


def session_name(test: str) -> str:
    """Return a name for the session of a test that no other has, also not when it is run again."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", test)[:_LONGEST_NAME].strip("-")
    return f"t{next(_numbers)}-{name}"
