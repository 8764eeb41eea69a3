"""What is said of a run at its end, whatever of it can still be exported."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from botocore.exceptions import EndpointConnectionError

from loadtest import conclusion
from loadtest.conclusion import conclude, show
from tests.history.test_writing import DEPLOYMENT
from tests.measures.ops import op
from tidemark.api.session import Writer
from tidemark.errors import ExitCode
from tidemark.history.recorder import RecordingError
from tidemark.history.writing import RunWriter
from tidemark.host.state import read_json
from tidemark.report import assessment, run_page
from tidemark.workloads.workload import Unknown

if TYPE_CHECKING:
    from pathlib import Path

    from tidemark.report.table import Report


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of two writes, of which nothing is exported."""
    path = tmp_path / "run"
    with RunWriter(path, Writer("run", "w1"), Unknown()) as writer:
        asked = {"profile": "write", "refusals": [], "slo": {"write_max_ms": 5, "lag_max_ms": 9}}
        writer.describe(DEPLOYMENT, seed="7", load=asked)
        for took_ms in (1, 4):
            writer.record(op(took_ms=took_ms))
    return path


@pytest.fixture(autouse=True)
def _there_is_no_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conclusion, "see_that_it_answers", lambda _: None)


def concluded(run: Path, within_s: float | None = 1, **how: Any) -> Report:
    nobody: Any = None
    return conclude(run, DEPLOYMENT, nobody, Unknown(), within_s=within_s, **how)


def writes_in(report: Report) -> int:
    measurement = report.assessment.measurement
    assert measurement is not None
    return measurement.figures.writes.ok


def failing(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def finish(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(conclusion, "finish", finish)


def test_a_run_that_nobody_judges_is_measured_by_its_calls_alone(run: Path) -> None:
    report = concluded(run, within_s=None)

    assert (report.exit_code, report.reason) == (ExitCode.OK, None)
    assert writes_in(report) == 2
    assert read_json(run / "load.json") == json.loads(json.dumps(report.as_json()))
    judged = read_json(run / "verdict.json")
    assert judged is not None
    assert (judged["verdict"], judged["invariants"]) == (None, [])
    assert judged["figures"]["measures"]["write_max_ms"] == 4
    met = {one["measure"]: one["met"] for one in judged["figures"]["slo"]}
    assert met == {"write_max_ms": True, "lag_max_ms": None}


def torn(file: Path) -> None:
    """Tear a file between its beginning and its end, of which only whoever reads it all knows."""
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content[:4] + b"\xff" * (len(content) // 2) + content[4 + len(content) // 2 :])


def test_what_is_torn_is_named_and_the_rest_is_measured(run: Path) -> None:
    second = run / "ops" / "run.w2.parquet"
    (first,) = (run / "ops").glob("*.parquet")
    shutil.copy(first, second)
    torn(second)
    report = concluded(run, within_s=None)

    assert report.exit_code is ExitCode.UNKNOWN
    assert "is torn, and its figures are without it (ops/run.w2.parquet: " in str(report.reason)
    assert writes_in(report) == 2
    judged = read_json(run / "verdict.json")
    assert judged is not None
    assert judged["reason"] == report.reason


def test_a_run_that_does_not_fit_the_memory_is_not_measured_and_ends_in_order(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(*_: object) -> None:
        raise duckdb.OutOfMemoryException("Out of Memory Error: no room\nPossible solutions:")

    monkeypatch.setattr(assessment, "measure_calls", measure)
    report = concluded(run, within_s=None)
    show(report, is_json=False)
    out = capsys.readouterr().out

    assert report.exit_code is ExitCode.UNKNOWN
    assert "(Out of Memory Error: no room): make room for temporary files" in str(report.reason)
    assert out.startswith("Load on ")
    assert "Drawn: " in out
    assert (read_json(run / "verdict.json") or {})["figures"] is None


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, "the run was stopped"),
        (RecordingError("The disk is full."), ExitCode.UNKNOWN, "The disk is full"),
        (
            EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
            ExitCode.FAILED,
            "the run could not be exported: Could not connect",
        ),
    ],
)
def test_what_was_seen_is_said_whatever_ends_the_export(
    error: BaseException,
    code: ExitCode,
    says: str,
    run: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failing(error, monkeypatch)
    report = concluded(run)

    assert report.exit_code is code
    assert says in str(report.reason)
    assert writes_in(report) == 2
    assert report.assessment.judgements == ()


def test_one_that_was_stopped_is_not_waited_for(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(AssertionError("it is waited for"), monkeypatch)

    assert concluded(run, is_interrupted=True).exit_code is ExitCode.INTERRUPTED


def test_of_a_writer_that_was_killed_what_it_wrote_is_counted(run: Path) -> None:
    for table in ("writers", "written"):
        shutil.rmtree(run / table)
    report = concluded(run, within_s=None, gap="a worker was lost")

    assert (report.exit_code, report.reason) == (ExitCode.UNKNOWN, "a worker was lost")
    assert writes_in(report) == 2


def test_a_report_that_finds_no_room_is_no_green_run(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(conclusion, "write_json", write)
    report = concluded(run, within_s=None)

    assert report.exit_code is ExitCode.UNKNOWN
    assert "No space left on device" in str(report.reason)


@pytest.mark.parametrize("is_json", [True, False])
def test_a_page_that_fails_costs_nothing_that_is_printed(
    *, is_json: bool, run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = concluded(run, within_s=None)
    printed = []

    def write(_: object) -> None:
        printed.append(capsys.readouterr().out)
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(run_page, "write", write)
    show(report, is_json=is_json)
    after = capsys.readouterr().out

    if is_json:
        assert json.loads(printed[0])["figures"]["writes"]["ok"] == 2
        assert after == ""
    else:
        assert "latency in ms" in printed[0]
        assert "No page was drawn (a bug): `tidemark report run` draws it later." in after
