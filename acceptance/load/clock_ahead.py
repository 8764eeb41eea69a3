"""Locust on a machine whose clock is ahead, by so many seconds as the first argument says.

The second names a file: until it is there, the clock is right.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path


def main() -> None:
    """Start Locust with the other arguments."""
    ahead_s, stepped, here = float(sys.argv.pop(1)), Path(sys.argv.pop(1)), time.time_ns
    time.time_ns = lambda: here() + (int(ahead_s * 1e9) if stepped.exists() else 0)

    from locust.main import main as locust  # noqa: PLC0415 -- it is to see the clock as it is now

    locust()  # type: ignore[no-untyped-call]  # it has no types there


if __name__ == "__main__":
    main()
