"""Measure, print, and keep in `build/bench.json`: `make bench`, or parts by name.

The figures are reported, never asserted: machines are noisy. Ratios compare two things that were
measured in the same run.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tidemark.aws import stacks
from tidemark.aws.clients import AwsClients
from tidemark.errors import ExitCode
from tidemark.host.deployment import Deployment, path_of
from tidemark.targets.base import TargetOptions
from tidemark.targets.embedded import EmbeddedTarget
from tools import published
from tools.bench import (
    asset,
    bringup,
    check,
    export,
    generator,
    guard,
    handlers,
    headline,
    lag,
    recorder,
    sent,
    targets,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tools.bench.row import Row

_RESULT = Path("build/bench.json")
# Those that need a stack that is up share one.
_ON_A_STACK = ("handlers", "lag")
_PARTS: dict[str, Callable[[], list[Row]]] = {
    "asset": asset.measure,
    "bringup": bringup.measure,
    "targets": targets.measure,
    "check": check.measure,
}
_LONG_PARTS: dict[str, Callable[[], list[Row]]] = {
    "generator": generator.measure,
    "guard": guard.measure,
    "export": export.measure,
    "recorder": recorder.measure,
    "sent": sent.measure,
    "headline": headline.measure,
    "suites": targets.measure_suites,
    "check-large": check.measure_large,
}


def main() -> None:
    """Measure the parts that the command line names, all by default."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parts = _PARTS | _LONG_PARTS
    known = ", ".join((*_ON_A_STACK, *parts))
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{known}; the last eight by name only"
    )
    chosen = parser.parse_args().parts or [*_ON_A_STACK, *_PARTS]
    if unknown := set(chosen) - {*_ON_A_STACK, *parts}:
        parser.error(f"unknown part {', '.join(sorted(unknown))}")
    rows: list[Row] = []
    if set(_ON_A_STACK) & set(chosen):
        with _deployed() as (deployment, clients):
            if "handlers" in chosen:
                template = stacks.live_template(clients, deployment.stack_name)
                rows += handlers.measure(clients, template)
            if "lag" in chosen:
                rows += lag.measure(deployment, clients)
    for part, measure in parts.items():
        if part in chosen:
            rows += measure()
    _RESULT.parent.mkdir(exist_ok=True)
    _RESULT.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    _print(rows)
    if any(row.value is None for row in rows):
        raise SystemExit(ExitCode.FAILED)


@contextmanager
def _deployed() -> Iterator[tuple[Deployment, AwsClients]]:
    """The stack on an embedded target of its own."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        bringup.tidemark("up", "--target", "embedded", state=state)
        try:
            deployment = Deployment.load(path_of("embedded", "Tidemark", state))
            target = EmbeddedTarget(TargetOptions(state=state))
            yield deployment, AwsClients(target.reach(deployment.endpoint, deployment.region))
        finally:
            bringup.tidemark("down", state=state)


def _print(rows: list[Row]) -> None:
    table = Table("measured", "value", "to reach", "", "", box=None)
    for row in rows:
        table.add_row(
            row.name,
            "-" if row.value is None else f"{row.value:.2f} {row.unit}",
            row.bound,
            "failed" if row.value is None else "reached" if row.reached else "missed",
            row.note,
        )
    Console(width=140).print(table)


if __name__ == "__main__":
    published.run(main)
