"""How a load run ends: its exit code, and the sentence that goes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark.errors import ExitCode
from tidemark.invariants.judge import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemark.measures.figures import Figures


def judge(
    figures: Figures | None,
    verdict: Verdict | None,
    *,
    missed: Sequence[str] = (),
    gap: str | None = None,
    failure: str | None = None,
    is_interrupted: bool = False,
) -> tuple[ExitCode, str | None]:
    """Return the exit code of a load run and why it is not 0.

    What was violated stays violated, however the run ended. Of a run that was cut short or that
    did nothing, nothing else is said; else what is unknown comes before what is too slow or too
    often wrong.

    Args:
        figures: What its calls came to; None if they cannot be read.
        verdict: What the judge says of its history, None if it was not asked.
        missed: A sentence for each SLO that is.
        gap: Why the history is not whole, if it is not.
        failure: What went wrong besides the calls themselves, such as the export.
        is_interrupted: Whether the user stopped it.
    """
    endings = (
        ("the history is violated" if verdict is Verdict.VIOLATED else None, ExitCode.VIOLATED),
        (
            "the run was stopped; this is what it saw" if is_interrupted else None,
            ExitCode.INTERRUPTED,
        ),
        (gap, ExitCode.UNKNOWN),
        (failure, ExitCode.FAILED),
        (_nothing(figures), ExitCode.FAILED),
        (
            "not all of it could be judged" if verdict is Verdict.UNKNOWN else None,
            ExitCode.UNKNOWN,
        ),
        ("; ".join(missed) or None, ExitCode.SLO_MISSED),
    )
    return next(((code, why) for why, code in endings if why is not None), (ExitCode.OK, None))


def _nothing(figures: Figures | None) -> str | None:
    if figures is None:
        return None
    if figures.writes.sent and not figures.writes.ok:
        return "no write was accepted"
    return None if figures.writes.ok or figures.reads.ok else "no call was answered"
