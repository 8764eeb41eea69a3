"""How a load run ends: its exit code, and the sentence that goes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark.errors import ExitCode
from tidemark.invariants.judge import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemark.measures.lag import Lag
    from tidemark.measures.summary import Summary

_STOPPED = "the run was stopped; this is what it saw"


def judge(
    summary: Summary,
    lag: Lag | None,
    verdict: Verdict | None,
    *,
    missed: Sequence[str] = (),
    gap: str | None = None,
    failure: str | None,
    is_interrupted: bool,
) -> tuple[ExitCode, str | None]:
    """Return the exit code of a load run and why it is not 0.

    What was violated stays violated, however the run ended. Of a run that was cut short or that
    did nothing, nothing else is said; else what is unknown comes before what is too slow or too
    often wrong.

    Args:
        summary: What its ops came to.
        lag: How late its events were, None if none was read.
        verdict: What the judge says of its history, None if it was not asked.
        missed: A sentence for each SLO that is.
        gap: Why the history is not whole, if it is not.
        failure: What went wrong besides the calls themselves, such as reading the log.
        is_interrupted: Whether the user stopped it.
    """
    was_cut_short = is_interrupted or (lag is not None and not lag.is_complete)
    endings = (
        (_violated(lag, verdict), ExitCode.VIOLATED),
        (
            "the run was stopped; this is what it saw" if was_cut_short else None,
            ExitCode.INTERRUPTED,
        ),
        (gap, ExitCode.UNKNOWN),
        (failure, ExitCode.FAILED),
        (_nothing(summary), ExitCode.FAILED),
        (_unknown(lag, verdict), ExitCode.UNKNOWN),
        ("; ".join(missed) or None, ExitCode.SLO_MISSED),
    )
    return next(((code, why) for why, code in endings if why is not None), (ExitCode.OK, None))


def _violated(lag: Lag | None, verdict: Verdict | None) -> str | None:
    if lag is not None and lag.missing:
        return f"{len(lag.missing)} acknowledged events are not in the log"
    return "the history is violated" if verdict is Verdict.VIOLATED else None


def _nothing(summary: Summary) -> str | None:
    if summary.writes.sent and not summary.writes.ok:
        return "no write was accepted"
    return None if summary.writes.ok or summary.reads.ok else "no call was answered"


def _unknown(lag: Lag | None, verdict: Verdict | None) -> str | None:
    if lag is None:
        return "the projection lag was not read"
    if not lag.late:
        return "not all of it could be judged" if verdict is Verdict.UNKNOWN else None
    return (
        f"{len(lag.late)} of {lag.events} events were not seen projected "
        f"within {lag.waited_s:.0f} s"
    )
