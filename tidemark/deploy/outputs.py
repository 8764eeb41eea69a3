"""The outputs of a live stack, and the deployment that they make."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tidemark.aws import stacks
from tidemark.errors import TidemarkError
from tidemark.host.deployment import Deployment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tidemark.aws.clients import AwsClients
    from tidemark.aws.connection import Connection
    from tidemark.aws.stacks import LiveStack
    from tidemark.targets.base import Target

# What every verb after `up` relies on; the stack's other outputs depend on its wiring.
REQUIRED_OUTPUTS = (
    "ApiStage",
    "CommandHandlerName",
    "CommandTableName",
    "DeadLetterQueueName",
    "OutboxSweeperName",
    "QueryHandlerName",
    "QueryTableName",
    "RestApiId",
    "TopicArn",
    "UpdateProcessorName",
    "Wiring",
)


def place_of(target: Target, connection: Connection, stack_name: str) -> Deployment:
    """The deployment of a stack of which only its place is known: enough to delete it."""
    return Deployment(
        target=target.name,
        endpoint=connection.endpoint,
        region=connection.region,
        stack_name=stack_name,
        api_url="",
        template_digest="",
        outputs={},
        settings=target.settings,
    )


def deployment_of(
    target: Target,
    clients: AwsClients,
    stack_name: str,
    live: LiveStack,
    *,
    required: Iterable[str] = (),
) -> Deployment:
    """The deployment that a live stack is.

    Raises:
        TidemarkError: It lacks required outputs.
    """
    if missing := lacking(live, required):
        raise TidemarkError(
            f"{stack_name} is {live.status} and has no output {', '.join(missing)}: run "
            f"`tidemark up --target {target.name}`, which repairs it."
        )
    api = [live.outputs[name] for name in ("RestApiId", "ApiStage") if name in live.outputs]
    return replace(
        place_of(target, clients.connection, stack_name),
        api_url=target.api_url(clients.connection, *api) if len(api) == 2 else "",
        template_digest=stacks.live_digest(clients, stack_name),
        outputs=live.outputs,
    )


def lacking(live: LiveStack, required: Iterable[str]) -> list[str]:
    """The required outputs that a live stack does not have."""
    return [name for name in required if not live.outputs.get(name)]
