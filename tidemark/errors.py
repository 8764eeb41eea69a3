"""What the harness raises: one sentence for a person, and the code to exit with."""

from __future__ import annotations

from tidemark.exit_codes import ExitCode


class TidemarkError(Exception):
    """The harness or the target failed.

    The message is a sentence that says what is wrong and what to do; it is printed as it
    stands, without a stack trace.
    """

    exit_code: ExitCode = ExitCode.FAILED


class RefusedError(TidemarkError):
    """The verb was refused before it started: usage, profile or plan."""

    exit_code = ExitCode.REFUSED


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
