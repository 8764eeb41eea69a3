"""How long each target takes to a proven stack, to a probe, and to the integration suite."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tidemark.targets import engine
from tidemark.targets.compose_file import image_of
from tools.bench.bringup import tidemark
from tools.bench.row import Row

if TYPE_CHECKING:
    from collections.abc import Callable

_UP_S = {"embedded": 10.0, "localstack": 60.0}
_PROBE_S = {"embedded": 60.0, "localstack": 240.0}
_SUITE_S = {"embedded": 120.0, "localstack": 300.0}


def startable() -> list[str]:
    """Return the targets that this machine can start."""
    with suppress(engine.EngineError):
        if engine.has_image(image_of(os.environ)):
            return ["embedded", "localstack"]
    return ["embedded"]


def measure() -> list[Row]:
    """Measure bringing the stack up, installed, and the probe of it."""
    rows = []
    for target in startable():
        with tempfile.TemporaryDirectory() as folder:
            state = Path(folder)
            try:
                up_s = _timed_s(partial(tidemark, "up", "--target", target, state=state))
                probe_s = _timed_s(partial(tidemark, "probe", state=state))
            finally:
                tidemark("down", state=state)
        rows += [
            Row(f"tidemark up, {target}, not running", up_s, "s", _UP_S[target]),
            Row(f"tidemark probe, {target}", probe_s, "s", _PROBE_S[target]),
        ]
    return rows


def measure_suites() -> list[Row]:
    """Measure the integration suite, which takes minutes."""
    return [
        Row(f"integration suite, {target}", _timed_s(partial(_suite, target)), "s", bound_s)
        for target, bound_s in _SUITE_S.items()
        if target in startable()
    ]


def _suite(target: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "pytest", "integration", "--target", target, "--quiet"], check=True
    )


def _timed_s(run: Callable[[], object]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin
