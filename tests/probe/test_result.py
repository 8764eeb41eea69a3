"""A result as it is kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.probe.asking import result, row_result
from tidemark.errors import NotStartedError
from tidemark.probe.observation import Comparison
from tidemark.probe.result import Result

if TYPE_CHECKING:
    from pathlib import Path


def test_a_result_reads_as_it_was_printed(tmp_path: Path) -> None:
    printed = result(
        row_result("a", Comparison.NOT_SEEN, observed="one of three", capability="async-retries"),
        row_result("b", Comparison.NOT_PROBED, measured="2 s"),
    )
    path = tmp_path / "result.json"
    path.write_text(json.dumps(printed.as_json()), encoding="utf-8")

    assert Result.load(path) == printed


def test_the_document_has_one_object_per_row() -> None:
    document = result(row_result("a", Comparison.DIFFERS, within_s=20)).as_json()

    assert set(document) == {"schema", "target", "date", "versions", "duration_s", "rows"}
    assert document["schema"] == 1
    assert document["rows"] == [
        {
            "name": "a",
            "topic": "topic",
            "capability": None,
            "aws": "What AWS documents.",
            "documentation": "https://docs.aws.amazon.com/",
            "comparison": "differs",
            "observed": "as documented",
            "measured": "",
            "within_s": 20,
            "duration_s": 0.1,
        }
    ]


def _without(key: str) -> dict[str, Any]:
    document = result(row_result()).as_json()
    del document[key]
    return document


def _with_comparison(comparison: str) -> dict[str, Any]:
    document = result(row_result()).as_json()
    return {**document, "rows": [{**one, "comparison": comparison} for one in document["rows"]]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "holds no result of a probe: write one with `tidemark probe --json`"),
        ("[]", "holds no result of a probe"),
        (json.dumps({"schema": 2}), "its schema is 2, not 1"),
        (json.dumps(_without("rows")), "it lacks 'rows'"),
        (json.dumps(_with_comparison("perhaps")), "'perhaps' is not a valid Comparison"),
    ],
)
def test_what_is_no_result_is_refused(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "result.json"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(NotStartedError, match=said):
        Result.load(path)


def test_a_capability_is_lacking_where_a_row_differs_or_was_not_seen() -> None:
    measured = result(
        row_result("a", Comparison.DIFFERS, capability="signatures"),
        row_result("b", Comparison.NOT_SEEN, capability="schedules"),
        row_result("c", Comparison.SAME, capability="async-retries"),
        row_result("d", Comparison.NOT_PROBED, capability="request-validators"),
        row_result("e", Comparison.DIFFERS),
    )

    assert measured.lacking() == {"signatures", "schedules"}


def test_a_result_can_be_cut_down_to_some_rows() -> None:
    assert result(row_result("a"), row_result("b")).only(["b", "c"]) == result(row_result("b"))
