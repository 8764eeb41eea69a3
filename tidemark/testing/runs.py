"""The runs of a test session: one for each stack that it calls, in folders that outlive it."""

from __future__ import annotations

import hashlib
import itertools
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from tidemark.api.httpx_transport import HttpxTransport
from tidemark.api.op import Purpose
from tidemark.api.session import Writer
from tidemark.aws.api_clients import client_of
from tidemark.history import retention
from tidemark.history.run_folder import RunFolder, folder_of_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tidemark.api.client import Client
    from tidemark.api.exchange import Transport
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

_LONGEST_NAME = 40
_numbers = itertools.count(1)


class SessionRuns:
    """Makes clients whose calls are written down, alike in each process of a session.

    Args:
        folder: The folder of all runs' folders.
        session: The session's name, which begins with its time and is the same in each process.
        process: The process's own.
        say: Tells people what was removed.
    """

    def __init__(
        self, folder: Path, session: str, process: str, say: Callable[[str], object]
    ) -> None:
        self._folder = folder
        self._session = session
        self._process = process
        self._say = say
        self._writers: dict[str, Writer] = {}

    @classmethod
    def of_session(cls, state: Path, process: str, say: Callable[[str], object]) -> Self:
        """The runs of the session that a folder below the state folder belongs to."""
        return cls(folder_of_runs(state.parents[1]), state.name, process, say)

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
        writer = self._writer(deployment.stack_name)
        path = self._folder / writer.run_id
        if not path.exists() and (removed := retention.clear(self._folder)):
            self._say(removed)
        ca_bundle = clients.connection.ca_bundle
        with HttpxTransport(ca_bundle=ca_bundle) as usual, RunFolder(path) as run:
            run.describe(deployment, kind="pytest")
            yield client_of(
                deployment,
                clients,
                around(transport or usual),
                session=writer.session("session"),
                sink=run.record,
                purpose=Purpose.TEST,
            )

    @property
    def paths(self) -> list[Path]:
        """Where the runs of this process are."""
        return [self._folder / writer.run_id for writer in self._writers.values()]

    def _writer(self, stack_name: str) -> Writer:
        time, _, _ = self._session.partition("-")
        own = hashlib.sha256(f"{self._session}/{stack_name}".encode()).hexdigest()[:6]
        return self._writers.setdefault(stack_name, Writer(f"{time}-{own}", self._process))


def session_name(test: str) -> str:
    """Return a name for the session of a test that no other has, also not when it is run again."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", test)[:_LONGEST_NAME].strip("-")
    return f"t{next(_numbers)}-{name}"
