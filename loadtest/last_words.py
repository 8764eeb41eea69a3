"""The last words of a Locust process: why it ends as it does, and how, once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tidemark.errors import ExitCode

_is_alone = True


def leave_the_code_to_the_caller() -> None:
    """From now on say only why: who started this process says how it ended."""
    global _is_alone  # noqa: PLW0603 -- it is so for the process, as its parent is
    _is_alone = False


def say(why: str, code: ExitCode) -> None:
    """Say why a run ended, or why none began, and with which code.

    Args:
        why: A sentence; its end may be missing.
        code: The exit code.
    """
    sys.stdout.flush()
    sys.stderr.write(f"{why.rstrip('.')}.\n")
    if _is_alone:
        sys.stderr.write(f"{code.last_line}\n")
    sys.stderr.flush()
