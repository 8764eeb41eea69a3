"""A load run that costs money says how much before it starts, and asks above a limit."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from tidemark.cli import consent
from tidemark.deploy import fargate
from tidemark.load import profiles
from tidemark.load.options import CLOSED
from tidemark.load.price import estimate, told_by
from tidemark.measures.cost import price_of_tasks
from tidemark.measures.slo import MEASURES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tidemark.host.deployment import Deployment
    from tidemark.measures.cost import Estimate

_SMALLEST_SHOWN_USD = 0.0005


def settle(
    arguments: Sequence[str],
    deployment: Deployment,
    checkout: Path,
    *,
    most_usd: float,
    is_agreed: bool,
    tasks: int = 0,
) -> list[str]:
    """Say what a load run would cost, and ask if that is more than the limit.

    Args:
        arguments: Those for Locust.
        deployment: Where it goes, on AWS.
        checkout: Where profiles and rates are.
        most_usd: Up to how much nobody is asked, in US dollars.
        is_agreed: Whether `--yes` was said.
        tasks: How many machines of its own it has there; such a run always asks.

    Returns:
        The arguments, with what was priced made explicit.

    Raises:
        NotStartedError: The answer is no, or there is nobody to ask.
    """
    told = told_by(arguments, os.environ)
    profile, rate = None, told.rate or 0.0
    if told.profile != CLOSED:
        profile = profiles.profile(checkout / "loadtest/profiles", told.profile, MEASURES)
        targets = checkout / "loadtest/targets"
        rate = rate or profiles.target_rate(targets, deployment.target, MEASURES).rate
    costs = estimate(
        told, profile, rate=rate, wiring=str(deployment.outputs.get("Wiring", "queued"))
    )
    if tasks:
        machines = price_of_tasks(
            tasks=tasks,
            vcpus=fargate.VCPUS,
            memory_gb=fargate.MEMORY_GB,
            seconds=told.seconds + fargate.BESIDES_S,
        )
        costs = replace(costs, lines=[*costs.lines, *machines.lines])
    shown = list(_described(costs, told.seconds))
    if tasks:
        shown += ["", f"It makes a stack {fargate.stack_name(deployment)} for {tasks} tasks, which"]
        shown += ["goes with the run: network, cluster, roles, log group, bucket, image."]
        consent.for_cost(shown, "Start it?", is_given=is_agreed)
    elif costs.usd <= most_usd:
        typer.echo(shown[0], err=True)
    else:
        question = f"That is more than --max-cost {most_usd:.2f}. Start it?"
        consent.for_cost(shown, question, is_given=is_agreed)
    return [*arguments, *told.arguments]


def _described(costs: Estimate, seconds: float) -> Iterator[str]:
    yield (
        f"Estimated cost: at most about ${costs.usd:.2f} for {seconds:g} s, by the list prices of "
        "us-east-1 (no bill was compared with it)"
    )
    for line in sorted(costs.lines, key=lambda one: -one.usd):
        if line.usd > _SMALLEST_SHOWN_USD:
            yield f"  {line.name + 's':21} {line.units:12,.0f}  ${line.usd:.3f}"
