"""What it takes to judge and draw a run of a million calls: ten minutes of a fast target.

The run is made, for what a trivial server was sent has no tables on either side to be judged by.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.bench import histories
from tools.bench.row import Row

_OPS = 1_000_000


def measure(ops: int = _OPS) -> list[Row]:
    """Judge a made run and draw it, by the program, as a user does.

    Args:
        ops: How many calls it has.
    """
    with tempfile.TemporaryDirectory(prefix="tidemark-bench-") as folder:
        run = Path(folder) / "run"
        histories.write(run, ops)
        judged_s, drawn_s = (_seconds(verb, run) for verb in ("check", "report"))
        page_mb = (run / "report.html").stat().st_size / 1e6
    note = f"{judged_s:.1f} s and {drawn_s:.1f} s"
    return [
        Row(f"a run of {ops:,} calls judged and drawn", judged_s + drawn_s, "s", 60, note),
        Row("its page", page_mb, "MB", 1),
    ]


def _seconds(verb: str, run: Path) -> float:
    began = time.monotonic()
    command = [sys.executable, "-m", "tidemark", verb, str(run)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began
