"""A load run as a table for people and as JSON for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table

from tidemark.invariants.judge import verdict_of
from tidemark.report import lateness, verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemark.errors import ExitCode
    from tidemark.host.deployment import Deployment
    from tidemark.invariants.judge import Judgement
    from tidemark.measures.lag import Lag
    from tidemark.measures.lateness import Lateness
    from tidemark.measures.summary import Row, Summary
    from tidemark.percentiles import Spread

REPORT = "load.json"
"""What a load run's report is called in its folder."""

# What a table is made for; where there is no terminal, nobody says how wide it may be.
_WIDTH = 80
_EXAMPLES = 5
_TENTHS_BELOW_MS = 100


@dataclass(frozen=True)
class Report:
    """A finished load run.

    Attributes:
        run_id: Its name, which its accounts and keys begin with.
        deployment: Where it went.
        seed: What its draws came from.
        profile: What was sent.
        users: How many sessions it had.
        summary: What its ops came to.
        lag: How late its events were; None if there was none to wait for.
        lateness: How late its read side was, by its history; None if that was not judged.
        judgements: What the judge says of its history.
        exit_code: How the run ended.
        reason: Why the exit code is not 0.
    """

    run_id: str
    deployment: Deployment
    seed: str
    profile: str
    users: int
    summary: Summary
    lag: Lag | None
    lateness: Lateness | None
    judgements: Sequence[Judgement]
    exit_code: ExitCode
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the report as a JSON object; durations carry their unit in the name."""
        return {
            "run_id": self.run_id,
            "target": self.deployment.target,
            "stack_name": self.deployment.stack_name,
            "api_url": self.deployment.api_url,
            "template_digest": self.deployment.template_digest,
            "seed": self.seed,
            "profile": self.profile,
            "users": self.users,
            "exit_code": int(self.exit_code),
            "reason": self.reason,
            "verdict": verdict_of(self.judgements).value if self.judgements else None,
            "invariants": {one.invariant.id: one.verdict.value for one in self.judgements},
            "projection_lag": None if self.lag is None else asdict(self.lag),
            "lateness": None if self.lateness is None else asdict(self.lateness),
            **asdict(self.summary),
        }

    def print(self, console: Console) -> None:
        """Print the report as tables and sentences."""
        summary = self.summary
        console.print(
            f"Load on {self.deployment.target} (stack {self.deployment.stack_name}): "
            f"{self.profile}, {summary.duration_s:.1f} s, {self.users} users, seed {self.seed}, "
            f"run {self.run_id}",
        )
        console.print(_operations(summary, is_plain=not console.is_terminal))
        if self.lag is not None:
            _print_lag(self.lag, console)
        if (plan := summary.punctuality) is not None:
            console.print(
                f"Planned: {plan.planned} calls; {plan.late} began more than 100 ms late, "
                f"{plan.unsent} never"
            )
        for title, counts in (
            ("Refused, as it should be", summary.refusals),
            ("Errors", summary.errors),
        ):
            if counts:
                listed = ", ".join(f"{name} {count}" for name, count in counts.items())
                console.print(f"{title}: {listed}")
        if summary.replayed:
            console.print(f"Answered with an earlier answer: {summary.replayed}")
        if self.lateness is not None:
            for line in lateness.describe(self.lateness, self.deployment.target):
                console.print(line)
        for line in verdict.summarise(self.judgements):
            console.print(line)


def report_console() -> Console:
    """Return a console on standard output, on which sentences are one line each."""
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = _WIDTH
    return console


def _operations(summary: Summary, *, is_plain: bool) -> Table:
    # Two blanks between columns: a box draws one of them.
    frame, blanks = (None, 2) if is_plain else (box.SIMPLE_HEAD, 1)
    table = Table(box=frame, pad_edge=False, padding=(0, blanks, 0, 0))
    table.add_column("latency in ms")
    for heading in ("ok", "refused", "errors", "ok/s", "p50", "p95", "p99", "max"):
        table.add_column(heading, justify="right")
    for row in summary.operations:
        table.add_row(*_cells(row))
    table.add_section()
    for row in (summary.writes, summary.reads):
        table.add_row(*_cells(row), style=None if is_plain else "bold")
    return table


def _cells(row: Row) -> list[str]:
    return [
        row.name.replace("_", " "),
        str(row.ok),
        str(row.refused),
        str(row.errors),
        f"{row.per_s:.1f}",
        *_spread(row.latency),
    ]


def _spread(spread: Spread | None) -> list[str]:
    if spread is None:
        return ["-"] * 4
    return [
        f"{value:.{1 if value < _TENTHS_BELOW_MS else 0}f}"
        for value in (spread.p50_ms, spread.p95_ms, spread.p99_ms, spread.max_ms)
    ]


def _print_lag(lag: Lag, console: Console) -> None:
    p50, p95, p99, maximum = _spread(lag.spread)
    console.print(
        f"Projection lag: p50 {p50} ms, p95 {p95} ms, p99 {p99} ms, max {maximum} ms; "
        f"{lag.projected} of {lag.events} events seen projected, "
        f"the last within {lag.waited_s:.1f} s after the load",
    )
    if lag.late:
        console.print(f"Not seen projected: {_examples(lag.late)}")
    if lag.missing:
        console.print(f"Acknowledged, but not in the log: {_examples(lag.missing)}")


def _examples(event_ids: Sequence[str]) -> str:
    shown = ", ".join(event_ids[:_EXAMPLES])
    more = len(event_ids) - _EXAMPLES
    return f"{shown} and {more} more" if more > 0 else shown
