"""The call before a load run: is there a bank at all?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark.api.httpx_transport import HttpxTransport
from tidemark.api.op import Outcome, Purpose
from tidemark.aws.api_clients import client_of
from tidemark.errors import TidemarkError
from tidemark.workloads import bank

if TYPE_CHECKING:
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment


def prove_it_answers(deployment: Deployment, clients: AwsClients) -> None:
    """Ask for an account that nobody has, and see that the API says so.

    Raises:
        TidemarkError: If nothing answers, or something else does.
    """
    with HttpxTransport(ca_bundle=clients.connection.ca_bundle) as transport:
        client = client_of(deployment, clients, transport, purpose=Purpose.PROOF)
        op = client.run(bank.account(f"{client.session.prefix}.nobody"))
    if op.outcome is Outcome.OK or op.problem == "no-such-account":
        return
    if op.status is None:
        raise TidemarkError(
            f"The target does not answer at {deployment.api_url} ({op.detail}): run `tidemark up`."
        )
    raise TidemarkError(
        f"{deployment.api_url} answers, but not as the bank ({op.status}, "
        f"{op.detail or op.problem}): run `tidemark up`."
    )
