"""A trace as one JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemark.trace.tracing import Trace, Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemark.trace.items import Event, Row
    from tidemark.trace.timeline import Moment
    from tidemark.trace.tracing import DeadLetter

_OF_AN_ACCOUNT = ("version", "balance", "status", "owner_id")


def of(wanted_id: str, found: Trace | Unknown) -> dict[str, Any]:
    """What `tidemark trace --json` prints; `kind` is null when nothing is known.

    Times are UTC milliseconds; offsets count from the first moment.
    """
    if isinstance(found, Unknown):
        return {"id": wanted_id, "kind": None, "searched": found.searched}
    return {
        "id": wanted_id,
        "kind": found.kind.value,
        "account_id": found.account_id,
        "timeline": _timeline(found.moments),
        "events": [_event(event, found) for event in found.events],
        "write_side": _account(found.head),
        "query_side": _account(found.account),
        "dead_letters": [_dead(letter) for letter in found.dead_letters],
        "notes": list(found.notes),
    }


def _timeline(moments: Sequence[Moment]) -> list[dict[str, Any]]:
    return [
        {
            "at_ms": moment.at_ms,
            "offset_ms": moment.at_ms - moments[0].at_ms,
            "stage": moment.stage.value,
            "source": moment.source,
            "text": moment.text,
            "is_trouble": moment.is_trouble,
            "said": dict(moment.said),
        }
        for moment in moments
    ]


def _event(event: Event, found: Trace) -> dict[str, Any]:
    mark = event.mark
    return {
        "account_id": event.key.account_id,
        "version": event.key.version,
        "event_id": event.key.event_id,
        "type": event.type,
        "command_id": event.command_id,
        "data": dict(event.data),
        "recorded_at_ms": event.recorded_at_ms,
        "projected_at_ms": event.projected_at_ms,
        "lag_ms": event.lag_ms,
        "outbox": mark
        and {"due_ms": mark.due_ms, "attempts": mark.attempts, "is_stuck": mark.is_stuck},
        "has_statement_line": event.key.version in found.lines,
    }


def _account(row: Row | None) -> dict[str, Any] | None:
    return None if row is None else {name: row[name] for name in _OF_AN_ACCOUNT}


def _dead(dead: DeadLetter) -> dict[str, Any]:
    letter = dead.letter
    return {
        "message_id": letter.message_id,
        "sent_at_ms": letter.sent_at_ms,
        "event": dict(letter.event),
        "is_stale": dead.is_stale,
        "reason": dead.reason,
    }
