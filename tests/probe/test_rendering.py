"""A result for people."""

from __future__ import annotations

from tests.probe.asking import result, row_result
from tidemark.probe import rendering
from tidemark.probe.difference import Change, Difference
from tidemark.probe.observation import Comparison

MEASURED = result(
    row_result("a", Comparison.DIFFERS, observed="[red] | 502", measured="after 2 s"),
    row_result("b", Comparison.NOT_SEEN, within_s=20, observed="nothing"),
    row_result("c", topic="another topic"),
)


def test_every_row_is_told_as_it_was_observed() -> None:
    told = {
        topic: [rendering.words("embedded", one) for one in row_results]
        for topic, row_results in rendering.by_topic(MEASURED)
    }

    assert {topic: len(found) for topic, found in told.items()} == {"topic": 2, "another topic": 1}
    assert told["topic"][0] == (
        "a (0.1 s)\nAWS: What AWS documents.\nembedded: [red] | 502 (after 2 s)"
    )


def test_the_page_has_every_row_with_its_documentation() -> None:
    page = rendering.markdown(MEASURED)

    assert (
        "| `a` | What AWS documents. [documentation](https://docs.aws.amazon.com/) "
        "| [red] \\| 502 (after 2 s) | differs |"
    ) in page.splitlines()
    assert "| not seen within 20 s |" in page
    assert "## Another topic" in page.splitlines()


def test_the_page_says_when_and_with_what_it_was_measured() -> None:
    page = rendering.markdown(MEASURED)

    assert "on 2026-11-23" in page
    assert "Versions: tidemark 0.1.0." in page
    assert "3 rows on embedded in 2 s: 1 same, 1 differs, 1 not seen." in page


def test_changes_are_shown_with_what_was_before() -> None:
    difference = Difference(["b"], [Change("a", "same: 500", "differs: 504")])

    assert list(rendering.changes(difference)) == [
        "1 row as before, 1 changed.",
        "  a",
        "    before  same: 500",
        "    now     differs: 504",
    ]
