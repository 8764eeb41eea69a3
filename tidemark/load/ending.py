"""How a load run ends: its exit code, and the sentence that goes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark.errors import ExitCode

if TYPE_CHECKING:
    from tidemark.measures.lag import Lag
    from tidemark.measures.summary import Summary


def judged(
    summary: Summary, lag: Lag | None, *, failure: str | None, is_interrupted: bool
) -> tuple[ExitCode, str | None]:
    """Return the exit code of a load run and why it is not 0.

    Args:
        summary: What its ops came to.
        lag: How late its events were, None if none was read.
        failure: What went wrong besides the calls themselves, such as reading the log.
        is_interrupted: Whether the user stopped it.
    """
    was_cut_short = lag is not None and not lag.is_complete
    if is_interrupted or was_cut_short:
        return ExitCode.INTERRUPTED, "the run was stopped; this is what it saw"
    if failure is not None:
        return ExitCode.FAILED, failure
    if summary.writes.ok == 0:
        return ExitCode.FAILED, "no command was accepted"
    unseen = _unseen(lag)
    return (ExitCode.OK, None) if unseen is None else (ExitCode.UNKNOWN, unseen)


def _unseen(lag: Lag | None) -> str | None:
    if lag is None:
        return "the projection lag was not read"
    if lag.missing:
        return f"{len(lag.missing)} acknowledged events are not in the log"
    if lag.late:
        return (
            f"{len(lag.late)} of {lag.events} events were not seen projected "
            f"within {lag.waited_s:.0f} s"
        )
    return None
