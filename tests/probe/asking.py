"""Rows and benches for tests: no target is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tidemark.host.deployment import Deployment
from tidemark.probe.bench import Bench
from tidemark.probe.observation import Comparison, same
from tidemark.probe.result import Result, RowResult
from tidemark.probe.row import Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemark.aws.clients import AwsClients
    from tidemark.probe.observation import Observation
    from tidemark.probe.role import Role

DEPLOYMENT = Deployment(
    target="embedded",
    endpoint="http://127.0.0.1:9",
    region="us-east-1",
    stack_name="Tidemark",
    api_url="http://127.0.0.1:9/_aws/execute-api/a/v1",
    template_digest="0" * 64,
    outputs={"Wiring": "queued"},
)


def says_same(_: Bench) -> Observation:
    return same("as documented")


def row(
    name: str = "row",
    probe: Callable[[Bench], Observation] = says_same,
    *,
    within_s: float = 5,
    patient_s: float = 600,
    capability: str | None = None,
    makes: tuple[str, ...] = ("queues",),
) -> Row:
    return Row(
        name=name,
        topic="topic",
        aws="What AWS documents.",
        documentation="https://docs.aws.amazon.com/",
        within_s=within_s,
        patient_s=patient_s,
        capability=capability,
        makes=makes,
        probe=probe,
    )


def bench(within_s: float = 5, clients: Any = None) -> Bench:
    return Bench(cast("AwsClients", clients), DEPLOYMENT, cast("Role", None), within_s=within_s)


def row_result(
    name: str = "row", comparison: Comparison = Comparison.SAME, **attributes: Any
) -> RowResult:
    return RowResult(
        **{
            "name": name,
            "topic": "topic",
            "capability": None,
            "aws": "What AWS documents.",
            "documentation": "https://docs.aws.amazon.com/",
            "comparison": comparison,
            "observed": "as documented",
            "measured": "",
            "within_s": 5,
            "duration_s": 0.1,
            **attributes,
        }
    )


def result(*row_results: RowResult, **attributes: Any) -> Result:
    return Result(
        **{
            "target": "embedded",
            "date": "2026-11-23",
            "versions": {"tidemark": "0.1.0"},
            "duration_s": 1.5,
            "row_results": list(row_results),
            **attributes,
        }
    )
