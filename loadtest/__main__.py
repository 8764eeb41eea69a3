"""Locust as `tidemark load` starts it: whoever ends it while it still starts gets no traceback."""

from __future__ import annotations

import signal
import sys

from loadtest import last_words
from tidemark.errors import ExitCode


def main() -> None:
    """Start Locust with the arguments; from its first run on, it heeds Ctrl-C in its own way."""

    def end(*_: object) -> None:
        sys.exit(ExitCode.INTERRUPTED)

    signal.signal(signal.SIGINT, end)
    last_words.leave_the_code_to_the_caller()
    from locust.main import main as locust  # noqa: PLC0415 -- it takes a second, for which this is

    locust()  # type: ignore[no-untyped-call]  # it has no types there


main()
