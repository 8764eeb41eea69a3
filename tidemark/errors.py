"""What the harness raises: one sentence for a person, and the code to exit with."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of every verb; their numbers are part of the interface."""

    OK = 0
    VIOLATED = 1
    SLO_MISSED = 2
    UNKNOWN = 3
    NOT_STARTED = 64
    FAILED = 70
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """The code in words."""
        return _MEANINGS[self]

    @property
    def last_line(self) -> str:
        """What is printed last by a program that ends with it, if that is not well."""
        return f"tidemark: {self.meaning} (exit {self.value})"


_MEANINGS = {
    ExitCode.OK: "ok",
    ExitCode.VIOLATED: "an invariant is violated",
    ExitCode.SLO_MISSED: "an SLO is missed",
    ExitCode.UNKNOWN: "unknown or incomplete",
    ExitCode.NOT_STARTED: "not started",
    ExitCode.FAILED: "the harness or the target failed",
    ExitCode.INTERRUPTED: "interrupted",
}


class TidemarkError(Exception):
    """The harness or the target failed.

    The message is a sentence that says what is wrong and what to do; it is printed as it
    stands, without a stack trace.
    """

    exit_code: ExitCode = ExitCode.FAILED


class NotStartedError(TidemarkError):
    """The verb did not start, for want of usage, profile or plan that it can work with."""

    exit_code = ExitCode.NOT_STARTED


class InterruptedByUserError(TidemarkError):
    """The user stopped the verb, and what it had started is stopped too."""

    exit_code = ExitCode.INTERRUPTED


class EndedError(TidemarkError):
    """A verb ended with a code of its own, and has printed what there is to say.

    Args:
        exit_code: The code to exit with.
    """

    def __init__(self, exit_code: ExitCode) -> None:
        super().__init__()
        self.exit_code = exit_code
