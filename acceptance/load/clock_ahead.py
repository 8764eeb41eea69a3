"""Locust on a machine whose clock is ahead, by so many seconds as the first argument says."""

from __future__ import annotations

import sys
import time


def main() -> None:
    """Start Locust with the other arguments."""
    ahead_s, here = float(sys.argv.pop(1)), time.time_ns
    time.time_ns = lambda: here() + int(ahead_s * 1e9)

    from locust.main import main as locust  # noqa: PLC0415 -- it is to see the clock as it is now

    locust()  # type: ignore[no-untyped-call]  # it has no types there


if __name__ == "__main__":
    main()
