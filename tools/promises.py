"""The promises of security, `docs/security.md`, drawn from the table that the tests hold."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "tests/security/promises.toml"
PAGE = ROOT / "docs/security.md"

_PAGE = """# What is promised, and what shows it

Drawn by `.venv/bin/python -m tools.promises`; do not edit.
The table is [tests/security/promises.toml](../tests/security/promises.toml).
[SECURITY.md](../SECURITY.md) says what is not promised, and how to report that a promise is broken.
"""


@dataclass(frozen=True, slots=True)
class Promise:
    """A row of the table.

    Attributes:
        promise: What is promised.
        attack: How it would be broken.
        result: What comes of that.
        proofs: The tests that show it, by node id.
    """

    promise: str
    attack: str
    result: str
    proofs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """Promises that belong together."""

    title: str
    promises: tuple[Promise, ...]


def read(table: str) -> list[Chapter]:
    """Read the table.

    Raises:
        ValueError: A row lacks something, or has what no row has; the message names it.
    """
    return [
        Chapter(chapter["title"], tuple(map(_promise, chapter["row"])))
        for chapter in tomllib.loads(table)["chapter"]
    ]


def _promise(row: Mapping[str, Any]) -> Promise:
    columns = {"promise", "attack", "result", "proofs"}
    if row.keys() != columns or not all(row.values()):
        raise ValueError(f"A row has {', '.join(sorted(columns))}, and all of them: {row}")
    return Promise(row["promise"], row["attack"], row["result"], tuple(row["proofs"]))


def draw(chapters: Iterable[Chapter]) -> str:
    """The page: a table for each chapter, with links to the tests."""
    parts = [_PAGE]
    for chapter in chapters:
        rows = [
            f"| {one.promise} | {one.attack} | {one.result} | {_links(one.proofs)} |"
            for one in chapter.promises
        ]
        head = ["| promise | attack | result | shown by |", "|---|---|---|---|"]
        parts.append("\n".join([f"\n## {chapter.title}\n", *head, *rows, ""]))
    return "".join(parts)


def _links(proofs: Iterable[str]) -> str:
    """The tests as the sentences that they are called by, each a link to its file."""
    found = []
    for proof in proofs:
        path, _, name = proof.partition("::")
        found.append(f"[{name.removeprefix('test_').replace('_', ' ')}](../{path})")
    return "; ".join(found)


def main() -> None:
    """Draw the page."""
    PAGE.write_text(draw(read(TABLE.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()
