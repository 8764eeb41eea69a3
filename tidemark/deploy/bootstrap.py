"""The CDK's bootstrap: the toolkit stack that an account needs before anything is deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark.aws import stacks
from tidemark.deploy.cdk import last_words
from tidemark.deploy.undoing import stopped_with
from tidemark.errors import TidemarkError

if TYPE_CHECKING:
    from tidemark.aws.clients import AwsClients
    from tidemark.deploy.cdk import Cdk
    from tidemark.host.progress import Steps
    from tidemark.targets.base import Target


def is_bootstrapped(clients: AwsClients) -> bool:
    """Whether the toolkit stack is there, and whole."""
    toolkit = stacks.await_settled(clients, stacks.TOOLKIT_STACK)
    return toolkit is not None and toolkit.is_settled


def bootstrap(target: Target, clients: AwsClients, cdk: Cdk, steps: Steps) -> None:
    """Bootstrap the account unless that is done.

    Raises:
        TidemarkError: It fails, or another account answers than is expected.
    """
    account = clients.sts.get_caller_identity()["Account"]
    expected = clients.connection.account
    if expected not in (None, account):
        raise TidemarkError(
            f"The {target.name} target answers for account {account} where {expected} is "
            "expected: nothing was deployed."
        )
    if is_bootstrapped(clients):
        return
    with steps.step("the account is bootstrapped"), stopped_with(target, cdk.children):
        finished = cdk.bootstrap(clients.connection, account)
    if finished.exit_code != 0:
        reason = stacks.failure(clients.cloudformation, stacks.TOOLKIT_STACK)
        raise TidemarkError(
            f"The CDK bootstrap failed: {reason or last_words(finished.output)} "
            f"(all of it: {cdk.log_of('bootstrap')})."
        )
