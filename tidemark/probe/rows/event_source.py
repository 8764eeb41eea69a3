"""Queues as event sources: redrive, and answers that fail part of a batch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tidemark.probe.row import Topic, differs, same
from tidemark.waiting import NotYetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemark.probe.bench import Bench, Function
    from tidemark.probe.row import Observation

topic = Topic("queue to function")

_ERRORS = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html"
_RECEIVES = 2
_VISIBLE_AGAIN_S = 5
# A message that is not back so long after it could be received again is not coming.
_GONE_AFTER_S = 8
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
    redrive = {"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": _RECEIVES}
    queue = bench.queue(VisibilityTimeout=str(_VISIBLE_AGAIN_S), RedrivePolicy=json.dumps(redrive))
    function = bench.function(fails=True, Timeout=_VISIBLE_AGAIN_S)
    bench.warm_up(function)
    bench.mapping(function, queue, BatchSize=1)
    bench.clients.sqs.send_message(QueueUrl=queue.url, MessageBody="bad")

    def probe() -> str | None:
        for message in bench.received(dead_letters):
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


_IN_WORDS = {
    "deleted": "is deleted",
    "comes back": "comes back",
    "stuck": "is neither deleted nor delivered again",
}


def _fates(bench: Bench, answer: Any, bodies: Sequence[str]) -> list[str]:
    """What becomes of messages whose function gives an answer: deleted, comes back, or stuck."""
    queue = bench.queue(VisibilityTimeout=str(_VISIBLE_AGAIN_S))
    function = bench.function(answer=answer, Timeout=_VISIBLE_AGAIN_S)
    bench.warm_up(function)  # else the message is back before the first answer
    bench.mapping(function, queue, BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"])
    bench.clients.sqs.send_message_batch(
        QueueUrl=queue.url,
        Entries=[{"Id": body, "MessageBody": body} for body in bodies],
    )

    def look() -> tuple[list[int], int]:
        delivered = [body for one in bench.invocations(function) for body in one.bodies]
        return [delivered.count(body) for body in bodies], bench.depth(queue)

    def probe() -> bool | None:
        return True if all(look()[0]) else None

    bench.eventually(probe, what="a first delivery")
    counts, depth = bench.settled(
        look, for_s=_GONE_AFTER_S, until=lambda seen: seen[0][-1] > 1, what="the message's fate"
    )
    waiting = depth - sum(count > 1 for count in counts)
    return [
        "comes back" if count > 1 else "stuck" if waiting > 0 else "deleted" for count in counts
    ]
