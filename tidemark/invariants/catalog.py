"""The invariants, read from their SQL files: header, evidence, and the queries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

from tidemark.errors import NotStartedError

_SECTION = re.compile(r"^--@ (\w+)$", re.MULTILINE)
_FIELDS = ("needs", "evidence", "reading", "example")


@dataclass(frozen=True, slots=True)
class Invariant:
    """One property that a run must have.

    Attributes:
        id: Such as `I4`.
        name: Such as `exactly once`.
        says: What it means, in plain words.
        needs: The tables that it reads.
        evidence: What must have been seen, in words.
        reading: How a counterexample is read.
        example: One, and how it may have come about.
        violations: The queries for counterexamples.
        seen: The query for what was seen: what, how much, and how much is needed.
        unknown: The queries for accounts that cannot be judged, if there can be any.
        first: What is asked first, for it is quicker: if it finds nothing, none of those would.
    """

    id: str
    name: str
    says: str
    needs: tuple[str, ...]
    evidence: str
    reading: str
    example: str
    violations: tuple[str, ...]
    seen: str
    unknown: tuple[str, ...]
    first: tuple[str, ...]

    @property
    def number(self) -> int:
        """The number in its id."""
        return int(self.id[1:])


@cache
def catalog() -> dict[str, Invariant]:
    """Every invariant by its id, in order."""
    files = (resources.files(__package__) / "sql").iterdir()
    found = [parse(one.read_text(encoding="utf-8")) for one in files if one.name.endswith(".sql")]
    return {one.id: one for one in sorted(found, key=lambda one: one.number)}


def choose(ids: str | None) -> list[Invariant]:
    """The invariants of a list such as `I4,I6`; all without one.

    Raises:
        NotStartedError: There is none of that id.
    """
    known = catalog()
    if ids is None:
        return list(known.values())
    wanted = {one.strip().upper() for one in ids.split(",")} - {""}
    if unknown := ", ".join(sorted(wanted - known.keys())):
        raise NotStartedError(f"There is no invariant {unknown}: choose of {', '.join(known)}.")
    if not wanted:
        raise NotStartedError(f"No invariant is named: choose of {', '.join(known)}.")
    return [invariant for identifier, invariant in known.items() if identifier in wanted]


def parse(text: str) -> Invariant:
    """Read an invariant's file."""
    header, *sections = _SECTION.split(text)
    queries: dict[str, list[str]] = {"violations": [], "unknown": [], "screen": [], "evidence": []}
    first: list[str] = []
    for kind, query in zip(sections[::2], (one.strip() for one in sections[1::2]), strict=True):
        # A screen stands for all that is below it.
        if kind != "evidence" and not queries["screen"]:
            first.append(query)
        queries[kind].append(query)
    (seen,) = queries["evidence"]
    lines = [line.removeprefix("--").strip() for line in header.strip().splitlines()]
    identifier, name = lines[0].split(": ", 1)
    says, fields = _words(lines[1:])
    return Invariant(
        id=identifier,
        name=name,
        says=says,
        needs=tuple(part.strip() for part in fields["needs"].split(",")),
        evidence=fields["evidence"],
        reading=fields["reading"],
        example=fields["example"],
        violations=tuple(queries["violations"]),
        seen=seen,
        unknown=tuple(queries["unknown"]),
        first=tuple(first),
    )


def _words(lines: list[str]) -> tuple[str, dict[str, str]]:
    says: list[str] = []
    fields: dict[str, str] = {}
    current: str | None = None
    for line in lines:
        field, colon, rest = line.partition(": ")
        if colon and field in _FIELDS:
            current = field
            fields[current] = rest
        elif current is not None:
            fields[current] = f"{fields[current]} {line}".strip()
        elif line:
            says.append(line)
    return " ".join(says), fields
