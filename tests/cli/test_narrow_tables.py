"""Every table of the program is read at 80 columns, whatever is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import typer
from rich.text import Text

from tests.cli.narrow import assert_readable
from tests.probe.asking import result, row_result
from tidemark.aws.metrics import Summary
from tidemark.cli import doctor, metrics, permissions, probe, status, tables, trace
from tidemark.cli import list as listing
from tidemark.doctor.examination import Examination
from tidemark.doctor.finding import Finding, State
from tidemark.permissions.objections import Grant, Proof, Row
from tidemark.probe.observation import Comparison

if TYPE_CHECKING:
    from collections.abc import Callable

    Readable = Callable[[Callable[[], object]], str]

ARN = "arn:aws:sns:eu-central-1:111122223333:Tidemark-MessagingTopic804DEE88-D0C2888EA2FA3"
UUID = "2e5d2b32-02fb-4a4b-b8e9-de618d0ec7c7"
LONG = "a sentence that goes on for much longer than a terminal of eighty columns is wide, and on"


@pytest.fixture
def readable(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Readable:
    return lambda show: assert_readable(show, monkeypatch, capsys)


def test_a_table_that_is_too_wide_or_cut_off_is_noticed(readable: Readable) -> None:
    def show_cut_off() -> None:
        drawn = tables.with_headings("one", "two")
        drawn.add_row(LONG, Text(ARN, no_wrap=True, overflow="ellipsis"))
        tables.show(drawn)

    with pytest.raises(AssertionError):
        readable(show_cut_off)
    with pytest.raises(AssertionError):
        readable(lambda: typer.echo(LONG))


def test_metrics(readable: Readable) -> None:
    def summary(name: str, unit: str, value: float) -> Summary:
        figures = (value * 100_000, value, value * 2, value, value * 2)
        dimensions = {"stack": "Tidemark-of-somebody-with-a-long-name", "function": "a-function"}
        return Summary("Tidemark", name, dimensions, unit, 123_456, *figures)

    found = [
        summary("EventsThatCannotBeRead", "Count", 1.0),
        summary("ProjectionLag", "Milliseconds", 1_234.5),
    ]

    printed = readable(lambda: tables.show(metrics._table(metrics._title(found[0]), found)))

    assert "ProjectionLag ms" in printed


def test_probe(readable: Readable) -> None:
    found = result(
        row_result("reserved-concurrency-by-cloudformation", aws=LONG, observed=LONG),
        row_result("b", Comparison.NOT_SEEN, within_s=600, observed=f"dropped: {ARN}, {LONG}"),
        target="a-target-of-somebody",
    )

    printed = readable(lambda: probe._show(found, difference=None, as_json=False, is_page=False))

    assert "reserved-concurrency-by-cloudformation" in printed


def test_permissions(readable: Readable) -> None:
    grants = [
        Grant("dynamodb:PutItem", "CommandTable", "command#*"),
        Grant("logs:PutLogEvents", "ReadSideUpdateProcessorLogs34030301:*"),
        Grant("sqs:ChangeMessageVisibility", ARN),
    ]
    rows = [Row("UpdateProcessor", one, LONG, is_covered=True) for one in grants]
    proofs = {"queued": Proof(rows), "direct": Proof(rows[:1])}

    printed = readable(lambda: tables.show(permissions._table(proofs)))

    assert "UpdateProcessor" in printed


def test_doctor(readable: Readable) -> None:
    found = Examination(
        "embedded",
        "no Docker engine answers",
        [
            Finding("extra [localstack]", State.OK, f"testcontainers 4.15 in /home/{UUID}/.venv"),
            Finding("LocalStack image", State.PROBLEM, f"{ARN} is not here", LONG),
        ],
    )

    printed = readable(lambda: doctor._print(found))

    assert "extra [localstack]" in printed


def test_status(readable: Readable) -> None:
    report: dict[str, Any] = {
        "target": "embedded",
        "endpoint": "http://127.0.0.1:58527",
        "region": "eu-central-1",
        "stack_name": "Tidemark",
        "api_url": "http://127.0.0.1:58527/_aws/execute-api/b5d2b0b7/v1",
        "template_digest": "694d80ddc3311732bef4d9f0dbae02c96a3f66275819773ccdaff135354f098f",
        "wiring": "queued",
        "outputs": {"EventSourceMappingId": UUID, "TopicArn": ARN},
        "outbox": {"size": 0, "oldest_age_s": 0.0, "stuck": 0},
        "queue_depth": 0,
        "dead_letters": 0,
        "versions": {f"component-{number}": "1.2.3" for number in range(9)},
    }

    printed = readable(lambda: tables.show_rows(status._rows(report)))

    assert "EventSourceMappingId" in printed


def test_list(readable: Readable, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {
        "stack": "Tidemark-of-somebody-with-a-long-name",
        "target": "localstack",
        "wiring": "queued",
        "endpoint": "https://an-emulator-of-somebody.example.internal:4566",
        "api_url": f"https://an-emulator-of-somebody.example.internal:4566/{UUID}",
        "state": "UPDATE_ROLLBACK_FAILED",
    }
    monkeypatch.setattr(listing, "_rows", lambda _: [row, row])

    printed = readable(listing.show)

    assert "localstack" in printed


def test_trace(readable: Readable) -> None:
    moment = {
        "offset_ms": 1_234_567,
        "stage": "transaction",
        "text": f"message {UUID}, receive 1: applied, after healing version 1 in 3 attempts",
        "source": "update-processor",
        "is_trouble": True,
    }
    found: dict[str, Any] = {
        "id": UUID,
        "kind": "command",
        "account_id": f"account-{UUID}"[:32],
        "timeline": [moment],
        "events": [],
        "dead_letters": [{"message_id": UUID, "is_stale": False, "reason": LONG}],
        "write_side": None,
        "query_side": {"version": 1, "balance": 2**53 - 1, "status": "open"},
        "notes": [LONG],
    }

    printed = readable(lambda: trace._show(found))

    assert "dead letter" in printed
