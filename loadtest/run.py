"""One load run: its customers, what they recorded, and the report at its end."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from gevent.event import Event  # type: ignore[import-untyped]  # it ships no types

from tidemark import targets
from tidemark.api.call import Kind
from tidemark.api.httpx_transport import HttpxTransport
from tidemark.api.op import Op, Outcome, Purpose
from tidemark.api.session import Writer, new_run_id
from tidemark.aws.api_clients import client_of
from tidemark.errors import TidemarkError
from tidemark.history.finishing import finish
from tidemark.history.places import VERDICT
from tidemark.history.recorder import RecordingError
from tidemark.history.sampler import Sampler
from tidemark.history.writing import RunWriter
from tidemark.host.state import write_json
from tidemark.invariants.catalog import choose
from tidemark.invariants.judge import judge_tables, verdict_of
from tidemark.invariants.views import connect
from tidemark.load.ending import judge
from tidemark.load.options import CLOSED
from tidemark.measures import slo
from tidemark.measures.lag import Lag, LagMeter
from tidemark.measures.noise import intervals_of
from tidemark.measures.summary import summarise
from tidemark.report.lateness import measure
from tidemark.report.table import Report
from tidemark.report.verdict import document
from tidemark.workloads.bank_history import BankHistory
from tidemark.workloads.bank_tables import BankTables
from tidemark.workloads.bank_traffic import REFUSALS, Customer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from loadtest.sent import Sent
    from tidemark.api.client import Client
    from tidemark.api.exchange import Transport
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.invariants.judge import Judgement
    from tidemark.measures.lateness import Lateness


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
        max_ops: After how many calls it stops.
        bounds: Its SLOs.
        is_judged: Whether its history is judged at the end.
        on_enough: Called once: it has made so many calls, or can't write them down any more.
        run_id: Its name; its ids and keys begin with it.
        calls: How many it has made, by kind.
        customers: How many sessions it has had.
        ended: Set when no further call is to begin.
    """

    deployment: Deployment
    clients: AwsClients
    runs: Path
    seed: str
    sent: Sent | None
    run_time_s: float
    read_share: float
    max_ops: int
    bounds: Mapping[str, float]
    is_judged: bool
    on_enough: Callable[[], object]
    run_id: str = field(default_factory=new_run_id)
    calls: Counter[Kind] = field(default_factory=Counter)
    customers: int = 0
    ended: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self._ops: list[Op] = []
        self._was_enough = False
        self._writer = Writer(self.run_id, "w1")
        self._workload = BankHistory(BankTables.of(self.deployment, self.clients))
        self._history = RunWriter(self.runs / self.run_id, self._writer, self._workload)
        self._history.describe(self.deployment, kind="load", seed=self.seed)
        self._sampler = Sampler(self._history, self._workload) if self.is_judged else None
        self._principal = targets.of_deployment(self.deployment).principal(self.clients)
        self.schedule = (
            None
            if self.sent is None
            else self.sent.schedule(self.run_id, self.run_time_s, self.seed)
        )

    @property
    def path(self) -> Path:
        """Its folder."""
        return self._history.path

    def new_customer(
        self, transport: Transport, mix: Mapping[str, float]
    ) -> tuple[Customer, Client]:
        """Return the next customer, and the client of its own session.

        Args:
            transport: What sends its requests.
            mix: The weight of each operation.
        """
        self.customers += 1
        customer = Customer(self.customers, seed=self.seed, mix=mix, run_id=self.run_id)
        return customer, self._client(f"c{self.customers}", transport)

    def open_accounts(self) -> None:
        """Open the accounts that the calls of the plan are for.

        Raises:
            TidemarkError: If one of them can't be had.
        """
        if self.sent is not None:
            with HttpxTransport(ca_bundle=self.clients.connection.ca_bundle) as transport:
                self.sent.open_accounts(self._client("setup", transport, Purpose.SETUP))

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
        )

    def _take(self, op: Op) -> None:
        """Keep an op, and say when it is enough."""
        self._history.record(op)
        if self._sampler is not None:
            self._sampler.take(op)
        self._ops.append(op)
        self.calls[op.kind] += op.purpose is Purpose.LOAD
        # What cannot be written down proves nothing: it ends then, too.
        is_enough = len(self._ops) >= self.max_ops or self._history.has_failed
        if is_enough and not self._was_enough:
            self._was_enough = True
            self.on_enough()

    def report(
        self,
        *,
        lag_deadline_s: float,
        is_interrupted: bool,
        failure: str | None = None,
    ) -> Report:
        """Wait for the run's events to be projected, and sum the run up.

        Args:
            lag_deadline_s: How long to wait, in seconds.
            is_interrupted: Whether the user stopped it.
            failure: What went wrong in the load generator itself.
        """
        gap = self._close()
        loaded = [op for op in self._ops if op.purpose is Purpose.LOAD]
        summary = replace(
            summarise(loaded, REFUSALS),
            punctuality=None if self.schedule is None else self.schedule.punctuality(),
        )
        lag, lag_problem = self._lag(lag_deadline_s)
        judgements: list[Judgement] = []
        lateness: Lateness | None = None
        # One that was stopped is not waited for: `tidemark check` judges what there is of it.
        if self.is_judged and not is_interrupted and gap is None:
            try:
                judgements, lateness = self._judged(lag_deadline_s)
            except (RecordingError, OSError) as error:
                gap = str(error).rstrip(".")
        exit_code, reason = judge(
            summary,
            lag,
            verdict_of(judgements) if judgements else None,
            missed=slo.missed(self.bounds, slo.measured(summary, lag)),
            gap=gap,
            failure=failure or lag_problem,
            is_interrupted=is_interrupted,
        )
        return Report(
            run_id=self.run_id,
            deployment=self.deployment,
            seed=self.seed,
            profile=CLOSED if self.sent is None else self.sent.profile.name,
            users=self.customers,
            summary=summary,
            lag=lag,
            lateness=lateness,
            judgements=judgements,
            exit_code=exit_code,
            reason=reason,
        )

    def _close(self) -> str | None:
        """Write down the rest; say what of it could not be."""
        if self._sampler is not None:
            self._sampler.close()
        try:
            self._history.close()
        except RecordingError as error:
            return str(error).rstrip(".")
        return None

    def _judged(self, within_s: float) -> tuple[list[Judgement], Lateness | None]:
        """Export what the system holds of the run, judge it, and measure how late it was."""
        folder = finish(self.path, self.deployment, self.clients, self._workload, within_s=within_s)
        with connect(folder) as database:
            judgements = judge_tables(database, folder.gaps, choose(None))
            lateness = measure(database, folder)
            intervals = intervals_of(database, REFUSALS)
        figures = {"intervals": {name: asdict(one) for name, one in intervals.items()}}
        told = document(folder, judgements, lateness) | {"figures": figures}
        write_json(self.path / VERDICT, told)
        return judgements, lateness

    def _lag(self, within_s: float) -> tuple[Lag | None, str | None]:
        told: dict[str, set[str]] = {}
        for op in self._ops:
            if op.kind is Kind.COMMAND and op.aggregate and op.outcome is not Outcome.FAIL:
                told.setdefault(op.aggregate, set()).update(filter(None, [op.event_id]))
        meter = LagMeter(BankTables.of(self.deployment, self.clients))
        try:
            return meter.wait(told, within_s=within_s), None
        except TidemarkError as error:
            return None, str(error)
        except (BotoCoreError, ClientError) as error:
            return None, f"the log could not be read: {error}"
