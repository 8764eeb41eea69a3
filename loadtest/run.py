"""One load run while it goes on: its customers, and what is written down of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import gevent  # type: ignore[import-untyped]  # it ships no types
from gevent.event import Event  # type: ignore[import-untyped]  # likewise

from loadtest import tags
from loadtest.live import Live
from loadtest.visibility import Watchers
from loadtest.watching import collect_seldom, watch_backlog, watch_generator
from tidemark import targets
from tidemark.api.client import process_clock
from tidemark.api.httpx_transport import HttpxTransport
from tidemark.api.op import Purpose
from tidemark.api.session import Writer, new_run_id
from tidemark.aws.api_clients import client_of
from tidemark.deploy.status import made_of
from tidemark.history.recorder import RecordingError
from tidemark.history.sampler import EVERY_S, Sampler
from tidemark.history.writing import RunWriter
from tidemark.load.options import CLOSED
from tidemark.load.profiles import VISIBILITY_SHARE
from tidemark.load.share import Share
from tidemark.workloads.bank_history import BankHistory
from tidemark.workloads.bank_tables import BankTables
from tidemark.workloads.bank_traffic import REFUSALS, Customer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from loadtest.sent import Sent
    from tidemark.api.client import Client
    from tidemark.api.exchange import Transport
    from tidemark.api.op import Op
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.load.offset import Offset
    from tidemark.workloads.workload import Values

_STOPS_WITHIN_S = 1.0


@dataclass
class LoadRun:
    """A load run.

    Attributes:
        deployment: Where it goes.
        clients: The AWS clients of its target.
        runs: The folder of all runs' folders.
        seed: Where every draw comes from.
        sent: What arrives; None of a closed loop.
        run_time_s: How long calls arrive.
        read_share: The share of reads of a mixed user in a closed loop.
        operations: Which of the operations of a closed loop are sent.
        max_ops: After how many calls it stops.
        bounds: Its SLOs.
        is_judged: Whether its history is judged at the end.
        on_enough: Called once: it has made so many calls, or can't write them down any more.
        run_id: Its name; its ids and keys begin with it.
        live: What it shows of itself while it goes on.
        customers: How many sessions it has had.
        ended: Set when no further call is to begin.
        share: What of it this process sends; None of a master, which sends nothing.
        clock: UTC in nanoseconds, as the run counts it.
    """

    deployment: Deployment
    clients: AwsClients
    runs: Path
    seed: str
    sent: Sent | None
    run_time_s: float
    read_share: float
    operations: Collection[str]
    max_ops: int
    bounds: Mapping[str, float]
    is_judged: bool
    on_enough: Callable[[], object]
    run_id: str = field(default_factory=new_run_id)
    customers: int = 0
    ended: Event = field(default_factory=Event)
    share: Share | None = field(default_factory=Share)
    clock: Callable[[], int] = field(default_factory=process_clock)

    def __post_init__(self) -> None:
        self._ops = 0
        self._was_enough = False
        self._watching: list[gevent.Greenlet] = []
        self._writer = Writer(self.run_id, self.share.writer if self.share else "w0")
        workload = BankHistory(BankTables.of(self.deployment, self.clients))
        self._history = RunWriter(self.runs / self.run_id, self._writer, workload)
        # One process of a run samples: more would not be at the rate that is stated.
        is_sampling = self.is_judged and self.share is not None and self.share.worker == 0
        self.live = Live(self.clock, is_told=self.share is None)
        self._sampler = (
            Sampler(self._history, workload, self.clock, self.live.saw) if is_sampling else None
        )
        self._principal = targets.of_deployment(self.deployment).principal(self.clients)
        self._polling = HttpxTransport(ca_bundle=self.clients.connection.ca_bundle)
        self._watchers = Watchers(
            self._client("watcher", self._polling),
            VISIBILITY_SHARE if self.sent is None else self.sent.sampled_share(self.run_time_s),
            f"{self.seed}/{self._writer.name}",
        )
        self.schedule = (
            None
            if self.sent is None or self.share is None
            else self.sent.schedule(
                self.run_id, self.run_time_s, self.seed, share=self.share, clock=self.clock
            )
        )

    @property
    def path(self) -> Path:
        """Its folder."""
        return self._history.path

    @property
    def writer(self) -> str:
        """The full name of this process in it."""
        return self._history.name

    def describe(self) -> None:
        """Write down what it is."""
        self._history.describe(
            self.deployment,
            kind="load",
            seed=self.seed,
            **made_of(self.deployment),
            samples_per_s=1 / EVERY_S,
            load={
                "profile": CLOSED if self.sent is None else self.sent.profile.name,
                "plan": self._plan(),
                "refusals": sorted(REFUSALS),
                "slo": dict(self.bounds),
            },
        )

    def _plan(self) -> dict[str, float]:
        """What beside profile and seed is said on the command line, to have the same calls."""
        about = {"run_time_s": self.run_time_s}
        if self.sent is None:
            return about | {"read_share": self.read_share}
        return about | {"rate": self.sent.rate, "callers": self.sent.callers}

    def new_customer(
        self, transport: Transport, mix: Mapping[str, float]
    ) -> tuple[Customer, Client]:
        """Return the next customer, and the client of its own session.

        Args:
            transport: What sends its requests.
            mix: The weight of each operation.
        """
        if self.share is None:
            raise RuntimeError("A master has no customers.")
        number = self.share.number_of(self.customers) + 1
        self.customers += 1
        left = tags.restrict(mix, self.operations)
        customer = Customer(number, seed=self.seed, mix=left, run_id=self.run_id)
        return customer, self._client(f"c{number}", transport)

    def open_accounts(self) -> None:
        """Open the accounts that the calls of the plan are for.

        Raises:
            TidemarkError: If one of them can't be had.
        """
        if self.sent is not None:
            with HttpxTransport(ca_bundle=self.clients.connection.ca_bundle) as transport:
                self.sent.open_accounts(self._client("setup", transport, Purpose.SETUP))

    def watch(self) -> None:
        """Keep an eye on the generator, and on what is on its way, until the run has ended."""
        if self.share is not None:
            collect_seldom()
            self._watching += [
                watch_generator(self._history, self.schedule, self.ended, self.clock)
            ]
        if self.share is None or self.share.workers == 1:
            self._watching += [
                watch_backlog(self._note_backlog, self.deployment, self.clients, self.ended)
            ]

    def _note_backlog(self, seen: Values) -> None:
        self._history.add("backlog", {"writer": self._history.name, **seen})
        self.live.waits(seen)

    def _client(
        self, session: str, transport: Transport, purpose: Purpose = Purpose.LOAD
    ) -> Client:
        return client_of(
            self.deployment,
            self.clients,
            transport,
            session=self._writer.session(session),
            sink=self._take,
            purpose=purpose,
            principal=self._principal,
            clock=self.clock,
        )

    def _take(self, op: Op) -> None:
        """Write an op down, and say when it is enough."""
        self._history.record(op)
        self._watchers.take(op)
        self.live.take(op)
        if self._sampler is not None:
            self._sampler.take(op)
        self._ops += 1
        # What cannot be written down proves nothing: it ends then, too.
        is_enough = self._ops >= self.max_ops or self._history.has_failed
        if is_enough and not self._was_enough:
            self._was_enough = True
            self.on_enough()

    def close(self, clock: Offset | None = None) -> str | None:
        """Write down the rest; say what of it could not be.

        Args:
            clock: How far its clock is ahead of the run's, if they are two.
        """
        if clock is not None:
            self._history.clock = (clock.ns, clock.error_ns)
        self.ended.set()
        self.live.end()
        gevent.joinall(self._watching, timeout=_STOPS_WITHIN_S)
        gevent.killall(self._watching)
        self._watchers.close(_STOPS_WITHIN_S)
        self._polling.close()
        if self._sampler is not None:
            self._sampler.close()
        try:
            self._history.close()
        except RecordingError as error:
            return str(error).rstrip(".")
        return None
