"""The first deposit: one account, written and read back, shows that a deployed stack works."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tidemark.api.httpx_transport import HttpxTransport
from tidemark.api.op import CLIENT_PROBLEM, Outcome, Purpose
from tidemark.aws.api_clients import client_of
from tidemark.aws.queues import depth
from tidemark.deploy import complaints
from tidemark.errors import TidemarkError
from tidemark.host.waiting import NotSeenError, NotYetError, eventually
from tidemark.workloads import bank
from tidemark.workloads.bank_outbox import outbox_of
from tidemark.workloads.bank_tables import BankTables

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemark.api.call import Call
    from tidemark.api.client import Client
    from tidemark.api.op import Op
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

T = TypeVar("T")

OWNER_ID = "tidemark-proof"
_AMOUNT = 4200
# Cold starts of containers, and a first delivery, on a slow machine.
_WITHIN_S = 90.0
# What cannot be projected is a dead letter after some 15 s.
_DRAINED_WITHIN_S = 30.0
_WAIT_MS = 2000
# Before that, it may be starting: to ask it then would start another one beside it.
_ASKED_AFTER_S = 6.0


class DoesNotWorkError(TidemarkError):
    """The stack is deployed and does not work."""


@dataclass(frozen=True, slots=True)
class FirstDeposit:
    """What was seen.

    Attributes:
        account_id: The account that was opened and deposited to.
        balance: What the query side says it holds.
        lag_ms: How long after it was recorded the deposit was projected, by the system's clocks.
        in_queue: Messages in the queue afterwards; 0 where there is no queue.
        in_outbox: Events afterwards that are not projected.
        dead_letters: Messages in the dead-letter queue afterwards; none is of this deposit.
    """

    account_id: str
    balance: int
    lag_ms: int
    in_queue: int
    in_outbox: int
    dead_letters: int


def make(deployment: Deployment, clients: AwsClients) -> FirstDeposit:
    """Open an account, deposit, read it back, and see that nothing of it went astray.

    Raises:
        DoesNotWorkError: A command was refused, the query side did not show it in time, or an
            event was given up.
    """
    with HttpxTransport(ca_bundle=clients.connection.ca_bundle) as transport:
        client = client_of(deployment, clients, transport, purpose=Purpose.PROOF)
        return _Teller(deployment, clients, client).serve()


class _Teller:
    """Makes one deposit, and gives up at the first sign that waiting is in vain."""

    def __init__(self, deployment: Deployment, clients: AwsClients, client: Client) -> None:
        self._deployment = deployment
        self._clients = clients
        self._client = client
        self._account_id = f"{client.session.prefix}.account"
        self._asked: set[str] = set()
        self._begun_ms = int(time.time() * 1000)
        self._letters_before = self._depth("DeadLetterQueueName")
        self._queued_before = self._depth("QueueName")

    def serve(self) -> FirstDeposit:
        opening = bank.open_account(owner_id=OWNER_ID, account_id=self._account_id)
        opened = self._accepted("opening an account", opening)
        version = self._accepted("a deposit", bank.deposit(self._account_id, _AMOUNT))
        balance = self._read_back(version)
        if balance != _AMOUNT:
            raise DoesNotWorkError(
                f"The query side shows {balance} on {self._account_id} where {_AMOUNT} was "
                "deposited: the projection is wrong."
            )
        self._lag_ms(opened)
        lag_ms = self._lag_ms(version)
        if (complaint := complaints.read(*self._stack, since_ms=self._begun_ms)) is not None:
            raise _broken(f"{complaint}.")
        return FirstDeposit(
            self._account_id,
            balance,
            lag_ms,
            self._drained(),
            outbox_of(self._deployment, self._clients).size,
            self._depth("DeadLetterQueueName"),
        )

    @property
    def _stack(self) -> tuple[AwsClients, Deployment]:
        return self._clients, self._deployment

    def _accepted(self, what: str, call: Call) -> int:
        """Send a command until its outcome is known; its key makes that one command."""
        key: str | None = None

        def probe() -> Op:
            nonlocal key
            op = self._client.run(call, key=key)
            key = op.key
            if op.outcome is Outcome.INFO:
                self._ask_if_speechless("command-handler", op)
                raise NotYetError(_words(op))
            return op

        op = self._within(probe, f"an answer to {what}")
        if op.outcome is not Outcome.OK or op.version is None:
            raise DoesNotWorkError(f"The API refused {what}: {_words(op)}.")
        return op.version

    def _read_back(self, version: int) -> int:
        begun_s = time.monotonic()

        def probe() -> int:
            op = self._client.run(
                bank.account(self._account_id, min_version=version, wait_ms=_WAIT_MS)
            )
            if op.outcome is not Outcome.OK or op.state is None:
                self._ask_if_speechless("query-handler", op)
                if time.monotonic() - begun_s > _ASKED_AFTER_S:
                    self._ask("update-processor")
                    self._check_letters()
                raise NotYetError(_words(op))
            return int(op.state["balance"])

        return self._within(probe, "the deposit on the query side")

    def _ask_if_speechless(self, function: str, op: Op) -> None:
        """Ask a function why it does not answer, if the gateway answers in its place."""
        if op.outcome is Outcome.INFO and (op.problem_type or "").startswith(CLIENT_PROBLEM):
            self._ask(function)

    def _ask(self, function: str) -> None:
        """Ask a function, once, whether it can work at all.

        Raises:
            DoesNotWorkError: It cannot.
        """
        if function in self._asked:
            return
        self._asked.add(function)
        if (complaint := complaints.ask(*self._stack, function)) is not None:
            raise _broken(f"{complaint}.")

    def _drained(self) -> int:
        """How many messages are left in the queue when this deposit's have left it.

        On a stack that others use there may always be some.
        """

        def probe() -> int:
            self._check_letters()
            queued = self._depth("QueueName")
            if queued > self._queued_before:
                raise NotYetError(f"{queued} messages")
            return queued

        try:
            return eventually(probe, within_s=_DRAINED_WITHIN_S, what="the queue to be empty")
        except NotSeenError:
            return self._depth("QueueName")

    def _check_letters(self) -> None:
        """See that no message became a dead letter since the deposit began.

        Raises:
            DoesNotWorkError: One did.
        """
        letters = self._depth("DeadLetterQueueName") - self._letters_before
        if letters > 0:
            complaint = complaints.read(*self._stack, since_ms=self._begun_ms)
            raise _broken(
                f"{letters} more in the dead-letter queue since the deposit began; "
                f"{complaint or 'no function says why'}."
            )

    def _depth(self, output: str) -> int:
        name = self._deployment.outputs.get(output)
        return 0 if name is None else depth(self._clients, name)

    def _lag_ms(self, version: int) -> int:
        """How long the projection of one event took, as its item in the log says."""
        tables = BankTables.of(self._deployment, self._clients)

        def probe() -> int:
            event = tables.event(self._account_id, version)
            if event is None or event.lag_ms is None:
                raise NotYetError("the event without projected_at")
            return event.lag_ms

        return self._within(probe, f"the acknowledgement of version {version}")

    def _within(self, probe: Callable[[], T], what: str) -> T:
        try:
            return eventually(probe, within_s=_WITHIN_S, what=what)
        except NotSeenError as not_seen:
            raise _broken(str(not_seen)) from not_seen


def _broken(why: str) -> DoesNotWorkError:
    return DoesNotWorkError(f"The stack is deployed and does not work: {why}")


def _words(op: Op) -> str:
    status = "no answer" if op.status is None else f"status {op.status}"
    return f"{status}, {op.detail or 'no detail'}".rstrip(".")
