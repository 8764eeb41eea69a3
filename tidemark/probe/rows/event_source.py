"""Queues as event sources: redrive, and answers that fail part of a batch."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tidemark.host.waiting import NotYetError
from tidemark.probe.observation import compare
from tidemark.probe.row import Topic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemark.probe.bench import Bench
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
    queue = bench.redriving_queue(dead_letters, _RECEIVES, VisibilityTimeout=str(_VISIBLE_AGAIN_S))
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
    return compare(receives == _RECEIVES and body == "bad", said)


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
    return compare(
        (good, bad) == ("deleted", "comes back"),
        f"the named one {_IN_WORDS[bad]}, the other {_IN_WORDS[good]}",
    )


def _naming(identifier: str | None, key: str = "itemIdentifier") -> dict[str, Any]:
    return {"batchItemFailures": [{key: identifier}]}


# What an answer may hold, what AWS makes of it, and what becomes of the one message.
_ANSWERS: tuple[tuple[str, str, Any, str], ...] = (
    ("empty-list", "An empty batchItemFailures", {"batchItemFailures": []}, "deleted"),
    ("null-list", "A batchItemFailures that is null", {"batchItemFailures": None}, "deleted"),
    ("empty-identifier", "An empty itemIdentifier", _naming(""), "comes back"),
    ("null-identifier", "An itemIdentifier that is null", _naming(None), "comes back"),
    (
        "unknown-identifier",
        "An itemIdentifier of no message in the batch",
        _naming("00000000-0000-4000-8000-000000000000"),
        "comes back",
    ),
    (
        "misspelled-key",
        "An entry without the key itemIdentifier",
        _naming("$id", key="messageId"),
        "comes back",
    ),
)
_MEANS = {
    "deleted": "is a complete success: the message is deleted.",
    "comes back": "is a complete failure: the message comes back.",
}


def _answer_with(bench: Bench, answer: Any, wanted: str) -> Observation:
    [fate] = _fates(bench, answer, ["bad"])
    return compare(fate == wanted, f"the message {_IN_WORDS[fate]}")


for _name, _what, _answer, _fate in _ANSWERS:
    topic.row(
        f"partial-batch-{_name}",
        aws=f"{_what} {_MEANS[_fate]}",
        documentation=_ERRORS,
        within_s=_WITHIN_S,
    )(partial(_answer_with, answer=_answer, wanted=_fate))


_IN_WORDS = {"deleted": "is deleted", "comes back": "comes back"}


def _fates(bench: Bench, answer: Any, bodies: Sequence[str]) -> list[str]:
    """What becomes of messages whose function gives an answer: deleted, or comes back.

    A message that comes back is received a second time, and that sends it to the dead-letter
    queue: so its fate shows in the queues, whatever becomes of logs.
    """
    dead_letters = bench.queue()
    queue = bench.redriving_queue(dead_letters, 1, VisibilityTimeout=str(_VISIBLE_AGAIN_S))
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
