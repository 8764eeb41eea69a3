"""Two results side by side."""

from __future__ import annotations

from tests.probe.asking import result, row_result
from tidemark.probe.difference import Change, Difference
from tidemark.probe.observation import Comparison


def test_figures_bounds_and_durations_are_no_change() -> None:
    before = result(row_result(measured="1 s", duration_s=1, within_s=5))
    now = result(row_result(measured="2 s", duration_s=2, within_s=9), date="2027-01-01")

    assert Difference.between(before, now) == Difference(["row"], [])


def test_another_comparison_is_a_change() -> None:
    before = result(row_result(comparison=Comparison.NOT_SEEN, within_s=20, observed="nothing"))
    now = result(row_result(observed="3 attempts"))

    assert Difference.between(before, now).changed == [
        Change("row", "not seen within 20 s: nothing", "same: 3 attempts")
    ]


def test_another_observation_is_a_change() -> None:
    before = result(row_result(comparison=Comparison.DIFFERS, observed="502"), row_result("other"))
    now = result(row_result(comparison=Comparison.DIFFERS, observed="504"), row_result("other"))

    difference = Difference.between(before, now)

    assert difference.same == ["other"]
    assert difference.changed == [Change("row", "differs: 502", "differs: 504")]


def test_what_was_and_is_not_seen_is_no_change() -> None:
    seen = result(row_result(comparison=Comparison.NOT_SEEN))

    assert Difference.between(seen, seen).changed == []


def test_a_row_that_fails_is_never_the_same() -> None:
    failed = result(row_result(comparison=Comparison.FAILED, observed="it broke"))

    assert [one.name for one in Difference.between(failed, failed).changed] == ["row"]


def test_rows_that_came_or_went_are_changes() -> None:
    difference = Difference.between(result(row_result("old")), result(row_result("new")))

    assert difference.same == []
    assert difference.changed == [
        Change("new", "no such row", "same: as documented"),
        Change("old", "same: as documented", "no such row"),
    ]


def test_the_document_counts_what_is_the_same() -> None:
    before, now = (
        result(row_result(), row_result("b")),
        result(row_result(), row_result("b", observed="x")),
    )

    assert Difference.between(before, now).as_json() == {
        "same": 1,
        "changed": [{"name": "b", "before": "same: as documented", "now": "same: x"}],
    }
