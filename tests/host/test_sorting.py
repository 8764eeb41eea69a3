"""Rows that are sorted on disk come back group by group, and a full disk is said to be."""

from __future__ import annotations

import pytest

from tidemark.errors import TidemarkError
from tidemark.host.sorting import SortedRows


def test_rows_come_back_by_group_and_number_and_equal_ones_as_they_came() -> None:
    with SortedRows() as rows:
        for name, number, value in [("b", 2, "last"), ("a", 7, {"x": 1}), ("b", 1, 1), ("b", 2, 3)]:
            rows.add(name, number, value)
        found = [(name, list(values)) for name, values in rows.groups()]

    assert found == [("a", [{"x": 1}]), ("b", [1, "last", 3])]


def test_of_a_group_that_is_left_early_the_next_is_whole() -> None:
    with SortedRows() as rows:
        for number in range(6):
            rows.add("ab"[number % 2], number, number)
        first = [next(values) for _, values in rows.groups()]

    assert first == [0, 1]


def test_without_room_it_is_said_where_to_make_some() -> None:
    with SortedRows() as rows:
        rows._database.execute("PRAGMA max_page_count = 10")
        with pytest.raises(TidemarkError, match=r"no room .* full\): make some in the folder for"):
            rows.add("a", 1, "x" * 100_000)
