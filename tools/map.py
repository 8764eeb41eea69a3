"""The map of the rooms, `docs/map.md`, drawn from the import contract and the real imports."""

from __future__ import annotations

import ast
from configparser import ConfigParser
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
MAP = ROOT / "docs/map.md"
PACKAGE = "tidemark"

_PAGE = """# The rooms of the harness

Drawn by `.venv/bin/python -m tools.map`; do not edit.
The floors are those of [.importlinter](../.importlinter), the arrows what is really imported.

A room imports rooms below it, never one above or beside it.
An arrow leads to a room that is imported; one that a longer way already shows is left out.

```mermaid
flowchart TD
{picture}
```

From the top floor down:

| room | what it is |
|---|---|
{rows}
"""


def main() -> None:
    """Draw the map."""
    MAP.write_text(draw(), encoding="utf-8")


def draw() -> str:
    """The page: a picture of the rooms with their arrows, and a sentence for each."""
    floors = [[room for room in floor if _source_of(room)] for floor in floors_of_the_contract()]
    rooms = [room for floor in floors for room in floor]
    picture = [f'    {room}["{_name_of(room)}"]' for room in rooms]
    picture += [f"    {room} --> {other}" for room, other in without_detours(arrows(rooms), rooms)]
    rows = [
        f"| [{_name_of(room)}](../{PACKAGE}/{_name_of(room)}) | {sentence_of(room)} |"
        for room in rooms
    ]
    return _PAGE.format(picture="\n".join(picture), rows="\n".join(rows))


def floors_of_the_contract() -> list[list[str]]:
    """The rooms on each floor, from the top down; those that are still to come included."""
    contract = ConfigParser()
    contract.read(ROOT / ".importlinter", encoding="utf-8")
    floors = contract["importlinter:contract:rooms"]["layers"].strip().splitlines()
    return [[room.strip(" ()") for room in floor.split("|")] for floor in floors]


def arrows(rooms: list[str]) -> set[tuple[str, str]]:
    """Which room imports which."""
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    owners = {
        module: room
        for room in rooms
        for module in {f"{PACKAGE}.{room}", *graph.find_descendants(f"{PACKAGE}.{room}")}
    }
    imported = {
        (owners[module], owners.get(other))
        for module in owners
        for other in graph.find_modules_directly_imported_by(module)
    }
    return {(room, other) for room, other in imported if other is not None and other != room}


def without_detours(found: set[tuple[str, str]], rooms: list[str]) -> list[tuple[str, str]]:
    """The arrows that no longer way shows, in the order of the rooms.

    Args:
        found: All arrows; each leads down.
        rooms: The rooms, from the top floor down.
    """
    below: dict[str, set[str]] = {}
    kept = []
    for room in reversed(rooms):
        direct = [other for other in rooms if (room, other) in found]
        kept += [(room, one) for one in direct if not any(one in below[other] for other in direct)]
        below[room] = set(direct).union(*(below[other] for other in direct))
    return sorted(kept, key=lambda arrow: (rooms.index(arrow[0]), rooms.index(arrow[1])))


def sentence_of(room: str) -> str:
    """What a room says of itself: the first paragraph of its docstring."""
    source = _source_of(room)
    said = source and ast.get_docstring(ast.parse(source.read_text(encoding="utf-8")))
    if not said:
        raise ValueError(f"{PACKAGE}/{room} does not say what it is: give it a docstring.")
    return " ".join(said.split("\n\n")[0].split())


def _source_of(room: str) -> Path | None:
    """Where a room's docstring is; None for one that is not there yet."""
    at = ROOT / PACKAGE / room
    return next((one for one in (at / "__init__.py", at.with_suffix(".py")) if one.is_file()), None)


def _name_of(room: str) -> str:
    return f"{room}/" if (ROOT / PACKAGE / room).is_dir() else f"{room}.py"


if __name__ == "__main__":
    main()
