"""Asynchronous invocations: how often, when, and where they end."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from tidemark.probe.row import Topic, differs, same
from tidemark.waiting import NotYetError

if TYPE_CHECKING:
    from tidemark.probe.bench import Bench, Function, Queue
    from tidemark.probe.row import Observation

topic = Topic("asynchronous invocation")

_RETRIES = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"
_ATTEMPTS = 3


@topic.row(
    "sns-to-function-retries",
    aws="A function that fails on an SNS message is invoked 3 times, then the event goes to its "
    "dead-letter queue.",
    documentation=_RETRIES,
    within_s=20,
    capability="async-retries",
)
def sns_to_function_retries(bench: Bench) -> Observation:
    """Publish to a function that fails, and wait for the dead letter."""
    dead_letters = bench.queue()
    function = bench.function(fails=True, DeadLetterConfig={"TargetArn": dead_letters.arn})
    topic_arn = bench.topic()
    bench.clients.functions.add_permission(
        FunctionName=function.name,
        StatementId="probe",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=topic_arn,
    )
    bench.clients.sns.subscribe(TopicArn=topic_arn, Protocol="lambda", Endpoint=function.arn)
    bench.clients.sns.publish(TopicArn=topic_arn, Message="probe")
    return _dead_lettered(bench, function, dead_letters)


def _dead_lettered(bench: Bench, function: Function, dead_letters: Queue) -> Observation:
    def probe() -> bool | None:
        if bench.received(dead_letters):
            return True
        attempts = len(bench.invocations(function))
        raise NotYetError(f"{attempts} of {_ATTEMPTS} attempts, no dead letter")

    bench.eventually(probe, what="the dead letter")
    attempts = bench.invocations(function)
    pauses = [
        f"{(later.at_ms - earlier.at_ms) / 1000:.1f} s" for earlier, later in pairwise(attempts)
    ]
    said = f"{len(attempts)} attempts, then a dead letter"
    measured = f"retried after {', '.join(pauses)}" if pauses else ""
    return (same if len(attempts) == _ATTEMPTS else differs)(said, measured)
