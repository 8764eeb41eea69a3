"""The runs that are kept are listed, one is shown, and what is removed is printed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from tests.cli.narrow import assert_readable
from tests.history.test_writing import DEPLOYMENT
from tests.measures.ops import op
from tidemark.api.session import Writer
from tidemark.cli import runs
from tidemark.errors import NotStartedError
from tidemark.history.writing import RunWriter
from tidemark.workloads.workload import Unknown

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

OLD, NEW = "20261123T101112-abc123", "20261124T101112-def456"


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder with two runs: one that was judged, and one that was not."""
    for name in (OLD, NEW):
        with RunWriter(tmp_path / "runs" / name, Writer(name, "w1"), Unknown()) as run:
            asked = {"profile": "closed", "refusals": ["busy"], "slo": {"error_share": 0.01}}
            run.describe(DEPLOYMENT, kind="load", seed="7", load=asked)
            run.record(op())
    judged = {"verdict": "violated", "invariants": [{"id": "I4", "verdict": "violated"}]}
    (tmp_path / "runs" / OLD / "verdict.json").write_text(json.dumps(judged))
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path))
    return tmp_path


def tidemark_runs(*arguments: str) -> Result:
    return CliRunner().invoke(runs.app, list(arguments), catch_exceptions=False)


@pytest.mark.usefixtures("state")
def test_runs_are_listed_newest_first() -> None:
    listed = json.loads(tidemark_runs("--json").stdout)

    assert [one["run"] for one in listed] == [NEW, OLD]
    assert [one["verdict"] for one in listed] == ["not judged", "violated"]
    assert {(one["target"], one["what"], one["ops"]) for one in listed} == {("embedded", "load", 1)}
    assert all(one["bytes"] > 0 and one["began"] for one in listed)


def test_a_run_under_way_is_said_to_be(state: Path) -> None:
    with RunWriter(state / "runs" / NEW, Writer(NEW, "w2"), Unknown()):
        listed = json.loads(tidemark_runs("--json").stdout)

    assert listed[0]["verdict"] == "under way"


def test_a_run_that_was_killed_before_it_was_described_is_listed_as_that(state: Path) -> None:
    late = "20261125T101112-fed987"
    RunWriter(state / "runs" / late, Writer(late, "w1"), Unknown()).close()

    listed = json.loads(tidemark_runs("--json").stdout)

    assert (listed[0]["run"], listed[0]["what"]) == (late, "not described")
    assert json.loads(tidemark_runs("show", late, "--json").stdout)["what"] == "not described"
    # Of the newest run something must be known.
    assert json.loads(tidemark_runs("show", "--json").stdout)["run"] == NEW


@pytest.mark.usefixtures("state")
def test_one_is_shown_by_the_beginning_of_its_id_and_the_newest_without() -> None:
    judged = json.loads(tidemark_runs("show", OLD[:9], "--json").stdout)

    assert (judged["run"], judged["invariants"]) == (OLD, {"violated": ["I4"]})
    assert judged["rows"]["ops"] == 1
    assert json.loads(tidemark_runs("show", "--json").stdout)["run"] == NEW
    with pytest.raises(NotStartedError, match="No run is called 1999"):
        tidemark_runs("show", "1999")


@pytest.mark.parametrize("began_ms", [10**20, 10**17, -(10**17), "soon"])
def test_of_a_run_that_began_at_no_time_the_rest_is_listed(state: Path, began_ms: object) -> None:
    file = state / "runs" / OLD / "run.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"began_ms": began_ms}))
    listed = json.loads(tidemark_runs("--json").stdout)

    assert [one["began"] != "" for one in listed] == [True, False]


@pytest.mark.parametrize("invariants", [5, [1], [{"id": "I4"}], None])
def test_of_a_verdict_that_was_edited_what_can_be_read_is_shown(
    state: Path, invariants: object
) -> None:
    judged = {"verdict": "violated", "invariants": invariants}
    (state / "runs" / OLD / "verdict.json").write_text(json.dumps(judged))
    shown = json.loads(tidemark_runs("show", OLD, "--json").stdout)

    assert (shown["verdict"], shown["invariants"]) == ("violated", {})


@pytest.mark.usefixtures("state")
def test_both_are_read_at_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = assert_readable(lambda: runs.app(standalone_mode=False, args=[]), monkeypatch, capsys)
    assert NEW in listed
    shown = assert_readable(
        lambda: runs.app(standalone_mode=False, args=["show", OLD]), monkeypatch, capsys
    )
    assert "violated" in shown
    assert re.search(r"^  load\.slo\.error_share +0\.01 *$", shown, re.MULTILINE)


@pytest.mark.parametrize("limit", [("--keep", "1"), ("--bytes", "0")])
def test_nothing_is_removed_that_is_not_printed(state: Path, limit: tuple[str, str]) -> None:
    printed = tidemark_runs("prune", *limit).stdout

    kept = {one.name for one in (state / "runs").iterdir()}
    assert kept == ({NEW} if limit == ("--keep", "1") else set())
    assert {name for name in (OLD, NEW) if f"Removed {name} (" in printed} == {OLD, NEW} - kept
    assert printed.splitlines()[-1].startswith(f"{len(kept)} runs are kept in ")


@pytest.mark.usefixtures("state")
def test_what_is_within_the_limits_stays() -> None:
    assert "Removed" not in tidemark_runs("prune").stdout


def test_without_runs_it_is_said_what_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path))

    assert tidemark_runs().stdout.startswith("No run is kept in ")
    assert json.loads(tidemark_runs("--json").stdout) == []
