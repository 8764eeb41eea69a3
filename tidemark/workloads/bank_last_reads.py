"""What the bank's API shows once a run is over: accounts, statements, owners and their totals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark.api.httpx_transport import HttpxTransport
from tidemark.api.op import Outcome, Purpose
from tidemark.aws.api_clients import client_of
from tidemark.workloads import bank

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.api.call import Call
    from tidemark.api.client import Client
    from tidemark.workloads.workload import Asking

_MOST_ENTRIES = 100
# A target that keeps nobody waiting in a run does not do so after it.
_TIMEOUT_S = 10.0


def ask(asking: Asking) -> None:
    """Read what the API shows; see `Workload.ask`."""
    if not asking.deployment.api_url:
        return
    with HttpxTransport(
        timeout_s=_TIMEOUT_S, ca_bundle=asking.clients.connection.ca_bundle
    ) as transport:
        client = client_of(
            asking.deployment,
            asking.clients,
            transport,
            session=asking.session,
            sink=asking.sink,
            purpose=Purpose.FINAL,
        )
        for call in _calls(asking):
            if not _is_answered(client, call):
                return


def _calls(asking: Asking) -> Iterator[Call]:
    for account_id, version in asking.accounts.items():
        # With the token the read is consistent, wherever the API is.
        yield bank.account(account_id, min_version=version)
        yield bank.statement(account_id, limit=_MOST_ENTRIES)
    for owner_id in asking.owners:
        yield bank.owner_totals(owner_id)
        yield bank.owner_accounts(owner_id, limit=_MOST_ENTRIES)


def _is_answered(client: Client, call: Call | None) -> bool:
    """Send a query, and those for the pages that follow; whether each was answered."""
    while call is not None:
        op = client.run(call)
        if op.outcome is Outcome.INFO:
            return False
        cursor = (op.state or {}).get("cursor") if call.operation == "owner_accounts" else None
        call = (
            bank.owner_accounts(call.aggregate or "", limit=_MOST_ENTRIES, cursor=cursor)
            if cursor
            else None
        )
    return True
