"""What signatures cost on the embedded target: two stacks side by side, loaded in turn."""

from __future__ import annotations

import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import psutil

from tidemark.api.httpx_transport import HttpxTransport
from tidemark.aws.api_clients import client_of
from tidemark.aws.clients import AwsClients
from tidemark.host.deployment import Deployment, path_of
from tidemark.host.state import read_json
from tidemark.host.undo import Journal
from tidemark.host.waiting import NotYetError, eventually
from tidemark.targets.base import TargetOptions
from tidemark.targets.embedded import EmbeddedTarget
from tidemark.workloads import bank
from tidemark.workloads.bank_tables import BankTables
from tools.bench.bringup import tidemark
from tools.bench.row import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAIRS = 10
_CLIENTS = 2
_DEPOSITS = 60
_MOST = 1.03


class _Unsigned(EmbeddedTarget):
    program: ClassVar[tuple[str, ...]] = (str(Path(__file__).with_name("unsigned_server.py")),)


@dataclass(frozen=True, slots=True)
class _Measured:
    """What one turn took: seconds per command, CPU seconds per command, lag in ms."""

    wall_s: float
    cpu_s: float
    lag_ms: float


class _Bank:
    """A stack on a target of its own, and the processes behind it."""

    def __init__(self, deployment: Deployment, clients: AwsClients, pid: int) -> None:
        self._deployment = deployment
        self._clients = clients
        self._server = psutil.Process(pid)

    def turn(self) -> _Measured:
        """Deposit to some accounts at once, and read when each deposit was projected."""
        begin, cpu_s = time.perf_counter(), self._cpu_s()
        with ThreadPoolExecutor(_CLIENTS) as pool:
            accounts = list(pool.map(lambda _: self._deposit(), range(_CLIENTS)))
        wall_s = time.perf_counter() - begin
        tables = BankTables.of(self._deployment, self._clients)
        lags = [
            self._lag_ms(tables, account_id, version)
            for account_id in accounts
            for version in range(1, _DEPOSITS + 2)
        ]
        commands = len(lags)
        spent_s = self._cpu_s() - cpu_s
        return _Measured(wall_s / commands, spent_s / commands, statistics.median(lags))

    def _deposit(self) -> str:
        with HttpxTransport() as transport:
            client = client_of(self._deployment, self._clients, transport)
            account_id = f"{client.session.prefix}.account"
            calls = [bank.open_account(owner_id=account_id, account_id=account_id)]
            calls += [bank.deposit(account_id, 1)] * _DEPOSITS
            for call in calls:
                if (status := client.run(call).status) != 202:
                    raise RuntimeError(f"a command of the measurement was answered {status}")
        return account_id

    def _lag_ms(self, tables: BankTables, account_id: str, version: int) -> int:
        def probe() -> int:
            event = tables.event(account_id, version)
            if event is None or event.lag_ms is None:
                raise NotYetError("not projected")
            return event.lag_ms

        return eventually(probe, within_s=60, what=f"version {version} to be projected")

    def _cpu_s(self) -> float:
        """Of the emulator and its functions, whose processes stay."""
        times = [one.cpu_times() for one in (self._server, *self._server.children(recursive=True))]
        return sum(one.user + one.system for one in times)


def measure() -> list[Row]:
    """Measure ten pairs of turns, with signatures and without; which goes first, alternates."""
    with ExitStack() as stack:
        signed = stack.enter_context(_deployed(EmbeddedTarget))
        unsigned = stack.enter_context(_deployed(_Unsigned))
        for one in (signed, unsigned):
            one.turn()  # the first finds everything cold
        pairs = []
        for number in range(_PAIRS):
            first, second = (signed, unsigned) if number % 2 else (unsigned, signed)
            turns = {first: first.turn(), second: second.turn()}
            pairs.append((turns[signed], turns[unsigned]))
    return [
        _row("time of a command", [one.wall_s / other.wall_s for one, other in pairs]),
        _row("CPU time of a command", [one.cpu_s / other.cpu_s for one, other in pairs]),
        _row("projection lag p50", [one.lag_ms / other.lag_ms for one, other in pairs]),
    ]


def _row(what: str, ratios: list[float]) -> Row:
    return Row(
        f"{what}: signed / unsigned",
        statistics.median(ratios),
        "x",
        _MOST,
        f"median of {len(ratios)} pairs, {min(ratios):.2f} to {max(ratios):.2f}",
    )


@contextmanager
def _deployed(kind: type[EmbeddedTarget]) -> Iterator[_Bank]:
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        try:
            connection = kind(TargetOptions(state=state)).start()
            Journal(state).keep()
            tidemark("up", "--target", "embedded", state=state)
            deployment = Deployment.load(path_of("embedded", "Tidemark", state))
            record = read_json(state / "embedded" / "process.json") or {}
            yield _Bank(deployment, AwsClients(connection), record["pid"])
        finally:
            tidemark("down", state=state)
