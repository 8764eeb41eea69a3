"""How late the read side of a run was, in a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark.invariants.views import UnreadableError, hashed, reading
from tidemark.measures.lateness import NEEDS, lateness_of, with_samples
from tidemark.percentiles import brief

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb

    from tidemark.history.folder import RunFolder
    from tidemark.measures.lateness import Healed, Lateness, Stale, Visible
    from tidemark.percentiles import Spread


def measure(run: duckdb.DuckDBPyConnection, folder: RunFolder) -> Lateness | None:
    """How late a run's read side was; None where that cannot be taken from its tables.

    Args:
        run: A database with the tables of the run.
        folder: The run.
    """
    if folder.gaps.keys() & set(NEEDS):
        return None
    try:
        with reading():
            with hashed(run):
                lateness = lateness_of(run)
            return with_samples(run, lateness)
    except UnreadableError:  # the judge says so, too
        return None


def describe(lateness: Lateness | None, target: str | None) -> list[str]:
    """Say it, figure by figure; what was not seen is left out.

    Args:
        lateness: What was measured, if it was.
        target: Where it was measured, if that is known.
    """
    if lateness is None:
        return [
            (
                "Lateness: not measured, for the tables it is taken from are not whole, or more "
                "than memory and the disk for temporary files hold."
            )
        ]
    if not lateness.events:
        return []
    lines = [f"{'lateness in ms':24}{'p50':>8}{'p95':>8}{'p99':>8}{'max':>8}"]
    if lateness.lag is not None:
        told = f"{lateness.lagging} events"
        if before := lateness.events - lateness.lagging - lateness.unprojected:
            told += f", without {before} that set it up"
        lines.append(_row("projection lag", lateness.lag, 0.0, told))
    if lateness.visibility is not None:
        unread = f"; {lateness.unread} not seen" if lateness.unread else ""
        told = (f"{lateness.sampled} sampled" if lateness.sampled else "at most") + unread
        name = "time to visibility"
        error_ms = 0.0 if lateness.sampled else lateness.clock_error_ms
        lines.append(_row(name, lateness.visibility, error_ms, told))
    lines += _converged(lateness)
    if curve := _curve(lateness.curve, lateness.clock_error_ms):
        lines.append(f"Fresh without a token, by the age of the newest version: {curve}")
    stale = (
        ("own writes not seen", lateness.own_writes),
        ("went back behind an earlier read", lateness.monotonic),
    )
    if rates := [_rate(name, one) for name, one in stale if one.reads]:
        lines.append(f"Reads without a token: {'; '.join(rates)}")
        if target is not None and target != "aws":
            lines.append(
                f"On {target} every read is consistent: stale reads show the projection lag only."
            )
    return lines


def _row(name: str, spread: Spread, error_ms: float, told: str) -> str:
    values = (spread.p50_ms, spread.p95_ms, spread.p99_ms, spread.max_ms)
    return f"{name:24}" + "".join(f"{_ms(one, error_ms):>8}" for one in values) + f"  {told}"


def _ms(value: float, error_ms: float) -> str:
    """A time; of one that is smaller than the clocks' error, only that it is."""
    if value < error_ms:
        return f"<{_ms(error_ms, 0.0)}"
    return brief(value)


def _converged(lateness: Lateness) -> list[str]:
    if lateness.lag is None and not lateness.unprojected:
        return ["The log does not say when events were projected: no lag, no convergence."]
    if lateness.converged_ms is None:
        return [f"Not converged: {lateness.unprojected} events are not projected."]
    worst: dict[str, Healed] = {}
    for one in lateness.faults:
        known = worst.setdefault(one.fault, one)
        if known.converged_ms is not None and (
            one.converged_ms is None or one.converged_ms > known.converged_ms
        ):
            worst[one.fault] = one
    after = [f"{lateness.converged_ms} ms after the last write"]
    after += [f"{one.converged_ms} ms after {name}" for name, one in worst.items()]
    return [f"Converged: {', '.join(after)}"]


def _curve(curve: Iterable[Visible], error_ms: float) -> str:
    """The points of the curve to the last that is not whole; none that the clocks cannot tell."""
    points = [
        one for one in curve if one.reads and (one.within_ms is None or one.within_ms >= error_ms)
    ]
    whole = 0
    while points and points[-1].fresh == points[-1].reads:
        whole += points.pop().reads
    said = [
        f"{one.fresh / one.reads:.1%} "
        + ("later" if one.within_ms is None else f"to {one.within_ms} ms")
        for one in points
    ]
    if whole:
        said.append(f"all of {whole} reads{' after that' if said else ''}")
    return ", ".join(said)


def _rate(name: str, one: Stale) -> str:
    return f"{name} {one.stale} of {one.reads} ({one.stale / one.reads:.1%})"
