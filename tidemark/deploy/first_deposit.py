"""The proof that a deployed stack works: one account, written and read back."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tidemark.api.client import Client
from tidemark.api.httpx_transport import HttpxTransport
from tidemark.api.op import Outcome
from tidemark.errors import TidemarkError
from tidemark.host.waiting import NotSeenError, NotYetError, eventually
from tidemark.workloads.bank import Bank

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemark.api.op import Op
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

T = TypeVar("T")

OWNER_ID = "tidemark-proof"
_AMOUNT = 4200
# Cold starts of containers, and a first delivery, on a slow machine.
_WITHIN_S = 90.0
_WAIT_MS = 2000


@dataclass(frozen=True, slots=True)
class Proof:
    """What was seen.

    Attributes:
        account_id: The account that was opened and deposited to.
        balance: What the query side says it holds.
        lag_ms: How long after it was recorded the deposit was projected, by the system's clocks.
    """

    account_id: str
    balance: int
    lag_ms: int


def prove(deployment: Deployment, clients: AwsClients) -> Proof:
    """Open an account, deposit, and read it back from the query side.

    Raises:
        TidemarkError: A command was refused, or the query side did not show it in time.
    """
    account_id = f"proof-{uuid.uuid4().hex[:12]}"
    with HttpxTransport(ca_bundle=clients.connection.ca_bundle) as transport:
        bank = Bank(
            Client(
                api_url=deployment.api_url,
                region=deployment.region,
                credentials=clients.credentials,
                transport=transport,
                session="proof",
            )
        )
        _accepted(
            "opening an account",
            lambda key: bank.open_account(
                owner_id=OWNER_ID, account_id=account_id, idempotency_key=key
            ),
        )
        version = _accepted(
            "a deposit",
            lambda key: bank.deposit(account_id, _AMOUNT, idempotency_key=key),
        )
        balance = _read_back(bank, account_id, version)
    if balance != _AMOUNT:
        raise TidemarkError(
            f"The query side shows {balance} on {account_id} where {_AMOUNT} was deposited: "
            "the projection is wrong."
        )
    return Proof(account_id, balance, _lag_ms(clients, deployment, account_id, version))


def _accepted(what: str, send: Callable[[str], Op]) -> int:
    """Send a command until its outcome is known; the key makes that one command."""
    key = str(uuid.uuid4())

    def probe() -> Op | None:
        op = send(key)
        if op.outcome is Outcome.INFO:
            raise NotYetError(_words(op))
        return op

    op = _within(probe, f"an answer to {what}")
    if op.outcome is not Outcome.OK or op.version is None:
        raise TidemarkError(f"The API refused {what}: {_words(op)}.")
    return op.version


def _read_back(bank: Bank, account_id: str, version: int) -> int:
    def probe() -> int | None:
        op = bank.account(account_id, min_version=version, wait_ms=_WAIT_MS)
        if op.outcome is not Outcome.OK or op.state is None:
            raise NotYetError(_words(op))
        return int(op.state["balance"])

    return _within(probe, "the deposit on the query side")


def _within(probe: Callable[[], T | None], what: str) -> T:
    try:
        return eventually(probe, within_s=_WITHIN_S, what=what)
    except NotSeenError as not_seen:
        raise TidemarkError(f"The stack is deployed and does not work: {not_seen}") from not_seen


def _words(op: Op) -> str:
    status = "no answer" if op.status is None else f"status {op.status}"
    return f"{status}, {op.detail or 'no detail'}".rstrip(".")


def _lag_ms(clients: AwsClients, deployment: Deployment, account_id: str, version: int) -> int:
    """How long the projection of one event took, as its item in the log says."""

    def probe() -> int | None:
        event = clients.dynamodb.get_item(
            TableName=deployment.outputs["CommandTableName"],
            Key={"pk": {"S": f"account#{account_id}"}, "sk": {"S": f"event#{version:012d}"}},
            ConsistentRead=True,
        ).get("Item", {})
        if "projected_at" not in event:
            raise NotYetError("the event without projected_at")
        return int(event["projected_at"]["N"]) - int(event["recorded_at"]["N"])

    return _within(probe, "the acknowledgement of the deposit")
