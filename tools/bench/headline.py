"""The most that each target sustains, as `docs/capacity.md` and two rows of the README's table."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidemark.errors import TidemarkError
from tidemark.history.places import folder_of_runs
from tidemark.host.progress import Steps
from tidemark.host.state import state_dir
from tools import published
from tools.bench.bringup import tidemark
from tools.bench.row import Row
from tools.bench.targets import startable

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROOT = Path(__file__).resolve().parents[2]
_PAGE = _ROOT / "docs/capacity.md"
_README = _ROOT / "README.md"
# Short steps, and few: a target takes some five minutes. On LocalStack a step takes twice as long.
_SEARCH = ("--step", "8", "--max-steps", "10", "--seed", "headline")
_RESOLUTION = {"embedded": "1.15", "localstack": "1.45"}
# A search in which an invariant was violated, or a rate missed, says so in its figures.
_FOUND = (0, 1, 2, 3)
_SIDES = ("write", "read")

_TEXT = """# What each target sustains

Written by `.venv/bin/python -m tools.bench headline`; do not edit.

`tidemark capacity` searches these figures, and says of each rate why it failed.
The load generator shares the machine with the target, and each side is loaded by itself.
Latencies and lags are milliseconds, p50 · p99.
An emulator is one process on one machine: its figures do not predict AWS.
"""


def measure() -> list[Row]:
    """Search on each target, and write down what is found.

    Returns:
        A row for each side of each target; of one that came to nothing, one that says why.
    """
    rows = []
    known = startable()
    for target in published.TARGETS:
        if target not in known:
            rows.append(_nothing(target, "this machine cannot start it"))
            continue
        try:
            found = _search(target)
        except TidemarkError as error:
            rows.append(_nothing(target, str(error)))
            continue
        _PAGE.write_text(page(target, found, _PAGE.read_text()))
        _README.write_text(in_readme(target, found, _README.read_text()))
        rows += [
            Row(f"{side}s sustained, {target}", _per_s(found, side) or 0.0, "/s") for side in _SIDES
        ]
    return rows


def page(target: str, found: Mapping[str, Any], before: str) -> str:
    """Return the page.

    Args:
        target: What was searched.
        found: What `tidemark capacity --json` printed.
        before: The page as it was.
    """
    headings, *rows = found["curve"]
    # The runs themselves are gone with their target.
    endings = [re.sub(r" \(run [^)]*\)", "", one) for one in found["endings"]]
    section = [
        f"**{found['headline']}.**",
        published.table(headings, rows),
        "\n".join(f"- {one}" for one in endings),
    ]
    return published.page(_TEXT, {target: "\n\n".join(section)}, before)


def in_readme(target: str, found: Mapping[str, Any], text: str) -> str:
    """Return the README with what was found in the target's column, and when below the table.

    Args:
        target: What was searched.
        found: What `tidemark capacity --json` printed.
        text: The README as it was.
    """
    column = 2 + published.TARGETS.index(target)
    lines = text.splitlines(keepends=True)
    for at, line in enumerate(lines):
        for side in _SIDES:
            if line.startswith(f"| {side}s sustained, "):
                cells = line.split("|")
                per_s = _per_s(found, side)
                cells[column] = " none " if per_s is None else f" {per_s:.1f} /s "
                lines[at] = "|".join(cells)
        if line.startswith(f"Sustained on {target}: "):
            lines[at] = f"Sustained on {target}: {found['measured']}.\n"
    return "".join(lines)


def _per_s(found: Mapping[str, Any], side: str) -> float | None:
    per_s: float | None = found["found"][side][f"{side}s_per_s"]
    return per_s


def _nothing(target: str, why: str) -> Row:
    return Row(f"sustained, {target}", None, "/s", note=f"not measured: {why}")


def _search(target: str) -> dict[str, Any]:
    with Steps().step(f"{target} has been searched"), published.target_of_its_own() as state:
        tidemark("up", "--target", target, state=state)
        asked = (*_SEARCH, "--resolution", _RESOLUTION[target], "--json")
        found: dict[str, Any] = json.loads(tidemark("capacity", *asked, state=state, ends=_FOUND))
        keep(found, folder_of_runs(state), folder_of_runs(state_dir()))
    return found


def keep(found: Mapping[str, Any], runs: Path, kept: Path) -> None:
    """Keep the runs in which an invariant was violated, beyond the end of their target.

    Args:
        found: What `tidemark capacity --json` printed.
        runs: Where the runs are.
        kept: Where those of this checkout are.
    """
    for one in found["tried"]:
        if one["is_violated"]:
            shutil.copytree(runs / one["run"], kept / one["run"])
            sys.stderr.write(
                f"{one['profile']} at {one['rate']:g} calls/s: {one['why']}; "
                f"`tidemark check {one['run']}` says more.\n"
            )
