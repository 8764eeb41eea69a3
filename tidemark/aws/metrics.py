"""Metrics read from function logs, for targets that do not extract them.

CloudWatch makes metrics of log lines in the embedded metric format; no emulator here does. The
lines are in the logs all the same, so the figures can be had from there, on every target alike:
`tidemark metrics` prints them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tidemark.aws import logs
from tidemark.percentiles import percentile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

_MARK = "_aws"
_DURATION = "Milliseconds"


@dataclass(frozen=True, slots=True)
class LoggedMetric:
    """One value of a metric, as a function logged it.

    Attributes:
        namespace: The metric's namespace.
        name: Its name.
        dimensions: The dimension values by name.
        unit: Its unit, as CloudWatch spells it; "None" without one.
        value: The value.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    unit: str
    value: float


@dataclass(frozen=True, slots=True)
class Summary:
    """The values of one metric, in the figures that CloudWatch would give.

    Attributes:
        namespace: As of one value, like name, dimensions and unit.
        count: How many values there are; their sum, smallest and largest follow.
        p50: Half of them do not exceed it; for durations in milliseconds, else ``None``.
        p99: The same for 99 in 100.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    unit: str
    count: int
    sum: float
    min: float
    max: float
    p50: float | None
    p99: float | None


def summarise(metrics: Iterable[LoggedMetric]) -> list[Summary]:
    """Summarise values metric by metric: by namespace, dimensions, name and unit."""
    found: defaultdict[tuple[Any, ...], list[float]] = defaultdict(list)
    for one in metrics:
        dimensions = tuple(sorted(one.dimensions.items()))
        found[one.namespace, dimensions, one.name, one.unit].append(one.value)
    summaries = []
    for (namespace, dimensions, name, unit), values in sorted(found.items()):
        values.sort()
        is_duration = unit == _DURATION
        summaries.append(
            Summary(
                namespace=namespace,
                name=name,
                dimensions=dict(dimensions),
                unit=unit,
                count=len(values),
                sum=sum(values),
                min=values[0],
                max=values[-1],
                p50=percentile(values, 0.50) if is_duration else None,
                p99=percentile(values, 0.99) if is_duration else None,
            )
        )
    return summaries


def of_stack(
    clients: AwsClients, deployment: Deployment, *, since_ms: int
) -> Iterator[LoggedMetric]:
    """The metrics that a stack's functions have logged.

    Args:
        clients: The target's.
        deployment: The stack.
        since_ms: Where to begin, UTC milliseconds.
    """
    lines = logs.read(clients, deployment, logs.FUNCTIONS, since_ms=since_ms, containing=_MARK)
    yield from read(line.text for line in lines)


def read(lines: Iterable[str]) -> Iterator[LoggedMetric]:
    """The metrics in some log lines; a line without any has none to give.

    A metric that is declared with several sets of dimensions comes once for each set.
    """
    for line in lines:
        # A line that is cut off carries no metric for CloudWatch either.
        if f'"{_MARK}"' in line and (document := logs.document_in(line)):
            yield from _metrics(document)


def _metrics(document: Mapping[str, Any]) -> Iterator[LoggedMetric]:
    for directive in document.get(_MARK, {}).get("CloudWatchMetrics", []):
        for names in directive.get("Dimensions") or [[]]:
            dimensions = {name: str(document.get(name, "")) for name in names}
            for metric in directive.get("Metrics", []):
                unit = metric.get("Unit", "None")
                for value in _values(document.get(metric["Name"])):
                    yield LoggedMetric(
                        directive["Namespace"], metric["Name"], dimensions, unit, value
                    )


def _values(found: Any) -> list[float]:
    values = found if isinstance(found, list) else [found]
    return [float(one) for one in values if isinstance(one, (int, float))]
