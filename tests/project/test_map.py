"""The map of the rooms is that of the imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools import map as rooms

if TYPE_CHECKING:
    from pathlib import Path


def test_the_map_is_current() -> None:
    drawn = rooms.draw()

    assert drawn == rooms.MAP.read_text(encoding="utf-8"), "draw it: .venv/bin/python -m tools.map"


def test_every_arrow_leads_down() -> None:
    floors = rooms.floors_of_the_contract()
    floor_of = {room: number for number, floor in enumerate(floors) for room in floor}

    found = rooms.arrows([room for room in floor_of if rooms._source_of(room)])

    assert ("cli", "deploy") in found
    assert [one for one in found if floor_of[one[0]] >= floor_of[one[1]]] == []


def test_an_arrow_that_a_longer_way_shows_is_left_out() -> None:
    found = {("a", "b"), ("b", "c"), ("a", "c"), ("a", "d"), ("c", "d"), ("e", "c")}

    assert rooms.without_detours(found, ["a", "e", "b", "c", "d"]) == [
        ("a", "b"),
        ("e", "c"),
        ("b", "c"),
        ("c", "d"),
    ]


def test_a_room_says_what_it_is_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for floor in rooms.floors_of_the_contract():
        for room in floor:
            if rooms._source_of(room):
                assert rooms.sentence_of(room).endswith("."), room

    (tmp_path / "tidemark/mute").mkdir(parents=True)
    (tmp_path / "tidemark/mute/__init__.py").touch()
    monkeypatch.setattr(rooms, "ROOT", tmp_path)
    with pytest.raises(ValueError, match="mute does not say what it is"):
        rooms.sentence_of("mute")
