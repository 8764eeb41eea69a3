"""Queues by themselves: order, duplicates, groups, and the way back from a dead-letter queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tidemark.probe.bench import redrive_policy
from tidemark.probe.observation import (
    TRYING_S,
    NotProbedError,
    NotSeenInTimeError,
    compare,
    differs,
    same,
)
from tidemark.probe.row import Topic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from tidemark.probe.bench import Bench, Queue
    from tidemark.probe.observation import Observation

topic = Topic("queues", makes=("queues",))

_GUIDE = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide"
_REDRIVE = f"{_GUIDE}/sqs-configure-dead-letter-queue-redrive.html"
_BATCH = 10


@topic.row(
    "standard-queue-order",
    aws="A standard queue may deliver in another order, and a message more than once.",
    documentation=f"{_GUIDE}/standard-queues.html",
    within_s=5,
    patient_s=TRYING_S,
)
def standard_queue_order(bench: Bench) -> Observation:
    """Send and receive until something comes out of order or twice."""
    queue = bench.queue()
    sent = received = 0
    pending: list[str] = []
    while bench.left_s:
        bodies = [str(sent + number) for number in range(_BATCH)]
        bench.clients.sqs.send_message_batch(
            QueueUrl=queue.url, Entries=[{"Id": body, "MessageBody": body} for body in bodies]
        )
        sent += _BATCH
        pending += bodies
        for message in bench.receive(queue):
            if message["Body"] not in pending:
                return same("a message comes twice", f"{received} messages")
            if message["Body"] != pending[0]:
                return same("another order than sent", f"{received} messages")
            pending.pop(0)
            received += 1
    raise NotSeenInTimeError("oldest first, each once: kinder than AWS")


@topic.row(
    "fifo-grouping",
    aws="While a message of a FIFO group is in flight, no other of the group is delivered; other "
    "groups go on.",
    documentation=f"{_GUIDE}/using-messagegroupid-property.html",
    within_s=20,
)
def fifo_grouping(bench: Bench) -> Observation:
    """Receive the first message of a group, and ask for more."""
    queue = bench.queue(is_fifo=True)
    for group, body in (("a", "a1"), ("a", "a2"), ("b", "b1")):
        _send_in_group(bench, queue, group, body)
    first = _one(bench, queue)
    second = _one(bench, queue)
    third = _now(bench, queue)
    bench.clients.sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=first["ReceiptHandle"])
    after = _one(bench, queue)
    seen = (first["Body"], second["Body"], third, after["Body"])
    if seen == ("a1", "b1", None, "a2"):
        return same("the group waits, the other goes on")
    return differs(f"delivered {', '.join(map(str, seen))}")


@topic.row(
    "fifo-deduplication",
    aws="A message sent again with its deduplication id within 5 minutes is accepted and not "
    "delivered again.",
    documentation=f"{_GUIDE}/using-messagededuplicationid-property.html",
    within_s=20,
)
def fifo_deduplication(bench: Bench) -> Observation:
    """Send a message twice with one deduplication id."""
    queue = bench.queue(is_fifo=True)
    for _ in range(2):
        _send_in_group(bench, queue, "a", "a1")
    _send_in_group(bench, queue, "b", "b1")
    bodies: list[str] = []
    while len(bodies) < 3 and (message := _now(bench, queue, is_deleted=True)):
        bodies.append(message)
    times = bodies.count("a1")
    said = "delivered once" if times == 1 else f"delivered {times} times"
    return compare(sorted(bodies) == ["a1", "b1"], said)


def _send_in_group(bench: Bench, queue: Queue, group: str, body: str) -> None:
    bench.clients.sqs.send_message(
        QueueUrl=queue.url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=body
    )


def _one(bench: Bench, queue: Queue) -> Mapping[str, Any]:
    def probe() -> Mapping[str, Any] | None:
        messages = bench.clients.sqs.receive_message(
            QueueUrl=queue.url,
            MaxNumberOfMessages=1,
            MessageSystemAttributeNames=["All"],
        ).get("Messages", [])
        return messages[0] if messages else None

    return bench.eventually(probe, what="a message")


def _now(bench: Bench, queue: Queue, *, is_deleted: bool = False) -> str | None:
    messages = bench.clients.sqs.receive_message(
        QueueUrl=queue.url, MaxNumberOfMessages=1, WaitTimeSeconds=1
    ).get("Messages", [])
    if not messages:
        return None
    if is_deleted:
        bench.clients.sqs.delete_message(
            QueueUrl=queue.url, ReceiptHandle=messages[0]["ReceiptHandle"]
        )
    return str(messages[0]["Body"])


@topic.row(
    "start-message-move-task",
    aws="StartMessageMoveTask moves the messages of a dead-letter queue back to their queue.",
    documentation=_REDRIVE,
    within_s=20,
)
def start_message_move_task(bench: Bench) -> Observation:
    """Let a message become a dead letter, and move it back."""
    try:
        message = _redrive(bench)
    except ClientError as error:
        return differs(f"refused: {error.response['Error']['Code']}")
    return compare(message["Body"] == "bad", "moved back")


@topic.row(
    "redriven-message-is-new",
    aws="A message that was moved back counts as new, with another id.",
    documentation=_REDRIVE,
    within_s=20,
)
def redriven_message_is_new(bench: Bench) -> Observation:
    """Move a dead letter back, and look at its id and its receive count."""
    try:
        message = _redrive(bench)
    except ClientError as error:
        raise NotProbedError(
            f"no StartMessageMoveTask: {error.response['Error']['Code']}"
        ) from None
    receives = int(message["Attributes"]["ApproximateReceiveCount"])
    is_other = message["MessageId"] != message["original"]
    said = (
        f"{'another' if is_other else 'the same'} id, receives "
        f"{'counted from one' if receives == 1 else 'go on being counted'}"
    )
    return compare(is_other, said)


def _redrive(bench: Bench) -> Mapping[str, Any]:
    dead_letters = bench.queue()
    queue = bench.redriving_queue(dead_letters, 1, VisibilityTimeout="1")
    sqs = bench.clients.sqs
    original = sqs.send_message(QueueUrl=queue.url, MessageBody="bad")["MessageId"]

    def is_dead() -> int:
        sqs.receive_message(QueueUrl=queue.url)
        return bench.depth(dead_letters)

    bench.until(is_dead, what="a dead letter", else_seen="no dead letter")
    # Else a count that goes on would send it straight back.
    sqs.set_queue_attributes(
        QueueUrl=queue.url, Attributes={"RedrivePolicy": redrive_policy(dead_letters, 10)}
    )
    sqs.start_message_move_task(SourceArn=dead_letters.arn)
    return {**_one(bench, queue), "original": original}
