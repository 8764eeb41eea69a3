"""What the functions bring to Lambda, and what importing them costs beside boto3."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from stack import asset
from tools.bench.row import Row

_HANDLERS = ("command_handler", "update_processor", "query_handler", "outbox_sweeper")
_RUNS = 15
_PRINT_SECONDS = "import time; a = time.perf_counter(); import {}; print(time.perf_counter() - a)"


def measure() -> list[Row]:
    """Measure the asset's size and the handlers' import times, from the asset itself."""
    with tempfile.TemporaryDirectory() as folder:
        archive = asset.build(Path(folder) / "functions.zip")
        with zipfile.ZipFile(archive) as entries:
            size_bytes = sum(entry.file_size for entry in entries.infolist())
            entries.extractall(folder)
        return [
            Row("asset, unzipped", size_bytes / 2**20, "MiB", 3.0),
            *(_import_ratio(handler, folder) for handler in _HANDLERS),
        ]


def _import_ratio(handler: str, folder: str) -> Row:
    module = f"functions.{handler}.handler"
    # Once each beforehand: it writes the byte code, so that both are compared with theirs.
    # The least of several runs is the one that the machine disturbed least.
    pairs = [(_import_s("boto3", folder), _import_s(module, folder)) for _ in range(_RUNS + 1)][1:]
    alone_s, whole_s = (min(runs) for runs in zip(*pairs, strict=True))
    return Row(
        f"import of {handler} / import of boto3",
        whole_s / alone_s,
        "x",
        1.25,
        f"{whole_s * 1000:.0f} ms / {alone_s * 1000:.0f} ms",
    )


def _import_s(module: str, folder: str) -> float:
    finished = subprocess.run(
        [sys.executable, "-c", _PRINT_SECONDS.format(module)],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(finished.stdout)
