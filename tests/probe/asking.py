"""Rows and benches for tests: no target is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tidemark.deployment import Deployment
from tidemark.probe.bench import Bench
from tidemark.probe.result import Finding, Result
from tidemark.probe.row import Row, Verdict, same

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemark.aws import Clients
    from tidemark.probe.role import Role
    from tidemark.probe.row import Observation

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
    return Bench(cast("Clients", clients), DEPLOYMENT, cast("Role", None), within_s=within_s)


def finding(name: str = "row", verdict: Verdict = Verdict.SAME, **attributes: Any) -> Finding:
    return Finding(
        **{
            "name": name,
            "topic": "topic",
            "capability": None,
            "aws": "What AWS documents.",
            "documentation": "https://docs.aws.amazon.com/",
            "verdict": verdict,
            "observed": "as documented",
            "measured": "",
            "within_s": 5,
            "duration_s": 0.1,
            **attributes,
        }
    )


def result(*findings: Finding, **attributes: Any) -> Result:
    return Result(
        **{
            "target": "embedded",
            "date": "2026-11-23",
            "versions": {"tidemark": "0.1.0"},
            "duration_s": 1.5,
            "findings": list(findings),
            **attributes,
        }
    )
