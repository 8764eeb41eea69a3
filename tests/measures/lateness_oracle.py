"""The lateness of a run, slowly and obviously right, from its tables as lists of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.invariants.finding import is_views_only
from tidemark.measures.lateness import AGES_MS, WAITS_FOR, Healed, Lateness, Stale, Visible
from tidemark.percentiles import Spread

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.invariants.bank import Row
    from tests.invariants.recorded import Tables

_UNFAIR = ("poll", "final")


def lateness(tables: Tables) -> Lateness:
    """What the queries should say."""
    events, writers = tables["events"], tables["writers"]
    projected = [one for one in events if one["projected_at_ms"] is not None]
    set_up = {one["event_id"] for one in tables["ops"] if one["purpose"] == "setup"}
    lagging = [one for one in projected if one["event_id"] not in set_up]
    is_untimed = is_views_only(tables) and not projected
    offsets = {one["writer"]: one["clock_offset_ns"] for one in writers}
    writes, reads = _calls(tables, offsets)
    polled = [
        (write, polls)
        for write in tables["ops"]
        if write["kind"] == "command"
        and write["outcome"] == "ok"
        and not write["replayed"]
        and (polls := [one for one in tables["ops"] if _waits_for(one, write)])
    ]
    seen = [_first_seen(write, [*filter(_is_read, polls)]) for write, polls in polled]
    if not polled:
        seen = [_first_seen(write, reads) for write in writes]
    errors = [one["clock_error_ns"] for one in writers if one["ops_begun"]]
    return Lateness(
        events=len(events),
        unprojected=0 if is_untimed else len(events) - len(projected),
        lagging=len(lagging),
        lag=Spread.of(one["projected_at_ms"] - one["recorded_at_ms"] for one in lagging),
        visibility=Spread.of(one for one in seen if one is not None),
        sampled=len(polled),
        unread=seen.count(None),
        curve=_curve(writes, [one for one in reads if _counts(one)]),
        own_writes=_stale(tables["ops"], "command"),
        monotonic=_stale(tables["ops"], "query"),
        converged_ms=_converged(events, projected),
        faults=tuple(_healed(tables)),
        clock_error_ms=max(errors) * 2 / 1e6 if len(errors) > 1 else 0.0,
    )


def _calls(tables: Tables, offsets: dict[str, int]) -> tuple[list[Row], list[Row]]:
    """Acknowledged versions, each once, and reads of accounts, all by one clock."""
    first: dict[Any, Row] = {}
    reads = []
    for op in tables["ops"]:
        for _ in range(sum(one["writer"] == op["writer"] for one in tables["writers"])):
            start, end = (op[name] - offsets[op["writer"]] for name in ("start_ns", "end_ns"))
            moved = op | {"start_ns": start, "end_ns": end}
            if op["kind"] == "command" and op["outcome"] == "ok" and not op["replayed"]:
                what = (op["aggregate"], op["version"])
                if what not in first or end < first[what]["end_ns"]:
                    first[what] = moved
            if _is_read(op):
                reads.append(moved)
    return list(first.values()), reads


def _waits_for(op: Row, write: Row) -> bool:
    named = f"{write['session']}{WAITS_FOR}{write['seq']}"
    is_its = (op["writer"], op["session"]) == (write["writer"], named)
    return bool(is_its and op["purpose"] == "poll")


def _is_read(op: Row) -> bool:
    return bool(op["reads"] == "account_reads" and op["rows_read"] == 1)


def _counts(op: Row) -> bool:
    return op["token"] is None and op["purpose"] not in _UNFAIR


def _first_seen(write: Row, reads: Iterable[Row]) -> float | None:
    ends = [
        one["end_ns"]
        for one in reads
        if one["aggregate"] == write["aggregate"] and (one["version"] or 0) >= write["version"]
    ]
    return max(min(ends) - write["end_ns"], 0) / 1e6 if ends else None


def _curve(writes: Iterable[Row], reads: Iterable[Row]) -> tuple[Visible, ...]:
    counted = [[0, 0] for _ in range(len(AGES_MS) + 1)]
    for read in reads:
        known = [
            one
            for one in writes
            if one["aggregate"] == read["aggregate"] and one["end_ns"] <= read["start_ns"]
        ]
        if not known:
            continue
        newest = max(one["version"] for one in known)
        told_ns = min(one["end_ns"] for one in known if one["version"] == newest)
        age_ms = (read["start_ns"] - told_ns) / 1e6
        step = counted[sum(bound < age_ms for bound in AGES_MS)]
        step[0] += 1
        step[1] += (read["version"] or 0) >= newest
    return tuple(
        Visible(bound, *step) for bound, step in zip((*AGES_MS, None), counted, strict=True)
    )


def _stale(ops: list[Row], kind: str) -> Stale:
    """Of the reads after something of this kind in their session, how many were behind it."""
    reads = stale = 0
    for read in ops:
        if not (_is_read(read) and _counts(read)):
            continue
        earlier = [
            one["version"] or 0
            for one in ops
            if all(one[name] == read[name] for name in ("writer", "session", "aggregate"))
            and one["seq"] < read["seq"]
            and one["kind"] == kind
            and (_is_read(one) if kind == "query" else one["outcome"] == "ok")
        ]
        if earlier:
            reads += 1
            stale += (read["version"] or 0) < max(earlier)
    return Stale(reads, stale)


def _converged(events: list[Row], projected: list[Row]) -> int | None:
    if not events or len(events) > len(projected):
        return None
    last: int = max(one["projected_at_ms"] for one in projected)
    return last - int(max(one["recorded_at_ms"] for one in events))


def _healed(tables: Tables) -> Iterable[Healed]:
    ended = [one for one in tables["faults"] if one["end_ns"] is not None]
    for fault in sorted(ended, key=lambda one: (one["end_ns"], one["fault"], one["id"])):
        before = [
            one["projected_at_ms"]
            for one in tables["events"]
            if one["recorded_at_ms"] * 1_000_000 <= fault["end_ns"]
        ]
        converged_ms = None
        if None not in before:
            converged_ms = max(max(before, default=0) - fault["end_ns"] // 1_000_000, 0)
        yield Healed(fault["fault"], fault["id"], converged_ms)
