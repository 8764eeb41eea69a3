"""One load run: its customers, what they recorded, and the report at its end."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tidemark.api.client import Client
from tidemark.api.op import Kind, Op, Outcome
from tidemark.errors import TidemarkError
from tidemark.load.ending import judged
from tidemark.measures.lag import Lag, LagMeter
from tidemark.measures.summary import summarise
from tidemark.report.table import Report
from tidemark.workloads.bank import Bank, log_partition
from tidemark.workloads.bank_traffic import REFUSALS, Accounts, Customer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemark.api.exchange import Transport
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

_OWNERS = 3


def new_run_id(now: datetime) -> str:
    """Return a name for a run that sorts by time and that no other run has."""
    return f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


@dataclass
class LoadRun:
    """A load run.

    Attributes:
        deployment: Where it goes.
        clients: The AWS clients of its target.
        seed: Where every draw comes from.
        read_share: The share of reads of a mixed user.
        max_ops: After how many calls it stops.
        on_enough: Called once, when it has made so many.
        run_id: Its name; its ids and keys begin with it.
        ops: What was recorded.
        customers: How many sessions it has had.
    """

    deployment: Deployment
    clients: AwsClients
    seed: str
    read_share: float
    max_ops: int
    on_enough: Callable[[], object]
    run_id: str = field(default_factory=lambda: new_run_id(datetime.now(UTC)))
    ops: list[Op] = field(default_factory=list)
    customers: int = 0
    _accounts: Accounts = field(default_factory=Accounts)

    def client(self, transport: Transport, name: str) -> Client:
        """Return a client of the deployment for one session."""
        return Client(
            api_url=self.deployment.api_url,
            region=self.deployment.region,
            credentials=self.clients.credentials,
            transport=transport,
            session=f"{self.run_id}-{name}",
        )

    def customer(self, transport: Transport, mix: Mapping[str, float]) -> Customer:
        """Return the next customer, whose draws the seed and its number decide."""
        self.customers += 1
        name = f"c{self.customers}"
        return Customer(
            Bank(self.client(transport, name)),
            rng=Random(f"{self.seed}/{name}"),  # noqa: S311 -- reproducible draws, not secrets
            mix=mix,
            prefix=f"{self.run_id}-{name}",
            owner_id=f"{self.run_id}-owner{self.customers % _OWNERS + 1}",
            accounts=self._accounts,
        )

    def record(self, op: Op) -> None:
        """Keep an op, and say when it is enough."""
        self.ops.append(op)
        if len(self.ops) == self.max_ops:
            self.on_enough()

    def report(
        self, *, lag_deadline_s: float, is_interrupted: bool, failure: str | None = None
    ) -> Report:
        """Wait for the run's events to be projected, and sum the run up.

        Args:
            lag_deadline_s: How long to wait, in seconds.
            is_interrupted: Whether the user stopped it.
            failure: What went wrong in the load generator itself.
        """
        summary = summarise(self.ops, REFUSALS)
        lag, lag_problem = self._lag(lag_deadline_s)
        exit_code, reason = judged(
            summary, lag, failure=failure or lag_problem, is_interrupted=is_interrupted
        )
        return Report(
            run_id=self.run_id,
            deployment=self.deployment,
            seed=self.seed,
            users=self.customers,
            summary=summary,
            lag=lag,
            exit_code=exit_code,
            reason=reason,
        )

    def _lag(self, within_s: float) -> tuple[Lag | None, str | None]:
        commands = [op for op in self.ops if op.kind is Kind.COMMAND]
        meter = LagMeter(self.clients.dynamodb, self.deployment.outputs["CommandTableName"])
        try:
            return meter.wait(
                {
                    log_partition(op.aggregate)
                    for op in commands
                    if op.aggregate and op.outcome is not Outcome.FAIL
                },
                {op.event_id for op in commands if op.event_id},
                within_s=within_s,
            ), None
        except TidemarkError as error:
            return None, str(error)
        except (BotoCoreError, ClientError) as error:
            return None, f"the log could not be read: {error}"
