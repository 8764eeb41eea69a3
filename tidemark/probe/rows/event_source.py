"""Queues as event sources: redrive, and answers that fail part of a batch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tidemark.host.waiting import NotYetError
from tidemark.probe.observation import differs, same
from tidemark.probe.row import Topic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemark.probe.bench import Bench, Queue
    from tidemark.probe.functions import Function
    from tidemark.probe.observation import Observation

topic = Topic("queue to function", makes=("functions", "queues"))

_ERRORS = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html"
_RECEIVES = 2
_VISIBLE_AGAIN_S = 5
_SETTLED_S = 3
_WITHIN_S = 30


@topic.row(
    "queue-redrive",
    aws="A message that a function fails on is received maxReceiveCount times, then moves to the "
    "dead-letter queue.",
    documentation="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
    within_s=_WITHIN_S,
)
def queue_redrive(bench: Bench) -> Observation:
    """Send a message to a function that fails, and wait for it in the dead-letter queue."""
    dead_letters = bench.queue()
    queue = bench.queue(
        VisibilityTimeout=str(_VISIBLE_AGAIN_S),
        RedrivePolicy=_redrive_policy(dead_letters, _RECEIVES),
    )
    function = bench.function(fails=True, Timeout=_VISIBLE_AGAIN_S)
    bench.warm_up(function)
    bench.mapping(function, queue, BatchSize=1)
    bench.clients.sqs.send_message(QueueUrl=queue.url, MessageBody="bad")

    def probe() -> str | None:
        for message in bench.receive(dead_letters):
            return str(message["Body"])
        raise NotYetError(f"receives: {_deliveries(bench, function)}; no dead letter")

    body = bench.eventually(probe, what="the message in the dead-letter queue")
    receives = _deliveries(bench, function)
    said = f"receives: {receives}, then in the dead-letter queue"
    return (same if receives == _RECEIVES and body == "bad" else differs)(said)


def _deliveries(bench: Bench, function: Function) -> int:
    return sum(bool(one.bodies) for one in bench.invocations(function))


@topic.row(
    "partial-batch",
    aws="With ReportBatchItemFailures, a message that the answer names comes back; the others "
    "are deleted.",
    documentation=_ERRORS,
    within_s=_WITHIN_S,
)
def partial_batch(bench: Bench) -> Observation:
    """Name one of two messages as failed."""
    good, bad = _fates(bench, _naming("$id"), ["good", "bad"])
    is_same = (good, bad) == ("deleted", "comes back")
    return (same if is_same else differs)(
        f"the named one {_IN_WORDS[bad]}, the other {_IN_WORDS[good]}"
    )


def _naming(identifier: str | None, key: str = "itemIdentifier") -> dict[str, Any]:
    return {"batchItemFailures": [{key: identifier}]}


@topic.row(
    "partial-batch-empty-list",
    aws="An empty batchItemFailures is a complete success: the message is deleted.",
    documentation=_ERRORS,
    within_s=_WITHIN_S,
)
def partial_batch_empty_list(bench: Bench) -> Observation:
    """Answer with an empty list."""
    return _compared(bench, {"batchItemFailures": []}, "deleted")


@topic.row(
    "partial-batch-null-list",
    aws="A batchItemFailures that is null is a complete success: the message is deleted.",
    documentation=_ERRORS,
    within_s=_WITHIN_S,
)
def partial_batch_null_list(bench: Bench) -> Observation:
    """Answer with null instead of a list."""
    return _compared(bench, {"batchItemFailures": None}, "deleted")


@topic.row(
    "partial-batch-empty-identifier",
    aws="An empty itemIdentifier is a complete failure: the message comes back.",
    documentation=_ERRORS,
    within_s=_WITHIN_S,
)
def partial_batch_empty_identifier(bench: Bench) -> Observation:
    """Name a message by nothing."""
    return _compared(bench, _naming(""), "comes back")


@topic.row(
    "partial-batch-null-identifier",
    aws="An itemIdentifier that is null is a complete failure: the message comes back.",
    documentation=_ERRORS,
    within_s=_WITHIN_S,
)
def partial_batch_null_identifier(bench: Bench) -> Observation:
    """Name a message by null."""
    return _compared(bench, _naming(None), "comes back")


@topic.row(
    "partial-batch-unknown-identifier",
    aws="An itemIdentifier of no message in the batch is a complete failure: the message comes "
    "back.",
    documentation=_ERRORS,
    within_s=_WITHIN_S,
)
def partial_batch_unknown_identifier(bench: Bench) -> Observation:
    """Name a message that is not in the batch."""
    return _compared(bench, _naming("00000000-0000-4000-8000-000000000000"), "comes back")


@topic.row(
    "partial-batch-misspelled-key",
    aws="An entry without the key itemIdentifier is a complete failure: the message comes back.",
    documentation=_ERRORS,
    within_s=_WITHIN_S,
)
def partial_batch_misspelled_key(bench: Bench) -> Observation:
    """Name a message under another key."""
    return _compared(bench, _naming("$id", key="messageId"), "comes back")


def _compared(bench: Bench, answer: Any, wanted: str) -> Observation:
    [fate] = _fates(bench, answer, ["bad"])
    return (same if fate == wanted else differs)(f"the message {_IN_WORDS[fate]}")


_IN_WORDS = {"deleted": "is deleted", "comes back": "comes back"}


def _fates(bench: Bench, answer: Any, bodies: Sequence[str]) -> list[str]:
    """What becomes of messages whose function gives an answer: deleted, or comes back.

    A message that comes back is received a second time, and that sends it to the dead-letter
    queue: so its fate shows in the queues, whatever becomes of logs.
    """
    dead_letters = bench.queue()
    queue = bench.queue(
        VisibilityTimeout=str(_VISIBLE_AGAIN_S), RedrivePolicy=_redrive_policy(dead_letters, 1)
    )
    function = bench.function(answer=answer, Timeout=_VISIBLE_AGAIN_S)
    bench.warm_up(function)  # else the message is back before the first answer
    bench.mapping(function, queue, BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"])
    bench.clients.sqs.send_message_batch(
        QueueUrl=queue.url,
        Entries=[{"Id": body, "MessageBody": body} for body in bodies],
    )
    dead: set[str] = set()

    def look() -> frozenset[str]:
        depth = bench.depth(queue)
        dead.update(message["Body"] for message in bench.receive(dead_letters))
        if depth:
            raise NotYetError(f"messages in the queue: {depth}, dead letters: {len(dead)}")
        return frozenset(dead)

    # A queue that counts none may be counting again: only what stays so is the end.
    gone = bench.settle(look, for_s=_SETTLED_S, what="the messages to leave the queue")
    return ["comes back" if body in gone else "deleted" for body in bodies]


def _redrive_policy(dead_letters: Queue, receives: int) -> str:
    return json.dumps({"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": receives})
