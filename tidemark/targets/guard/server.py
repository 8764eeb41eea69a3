"""ministack behind its guard: `python -m tidemark.targets.guard.server` starts both as one.

They share a process, so that nothing answers without the guard: who kills it, kills both. The
target's secret is in its environment, where functions get theirs from.
"""

from __future__ import annotations

import os
import sys

from ministack import app as ministack

from tidemark.targets.guard.layer import Guard
from tidemark.targets.guard.lines import await_lines
from tidemark.targets.guard.paging import page_logs
from tidemark.targets.guard.workers import bound_workers


def main() -> None:
    """Serve until a signal says to end."""
    if not os.environ.get("AWS_SECRET_ACCESS_KEY"):
        sys.exit("AWS_SECRET_ACCESS_KEY is to hold the target's secret: `tidemark up` makes one.")
    ministack.app = Guard(ministack.app)
    bound_workers()
    await_lines()
    page_logs()
    ministack.main()


if __name__ == "__main__":
    main()
