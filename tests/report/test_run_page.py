"""The page of a run: what it says, of whatever is left of it."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from tests.invariants.ablations import ABLATIONS
from tests.invariants.folders import write_run
from tests.invariants.test_ablations import broken
from tests.report.made import FIGURES, say_more, write_judged
from tidemark.history.folder import RunFolder
from tidemark.history.places import VERDICT
from tidemark.history.tables import TABLES
from tidemark.host.state import write_json
from tidemark.measures.series import MOST_POINTS
from tidemark.report import run_page
from tidemark.report.page import Chart, Page, Section, render

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Read(HTMLParser):
    """What a page asks for, and what it says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def drawn(folder: RunFolder) -> str:
    return run_page.write(folder).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run in which all holds."""
    folder = write_judged(tmp_path_factory.mktemp("runs") / "clean")
    run_page.write(folder)
    return folder.path


@pytest.fixture
def copy(clean: Path, tmp_path: Path) -> Path:
    """The same, to break."""
    return shutil.copytree(clean, tmp_path / clean.name)


def test_a_run_that_nobody_judged_is_judged_for_its_page(copy: Path) -> None:
    (copy / VERDICT).unlink()

    assert "<strong>holds</strong>" in drawn(RunFolder.open(copy))
    assert "holds" in (copy / "summary.md").read_text().splitlines()[0]


def test_every_number_of_the_verdict_is_in_the_page(clean: Path) -> None:
    page = Read((clean / "report.html").read_text())
    shown = {float(one["value"] or "nan") for tag, one in page.tags if tag == "data"}
    judged = json.loads((clean / VERDICT).read_text())
    unnamed = {"backlog", "measures", "sessions", "duration_s", "retried"}
    unnamed |= {"was_limit", "was_starved"}
    told = {name: value for name, value in FIGURES.items() if name not in unnamed}
    told["lateness"] = judged["lateness"] | {"faults": []}

    assert set(numbers(told)) <= shown


def numbers(value: object, name: str = "") -> Iterator[float]:
    """All that is counted or measured; the ages of a curve are the places on its axis."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from numbers(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from numbers(each, name)
    elif isinstance(value, int | float) and not isinstance(value, bool) and name != "within_ms":
        yield float(value)


def test_a_generator_that_was_the_limit_is_said_before_any_number(clean: Path) -> None:
    text = (clean / "report.html").read_text()

    assert text.index("The generator, not the target, was the limit") < text.index("Objectives")
    assert "The generator, not the target" in (clean / "summary.md").read_text()


def test_what_a_run_was_stands_below_its_heading_numbers_too(clean: Path) -> None:
    text = (clean / "report.html").read_text()

    assert "<td>schema</td><td>1</td>" in text


def test_a_violated_invariant_is_shown_with_what_touched_it(tmp_path: Path) -> None:
    (twice,) = [
        one
        for one in ABLATIONS
        if (one.broken, one.fault.__name__)
        == ("no version guard in the projection", "duplicate_delivery")
    ]
    text = drawn(write_run(tmp_path / "twice", broken(twice)))

    assert "<strong>violated</strong>" in text
    assert re.search(r"I4 exactly once: \d+ counterexample", text)
    assert "I4: what touched" in text
    assert "<span>I4 exactly once: the balance is not" in text
    assert "<code>expected</code> is the sum over the log" in text.lower()
    assert "is violated" in (tmp_path / "twice/summary.md").read_text()


def test_the_page_asks_nobody_for_anything(clean: Path) -> None:
    page = Read((clean / "report.html").read_text())
    asking = {"src", "href", "action", "srcset", "data", "poster", "ping"}

    assert not [one for one in page.tags if asking & one[1].keys()]
    (policy,) = [
        one["content"]
        for tag, one in page.tags
        if tag == "meta" and one.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy


def test_what_comes_from_a_run_is_text(copy: Path) -> None:
    evil = '"><script>alert(1)</script><img src=x onerror=alert(2)>|`'
    names = {tag for tag, _ in Read(drawn(RunFolder.open(copy))).tags}
    load = {"profile": evil, "refusals": [], "slo": {}}
    text = drawn(say_more(copy, target=evil, stack_name=evil, seed=evil, load=load))

    assert "".join(Read(text).words).count(evil) >= 4
    assert {tag for tag, _ in Read(text).tags} == names
    assert "<script>" not in (copy / "summary.md").read_text()


def test_an_operation_is_text_in_markdown_whatever_it_is_called(copy: Path) -> None:
    said = json.loads((copy / VERDICT).read_text())
    said["figures"]["operations"][0]["name"] = "**bold** <img src=x>"
    write_json(copy / VERDICT, said)
    drawn(RunFolder.open(copy))

    assert r"\*\*bold\*\* \<img src=x\>" in (copy / "summary.md").read_text()


def test_what_a_url_carries_is_kept_to_itself(copy: Path) -> None:
    url = "http://some/one:se@cret@127.0.0.1:1/v1"
    text = drawn(say_more(copy, api_url=url, targets=[url]))

    assert text.count("@127.0.0.1:1/v1") == 2
    assert "some/one" not in text
    assert "cret@" not in text


@pytest.mark.parametrize("table", ["ops", "events", "faults", "writers", "claims"])
def test_a_run_without_a_table_has_a_page(copy: Path, table: str) -> None:
    shutil.rmtree(copy / table)
    text = drawn(RunFolder.open(copy))

    assert "Read this first" in text
    assert 'class="loud"' in text


def test_a_table_that_is_torn_is_said_to_be(copy: Path) -> None:
    for file in (copy / "ops").glob("*.parquet"):
        content = file.read_bytes()
        file.unlink()
        file.write_bytes(content[: len(content) // 2])

    assert "is torn, or no Parquet file" in drawn(RunFolder.open(copy))


def test_of_a_table_that_is_torn_in_its_middle_the_charts_are_left_out(copy: Path) -> None:
    for file in (copy / "ops").glob("*.parquet"):
        content = file.read_bytes()
        half = len(content) // 2
        file.unlink()
        file.write_bytes(content[:60] + b"\xff" * half + content[60 + half :])

    assert "A table that this is taken from cannot be read." in drawn(RunFolder.open(copy))


def test_of_a_run_without_calls_there_is_a_page(tmp_path: Path) -> None:
    text = drawn(write_run(tmp_path / "empty", {name: [] for name in TABLES}))

    assert "<strong>unknown</strong>" in text
    assert "<figure" not in text


def test_what_many_invariants_are_unknown_for_is_said_once(copy: Path) -> None:
    said = json.loads((copy / VERDICT).read_text())
    for one in said["invariants"]:
        one |= {"verdict": "unknown", "reasons": ["nobody knows"]}
    write_json(copy / VERDICT, said)
    text = drawn(RunFolder.open(copy))

    assert text.count("nobody knows") == 1
    assert text.count("as I0") == len(said["invariants"]) - 1


def test_a_missed_objective_is_no_green_page(copy: Path) -> None:
    said = json.loads((copy / VERDICT).read_text())
    missed = said | {"exit_code": 2, "reason": "write_p99_ms is 42 ms and may be 40 ms"}
    write_json(copy / VERDICT, missed)
    text = drawn(RunFolder.open(copy))

    assert 'class="verdict is-unknown"' in text
    assert missed["reason"] in text
    assert "\N{WARNING SIGN}" in (copy / "summary.md").read_text().splitlines()[0]


def test_a_day_long_run_has_a_page_of_less_than_a_megabyte() -> None:
    rows = [(at, *([1234.56] * 5)) for at in range(MOST_POINTS)]
    columns = [f"column {number}" for number in range(5)]
    charts = [Chart(f"c{number}", "title", "ms", columns, rows) for number in range(6)]
    page = Page(
        title="Run",
        verdict="holds",
        is_well=True,
        ending="",
        facts=[],
        tiles=[],
        sections=[Section("Over time", charts)],
    )

    assert len(render(page).encode()) < 1_000_000
