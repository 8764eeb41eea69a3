"""A trace as one JSON object."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tidemark.trace.tracing import Trace, Unknown

if TYPE_CHECKING:
    from tidemark.trace.tracing import DeadLetter
    from tidemark.workloads.bank_items import Event, Row

_OF_AN_ACCOUNT = ("version", "balance", "status", "owner_id")
_OF_A_LETTER = ("message_id", "sent_at_ms", "event")


def of(wanted_id: str, found: Trace | Unknown) -> dict[str, Any]:
    """What `tidemark trace --json` prints; `kind` is null when nothing is known.

    Times are UTC milliseconds; offsets count from the first moment.
    """
    if isinstance(found, Unknown):
        return {"id": wanted_id, "kind": None, "searched": found.searched}
    return {
        "id": wanted_id,
        "kind": found.kind,
        "account_id": found.account_id,
        "timeline": [
            asdict(moment) | {"offset_ms": moment.at_ms - found.moments[0].at_ms}
            for moment in found.moments
        ],
        "events": [_event(event, found) for event in found.events],
        "write_side": _account(found.head),
        "query_side": _account(found.account),
        "dead_letters": [_dead(letter) for letter in found.dead_letters],
        "notes": list(found.notes),
    }


def _event(event: Event, found: Trace) -> dict[str, Any]:
    said, mark = asdict(event), event.mark
    del said["mark"]
    return {
        **said.pop("key"),
        **said,
        "lag_ms": event.lag_ms,
        "outbox": None if mark is None else asdict(mark) | {"is_stuck": mark.is_stuck},
        "has_statement_line": event.key.version in found.lines,
    }


def _account(row: Row | None) -> dict[str, Any] | None:
    return None if row is None else {name: row[name] for name in _OF_AN_ACCOUNT}


def _dead(dead: DeadLetter) -> dict[str, Any]:
    said = {name: getattr(dead.letter, name) for name in _OF_A_LETTER}
    return said | {"is_stale": dead.is_stale, "reason": dead.reason}
