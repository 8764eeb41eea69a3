from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from tests.measures.ops import op
from tidemark.api.op import Kind, Outcome
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
    op(kind=Kind.QUERY, route="GET /accounts/{id}", took_ms=18.9),
    op(Outcome.FAIL, problem="busy", status=409),
    op(Outcome.INFO, problem="http-500", status=500),
]
REPORT = Report(
    run_id="run-1",
    deployment=DEPLOYMENT,
    seed="7",
    users=4,
    summary=summarise(OPS, frozenset({"busy"})),
    lag=LAG,
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
    assert line_of(text, "writes") == ["2", "1", "1", "2.0", "1.0", "100.0", "100.0", "100.0"]
    assert line_of(text, "reads") == ["1", "0", "0", "1.0", "18.9", "18.9", "18.9", "18.9"]
    assert line_of(text, "GET /accounts/{id}") == line_of(text, "reads")


def test_the_lag_the_refusals_and_the_errors_are_said() -> None:
    text = printed(REPORT)
    assert "p50 41.0 ms, p95 82.0 ms, p99 143.0 ms, max 200.0 ms; 3 of 3 events" in text
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


def test_the_console_of_what_is_no_terminal_does_not_wrap(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    REPORT.print(report_console())
    assert "GET /accounts/{id}" in capsys.readouterr().out


def test_the_json_has_what_the_table_has() -> None:
    document = json.loads(json.dumps(REPORT.as_json()))
    assert document["writes"]["ok"] == 2
    assert document["reads"]["latency"]["p50_ms"] == pytest.approx(18.9)
    assert document["projection_lag"]["spread"]["p95_ms"] == 82
    assert document["errors"] == {"info http-500": 1}
    assert (document["seed"], document["template_digest"]) == ("7", "d1")
    assert document["exit_code"] == 0
