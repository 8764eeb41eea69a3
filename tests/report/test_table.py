from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from tests.measures.ops import op
from tidemark.api.call import Kind
from tidemark.api.op import Outcome
from tidemark.errors import ExitCode
from tidemark.host.deployment import Deployment
from tidemark.measures.lag import Lag
from tidemark.measures.summary import summarise
from tidemark.percentiles import Spread
from tidemark.report.table import Report, report_console

DEPLOYMENT = Deployment(
    target="embedded",
    endpoint="http://127.0.0.1:1",
    region="us-east-1",
    stack_name="Tidemark",
    api_url="http://127.0.0.1:1/prod",
    template_digest="d1",
    outputs={},
)
LAG = Lag(
    events=3, projected=3, spread=Spread(41, 82, 143, 200), late=[], missing=[], waited_s=0.25
)
OPS = [
    op(took_ms=31.4),
    op(start_ms=900, took_ms=100, replayed=True),
    op(kind=Kind.QUERY, operation="owner_accounts", took_ms=18.9),
    op(Outcome.FAIL, problem="busy", status=409),
    op(Outcome.INFO, problem="http-500", status=500),
]
REPORT = Report(
    profile="closed",
    run_id="run-1",
    deployment=DEPLOYMENT,
    seed="7",
    users=4,
    summary=summarise(OPS, frozenset({"busy"})),
    lag=LAG,
    lateness=None,
    judgements=[],
    exit_code=ExitCode.OK,
)


def printed(report: Report, *, is_terminal: bool = False) -> str:
    stream = io.StringIO()
    report.print(Console(file=stream, width=110, force_terminal=is_terminal, soft_wrap=True))
    return stream.getvalue()


def line_of(text: str, beginning: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(beginning)]
    return line.removeprefix(beginning).split()


def test_rows_carry_counts_rate_and_exact_percentiles() -> None:
    text = printed(REPORT)
    assert line_of(text, "writes") == ["2", "1", "1", "2.0", "1.0", "100", "100", "100"]
    assert line_of(text, "reads") == ["1", "0", "0", "1.0", "18.9", "18.9", "18.9", "18.9"]
    assert line_of(text, "owner accounts") == line_of(text, "reads")


def test_the_lag_the_refusals_and_the_errors_are_said() -> None:
    text = printed(REPORT)
    assert "p50 41.0 ms, p95 82.0 ms, p99 143 ms, max 200 ms; 3 of 3 events" in text
    assert "Refused, as it should be: busy 1" in text
    assert "Errors: info http-500 1" in text
    assert "earlier answer: 1" in text
    assert "seed 7" in text


def test_what_was_not_seen_is_said() -> None:
    late = [f"e{number}" for number in range(7)]
    text = printed(replace(REPORT, lag=replace(LAG, late=late, missing=["e9"])))
    assert "Not seen projected: e0, e1, e2, e3, e4 and 2 more" in text
    assert "Acknowledged, but not in the log: e9" in text


def test_a_run_without_answers_or_lag_still_has_a_report() -> None:
    lost = [op(Outcome.INFO, problem="lost", status=None)]
    text = printed(replace(REPORT, summary=summarise(lost, frozenset()), lag=None))
    assert line_of(text, "writes")[-4:] == ["-"] * 4
    assert "Projection lag" not in text


def test_what_is_no_terminal_gets_no_escapes_and_no_rules() -> None:
    text = printed(REPORT)
    assert text.isascii()
    assert "\x1b" not in text
    assert "\x1b" in printed(REPORT, is_terminal=True)


def test_every_row_is_whole_at_80_columns_whatever_it_has_to_say() -> None:
    row = replace(
        REPORT.summary.operations[0],
        ok=50_000,
        refused=12_345,
        errors=12_345,
        per_s=1234.5,
        latency=Spread(99.94, 1_234.5, 29_999, 30_000),
    )
    names = ("open_account", "withdraw", "statement", "owner_accounts", "owner_totals")
    rows = [replace(row, name=name) for name in names]
    report = replace(REPORT, summary=replace(REPORT.summary, operations=rows, writes=row))
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
    document = json.loads(json.dumps(REPORT.as_json()))
    assert document["writes"]["ok"] == 2
    assert document["reads"]["latency"]["p50_ms"] == pytest.approx(18.9)
    assert document["projection_lag"]["spread"]["p95_ms"] == 82
    assert document["errors"] == {"info http-500": 1}
    assert (document["seed"], document["template_digest"]) == ("7", "d1")
    assert document["exit_code"] == 0
