"""The verb capacity: the highest rate that a deployment sustains."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import typer

from tidemark import targets
from tidemark.api.session import new_run_id
from tidemark.cli import choices, consent, known, tables
from tidemark.cli.options import AsJson, KnownStack, KnownTarget, Yes, max_cost_of
from tidemark.cli.searching import Searching
from tidemark.deploy.status import versions
from tidemark.errors import (
    EndedError,
    ExitCode,
    InterruptedByUserError,
    NotStartedError,
    TidemarkError,
)
from tidemark.host.deployment import Deployment
from tidemark.host.state import require_checkout, state_dir
from tidemark.load import capacity_log, profiles
from tidemark.load.capacity import FINEST, found_by
from tidemark.load.capacity_log import CapacityLog, Wanted
from tidemark.load.sustained import BOUNDS
from tidemark.load.toml_file import nearest
from tidemark.measures.slo import MEASURES
from tidemark.report import capacity as report

_MOST_STEP_S = 600
_PRICED = (
    "Each step of the search is a load run, which costs something on AWS. It ends before the run "
    "that would bring it beyond ${:.2f} (--max-cost), by the list prices of us-east-1 (no bill was "
    "compared with them)."
)

Profiles = Annotated[
    list[str] | None,
    typer.Option(
        "--profile",
        help="A steady profile of loadtest/profiles; write and then read by default. May be "
        "repeated.",
    ),
]
StepS = Annotated[
    int | None,
    typer.Option(
        "--step", min=1, max=_MOST_STEP_S, metavar="SECONDS", help="How long a step is; 20."
    ),
]
Slos = Annotated[
    list[str] | None,
    typer.Option(
        "--slo",
        metavar="MEASURE=VALUE",
        help="What a measure may be. By default "
        + ", ".join(f"{name}={bound:g}" for name, bound in BOUNDS.items())
        + ", unless loadtest/targets says others. May be repeated.",
    ),
]
Start = Annotated[
    float | None,
    typer.Option(
        "--start",
        metavar="CALLS/S",
        help="The first rate; by default the profile's share of the target's rate.",
    ),
]
Resolution = Annotated[
    float | None,
    typer.Option(
        min=FINEST,
        max=2,
        help="By which factor the lowest rate that failed may exceed what is found; 1.1.",
    ),
]
MaxSteps = Annotated[
    int | None,
    typer.Option("--max-steps", min=1, max=100, help="The most steps for a profile; 16."),
]
Processes = Annotated[
    int | None,
    typer.Option(min=-1, help="How many processes send; -1 for one on each core; 1."),
]
MaxCost = Annotated[
    float,
    max_cost_of(
        "what its load runs may cost together: it ends before the one that would exceed that"
    ),
]
Seed = Annotated[str | None, typer.Option(help="Where every draw comes from.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the newest search, as it was begun.")
]


def capacity(  # noqa: PLR0913 -- the options of the command line
    *,
    profile: Profiles = None,
    slo: Slos = None,
    step: StepS = None,
    start: Start = None,
    resolution: Resolution = None,
    max_steps: MaxSteps = None,
    processes: Processes = None,
    seed: Seed = None,
    resume: Resume = False,
    max_cost: MaxCost = 1.0,
    yes: Yes = False,
    target: KnownTarget = None,
    stack_name: KnownStack = None,
    as_json: AsJson = False,
) -> None:
    """Find the highest rates of writes and reads that the deployment sustains.

    Each step is a load run. The rate doubles until a step misses a bound of latency or lag, or an
    invariant, then the rates in between are halved, and the best one is repeated. The first run
    of all warms the target up and does not count.
    """
    checkout = require_checkout("capacity")
    said = (profile, slo, step, start, resolution, max_steps, processes, seed)
    if resume and any(one is not None for one in said):
        raise NotStartedError("--resume goes on as the search was begun: leave the others away.")
    deployment, its_target = known.choose(target, stack_name)
    if resume:
        log = _resumed(deployment)
    else:
        takes = profiles.target_rate(checkout / "loadtest/targets", deployment.target, MEASURES)
        wanted = Wanted(
            profiles=profile or ["write", "read"],
            step_s=step or 20,
            bounds=_bounds(slo, takes.sustained),
            resolution=resolution or 1.1,
            most_steps=max_steps or 16,
            start=start,
            processes=_processes(processes),
            seed=seed or new_run_id(),
        )
        log = _new(deployment, wanted)
    is_priced = targets.class_of(deployment.target).asks_first
    searches = [
        Searching(
            checkout,
            deployment,
            log,
            one,
            find=partial(known.connect, its_target),
            most_usd=max_cost if is_priced else None,
        )
        for one in log.wanted.profiles
    ]
    if is_priced:
        consent.for_cost([_PRICED.format(max_cost)], "Start it?", is_given=yes)
    known.connect(its_target)
    log.save(state_dir())
    _run(searches, log)
    log.is_finished = not any(one.is_too_dear for one in searches)
    log.save(state_dir())
    _print(log, as_json=as_json)
    unsettled = None
    if not log.is_finished:
        unsettled = (
            f"The load runs cost about ${log.spent_usd:.2f} until now, and the next would exceed "
            f"--max-cost {max_cost:.2f}: `tidemark capacity --resume` with a higher one goes on."
        )
    elif not all(one.is_settled for one in searches):
        unsettled = "The limit of steps came before the end of the search (--max-steps)."
    _end(log, unsettled)


def _run(searches: Sequence[Searching], log: CapacityLog) -> None:
    goes_on = "`tidemark capacity --resume` goes on"
    try:
        for one in searches:
            one.run()
            if one.is_too_dear:
                return
    except InterruptedByUserError:
        raise InterruptedByUserError(
            f"Interrupted after {len(log.tried)} steps; {goes_on}."
        ) from None
    except TidemarkError as error:
        typer.echo(f"The search stopped after {len(log.tried)} steps; {goes_on}.", err=True)
        raise error from None


def _print(log: CapacityLog, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(report.as_json(log), indent=2))
        return
    headings, *rows = report.curve(log)
    drawn = tables.with_headings(*headings, right=headings[1:-1])
    for row in rows:
        drawn.add_row(*row)
    tables.show(drawn)
    for line in report.endings(log):
        typer.echo(line)
    typer.echo(report.headline(log))


def _end(log: CapacityLog, unsettled: str | None) -> None:
    if any(one.is_violated for one in log.tried):
        raise EndedError(ExitCode.VIOLATED)
    if unsettled is not None:
        typer.echo(unsettled, err=True)
        raise EndedError(ExitCode.UNKNOWN)
    if any(found_by(log.steps(one)).rate is None for one in log.wanted.profiles):
        raise EndedError(ExitCode.SLO_MISSED)


def _new(deployment: Deployment, wanted: Wanted) -> CapacityLog:
    try:
        before = capacity_log.newest(state_dir())
    except NotStartedError:
        before = None  # what cannot be read is in nobody's way but that of who resumes it
    if before is not None and before.tried and not before.is_finished:
        typer.echo(
            f"The search {before.id} was not finished; it can't be resumed once this one has "
            "begun.",
            err=True,
        )
    return CapacityLog(
        id=new_run_id(),
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        target=deployment.target,
        stack_name=deployment.stack_name,
        template_digest=deployment.template_digest,
        versions=versions(deployment),
        cores=os.cpu_count() or 1,
        wanted=wanted,
    )


def _resumed(deployment: Deployment) -> CapacityLog:
    log = capacity_log.newest(state_dir())
    if log is None or log.is_finished:
        raise NotStartedError("There is no search to go on with: leave --resume away.")
    was, now = ((one.target, one.stack_name, one.template_digest) for one in (log, deployment))
    if was != now:
        raise NotStartedError(
            f"The search was of {log.stack_name} on {log.target}, and that is not what is deployed "
            "now: leave --resume away."
        )
    return log


def _processes(said: int | None) -> int:
    if said == 0:
        raise NotStartedError("--processes must be 1 or more, or -1 for one on each core.")
    return said or 1


def _bounds(said: list[str] | None, of_target: Mapping[str, float]) -> dict[str, float]:
    named = {}
    for name, value in choices.pairs(said, "--slo").items():
        if name not in MEASURES:
            raise NotStartedError(f"There is no measure {name}; {nearest(name, MEASURES)}.")
        try:
            named[name] = float(value)
        except ValueError:
            named[name] = math.nan
        if not named[name] >= 0:
            raise NotStartedError(f"--slo {name} must be 0 or more, and not {value}.")
    return {**BOUNDS, **of_target, **named}
