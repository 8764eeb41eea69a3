"""Why a change of a run may go unnoticed: it alters nothing that is claimed of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.invariants.finding import NS_PER_MS, commands, number_of, setting

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.invariants.bank import Row
    from tests.invariants.mutations import Mutation
    from tests.invariants.recorded import Tables

    When = Callable[[Mutation, Tables], bool]


class Reason(NamedTuple):
    """A class of changes that alter nothing that is claimed.

    Attributes:
        table: Where they are.
        whats: What they are: `drop`, `double`, or the columns.
        because: Why nothing is claimed of them.
        when: What must be so in the run, before the change.
    """

    table: str
    whats: tuple[str, ...]
    because: str
    when: When


def reason_of(mutation: Mutation, tables: Tables) -> Reason | None:
    """Why a change of a run alters nothing that is claimed; None if that has no reason."""
    for reason in REASONS:
        if (
            reason.table == mutation.table
            and mutation.what in reason.whats
            and reason.when(mutation, tables)
        ):
            return reason
    return None


def _always(_: Mutation, __: Tables) -> bool:
    return True


def _value(mutation: Mutation) -> tuple[int, int]:
    """The lower and the higher of what a number was and is."""
    assert mutation.after is not None
    was, value = mutation.before[mutation.what] or 0, mutation.after[mutation.what]
    return min(was, value), max(was, value)


def _of(rows: list[Row], **cells: object) -> list[Row]:
    return [row for row in rows if cells.items() <= row.items()]


# Ops


def _left_nothing(op: Row, tables: Tables) -> bool:
    """Whether a command was refused, or is in doubt and not in the log."""
    key = {"principal": op["principal"], "key": op["key"]}
    others = [one for one in _of(commands(tables), **key) if one is not op]
    is_accepted = any(one["outcome"] == "ok" for one in others)
    is_refused: bool = op["outcome"] == "fail"
    return is_refused or (
        op["outcome"] == "info" and not is_accepted and not _of(tables["events"], **key)
    )


def _asked_in_vain(mutation: Mutation, tables: Tables) -> bool:
    """Whether it is of a command that left nothing, whether with the key that it has now or had."""
    after = mutation.after or mutation.before
    key = {"principal": after["principal"], "key": after["key"]}
    is_free = (after["key"], after["principal"]) == (
        mutation.before["key"],
        mutation.before["principal"],
    ) or not (_of(tables["events"], **key) or _of(commands(tables), **key))
    return (
        mutation.before["kind"] == "command" and _left_nothing(mutation.before, tables) and is_free
    )


def _was_in_vain_and_last(mutation: Mutation, tables: Tables) -> bool:
    op = mutation.before
    session = _of(tables["ops"], writer=op["writer"], session=op["session"])
    is_last: bool = op["seq"] == max(one["seq"] for one in session)
    saw_nothing = op["kind"] == "query" and not op["rows_read"]
    return is_last and (saw_nothing or _asked_in_vain(mutation, tables))


def _stays_refused_for_its_key(mutation: Mutation, tables: Tables) -> bool:
    """Whether it was refused before the key that it has now was accepted, or as another payload."""
    op = mutation.after or mutation.before
    others = _of(commands(tables), principal=op["principal"], key=op["key"], outcome="ok")
    return op["outcome"] == "fail" and all(
        op["start_ns"] <= one["end_ns"]
        or (op["status"] == 422 and one["payload_hash"] != op["payload_hash"])
        for one in others
    )


def _is_alone_with_its_key(mutation: Mutation, tables: Tables) -> bool:
    op = mutation.before
    return (
        op["kind"] == "command"
        and len(_of(tables["ops"], principal=op["principal"], key=op["key"])) == 1
    )


def _says_no_version(mutation: Mutation, _: Tables) -> bool:
    op = mutation.before
    is_told = op["kind"] == "command" and op["outcome"] == "ok"
    return not is_told and op["reads"] != "account_reads"


def _is_pinned_rightly(mutation: Mutation, tables: Tables) -> bool:
    after = mutation.after or mutation.before
    is_next = after["expected_version"] + 1 == after["version"] if after["version"] else False
    return after["replayed"] or is_next or _asked_in_vain(mutation, tables)


def _stays_of_its_kind(mutation: Mutation, tables: Tables) -> bool:
    assert mutation.after is not None
    named = _of(tables["ops"], operation=mutation.after["operation"])
    return {one["kind"] for one in named} == {mutation.before["kind"]} and (
        {one["reads"] for one in named} <= {mutation.before["reads"], None}
    )


def _stays_of_its_class(mutation: Mutation, _: Tables) -> bool:
    low, high = _value(mutation)
    return low // 100 == high // 100


def _stays_between_its_neighbours(mutation: Mutation, tables: Tables) -> bool:
    op = mutation.after or mutation.before
    session = _of(tables["ops"], writer=op["writer"], session=op["session"])
    earlier = [one["end_ns"] for one in session if one["seq"] < op["seq"]]
    later = [one["start_ns"] for one in session if one["seq"] > op["seq"]]
    is_read = op["reads"] is not None and op["rows_read"]
    times = [op["intended_ns"], op["start_ns"], op["end_ns"]]
    in_order = [*earlier[-1:], op["start_ns"], op["end_ns"], *later[:1]]
    return (
        times == sorted(times)
        and in_order == sorted(in_order)
        and (mutation.what == "intended_ns" or not is_read)
    )


def _saw_nothing(mutation: Mutation, _: Tables) -> bool:
    return mutation.before["kind"] == "query" and not mutation.before["rows_read"]


def _is_read_for_the_end(mutation: Mutation, tables: Tables) -> bool:
    op = mutation.before
    return op["kind"] == "command" or op["purpose"] == "final" or _is_right_at_the_end(op, tables)


def _is_right_at_the_end(op: Row, tables: Tables) -> bool:
    """Whether what an op read is what the read model has in the end, or a part of it."""
    if not op["rows_read"]:
        return True
    rows = [row for row in tables[op["reads"]] if number_of(row) == number_of(op)]
    if op["reads"] == "totals_reads":
        held = ({name: row[name] for name in ("owner", "accounts", "balance")} for row in rows)
        return all(one in tables["totals"] for one in held)
    if op["reads"] == "page_reads":
        return True  # an older page beside the newest ones
    return all(_of(tables["accounts"], aggregate=r["aggregate"], digest=r["digest"]) for r in rows)


def _was_not_at_the_end(mutation: Mutation, tables: Tables) -> bool:
    return all(
        op["purpose"] != "final"
        for op in tables["ops"]
        if number_of(op) == number_of(mutation.before)
    )


# The log, and the samples


def _is_not_newest(event: Row, tables: Tables) -> bool:
    log = _of(tables["events"], aggregate=event["aggregate"])
    return bool(event["version"] < max(one["version"] for one in log))


def _is_sampled(event: Row, tables: Tables) -> bool:
    return bool(_of(tables["snapshots"], event_id=event["event_id"]))


def _is_in_no_account(mutation: Mutation, tables: Tables) -> bool:
    event = mutation.before
    samples = _of(tables["snapshots"], event_id=event["event_id"])
    is_in_a_sample = any(one["projected_at_ms"] is not None for one in samples)
    return _is_not_newest(event, tables) and not is_in_a_sample


def _is_in_no_sample(mutation: Mutation, tables: Tables) -> bool:
    return not _is_sampled(mutation.before, tables)


def _was_read_by_nobody(mutation: Mutation, tables: Tables) -> bool:
    event = mutation.before
    place = {"aggregate": event["aggregate"], "version": event["version"]}
    reads = [*tables["account_reads"], *tables["owner_reads"]]
    return _is_not_newest(event, tables) and not _of(reads, **place)


def _is_newest(mutation: Mutation, tables: Tables) -> bool:
    return not _is_not_newest(mutation.before, tables)


def _is_possible_in_its_place(mutation: Mutation, tables: Tables) -> bool:
    """Whether a sampled account may have been at a version, by the event and by other samples."""
    before, after = mutation.before, mutation.after
    assert after is not None
    others = _of(tables["snapshots"], aggregate=after["aggregate"], writer=after["writer"])
    earlier = [one["account_version"] for one in others if one["sample"] < after["sample"]]
    later = [one["account_version"] for one in others if one["sample"] > after["sample"]]
    in_order = [*earlier[-1:], after["account_version"], *later[:1]]
    is_same_side = (before["account_version"] >= before["version"]) == (
        after["account_version"] >= after["version"]
    )
    return is_same_side and in_order == sorted(in_order)


def _is_the_last_sample(mutation: Mutation, tables: Tables) -> bool:
    taken = _of(tables["snapshots"], writer=mutation.before["writer"])
    return bool(mutation.before["sample"] == len(taken))


# Messages and faults


def _may_fail(mutation: Mutation, _: Tables) -> bool:
    assert mutation.after is not None
    return (mutation.before["outcome"], mutation.after["outcome"]) == ("duplicate", "failed")


def _may_be_unsaid(mutation: Mutation, tables: Tables) -> bool:
    row = mutation.before
    silent = {one["message_id"] for one in tables["invocations"] if not one["ended"]}
    return row["outcome"] == "applied" and any(
        (one["ambiguous"] or one["message_id"] in silent)
        and one["aggregate"] == row["aggregate"]
        and one["version"] >= row["version"]
        for one in tables["deliveries"]
    )


def _is_allowed(mutation: Mutation, tables: Tables) -> bool:
    assert mutation.after is not None
    count = mutation.after["receive_count"]
    letters = _of(tables["dead_letters"], message_id=mutation.before["message_id"])
    most = [*setting(tables, "most_receives"), *(one["receive_count"] for one in letters)]
    return all(count <= one for one in most)


def _is_as_often_as_delivered(mutation: Mutation, tables: Tables) -> bool:
    assert mutation.after is not None
    count = mutation.after["receive_count"]
    deliveries = _of(tables["deliveries"], message_id=mutation.before["message_id"])
    return all(count >= (one["receive_count"] or 0) for one in deliveries)


def _took_one(mutation: Mutation, _: Tables) -> bool:
    assert mutation.after is not None
    return bool(mutation.before["outcome"] == "failed" or mutation.after["attempts"] >= 1)


def _is_stale(mutation: Mutation, tables: Tables) -> bool:
    return bool(_of(tables["events"], event_id=mutation.before["event_id"]))


def _becomes_doubtful(mutation: Mutation, _: Tables) -> bool:
    return mutation.before["ambiguous"] is False


def _becomes_endless(mutation: Mutation, _: Tables) -> bool:
    return bool(mutation.before["ended"])


def _never_ended(mutation: Mutation, _: Tables) -> bool:
    return not mutation.before["ended"]


def _is_told_only(mutation: Mutation, _: Tables) -> bool:
    fault = mutation.before["fault"]
    return fault != "poison" or mutation.what != "message_id"


def _has_nothing_in_between(mutation: Mutation, tables: Tables) -> bool:
    """Whether nothing was recorded or projected between two times of a fault."""
    low, high = _value(mutation)
    times = [
        event[name] * NS_PER_MS
        for event in tables["events"]
        for name in ("recorded_at_ms", "projected_at_ms")
    ]
    return not any(low <= time <= high for time in times)


def _strikes_enough(mutation: Mutation, tables: Tables) -> bool:
    assert mutation.after is not None
    planned = _of(tables["planned_faults"], fault=mutation.before["fault"])
    return all(mutation.after["fired"] >= one["times"] for one in planned)


def _plans_less(mutation: Mutation, _: Tables) -> bool:
    after = mutation.after
    return after is None or after["times"] < mutation.before["times"]


REASONS = (
    Reason(
        "claims", ("drop",),
        "an invariant that is not claimed is judged all the same where enough was seen", _always,
    ),
    Reason(
        "settings", ("value",),
        "the run keeps the bound with so much to spare that a little more or less is kept, too",
        _always,
    ),
    Reason(
        "planned_faults", ("drop", "times"), "who plans less has it, too", _plans_less,
    ),
    Reason(
        "faults", ("fired",), "it struck as often as was planned, or more often", _strikes_enough,
    ),
    Reason(
        "faults", ("start_ns", "end_ns"),
        "nothing was recorded or projected between the two times", _has_nothing_in_between,
    ),
    Reason(
        "faults", ("message_id", "event_id", "aggregate"),
        "poison is known by its message; what else a fault concerned is told to the reader",
        _is_told_only,
    ),
    Reason(
        "ops", ("problem",), "what went wrong, in a word, is told to the reader", _always,
    ),
    Reason(
        "ops", ("operation",),
        "an operation's name is told to the reader; what a command does is in its effect",
        _stays_of_its_kind,
    ),
    Reason(
        "ops", ("status",), "it says the same of what was done", _stays_of_its_class,
    ),
    Reason(
        "ops", ("intended_ns", "start_ns", "end_ns"),
        "the op stays between those before and after it in its session",
        _stays_between_its_neighbours,
    ),
    Reason(
        "ops", ("version",),
        "of a refusal, or of a page, the version is told to the reader", _says_no_version,
    ),
    Reason(
        "ops", ("payload_hash",),
        "nobody sent anything else under its key", _is_alone_with_its_key,
    ),
    Reason(
        "ops", ("expected_version",),
        "it came as the version after that one, or did nothing", _is_pinned_rightly,
    ),
    Reason(
        "ops", ("token", "aggregate", "owner"),
        "who was told that the read model is behind has read nothing", _saw_nothing,
    ),
    Reason(
        "ops",
        ("key", "principal", "payload_hash", "effect_digest", "aggregate", "outcome"),
        "a command that did nothing is as good as another that did nothing", _asked_in_vain,
    ),
    Reason(
        "ops", ("key", "principal", "payload_hash"),
        "before its key is accepted a command may be refused, and after that another payload is",
        _stays_refused_for_its_key,
    ),
    Reason(
        "ops", ("drop",),
        "it did nothing and saw nothing, and nothing in its session comes after it",
        _was_in_vain_and_last,
    ),
    Reason(
        "ops", ("purpose",),
        "a command is judged whatever it was for; a read that is right at the end is so for any "
        "purpose",
        _is_read_for_the_end,
    ),
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
        "snapshots", ("taken_at_ms",), "it is as young as it must be all the same", _always,
    ),
    Reason(
        "snapshots", ("account_version",),
        "the account was before, or beyond, the event all the same, and between other samples",
        _is_possible_in_its_place,
    ),
    Reason(
        "snapshots", ("drop",), "none comes after it, and there are enough", _is_the_last_sample,
    ),
    Reason(
        "deliveries", ("at_ms",), "when it was logged is told to the reader", _always,
    ),
    Reason(
        "deliveries", ("attempts",), "it took one transaction at least", _took_one,
    ),
    Reason(
        "deliveries", ("receive_count",), "the queue allows so many", _is_allowed,
    ),
    Reason(
        "deliveries", ("ambiguous",),
        "doubt makes less of a claim, and nothing is missing here", _becomes_doubtful,
    ),
    Reason(
        "deliveries", ("outcome",),
        "a delivery of what is projected already may fail", _may_fail,
    ),
    Reason(
        "deliveries", ("outcome",),
        "a later delivery of the account, in doubt or cut off, may have projected it",
        _may_be_unsaid,
    ),
    Reason(
        "invocations", ("at_ms",), "when it started is told to the reader", _always,
    ),
    Reason(
        "invocations", ("ended",),
        "an invocation that was cut off makes less of a claim, and nothing is missing here",
        _becomes_endless,
    ),
    Reason(
        "invocations", ("message_id", "request_id"),
        "which message a cut-off invocation had only loosens what is claimed", _never_ended,
    ),
    Reason(
        "dead_letters", ("drop",), "a stale letter is neither poison nor loss", _is_stale,
    ),
    Reason(
        "dead_letters", ("receive_count",),
        "it was received as often as its deliveries say, or more often",
        _is_as_often_as_delivered,
    ),
)  # fmt: skip
"""Each class of changes that goes unnoticed, with its reason; what has none is a mistake."""
