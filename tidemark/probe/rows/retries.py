"""Asynchronous invocations that fail: how often, when, and where they end."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from tidemark.host.waiting import NotYetError
from tidemark.probe.observation import compare, differs, same
from tidemark.probe.row import Topic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemark.probe.bench import Bench, Queue
    from tidemark.probe.functions import Function
    from tidemark.probe.invocations import Invocation
    from tidemark.probe.observation import Observation

topic = Topic("asynchronous invocation", makes=("functions", "queues", "topics"))

_DOCUMENTATION = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"
_ATTEMPTS = 3
_PAUSES_S = (60, 120)


@topic.row(
    "sns-to-function-retries",
    aws="A function that fails on an SNS message is invoked 3 times, then the event goes to its "
    "dead-letter queue.",
    documentation=_DOCUMENTATION,
    within_s=20,
    capability="async-retries",
)
def sns_to_function_retries(bench: Bench) -> Observation:
    """Publish to a function that fails, and wait for the dead letter."""
    dead_letters = bench.queue()
    function = bench.function(fails=True, DeadLetterConfig={"TargetArn": dead_letters.arn})
    topic_arn = bench.topic()
    bench.allow(function, "sns.amazonaws.com", topic_arn)
    bench.clients.sns.subscribe(TopicArn=topic_arn, Protocol="lambda", Endpoint=function.arn)
    bench.clients.sns.publish(TopicArn=topic_arn, Message="probe")
    attempts = _until_dead_letter(bench, function, dead_letters)
    return compare(len(attempts) == _ATTEMPTS, _tell_end(attempts), _tell_pauses(attempts))


@topic.row(
    "async-retries",
    aws="An asynchronous invocation that fails is retried twice, then goes to the dead-letter "
    "queue.",
    documentation=_DOCUMENTATION,
    within_s=20,
)
def async_retries(bench: Bench) -> Observation:
    """Invoke a function that fails, and wait for the dead letter."""
    attempts = _fail(bench)
    return compare(len(attempts) == _ATTEMPTS, _tell_end(attempts))


@topic.row(
    "async-retry-timing",
    aws="The first retry comes after one minute, the second two minutes later.",
    documentation=_DOCUMENTATION,
    within_s=20,
)
def async_retry_timing(bench: Bench) -> Observation:
    """Invoke a function that fails, and compare the pauses with AWS's."""
    attempts = _fail(bench)
    pauses_s = [(b.at_ms - a.at_ms) / 1000 for a, b in pairwise(attempts)]
    is_as_slow = len(pauses_s) == len(_PAUSES_S) and all(
        pause_s >= aws_s * 0.9 for pause_s, aws_s in zip(pauses_s, _PAUSES_S, strict=True)
    )
    if is_as_slow:
        return same("a minute or more, then two", _tell_pauses(attempts))
    return differs("retries come sooner: seconds, not minutes", _tell_pauses(attempts))


def _fail(bench: Bench) -> Sequence[Invocation]:
    dead_letters = bench.queue()
    function = bench.function(fails=True, DeadLetterConfig={"TargetArn": dead_letters.arn})
    bench.clients.functions.invoke(
        FunctionName=function.name, InvocationType="Event", Payload=b"{}"
    )
    return _until_dead_letter(bench, function, dead_letters)


def _until_dead_letter(bench: Bench, function: Function, dead_letters: Queue) -> list[Invocation]:
    def probe() -> bool | None:
        if bench.receive(dead_letters):
            return True
        raise NotYetError(f"attempts: {len(bench.invocations(function))}; no dead letter")

    bench.eventually(probe, what="the dead letter")
    return bench.settle(
        lambda: bench.invocations(function), for_s=1, what="all attempts to be logged"
    )


def _tell_end(attempts: Sequence[Invocation]) -> str:
    return f"attempts: {len(attempts)}, then a dead letter"


def _tell_pauses(attempts: Sequence[Invocation]) -> str:
    pauses = [f"{(b.at_ms - a.at_ms) / 1000:.1f} s" for a, b in pairwise(attempts)]
    return f"after {' and '.join(pauses)}" if pauses else ""
