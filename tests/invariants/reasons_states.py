"""Why changes of what reads, the log and samples say may go unnoticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.invariants.finding import number_of
from tests.invariants.reason import Reason, of, values

if TYPE_CHECKING:
    from tests.invariants.bank import Row
    from tests.invariants.mutations import Mutation
    from tests.invariants.recorded import Tables

_YOUNG_MS = 1000


def _was_not_at_the_end(mutation: Mutation, tables: Tables) -> bool:
    return all(
        op["purpose"] != "final"
        for op in tables["ops"]
        if number_of(op) == number_of(mutation.before)
    )


def _is_not_newest(event: Row, tables: Tables) -> bool:
    log = of(tables["events"], aggregate=event["aggregate"])
    return bool(event["version"] < max(one["version"] for one in log))


def _is_sampled(event: Row, tables: Tables) -> bool:
    return bool(of(tables["snapshots"], event_id=event["event_id"]))


def _is_in_no_account(mutation: Mutation, tables: Tables) -> bool:
    event = mutation.before
    samples = of(tables["snapshots"], event_id=event["event_id"])
    is_in_a_sample = any(one["projected_at_ms"] is not None for one in samples)
    return _is_not_newest(event, tables) and not is_in_a_sample


def _is_in_no_sample(mutation: Mutation, tables: Tables) -> bool:
    return not _is_sampled(mutation.before, tables)


def _was_read_by_nobody(mutation: Mutation, tables: Tables) -> bool:
    event = mutation.before
    place = {"aggregate": event["aggregate"], "version": event["version"]}
    reads = [*tables["account_reads"], *tables["owner_reads"]]
    return _is_not_newest(event, tables) and not of(reads, **place)


def _is_newest(mutation: Mutation, tables: Tables) -> bool:
    return not _is_not_newest(mutation.before, tables)


def _is_possible_in_its_place(mutation: Mutation, tables: Tables) -> bool:
    """Whether a sampled account may have been at a version, by the event and by other samples."""
    before, after = mutation.before, mutation.after
    assert after is not None
    others = of(tables["snapshots"], aggregate=after["aggregate"], writer=after["writer"])
    earlier = [one["account_version"] for one in others if one["sample"] < after["sample"]]
    later = [one["account_version"] for one in others if one["sample"] > after["sample"]]
    in_order = [*earlier[-1:], after["account_version"], *later[:1]]
    is_same_side = (before["account_version"] >= before["version"]) == (
        after["account_version"] >= after["version"]
    )
    return is_same_side and in_order == sorted(in_order)


def _is_the_last_sample(mutation: Mutation, tables: Tables) -> bool:
    taken = of(tables["snapshots"], writer=mutation.before["writer"])
    return bool(mutation.before["sample"] == len(taken))


def _is_as_young(mutation: Mutation, _: Tables) -> bool:
    """Whether a sample is young enough both times, or of an event that was projected by then."""
    sample = mutation.before
    low, high = (at_ms - sample["recorded_at_ms"] for at_ms in values(mutation))
    is_same = (low < _YOUNG_MS) == (high < _YOUNG_MS)
    return is_same or sample["projected_at_ms"] is not None


REASONS = (
    Reason(
        "page_reads", ("is_kept",), "a page without lines has none to keep",
        lambda mutation, _: mutation.before["lines"] == 0,
    ),
    Reason(
        "page_reads", ("is_last",),
        "that no line follows may be told by an empty page alone",
        lambda mutation, _: bool(mutation.before["is_last"]),
    ),
    Reason(
        "totals_reads", ("accounts", "balance"),
        "totals that were read while the run went on may be of any time, those of the end may not",
        _was_not_at_the_end,
    ),
    Reason(
        "events", ("projected_at_ms",),
        "neither a sample nor the account has this time", _is_in_no_account,
    ),
    Reason(
        "events", ("recorded_at_ms",), "no sample has this time", _is_in_no_sample,
    ),
    Reason(
        "events", ("state_digest",),
        "nobody read the account at this version, and later ones are right", _was_read_by_nobody,
    ),
    Reason(
        "events", ("status",), "no event comes after it that a closing would forbid", _is_newest,
    ),
    Reason(
        "snapshots", ("taken_at_ms",), "it is as young as it must be all the same", _is_as_young,
    ),
    Reason(
        "snapshots", ("account_version",),
        "the account was before, or beyond, the event all the same, and between other samples",
        _is_possible_in_its_place,
    ),
    Reason(
        "snapshots", ("drop",), "none comes after it, and there are enough", _is_the_last_sample,
    ),
)  # fmt: skip
