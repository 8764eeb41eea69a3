"""What exporting a large run takes: memory, and CPU by the event."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil

from tidemark.history.deliveries import told
from tidemark.workloads.bank_history import BankHistory
from tidemark.workloads.bank_items import EventKey, event_key, line_key
from tidemark.workloads.bank_tables import BankTables
from tools.bench.row import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

_EVENTS = 1_000_000
_WARM = 100_000
_ACCOUNTS = 10_000
_RUN = "20260101T000000-abcdef"


def measure() -> list[Row]:
    """Export a million events with their lines and deliveries, of tables that nobody holds."""
    tables = BankTables(_Tables(), "log", "views")  # type: ignore[arg-type]  # all that is asked
    accounts = {_account(number) for number in range(_ACCOUNTS)}
    began_s, warm_mb, most_mb, count = time.process_time(), 0.0, 0.0, 0
    for rows in (BankHistory(tables).export(_RUN), told(_log_lines(), accounts=accounts)):
        for _ in rows:
            count += 1
            if count % _WARM == 0:
                now_mb = psutil.Process().memory_info().rss / 1e6
                warm_mb, most_mb = warm_mb or now_mb, max(most_mb, now_mb)
    each_us = (time.process_time() - began_s) / _EVENTS * 1e6
    note = f"from {warm_mb:.0f} MB; {count:,} rows, of {_EVENTS:,} events on {_ACCOUNTS:,} accounts"
    return [
        Row("memory grown by exporting a million events", most_mb - warm_mb, "MB", 50, note),
        Row("CPU to export an event, its line and delivery", each_us, "µs"),
    ]


@dataclass(frozen=True)
class _Tables:
    """Two tables that are made up while they are scanned, each account's events far apart."""

    def get_paginator(self, _: str) -> _Tables:
        return self

    def paginate(self, *, TableName: str, **_: Any) -> Iterator[dict[str, Any]]:  # noqa: N803 -- as AWS has it
        item = _event if TableName == "log" else _line
        for number in range(_EVENTS):
            yield {"Items": [item(_account(number % _ACCOUNTS), number // _ACCOUNTS + 1)]}


def _account(number: int) -> str:
    return f"{_RUN}.c1.a{number}"


def _event(account_id: str, version: int) -> dict[str, Any]:
    return {
        **event_key(account_id, version),
        "event_id": {"S": f"{account_id}.{version}"},
        "type": {"S": "FundsDeposited"},
        "owner_id": {"S": f"{_RUN}.c1.o1"},
        "command_id": {"S": f"AROA#{_RUN}.w1.c1.{version}"},
        "data": {"M": {"amount": {"N": "5"}}},
        "recorded_at": {"N": "1767225600000"},
        "projected_at": {"N": "1767225600100"},
    }


def _line(account_id: str, version: int) -> dict[str, Any]:
    return {
        **line_key(account_id, version),
        "type": {"S": "FundsDeposited"},
        "amount": {"N": "5"},
        "balance": {"N": str(5 * version)},
        "recorded_at": {"N": "1767225600000"},
    }


def _log_lines() -> Iterator[tuple[int, dict[str, Any]]]:
    for number in range(_EVENTS):
        key = EventKey(_account(number % _ACCOUNTS), number // _ACCOUNTS + 1, f"e{number}")
        for said in delivery_of(key):
            yield number, said


def delivery_of(event: EventKey) -> Iterator[dict[str, Any]]:
    """What a processor logs of an event that it was given by itself, and applied at once.

    Args:
        event: The event.
    """
    about = {"function_request_id": f"r.{event.event_id}"}
    message_id = f"m.{event.event_id}"
    yield about | {"message": "started", "message_ids": [message_id]}
    record: dict[str, Any] = {
        "message": "record",
        "message_id": message_id,
        "account_id": event.account_id,
        "event_id": event.event_id,
        "version": event.version,
        "receive_count": 1,
        "outcome": "applied",
        "attempts": 1,
        "ambiguous": False,
        "healed": [],
    }
    yield about | record
    yield about | {"message": "invocation"}
