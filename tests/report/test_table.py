from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from tests.measures.calls import call, run_of, second
from tests.measures.test_figures import database
from tidemark.errors import ExitCode
from tidemark.history.folder import RunFolder
from tidemark.measures.measurement import measure_calls
from tidemark.percentiles import Spread
from tidemark.report.assessment import Assessment
from tidemark.report.table import Report, report_console

if TYPE_CHECKING:
    from tests.invariants.bank import Row

MANIFEST = {
    "run": "run-1",
    "target": "embedded",
    "stack_name": "Tidemark",
    "api_url": "http://127.0.0.1:1/prod",
    "template_digest": "d1",
    "seed": "7",
    "load": {"profile": "closed", "refusals": ["busy"], "slo": {"error_share": 0.01}},
}
OPS = [
    call(took_ms=31.4),
    call(start_ms=900, took_ms=100, principal="p", key="k", replayed=True),
    call(kind="query", operation="owner_accounts", took_ms=18.9),
    call("fail", problem="busy", status=409),
    call("info", problem="http-500", status=500),
]


def report_of(*ops: Row, **others: list[Row]) -> Report:
    """The report on a closed loop with these calls."""
    folder = RunFolder(Path("run-1"), MANIFEST)
    database().load(run_of(*ops, **others))
    measurement = measure_calls(database().connection, folder, None)
    return Report(Assessment(folder, measurement=measurement))


REPORT = report_of(*OPS)


def printed(report: Report, *, is_terminal: bool = False) -> str:
    stream = io.StringIO()
    report.print(Console(file=stream, width=110, force_terminal=is_terminal, soft_wrap=True))
    return stream.getvalue()


def line_of(text: str, beginning: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(beginning)]
    return line.removeprefix(beginning).split()


def test_rows_carry_counts_rate_and_exact_percentiles() -> None:
    text = printed(REPORT)
    assert line_of(text, "writes") == ["1", "1", "1", "1.0", "1.0", "100", "100", "100"]
    assert line_of(text, "reads") == ["1", "0", "0", "1.0", "18.9", "18.9", "18.9", "18.9"]
    assert line_of(text, "owner accounts") == line_of(text, "reads")


def test_the_refusals_the_errors_and_what_was_sent_again_are_said() -> None:
    text = printed(REPORT)
    assert "Refused, as it should be: busy 1" in text
    assert "Errors: info http-500 1" in text
    assert "of which 1 were answered with an earlier answer" in text
    assert "4 users" not in text
    assert "1 users, seed 7, run run-1" in text


def test_a_run_without_answers_still_has_a_report() -> None:
    text = printed(report_of(call("info", problem="lost", status=None)))
    assert line_of(text, "writes")[-4:] == ["-"] * 4


def test_where_calls_had_to_wait_their_own_time_stands_below() -> None:
    assert "from its start" not in printed(REPORT)
    text = printed(report_of(call(took_ms=10, waited_ms=200)))
    assert line_of(text, "writes")[-1] == "210"
    assert line_of(text, "  from its start") == ["10.0"] * 4


def test_a_generator_that_was_the_limit_is_said_aloud_and_before_the_figures() -> None:
    spent = second(cpu_ms=950, due=10)
    text = printed(report_of(*[call(start_ms=500, waited_ms=200)] * 10, generator=[spent]))
    warning = "THE GENERATOR WAS THE LIMIT, NOT THE TARGET: in 1 of 1 s"
    assert text.index(warning) < text.index("latency in ms")
    assert "10 calls began late" in text
    assert "GENERATOR WAS" not in printed(report_of(call(), generator=[second(due=1)]))


def test_of_a_generator_that_others_kept_waiting_neither_it_nor_the_target_is_blamed() -> None:
    waiting = second(cpu_ms=50, lag_ms=80, due=10)
    text = printed(report_of(*[call(start_ms=500, waited_ms=200)] * 10, generator=[waiting]))
    assert "THE GENERATOR WAS SHORT OF A CORE THAT OTHERS HAD: in 1 of 1 s" in text
    assert "NOT THE TARGET" not in text


def test_an_objective_that_was_not_measured_is_said() -> None:
    manifest = MANIFEST | {"load": MANIFEST["load"] | {"slo": {"lag_p99_ms": 9}}}  # type: ignore[operator]
    folder = RunFolder(Path("run-1"), manifest)
    measurement = measure_calls(database().connection, folder, None)
    text = printed(Report(Assessment(folder, measurement=measurement)))
    assert "SLOs without a measurement: lag_p99_ms" in text


def test_what_is_no_terminal_gets_no_escapes_and_no_rules() -> None:
    text = printed(REPORT)
    assert text.isascii()
    assert "\x1b" not in text
    assert "\x1b" in printed(REPORT, is_terminal=True)


def test_every_row_is_whole_at_80_columns_whatever_it_has_to_say() -> None:
    measurement = REPORT.assessment.measurement
    assert measurement is not None
    figures = measurement.figures
    row = replace(
        figures.operations[0],
        ok=50_000,
        refused=12_345,
        errors=12_345,
        per_s=1234.5,
        latency=Spread(99.94, 1_000, 1_234.5, 29_999, 29_999, 29_999, 30_000),
    )
    names = ("open_account", "withdraw", "statement", "owner_accounts", "owner_totals")
    rows = tuple(replace(row, name=name) for name in names)
    changed = replace(figures, operations=rows, writes=row)
    folder = REPORT.assessment.folder
    report = Report(Assessment(folder, measurement=replace(measurement, figures=changed)))
    for is_terminal in (False, True):
        stream = io.StringIO()
        console = Console(file=stream, width=80, force_terminal=is_terminal, color_system=None)
        report.print(console)
        text = "\n".join(line.strip() for line in stream.getvalue().splitlines())
        for name in names:
            assert line_of(text, name.replace("_", " ")) == [
                *("50000", "12345", "12345", "1234.5"),
                *("99.9", "1234", "29999", "30000"),
            ]
        assert "…" not in text


def test_without_a_terminal_nothing_wraps_and_the_table_is_80_columns_wide(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    REPORT.print(report_console())
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("owner accounts") and line.endswith("18.9") for line in lines)
    assert any(line.startswith("Load on") and line.endswith("run run-1") for line in lines)


def test_the_json_has_what_the_table_has() -> None:
    document = json.loads(json.dumps(REPORT.ending(ExitCode.SLO_MISSED, "slow").as_json()))
    figures = document["figures"]
    assert (figures["writes"]["ok"], figures["writes"]["replayed"]) == (1, 1)
    assert figures["reads"]["latency"]["p50_ms"] == pytest.approx(18.9)
    assert figures["errors"] == {"info http-500": 1}
    assert figures["measures"]["write_max_ms"] == 100
    assert figures["slo"] == [{"measure": "error_share", "bound": 0.01, "value": 0.2, "met": False}]
    assert (document["seed"], document["template_digest"]) == ("7", "d1")
    assert (document["exit_code"], document["reason"], document["verdict"]) == (2, "slow", None)
