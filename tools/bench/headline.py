"""The most that each target sustains, as `docs/capacity.md` and two rows of the README's table."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidemark.host.progress import Steps
from tools.bench.bringup import tidemark
from tools.bench.targets import startable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.bench.row import Row

_ROOT = Path(__file__).resolve().parents[2]
_PAGE = _ROOT / "docs/capacity.md"
_README = _ROOT / "README.md"
# Short steps, and few: a target takes some five minutes.
_SEARCH = ("--step", "8", "--resolution", "1.15", "--max-steps", "10", "--seed", "headline")
_FOUND = (0, 2, 3)
"""A search that found nothing, or did not end, says so in its figures."""

TARGETS = ("embedded", "localstack")
"""What is published, one after the other."""

_TEXT = """# What each target sustains

Written by `.venv/bin/python -m tools.bench headline`; do not edit.

`tidemark capacity` searches these figures, and says of each rate why it failed.
The load generator shares the machine with the target, and each side is loaded by itself.
An emulator is one process on one machine: its figures do not predict AWS.
"""


def measure() -> list[Row]:
    """Search on every target that this machine can start, and write down what is found."""
    found = {}
    for target in startable():
        found[target] = _search(target)
        _PAGE.write_text(page(found))
        _README.write_text(in_readme(_README.read_text(), found))
    return []


def page(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page.

    Args:
        found: By target, what `tidemark capacity --json` printed.
    """
    sections = [_TEXT]
    for target in TARGETS:
        one = found.get(target)
        if one is None:
            sections.append(f"\n## {target}\n\n**Not measured yet.**\n")
            continue
        heads, *rows = one["curve"]
        lines = [heads, ["---", *("---:" for _ in heads[1:-1]), "---"], *rows]
        sections += [
            f"\n## {target}\n\n**{one['headline']}.**\n",
            "".join(f"\n| {' | '.join(line)} |" for line in lines) + "\n",
            "".join(f"\n- {why}" for why in one["endings"]) + "\n",
        ]
    return "".join(sections)


def in_readme(text: str, found: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the README with the figures that were found in its table.

    Args:
        text: The README.
        found: As for the page.
    """
    for side in ("write", "read"):
        cells = [_cell(found.get(target), side) for target in TARGETS]
        row = f"| {side}s sustained, without others | {' | '.join(cells)} |"
        text = re.sub(rf"^\| {side}s sustained, .*$", row, text, flags=re.MULTILINE)
    return text


def _cell(one: Mapping[str, Any] | None, side: str) -> str:
    per_s = None if one is None else one["found"][side][f"{side}s_per_s"]
    return "not measured" if per_s is None else f"{per_s:.1f} /s"


def _search(target: str) -> dict[str, Any]:
    searched = Steps().step(f"{target} has been searched")
    with searched, tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        try:
            tidemark("up", "--target", target, state=state)
            said = tidemark("capacity", *_SEARCH, "--json", state=state, ends=_FOUND)
        finally:
            tidemark("down", state=state)
    found: dict[str, Any] = json.loads(said)
    return found
