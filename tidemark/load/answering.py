"""Before a load run: is there a bank at all? And after it: does the target still answer?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.config import Config
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.exceptions import HTTPClientError

from tidemark.api.httpx_transport import HttpxTransport
from tidemark.api.op import Outcome, Purpose
from tidemark.aws.api_clients import client_of
from tidemark.errors import TidemarkError
from tidemark.workloads import bank

if TYPE_CHECKING:
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment


# Any emulator that is alive says who calls in less, however much it still has to do.
_ANSWERS_WITHIN_S = 15


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


def see_that_it_answers(clients: AwsClients) -> None:
    """Ask a target who calls, before it is asked for much that each would be tried again.

    Raises:
        TidemarkError: It does not answer in time.
    """
    once = Config(read_timeout=_ANSWERS_WITHIN_S, retries={"total_max_attempts": 1})
    try:
        clients.client("sts", once).get_caller_identity()
    except (HTTPClientError, NoConnectionError) as error:
        raise TidemarkError(f"the target no longer answers ({str(error).rstrip('.')})") from error
