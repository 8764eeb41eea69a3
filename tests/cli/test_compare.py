"""The verb compare: what it prints, and how it ends."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from tests.invariants.folders import write_run
from tests.measures.runs_in_time import run as run_in_time
from tidemark.cli import program
from tidemark.report.comparison import side_of_run
from tidemark.workloads.bank_traffic import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Compare = Callable[..., tuple[int, str, str]]

NAMES = ("plain", "again", "slow")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs that hold, one of them with slow writes; one is violated, one was never judged."""
    folder = tmp_path_factory.mktemp("state") / "runs"
    write_run(folder / "plain", run_in_time(1))
    write_run(folder / "again", run_in_time(2))
    write_run(folder / "slow", run_in_time(3, write_ms=40))
    write_run(folder / "unjudged", run_in_time(4))
    write_run(folder / "wrong", run_in_time(5))
    verdicts = dict.fromkeys(NAMES, "holds") | {"wrong": "violated"}
    for name, verdict in verdicts.items():
        (folder / name / "verdict.json").write_text(json.dumps({"verdict": verdict}))
    return folder


@pytest.fixture
def compare(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Compare:
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(runs.parent))

    def compare(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tidemark", "compare", *map(str, arguments)])
        code = program.run()
        return (int(code), *capsys.readouterr())

    return compare


def test_two_runs_alike_end_well(compare: Compare) -> None:
    code, out, _ = compare("plain", "again")
    assert code == 0
    assert "write_p99_ms" in out
    assert out.endswith("Nothing is worse beyond noise and threshold.\n")


def test_a_slow_run_is_a_regression_that_is_named(compare: Compare) -> None:
    code, out, _ = compare("plain", "slow")
    assert code == 2
    [row] = [line for line in out.splitlines() if line.startswith("write_p50_ms")]
    assert row.split()[-2:] == ["beyond", "regression"]
    assert "Worse beyond noise and threshold: write_p50_ms, write_p95_ms, write_p99_ms." in out


def test_the_other_way_round_it_is_none(compare: Compare) -> None:
    assert compare("slow", "plain")[0] == 0


@pytest.mark.parametrize("threshold", ["300%", "3"])
def test_the_threshold_is_what_the_user_says(compare: Compare, threshold: str) -> None:
    assert compare("plain", "slow", "--threshold", threshold)[0] == 0


@pytest.mark.parametrize("threshold", ["much", "-1%", "nan", "inf"])
def test_a_threshold_that_is_no_share_is_refused(compare: Compare, threshold: str) -> None:
    code, _, err = compare("plain", "slow", f"--threshold={threshold}")
    assert (code, "is no share" in err) == (64, True)


@pytest.mark.parametrize(
    ("name", "code", "word"), [("wrong", 1, "violated"), ("unjudged", 3, "unknown")]
)
def test_a_verdict_comes_before_any_figure(
    compare: Compare, name: str, code: int, word: str
) -> None:
    for sides in (("slow", name), (name, "slow")):
        ended, out, _ = compare(*sides)
        assert ended == code
        assert f"is {word}." in out


def test_a_kept_verdict_can_be_the_baseline(compare: Compare, runs: Path, tmp_path: Path) -> None:
    measures = side_of_run(runs / "plain", REFUSALS).measures
    kept = tmp_path / "baseline.json"
    intervals = {name: asdict(one) for name, one in measures.items()}
    document = {"run": "kept", "verdict": "holds", "figures": {"intervals": intervals}}
    kept.write_text(json.dumps(document))
    assert compare(kept, "again")[0] == 0
    assert compare(kept, "slow")[0] == 2


def _kept(run: str = "kept", high: str = "6") -> str:
    interval = f'{{"value": 5, "low": 4, "high": {high}}}'
    intervals = f'{{"intervals": {{"writes_per_s": {interval}}}}}'
    return f'{{"run": "{run}", "verdict": "holds", "figures": {intervals}}}'


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", '{"figures": {"intervals": {"a": 1}}}'),
        *(_kept(high=one) for one in ("NaN", "Infinity", '"nan"', "1e999")),
    ],
)
def test_a_file_that_is_no_verdict_is_refused(compare: Compare, tmp_path: Path, text: str) -> None:
    (tmp_path / "one.json").write_text(text)
    code, _, err = compare(tmp_path / "one.json", "again")
    assert code == 64
    assert "is no verdict.json of a load run" in err


def test_a_run_whose_verdict_is_no_object_is_unknown(compare: Compare, runs: Path) -> None:
    (runs / "unjudged/verdict.json").write_text("[]")
    code, out, _ = compare("plain", "unjudged")
    (runs / "unjudged/verdict.json").unlink()
    assert code == 3
    assert "is unknown." in out


def test_what_a_kept_verdict_says_is_text_in_markdown(compare: Compare, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(_kept("a`<img src=x>|[b](c)"))
    compare(tmp_path / "one.json", "again", "--markdown", tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text()
    assert "Before: a\\`\\<img src=x\\>\\|\\[b\\](c) (holds)." in page


def test_json_is_one_object_and_markdown_is_written_as_well(
    compare: Compare, tmp_path: Path
) -> None:
    code, out, _ = compare("plain", "slow", "--json", "--markdown", tmp_path / "page.md")
    document = json.loads(out)
    assert code == document["exit_code"] == 2
    assert document["measures"]["write_p50_ms"]["is_regression"]
    assert not document["measures"]["read_p50_ms"]["is_regression"]
    page = (tmp_path / "page.md").read_text()
    assert page.startswith(r"**Worse beyond noise and threshold: write\_p50\_ms")
    assert r"| write\_p50\_ms |" in page


def test_the_page_has_each_figure_that_the_table_has(compare: Compare, tmp_path: Path) -> None:
    _, out, _ = compare("plain", "slow", "--html", tmp_path / "compare.html")
    drawn = (tmp_path / "compare.html").read_text()
    for line in out.splitlines():
        if line.startswith(("write_", "read_", "lag_")):
            name, before, after, change, *_ = line.split()
            assert all(f">{one}<" in drawn for one in (name, before, after, change)), name
    assert "Worse beyond noise and threshold: write_p50_ms" in drawn
    worse = out.count("  regression")
    assert f"<strong>{worse} regressions</strong>" in drawn
    assert drawn.count('<td class="is-regression">regression</td>') == worse
    assert "http-equiv" in drawn
    assert len(drawn) < 200_000


def test_a_page_that_cannot_be_written_is_told(compare: Compare, tmp_path: Path) -> None:
    code, _, err = compare("plain", "again", "--html", tmp_path / "gone/compare.html")
    assert (code, "cannot be written" in err) == (64, True)
