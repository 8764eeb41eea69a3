"""What each target sustains, as it is published: a page, and two rows of the README's table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tidemark.errors import TidemarkError
from tools.bench import headline
from tools.bench.headline import in_readme, page
from tools.published import TARGETS

if TYPE_CHECKING:
    from collections.abc import Mapping

FOUND: dict[str, Any] = {
    "headline": "93.5 writes/s and nothing of read",
    "measured": "2026-11-27, 2 cores, tidemark 0.1.0",
    "curve": [["profile", "offered/s", "verdict"], ["write", "93.5", "sustained"]],
    "endings": ["write: 102 calls/s failed (run r1): read_p99_ms is 600 ms and may be 500 ms."],
    "found": {"write": {"writes_per_s": 93.49}, "read": {"reads_per_s": None}},
}
README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_page_has_the_headline_the_curve_and_why_it_ends_there() -> None:
    assert page("embedded", FOUND, "").endswith(
        "\n## embedded\n\n**93.5 writes/s and nothing of read.**\n\n"
        "| profile | offered/s | verdict |\n| --- | ---: | ---: |\n| write | 93.5 | sustained |\n\n"
        "- write: 102 calls/s failed: read_p99_ms is 600 ms and may be 500 ms.\n"
        "\n## localstack\n\n**Not measured yet.**\n"
    )


def test_what_was_found_of_another_target_stays_on_the_page() -> None:
    before = page("embedded", FOUND, "")
    after = page("localstack", FOUND | {"headline": "7 writes/s"}, before)
    assert after.startswith(before.partition("\n## localstack")[0])
    assert after.count("93.5 writes/s") == after.count("**7 writes/s.**") == 1
    assert page("localstack", FOUND | {"headline": "7 writes/s"}, after) == after


def test_the_page_that_is_published_says_of_each_target_what_it_sustains() -> None:
    published = (README.parent / "docs/capacity.md").read_text()
    assert published.startswith(page("embedded", FOUND, "").partition("\n## ")[0])
    assert re.findall(r"^## (\w+)\n\n\*\*.+\.\*\*$", published, re.MULTILINE) == [*TARGETS]


@pytest.mark.parametrize("target", TARGETS)
def test_the_readmes_figures_of_one_target_are_replaced_and_nothing_else(target: str) -> None:
    before = README.read_text().splitlines()
    after = in_readme(target, FOUND, README.read_text()).splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    its, other = (2, 3) if target == "embedded" else (3, 2)
    rows = [(old.split("|"), new.split("|")) for old, new in changed if "|" in old]
    assert [new[its] for _, new in rows] == [" 93.5 /s ", " none "]
    assert all(old[other] == new[other] for old, new in rows)
    assert [new for _, new in changed[2:]] == [
        f"Sustained on {target}: 2026-11-27, 2 cores, tidemark 0.1.0."
    ]


def test_a_target_that_fails_costs_no_other_its_figures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def search(target: str) -> Mapping[str, Any]:
        if target == "embedded":
            raise TidemarkError("it does not start")
        return FOUND

    for name in ("_PAGE", "_README"):
        monkeypatch.setattr(headline, name, tmp_path / name)
        (tmp_path / name).write_text("")
    monkeypatch.setattr(headline, "startable", lambda: [*TARGETS])
    monkeypatch.setattr(headline, "_search", search)

    rows = headline.measure()

    assert [(one.name, one.value) for one in rows] == [
        ("sustained, embedded", None),
        ("writes sustained, localstack", 93.49),
        ("reads sustained, localstack", 0.0),
    ]
    assert rows[0].note == "not measured: it does not start"
    assert "## localstack\n\n**93.5 writes/s" in (tmp_path / "_PAGE").read_text()


def test_of_a_search_the_runs_are_kept_in_which_an_invariant_was_violated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for run in ("r1", "r2"):
        (tmp_path / "runs" / run).mkdir(parents=True)
        (tmp_path / "runs" / run / "run.json").write_text(run)
    tried = [
        {"run": run, "profile": "read", "rate": 111.0, "is_violated": run == "r2", "why": why}
        for run, why in (("r1", ""), ("r2", "an invariant is violated"))
    ]

    headline.keep({"tried": tried}, tmp_path / "runs", tmp_path / "kept")

    assert [one.name for one in (tmp_path / "kept").iterdir()] == ["r2"]
    assert (tmp_path / "kept/r2/run.json").read_text() == "r2"
    assert "read at 111 calls/s: an invariant is violated; `tidemark check r2`" in (
        capsys.readouterr().err
    )
