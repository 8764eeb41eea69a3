"""What an idle stack costs on AWS in a month, from its template and a table of list prices.

Idle means deployed and never called: what polls, samples and watches goes on. The free tier is
not taken off, because it may be used up by something else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PRICED_ON = "2026-11-23"
PRICED_IN = "us-east-1"
_MINUTES = 730 * 60


@dataclass(frozen=True, slots=True)
class Price:
    """A list price.

    Attributes:
        usd: US dollars for one unit.
        unit: What they buy.
        source: Where AWS says so.
    """

    usd: float
    unit: str
    source: str


_CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
_DYNAMODB = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
_LAMBDA = "https://aws.amazon.com/lambda/pricing/"

# List prices of us-east-1, without free tier. What is absent costs nothing idle: on-demand tables
# without traffic, the REST API, the topic, queues, roles, the schedule, keys that AWS owns.
PRICES: Mapping[str, Price] = {
    "alarm": Price(0.10, "metric of an alarm and month", _CLOUDWATCH),
    "dashboard": Price(3.00, "dashboard and month", _CLOUDWATCH),
    "metric": Price(0.30, "custom metric and month", _CLOUDWATCH),
    "log": Price(0.50, "GB of log lines", _CLOUDWATCH),
    "log storage": Price(0.03, "GB of kept log lines and month", _CLOUDWATCH),
    "invocation": Price(0.20 / 1e6, "invocation", _LAMBDA),
    "duration": Price(0.0000166667, "GB-second on x86_64", _LAMBDA),
    "read": Price(0.125 / 1e6, "read request unit", _DYNAMODB),
    "table storage": Price(0.25, "GB in tables and month", _DYNAMODB),
    "backup": Price(0.20, "GB under point-in-time recovery and month", _DYNAMODB),
    "queue request": Price(0.40 / 1e6, "request", "https://aws.amazon.com/sqs/pricing/"),
    "trace": Price(5.00 / 1e6, "recorded trace", "https://aws.amazon.com/xray/pricing/"),
}

# The Outbox Sweeper runs although there is nothing to sweep.
_SWEEP_S = 0.2
_SWEEP_LOG_BYTES = 1500
_SWEEP_QUERIES = 16
_SWEEP_METRICS = 3  # OutboxSize, OutboxStuck, OutboxOldestAge
# https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html: five pollers, each waiting 20 s.
_POLLS_PER_MINUTE = 5 * 3
_DEFAULT_MEMORY_MB = 128


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an estimate.

    Attributes:
        what: What is paid for.
        usd: US dollars a month.
        source: Where its price is from.
    """

    what: str
    usd: float
    source: str


def idle_month(template: Mapping[str, Any]) -> list[Item]:
    """What a stack costs in a month in which nobody calls it, dearest first."""
    resources = template.get("Resources", {})
    items = [*_watching(resources), *_sweeping(resources), *_polling(resources), *_storing()]
    return sorted(items, key=lambda item: -item.usd)


def _of(resources: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one.get("Properties", {}) for one in resources.values() if one["Type"] == kind]


def _item(what: str, amount: float, price: str) -> Item:
    return Item(what, amount * PRICES[price].usd, PRICES[price].source)


def _watching(resources: Mapping[str, Any]) -> Iterator[Item]:
    alarms = _of(resources, "AWS::CloudWatch::Alarm")
    metrics = sum(
        max(1, sum("MetricStat" in one for one in alarm.get("Metrics", []))) for alarm in alarms
    )
    dashboards = len(_of(resources, "AWS::CloudWatch::Dashboard"))
    if alarms:
        yield _item(f"{len(alarms)} alarm(s)", metrics, "alarm")
    if dashboards:
        yield _item(f"{dashboards} dashboard(s)", dashboards, "dashboard")


def _sweeping(resources: Mapping[str, Any]) -> Iterator[Item]:
    for rule in _of(resources, "AWS::Events::Rule"):
        rate = re.fullmatch(r"rate\((\d+) minutes?\)", str(rule.get("ScheduleExpression")))
        if rate is None:
            continue
        runs = _MINUTES / int(rate[1])
        gb_seconds = runs * _SWEEP_S * _memory_mb(resources, rule) / 1024
        log_gb = runs * _SWEEP_LOG_BYTES / 1e9
        yield _item(f"{_SWEEP_METRICS} metrics of the outbox", _SWEEP_METRICS, "metric")
        yield _item(f"traces of {runs:,.0f} sweeps", runs, "trace")
        yield Item(
            f"{runs:,.0f} sweeps: invocations and duration",
            runs * PRICES["invocation"].usd + gb_seconds * PRICES["duration"].usd,
            PRICES["duration"].source,
        )
        # An eventually consistent query that finds nothing takes half a unit.
        yield _item("their reads of the outbox", runs * _SWEEP_QUERIES / 2, "read")
        yield Item(
            "their log lines",
            log_gb * (PRICES["log"].usd + PRICES["log storage"].usd),
            PRICES["log"].source,
        )


def _memory_mb(resources: Mapping[str, Any], rule: Mapping[str, Any]) -> int:
    """The memory of the function that a schedule calls."""
    for target in rule.get("Targets", []):
        arn = target.get("Arn")
        named = arn.get("Fn::GetAtt", []) if isinstance(arn, dict) else []
        for function in (resources[one] for one in named if one in resources):
            return int(function["Properties"].get("MemorySize", _DEFAULT_MEMORY_MB))
    return _DEFAULT_MEMORY_MB


def _polling(resources: Mapping[str, Any]) -> Iterator[Item]:
    mappings = len(_of(resources, "AWS::Lambda::EventSourceMapping"))
    if mappings:
        requests = mappings * _MINUTES * _POLLS_PER_MINUTE
        yield _item("polling of the queue", requests, "queue request")


def _storing() -> Iterator[Item]:
    yield _item("tables, empty ($0.25 per GB when not)", 0, "table storage")
    yield _item("point-in-time recovery, empty ($0.20 per GB when not)", 0, "backup")
