"""A load run as a table for people and as JSON for programs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table

from tidemark.errors import ExitCode
from tidemark.measures.generator import LATE_MS, SPENT_CPU_SHARE, SPENT_LOOP_LAG_MS
from tidemark.percentiles import brief
from tidemark.report import lateness, verdict

if TYPE_CHECKING:
    from tidemark.measures.figures import Figures, Row
    from tidemark.percentiles import Spread
    from tidemark.report.assessment import Assessment

REPORT = "load.json"
"""What a load run's report is called in its folder."""

# What a table is made for; where there is no terminal, nobody says how wide it may be.
_WIDTH = 80
_WAITED_MS = 5
_WAITED_SHARE = 0.1
_ABOUT = ("target", "stack_name", "api_url", "template_digest", "seed")


@dataclass(frozen=True)
class Report:
    """A finished load run.

    Attributes:
        assessment: What is known of it.
        exit_code: How the run ended.
        reason: Why the exit code is not 0.
    """

    assessment: Assessment
    exit_code: ExitCode = ExitCode.OK
    reason: str | None = None

    def ending(self, exit_code: ExitCode, reason: str | None) -> Report:
        """Return it with the end that the run had."""
        return replace(self, exit_code=exit_code, reason=reason)

    def document(self) -> dict[str, Any]:
        """Return the verdict with all figures, as a JSON object."""
        return verdict.document(self.assessment, (self.exit_code, self.reason))

    def as_json(self) -> dict[str, Any]:
        """Return the report as a JSON object: what the run was, and the document."""
        about = {name: self._manifest.get(name) for name in _ABOUT}
        return about | {"profile": self._profile} | self.document()

    def print(self, console: Console) -> None:
        """Print the report as tables and sentences."""
        manifest, measurement = self._manifest, self.assessment.measurement
        lasted = "not measured"
        if measurement is not None:
            figures = measurement.figures
            lasted = f"{figures.duration_s:.1f} s, {figures.sessions} users"
        console.print(
            f"Load on {manifest['target']} (stack {manifest['stack_name']}): {self._profile}, "
            f"{lasted}, seed {manifest['seed']}, run {manifest['run']}",
        )
        if measurement is not None:
            _print_figures(console, measurement.figures)
        if self.assessment.lateness is not None:
            for line in lateness.describe(self.assessment.lateness, manifest["target"]):
                console.print(line)
        if measurement is not None:
            unmeasured = [one.measure for one in measurement.objectives if one.met is None]
            if unmeasured:
                console.print(f"SLOs without a measurement: {', '.join(unmeasured)}")
        for line in verdict.summarise(self.assessment.judgements):
            console.print(line)

    @property
    def _manifest(self) -> dict[str, Any]:
        return self.assessment.folder.manifest

    @property
    def _profile(self) -> str:
        return str(self._manifest["load"]["profile"])


def report_console() -> Console:
    """Return a console on standard output, on which sentences are one line each."""
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = _WIDTH
    return console


def _print_figures(console: Console, figures: Figures) -> None:
    if figures.generator.was_limit:
        console.print(_warning(figures), style="bold red" if console.is_terminal else None)
    console.print(_operations(figures, is_plain=not console.is_terminal))
    if (plan := figures.punctuality) is not None:
        console.print(
            f"Planned: {plan.planned} calls; {plan.late} began more than {LATE_MS} ms late, "
            f"{plan.unsent} never"
        )
    for title, counts in (
        ("Refused, as it should be", figures.refusals),
        ("Errors", figures.errors),
    ):
        if counts:
            listed = ", ".join(f"{name} {count}" for name, count in counts.items())
            console.print(f"{title}: {listed}")
    if (replayed := figures.writes.replayed) or figures.retried:
        console.print(
            f"Sent again with their key: {figures.retried}, of which {replayed} were answered with "
            "an earlier answer"
        )
    console.print(_backlog(figures))


def _operations(figures: Figures, *, is_plain: bool) -> Table:
    # Two blanks between columns: a box draws one of them.
    frame, blanks = (None, 2) if is_plain else (box.SIMPLE_HEAD, 1)
    table = Table(box=frame, pad_edge=False, padding=(0, blanks, 0, 0))
    table.add_column("latency in ms")
    for heading in ("ok", "refused", "errors", "ok/s", "p50", "p95", "p99", "max"):
        table.add_column(heading, justify="right")
    for row in figures.operations:
        table.add_row(*_cells(row))
    table.add_section()
    for row in (figures.writes, figures.reads):
        table.add_row(*_cells(row), style=None if is_plain else "bold")
        if _waited(row):
            table.add_row("  from its start", *[""] * 4, *_spread(row.latency_from_start))
    return table


def _waited(row: Row) -> bool:
    """Whether calls waited so long to begin that it shows in what is printed."""
    whole, own = row.latency, row.latency_from_start
    if whole is None or own is None:
        return False
    return whole.p99_ms - own.p99_ms >= max(_WAITED_MS, _WAITED_SHARE * whole.p99_ms)


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
    values = (spread.p50_ms, spread.p95_ms, spread.p99_ms, spread.max_ms)
    return [brief(value) for value in values]


def _backlog(figures: Figures) -> str:
    generator, most = figures.generator, figures.backlog
    told = [
        f"{count} {what}"
        for count, what in ((most.queue_max, "messages"), (most.outbox_max, "events in the outbox"))
        if count is not None
    ]
    own = (
        f"Generator: {generator.cpu_share:.0%} of a core, event loop at most "
        f"{generator.loop_lag_max_ms:.0f} ms late"
    )
    return f"{own}. Backlog at most: {', '.join(told)}" if told else own


def _warning(figures: Figures) -> str:
    one = figures.generator
    late = "" if figures.punctuality is None else f", and {one.late_in_spent} calls began late then"
    if one.was_starved:
        return (
            f"THE GENERATOR WAS SHORT OF A CORE THAT OTHERS HAD: in {one.spent} of {one.seconds} s "
            f"its event loop was {SPENT_LOOP_LAG_MS} ms late, mostly while it took less than "
            f"{SPENT_CPU_SHARE:.0%} of a core{late}. Where the target is one of the others, who of "
            "the two was the limit cannot be told: ask for less (--rate), or call from another "
            "machine."
        )
    return (
        f"THE GENERATOR WAS THE LIMIT, NOT THE TARGET: in {one.spent} of {one.seconds} s it took "
        f"{SPENT_CPU_SHARE:.0%} of a core or more, or its event loop was {SPENT_LOOP_LAG_MS} ms "
        f"late{late}. What this run says of the target is at most what it can do: give the "
        "generator more, or ask for less (--rate)."
    )
