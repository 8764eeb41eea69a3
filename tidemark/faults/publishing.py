"""Publishes that are lost: the fault that the outbox is there for."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tidemark.faults.setting import changed_variable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.host.undo import Journal


@contextmanager
def lost_publishes(journal: Journal, aws: AwsClients, deployment: Deployment) -> Iterator[None]:
    """Let the Command Handler publish to a topic that does not exist, for as long as this lasts.

    Raises:
        TidemarkError: It cannot be told so, or not be put right again.
    """
    outputs = deployment.outputs
    handler, nowhere = outputs["CommandHandlerName"], f"{outputs['TopicArn']}-gone"
    with changed_variable(journal, aws, deployment, handler, "TOPIC_ARN", nowhere):
        yield
