"""The oracle's view of commands: what was asked, what was told, and what the log has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.invariants.finding import (
    DAY_MS,
    NS_PER_MS,
    Finding,
    clock_error_ns,
    commands,
    grouped,
    is_of_killed,
    is_views_only,
    killed_writers,
)

if TYPE_CHECKING:
    from tests.invariants.bank import Row
    from tests.invariants.recorded import Tables

_COMMAND = ("principal", "key")
_PLACE = ("aggregate", "version")
_KEPT_MS = 20 * 60 * 60 * 1000  # the answer is kept for a day, and the export takes its time
_OF_THE_GATEWAY = (403, 429)  # refusals that say nothing about what the handler would do


def durable_accept(tables: Tables) -> Finding:
    logged = grouped(tables["events"], *_COMMAND)
    asked = grouped(commands(tables), *_COMMAND)
    is_violated = any(_has_several_events(events) for events in logged.values())
    is_beyond = False
    for command, ops in asked.items():
        events = logged.get(command, [])
        accepted = [op for op in ops if op["outcome"] == "ok"]
        in_doubt = [op for op in ops if op["outcome"] == "info"]
        if accepted:
            is_violated |= not all(_is_logged_as_told(op, events) for op in accepted)
        elif in_doubt:
            is_violated |= not all(_was_asked(event, in_doubt) for event in events)
        elif events:
            is_cut = any(op["writer"] in killed_writers(tables) for op in ops)
            is_violated |= not is_cut
            is_beyond |= is_cut
    return Finding(is_violated, any(op["outcome"] == "ok" for op in commands(tables)), is_beyond)


def _has_several_events(events: list[Row]) -> bool:
    """Whether a key has two events within a day."""
    first_ms = min(event["recorded_at_ms"] for event in events)
    of_a_day = [event for event in events if event["recorded_at_ms"] - first_ms < DAY_MS]
    return len({(e["aggregate"], e["version"], e["event_id"]) for e in of_a_day}) > 1


def _is_logged_as_told(op: Row, events: list[Row]) -> bool:
    told = [event for event in events if event["event_id"] == op["event_id"]]
    if not any(all(event[name] == op[name] for name in _PLACE) for event in told):
        return False
    return all(op["effect_digest"] in (None, event["effect_digest"]) for event in told)


def _was_asked(event: Row, in_doubt: list[Row]) -> bool:
    return any(op["effect_digest"] in (None, event["effect_digest"]) for op in in_doubt)


def no_phantom(tables: Tables) -> Finding:
    log = tables["events"]
    places = {(event["aggregate"], event["version"]) for event in log}
    asked = grouped(commands(tables), *_COMMAND)
    unasked = [event for event in log if (event["principal"], event["key"]) not in asked]
    answered = {
        (e["principal"], e["key"], e["event_id"], e["aggregate"], e["version"]) for e in log
    }
    shown = [
        *((row["aggregate"], row["version"]) for row in tables["lines"]),
        *((row["aggregate"], row["version"]) for row in tables["accounts"]),
        *((row["aggregate"], row["version"]) for row in tables["heads"]),
    ]
    kept = [
        (row["principal"], row["key"], row["event_id"], row["aggregate"], row["version"])
        for row in tables["commands"]
    ]
    owners = {event["owner"] for event in log}
    return Finding(
        is_violated=(
            not all(is_of_killed(tables, event["key"]) for event in unasked)
            or not places.issuperset(shown)
            or not answered.issuperset(kept)
            or not owners.issuperset(row["owner"] for row in tables["totals"])
        ),
        is_enough=bool(log),
        is_beyond_judgement=any(is_of_killed(tables, event["key"]) for event in unasked),
    )


def no_lost_update(tables: Tables) -> Finding:
    accepted = [op for op in commands(tables) if op["outcome"] == "ok"]
    killed = killed_writers(tables)
    return Finding(
        is_violated=(
            _pins_were_overrun(tables)
            or any(_is_a_lie(tables, op) for op in commands(tables) if op["status"] == 412)
            or _has_several_commands(accepted, "version")
            or _is_more_than_logged(tables, accepted)
        ),
        is_enough=_has_several_commands(commands(tables), "expected_version"),
        is_beyond_judgement=bool(killed)
        and (
            any(op["writer"] in killed and op["aggregate"] is not None for op in commands(tables))
            or any(is_of_killed(tables, event["key"]) for event in tables["events"])
        ),
    )


def _pins_were_overrun(tables: Tables) -> bool:
    """Whether a pinned command came elsewhere than next, or two of them came after one version."""
    committed = grouped(
        [*tables["events"], *(op for op in commands(tables) if op["outcome"] == "ok")], *_COMMAND
    )
    overrunning = set()
    for command, ops in grouped(commands(tables), *_COMMAND).items():
        tried = [op for op in ops if op["outcome"] != "fail" and not op["replayed"]]
        pins = {op["expected_version"] for op in tried}
        if not pins or None in pins:
            continue
        for commit in committed.get(command, []):
            if commit["version"] is None or commit["version"] - 1 not in pins:
                return True
            if len(pins) == 1:
                overrunning.add((commit["aggregate"], *pins, command))
    places = [place[:2] for place in overrunning]
    return len(set(places)) < len(places)


def _is_a_lie(tables: Tables, op: Row) -> bool:
    """Whether a command was told that the version had moved, though it never did."""
    account, pin = op["aggregate"], op["expected_version"]
    if op["outcome"] != "fail" or pin is None:
        return False
    is_made = any(
        other["outcome"] == "ok"
        and (other["aggregate"], other["version"]) == (account, pin)
        and other["end_ns"] + clock_error_ns(tables) < op["start_ns"]
        for other in commands(tables)
    )
    has_moved = any(
        event["aggregate"] == account and event["version"] > pin for event in tables["events"]
    )
    return is_made and not has_moved


def _has_several_commands(ops: list[Row], column: str) -> bool:
    """Whether two commands have one account and one value of a column in common."""
    found = {
        (op["aggregate"], op[column], op["principal"], op["key"])
        for op in ops
        if op["aggregate"] is not None and op[column] is not None
    }
    places = [one[:2] for one in found]
    return len(set(places)) < len(places)


def _is_more_than_logged(tables: Tables, accepted: list[Row]) -> bool:
    for account, ops in grouped(accepted, "aggregate").items():
        log = [event["version"] for event in tables["events"] if event["aggregate"] == account]
        if len({(op["principal"], op["key"]) for op in ops}) > max(log, default=0):
            return True
    return False


def idempotent_retry(tables: Tables) -> Finding:
    is_violated = any(
        _has_several_events(events) for events in grouped(tables["events"], *_COMMAND).values()
    ) or _forgot_an_answer(tables)
    was_sent_again = False
    for ops in grouped(commands(tables), *_COMMAND).values():
        first_ns = min(op["start_ns"] for op in ops)
        sent = [op for op in ops if op["end_ns"] - first_ns < DAY_MS * NS_PER_MS]
        is_violated |= _answers_disagree(tables, sent)
        is_violated |= any(_denies_its_effect(tables, op) for op in sent)
        ended = [op["end_ns"] for op in ops if op["outcome"] == "ok"]
        was_sent_again |= bool(ended) and any(op["start_ns"] > min(ended) for op in ops)
    return Finding(is_violated, was_sent_again)


def _answers_disagree(tables: Tables, sent: list[Row]) -> bool:
    error_ns = clock_error_ns(tables)
    accepted = [op for op in sent if op["outcome"] == "ok"]
    told = {(op["payload_hash"], op["event_id"], op["aggregate"], op["version"]) for op in accepted}
    if len(told) > 1 or sum(not op["replayed"] for op in accepted) > 1:
        return True
    for op in sent:
        began = [
            other
            for other in sent
            if other["start_ns"] < op["end_ns"] + error_ns
            and other["outcome"] != "fail"
            and not other["replayed"]
        ]
        if op["replayed"] and not began and not killed_writers(tables):
            return True
    if not accepted:
        return False
    known_ns = min(op["end_ns"] for op in accepted) + error_ns
    payload = accepted[0]["payload_hash"]
    return any(_is_wrong_answer(op, payload) for op in sent if op["start_ns"] > known_ns)


def _is_wrong_answer(op: Row, payload: str) -> bool:
    """Whether an op that was sent after the acceptance of a payload was answered wrongly."""
    if op["status"] is None:
        return False
    if op["payload_hash"] == payload:
        return op["outcome"] == "fail" and op["status"] not in _OF_THE_GATEWAY
    return op["status"] < 500 and op["status"] not in (400, 422, *_OF_THE_GATEWAY)


def _denies_its_effect(tables: Tables, op: Row) -> bool:
    """Whether a command was refused after somebody had seen what it did."""
    if op["outcome"] != "fail" or op["status"] is None or op["status"] in _OF_THE_GATEWAY:
        return False
    effects = [
        event
        for event in tables["events"]
        if all(event[name] == op[name] for name in (*_COMMAND, "effect_digest"))
    ]
    return any(
        other["outcome"] == "ok"
        and other["aggregate"] == event["aggregate"]
        and other["version"] is not None
        and other["version"] >= event["version"]
        and other["end_ns"] + clock_error_ns(tables) < op["start_ns"]
        for event in effects
        for other in tables["ops"]
    )


def _forgot_an_answer(tables: Tables) -> bool:
    kept = grouped(tables["commands"], *_COMMAND)
    newest_ms = max((event["recorded_at_ms"] for event in tables["events"]), default=0)
    return not is_views_only(tables) and any(
        newest_ms - event["recorded_at_ms"] < _KEPT_MS
        and (event["principal"], event["key"]) not in kept
        for event in tables["events"]
    )
