"""Queues as event sources: redrive, and answers that fail part of a batch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tidemark.probe.row import Topic, differs, same
from tidemark.waiting import NotYetError

if TYPE_CHECKING:
    from tidemark.probe.bench import Bench
    from tidemark.probe.row import Observation

topic = Topic("queue to function")

_RECEIVES = 2


@topic.row(
    "queue-redrive",
    aws="A message that a function fails on is received maxReceiveCount times, then moves to the "
    "dead-letter queue.",
    documentation="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
    within_s=25,
)
def queue_redrive(bench: Bench) -> Observation:
    """Send a message to a function that fails, and wait for it in the dead-letter queue."""
    dead_letters = bench.queue()
    redrive = {"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": _RECEIVES}
    queue = bench.queue(VisibilityTimeout="1", RedrivePolicy=json.dumps(redrive))
    function = bench.function(fails=True, Timeout=1)
    bench.mapping(function, queue, BatchSize=1)
    bench.clients.sqs.send_message(QueueUrl=queue.url, MessageBody="bad")

    def probe() -> str | None:
        for message in bench.received(dead_letters):
            return str(message["Body"])
        raise NotYetError(f"{len(bench.invocations(function))} receives, no dead letter")

    body = bench.eventually(probe, what="the message in the dead-letter queue")
    receives = len(bench.invocations(function))
    said = f"{receives} receives, then in the dead-letter queue"
    return (same if receives == _RECEIVES and body == "bad" else differs)(said)
