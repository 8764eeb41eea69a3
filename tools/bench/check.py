"""What `tidemark check` takes on large histories: time, memory, and how they grow."""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tools.bench.row import Row

_TIMES = 3
_SESSION = 20_000
_SIZES = (1_250_000, 2_500_000, 5_000_000, 10_000_000)
_LARGE = 100_000_000
_KIB_PER_GIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Taken:
    """What judging one history took."""

    seconds: float
    gib: float


def measure() -> list[Row]:
    """Judge a test session's, and up to ten million ops, each twice as many as before."""
    taken = {size: _judged(size, _TIMES) for size in _SIZES}
    seconds = [taken[size].seconds for size in _SIZES]
    growth = max(larger / smaller for smaller, larger in itertools.pairwise(seconds))
    largest = taken[_SIZES[-1]]
    note = ", ".join(f"{size / 1e6:g} M {one.seconds:.1f} s" for size, one in taken.items())
    return [
        Row(
            f"check of {_SESSION:,} ops, a test session's",
            _judged(_SESSION, _TIMES).seconds,
            "s",
            5,
        ),
        Row("check of 10 million ops", largest.seconds, "s", 20, note),
        Row("memory of it", largest.gib, "GiB", 1.5),
        Row("check of twice the ops / of the ops, at most", growth, "x", 2),
    ]


def measure_large() -> list[Row]:
    """Judge a history of a hundred million ops; it takes about 10 GB of disk and half an hour."""
    taken = _judged(_LARGE, 1)
    return [
        Row("check of 100 million ops", taken.seconds, "s", 300),
        Row("memory of it", taken.gib, "GiB", 3),
    ]


def _judged(ops: int, times: int) -> _Taken:
    with tempfile.TemporaryDirectory(prefix="tidemark-bench-") as folder:
        run = Path(folder) / "run"
        # By a process of its own: a program that is started counts the memory of who started it.
        subprocess.run(
            [sys.executable, "-m", "tools.bench.histories", str(run), str(ops)], check=True
        )
        taken = [_judge(run) for _ in range(times)]
    return _Taken(statistics.median(one.seconds for one in taken), max(one.gib for one in taken))


def _judge(run: Path) -> _Taken:
    """Judge a run by the program, as a user does.

    Raises:
        RuntimeError: It does not hold, although it is clean.
    """
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "tidemark", "check", str(run)], stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"a clean history was judged with {process.returncode}")
    per_gib = _KIB_PER_GIB if sys.platform == "linux" else _KIB_PER_GIB * 1024  # macOS: bytes
    return _Taken(time.monotonic() - began, usage.ru_maxrss / per_gib)
