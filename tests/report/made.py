"""A run folder with everything that a page can draw, its verdict beside it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tests.invariants.clean_runs import clean_run
from tests.invariants.folders import write_run
from tidemark.history.folder import RunFolder
from tidemark.history.places import VERDICT
from tidemark.host.state import write_json
from tidemark.invariants.views import connect
from tidemark.percentiles import Spread
from tidemark.report.assessment import assess
from tidemark.report.verdict import document

if TYPE_CHECKING:
    from pathlib import Path


def row(name: str, ok: int, took_ms: float) -> dict[str, Any]:
    """The calls of an operation, each a little slower than the one before."""
    spread = Spread.of(took_ms + number for number in range(ok))
    assert spread is not None
    return {
        "name": name,
        "ok": ok,
        "refused": 3,
        "errors": 1,
        "replayed": 5 if name == "writes" else 0,
        "per_s": ok / 7,
        "latency": asdict(spread),
        "latency_from_start": asdict(spread),
    }


FIGURES: dict[str, Any] = {
    "sessions": 4,
    "duration_s": 7.25,
    "operations": [row("open_account", 12, 31.25), row("account", 1234, 8.125)],
    "writes": row("writes", 12, 31.25),
    "reads": row("reads", 1234, 8.125),
    "refusals": {"insufficient-funds": 6},
    "errors": {"info http-500": 2},
    "retried": 5,
    "punctuality": {"planned": 1250, "late": 17, "unsent": 2},
    "backlog": {"samples": 7, "queue_max": 9, "outbox_max": 11},
    "generator": {
        "processes": 1,
        "seconds": 7,
        "spent": 6,
        "cpu_share": 0.93,
        "cpu_share_max": 0.99,
        "loop_lag_p99_ms": 61.5,
        "loop_lag_max_ms": 80.25,
        "late_in_spent": 17,
        "was_limit": True,
        "was_starved": False,
    },
    "measures": {"error_share": 0.0016},
    "slo": [
        {"measure": "error_share", "bound": 0.01, "value": 0.0016, "met": True},
        {"measure": "write_p99_ms", "bound": 40, "value": 42.25, "met": False},
        {"measure": "lag_p99_ms", "bound": 90, "value": None, "met": None},
    ],
}


def write_judged(path: Path) -> RunFolder:
    """Write a run in which all holds, as a load run that was judged and measured."""
    folder = write_run(path, clean_run(steps=20))
    with connect(folder) as run:
        told = document(assess(run, folder))
    write_json(path / VERDICT, told | {"figures": FIGURES})
    return say_more(path, kind="load", target="embedded", began_ms=1_795_761_903_505)


def say_more(path: Path, **about: Any) -> RunFolder:
    """Say more of a run in its manifest."""
    file = path / "run.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | about))
    return RunFolder.open(path)
