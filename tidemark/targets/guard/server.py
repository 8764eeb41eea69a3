"""ministack behind its guard: `python -m tidemark.targets.guard.server` starts both as one.

They share a process, so that nothing answers without the guard: who kills it, kills both.
"""

from __future__ import annotations

from ministack import app as ministack

from tidemark.targets.guard.layer import Guard
from tidemark.targets.guard.lines import await_lines
from tidemark.targets.guard.workers import bound_workers


def main() -> None:
    """Serve until a signal says to end."""
    # The keys of every emulator are `test` and `test` so far: a signature would prove nothing.
    ministack.app = Guard(ministack.app, wants_signatures=False)
    bound_workers()
    await_lines()
    ministack.main()


if __name__ == "__main__":
    main()
