"""Poison: messages of each kind that can never be projected."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tidemark.faults.dead_letters import DeadLetters
from tidemark.faults.messages import Queue, message, unknown_id
from tidemark.faults.place import describe, reach
from tidemark.faults.plan import POISON, planned
from tidemark.host.undo import undoer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemark.aws.clients import AwsClients
    from tidemark.faults.place import Place
    from tidemark.faults.plan import History
    from tidemark.host.deployment import Deployment
    from tidemark.host.undo import Journal
    from tidemark.workloads.bank_items import Event

KINDS = (
    "no JSON",
    "no object",
    "another schema",
    "unknown type",
    "impossible version",
    "version zero",
    "unknown event id",
    "unknown account",
)


def of_each_kind(account_id: str, event: Event, *, nobody: str) -> dict[str, str]:
    """A message of each of these kinds, by kind.

    Args:
        account_id: The account that most of it pretends to be about.
        event: One of that account's log.
        nobody: An account that was never opened.
    """
    bodies = (
        "{" + unknown_id(),
        json.dumps([unknown_id()]),
        message(account_id, event, schema=99),
        message(account_id, event, type="FundsForgotten"),
        message(account_id, event, version=1_000, event_id=unknown_id()),
        message(account_id, event, version=0, event_id=unknown_id()),
        message(account_id, event, event_id=unknown_id()),
        message(nobody, event, version=1, event_id=unknown_id()),
    )
    return dict(zip(KINDS, bodies, strict=True))


@dataclass(frozen=True)
class Poison:
    """Poison that was sent to the queue.

    Attributes:
        message_ids: The ids of the messages by kind.
        letters: Takes them out of the dead-letter queue.
    """

    message_ids: Mapping[str, str]
    letters: DeadLetters


@contextmanager
def poisoned(
    journal: Journal,
    aws: AwsClients,
    deployment: Deployment,
    bodies: Mapping[str, str],
    history: History | None,
) -> Iterator[Poison]:
    """Send poison to the queue, all at once; at the end, wait until it is dead and remove it.

    A block that fails is not waited for: what of the poison is dead by then is removed.

    Args:
        journal: Where that is written down first.
        aws: The deployment's clients.
        deployment: The deployment.
        bodies: The messages by kind.
        history: The run that it is written into, if any is.

    Raises:
        NotSeenError: A message is not dead in time.
        TidemarkError: The dead letters cannot be removed; the sentence says so.
    """
    queue, name = Queue.of(deployment, aws), deployment.outputs["DeadLetterQueueName"]
    undo = partial(
        remove,
        place=describe(journal, deployment),
        queue_name=name,
        bodies=list(bodies.values()),
    )
    with (
        planned(history, POISON, times=len(bodies)) as fault,
        journal.begun(f"Poison in {name}", undo),
    ):
        letters = DeadLetters.of(aws, name, history)
        yield Poison(dict(zip(bodies, queue.send(fault, *bodies.values()), strict=True)), letters)
        letters.await_bodies(bodies.values())


@undoer
def remove(place: Place, queue_name: str, bodies: list[str]) -> str | None:
    """Remove poison from a dead-letter queue, if there still is such a queue.

    Raises:
        TidemarkError: Its target does not answer.
    """
    if (clients := reach(place)) is None:
        return None
    try:
        taken = DeadLetters.of(clients, queue_name).take(bodies)
    except clients.sqs.exceptions.QueueDoesNotExist:
        return None
    return f"{len(taken)} dead letters are removed from {queue_name}." if taken else None
