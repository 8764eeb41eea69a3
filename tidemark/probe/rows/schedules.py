"""EventBridge: schedules that fire."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from tidemark.aws import logs
from tidemark.host.waiting import NotYetError
from tidemark.probe.observation import NotProbedError, NotSeenInTimeError, compare, differs, same
from tidemark.probe.row import Topic

if TYPE_CHECKING:
    from tidemark.probe.bench import Bench
    from tidemark.probe.observation import Observation

topic = Topic("EventBridge", makes=("queues", "rules"))

_SWEEPER = "outbox-sweeper"
_LOOK_BACK_S = 200
# A minute, and what a target takes to notice.
_FIRST_WITHIN_S = 90


@topic.row(
    "schedule-fires",
    aws="A rule with rate(1 minute) starts when it is made, and invokes its function every minute.",
    documentation="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html",
    within_s=54,
    capability="schedules",
)
def schedule_fires(bench: Bench) -> Observation:
    """Look for what the deployed schedule has caused."""
    if logs.FUNCTIONS[_SWEEPER] not in bench.deployment.outputs:
        raise NotProbedError("the deployed stack has no Outbox Sweeper")

    def probe() -> list[int]:
        since_ms = int((time.time() - _LOOK_BACK_S) * 1000)
        lines = logs.read(bench.clients, bench.deployment, [_SWEEPER], since_ms=since_ms)
        minutes = sorted({line.at_ms for line in lines})
        if not minutes:
            raise NotYetError("the deployed schedule has not fired")
        return minutes

    try:
        fired_ms = bench.eventually(probe, what="the deployed schedule to fire")
    except NotSeenInTimeError:
        if _age_s(bench) < _FIRST_WITHIN_S:
            raise NotProbedError("the stack is younger than its schedule: ask again") from None
        raise
    pauses_s = [(b - a) / 1000 for a, b in pairwise(fired_ms) if b - a > 10_000]
    measured = f"every {sum(pauses_s) / len(pauses_s):.0f} s" if pauses_s else ""
    if pauses_s and min(pauses_s) < 30:
        return differs("fires more often", measured)
    return same("fires", measured)


def _age_s(bench: Bench) -> float:
    """How long ago the deployed stack was last changed, in seconds."""
    [stack] = bench.clients.cloudformation.describe_stacks(StackName=bench.deployment.stack_name)[
        "Stacks"
    ]
    changed = stack.get("LastUpdatedTime", stack["CreationTime"])
    return (datetime.now(UTC) - changed).total_seconds()


@topic.row(
    "event-pattern",
    aws="An event on the default bus reaches the target of a rule whose pattern it matches, and "
    "no other.",
    documentation="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html",
    within_s=15,
)
def event_pattern(bench: Bench) -> Observation:
    """Put two events, one of which matches."""
    events = bench.clients.client("events")
    queue = bench.queue()
    name = queue.arn.rpartition(":")[2]
    bench.leftovers.owe(f"rule {name}", lambda: events.delete_rule(Name=name))
    rule_arn = events.put_rule(
        Name=name, EventPattern=f'{{"source": ["{name}"], "detail-type": ["wanted"]}}'
    )["RuleArn"]
    bench.let_send(queue, "events.amazonaws.com", rule_arn)
    bench.leftovers.owe(
        f"target of {name}", lambda: events.remove_targets(Rule=name, Ids=["probe"])
    )
    events.put_targets(Rule=name, Targets=[{"Id": "probe", "Arn": queue.arn}])
    events.put_events(
        Entries=[
            {"Source": name, "DetailType": kind, "Detail": "{}"} for kind in ("other", "wanted")
        ]
    )
    bench.eventually(lambda: bench.depth(queue) or None, what="the event")
    count = bench.settle(lambda: bench.depth(queue), for_s=1, what="no further event")
    return compare(count == 1, f"{count} of the two events")
