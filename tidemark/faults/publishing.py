"""Publishes that are lost: the fault that the outbox is there for."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tidemark.aws import logs
from tidemark.faults.plan import LOST_PUBLISH, planned
from tidemark.faults.setting import changed_variable
from tidemark.host.waiting import NotSeenError, NotYetError, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.aws.clients import AwsClients
    from tidemark.faults.plan import History
    from tidemark.host.deployment import Deployment
    from tidemark.host.undo import Journal

_LOGGED_WITHIN_S = 40.0


@contextmanager
def lost_publishes(
    journal: Journal,
    aws: AwsClients,
    deployment: Deployment,
    history: History | None,
    *,
    times: int = 1,
) -> Iterator[None]:
    """Let the Command Handler publish to a topic that does not exist, for as long as this lasts.

    It strikes with each command that says in its log that it was accepted and not published.

    Args:
        journal: Where the true topic is written down first.
        aws: The deployment's clients.
        deployment: The deployment.
        history: The run that it is written into, if any is.
        times: How many publishes are to be lost, at least.

    Raises:
        TidemarkError: It cannot be told so, or not be put right again.
    """
    outputs = deployment.outputs
    handler, nowhere = outputs["CommandHandlerName"], f"{outputs['TopicArn']}-gone"
    with (
        planned(history, LOST_PUBLISH, times=times, journal=journal) as fault,
        changed_variable(journal, aws, deployment, handler, "TOPIC_ARN", nowhere),
    ):
        fault.begin()
        yield
        if history is not None:
            since_ms = fault.start_ns // 1_000_000
            fault.strike(_lost(aws, deployment, since_ms=since_ms, at_least=times))


def _lost(aws: AwsClients, deployment: Deployment, *, since_ms: int, at_least: int) -> int:
    """How many publishes were lost, as far as the log says so in time."""
    lost = 0

    def probe() -> bool:
        nonlocal lost
        lines = logs.read(
            aws, deployment, ["command-handler"], since_ms=since_ms, containing="published"
        )
        said = (logs.document_in(line.text) or {} for line in lines)
        lost = sum(one.get("published") is False for one in said)
        if lost < at_least:
            raise NotYetError(f"{lost} lost publishes")
        return True

    with suppress(NotSeenError):  # the judge is told how many there were
        eventually(probe, within_s=_LOGGED_WITHIN_S, what=f"{at_least} lost publishes in the log")
    return lost
