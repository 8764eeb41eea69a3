"""The rows themselves, the committed results, and what the plugin makes of them."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tidemark.probe import rendering
from tidemark.probe.observation import TRYING_S, Comparison
from tidemark.probe.result import Result
from tidemark.probe.row import PATIENT_S
from tidemark.probe.rows import ROWS
from tidemark.testing import capabilities

TARGETS = Path(__file__).resolve().parents[2] / "docs" / "targets"
MEASURED = ("embedded", "localstack")
HOSTS = {"docs.aws.amazon.com", "repost.aws"}


def _committed(target: str) -> Result:
    return Result.load(TARGETS / f"{target}.json")


def test_every_row_has_a_slug_of_its_own() -> None:
    counts = Counter(row.name for row in ROWS)

    assert [name for name, count in counts.items() if count > 1] == []
    assert [name for name in counts if not re.fullmatch(r"[a-z]+(-[a-z]+)*", name)] == []


def test_every_row_names_awss_documentation() -> None:
    for row in ROWS:
        parts = urlsplit(row.documentation)
        assert (parts.scheme, parts.netloc in HOSTS) == ("https", True), row.name
        assert row.aws.endswith("."), row.name


def test_patience_gives_every_row_ten_minutes_but_those_that_would_use_up_all_they_get() -> None:
    others = {row.name: row.patient_s for row in ROWS if row.patient_s != PATIENT_S}

    assert others == {
        "expired-item-is-deleted": 900,
        "function-without-permission": TRYING_S,
        "queue-without-policy": TRYING_S,
        "standard-queue-order": TRYING_S,
        "transaction-conflict": TRYING_S,
    }


def test_every_capability_that_tests_depend_on_is_measured_by_one_row() -> None:
    measured = [row.capability for row in ROWS if row.capability]

    assert sorted(measured) == sorted(capabilities.CAPABILITIES)


@pytest.mark.parametrize(("target", "version"), capabilities.MEASURED)
def test_the_plugin_takes_for_lacking_what_was_measured_so(target: str, version: str) -> None:
    committed = _committed(target)

    assert capabilities.MEASURED[target, version] == committed.lacking()
    assert version in {committed.versions.get(name) for name in ("ministack", "localstack")}


def test_what_is_committed_was_measured_on_the_pinned_versions() -> None:
    assert {capabilities.look_up(target, None) for target in MEASURED} == set(
        capabilities.MEASURED.values()
    )


@pytest.mark.parametrize("target", MEASURED)
def test_the_committed_result_has_every_row_as_it_is_asked_now(target: str) -> None:
    result = _committed(target)

    assert result.target == target
    assert [
        (one.name, one.aws, one.documentation, one.capability) for one in result.row_results
    ] == [(row.name, row.aws, row.documentation, row.capability) for row in ROWS]
    assert [one.name for one in result.row_results if one.comparison is Comparison.FAILED] == []


@pytest.mark.parametrize("target", MEASURED)
def test_the_committed_page_is_the_committed_result(target: str) -> None:
    page = (TARGETS / f"{target}.md").read_text(encoding="utf-8")

    assert page == rendering.markdown(_committed(target))


@pytest.mark.parametrize("target", MEASURED)
def test_the_committed_result_names_no_machine(target: str) -> None:
    text = (TARGETS / f"{target}.json").read_text(encoding="utf-8")

    assert re.findall(r"127\.0\.0\.1|localhost|/home/|/work/|/tmp/", text) == []
