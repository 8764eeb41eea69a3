"""Metrics read from function logs, for targets that do not extract them.

CloudWatch makes metrics of log lines in the embedded metric format; no emulator here does. The
lines are in the logs all the same, so the figures can be had from there, on every target alike.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


@dataclass(frozen=True, slots=True)
class LoggedMetric:
    """One value of a metric, as a function logged it.

    Attributes:
        namespace: The metric's namespace.
        name: Its name.
        dimensions: The dimension values by name.
        value: The value.
        unit: Its unit, as CloudWatch spells it; "None" without one.
        at_ms: When it was logged, UTC milliseconds.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    value: float
    unit: str
    at_ms: int


def read(lines: Iterable[str]) -> Iterator[LoggedMetric]:
    """The metrics in some log lines; a line without any has none to give.

    A metric that is declared with several sets of dimensions comes once for each set.
    """
    for line in lines:
        document = _document(line)
        if document is not None:
            yield from _metrics(document)


def _document(line: str) -> dict[str, Any] | None:
    start = line.find("{")
    if start < 0 or '"_aws"' not in line:
        return None
    try:
        document, _ = json.JSONDecoder().raw_decode(line[start:])
    except ValueError:
        return None  # a line that is cut off carries no metric for CloudWatch either
    return document if isinstance(document, dict) else None


def _metrics(document: Mapping[str, Any]) -> Iterator[LoggedMetric]:
    meta = document.get("_aws", {})
    for directive in meta.get("CloudWatchMetrics", []):
        for names in directive.get("Dimensions") or [[]]:
            dimensions = {name: str(document.get(name, "")) for name in names}
            for metric in directive.get("Metrics", []):
                for value in _values(document.get(metric["Name"])):
                    yield LoggedMetric(
                        namespace=directive["Namespace"],
                        name=metric["Name"],
                        dimensions=dimensions,
                        value=value,
                        unit=metric.get("Unit", "None"),
                        at_ms=int(meta.get("Timestamp", 0)),
                    )


def _values(found: Any) -> list[float]:
    values = found if isinstance(found, list) else [found]
    return [float(one) for one in values if isinstance(one, (int, float))]
