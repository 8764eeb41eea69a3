"""Why changes of ops may go unnoticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.invariants.finding import commands, number_of
from tests.invariants.reason import Reason, always, of, values

if TYPE_CHECKING:
    from tests.invariants.bank import Row
    from tests.invariants.mutations import Mutation
    from tests.invariants.recorded import Tables


def _left_nothing(op: Row, tables: Tables) -> bool:
    """Whether a command was refused, or is in doubt and not in the log."""
    key = {"principal": op["principal"], "key": op["key"]}
    others = [one for one in of(commands(tables), **key) if one is not op]
    is_accepted = any(one["outcome"] == "ok" for one in others)
    is_refused: bool = op["outcome"] == "fail"
    return is_refused or (
        op["outcome"] == "info" and not is_accepted and not of(tables["events"], **key)
    )


def _asked_in_vain(mutation: Mutation, tables: Tables) -> bool:
    """Whether it is of a command that left nothing, whether with the key that it has now or had."""
    after = mutation.after or mutation.before
    key = {"principal": after["principal"], "key": after["key"]}
    is_free = (after["key"], after["principal"]) == (
        mutation.before["key"],
        mutation.before["principal"],
    ) or not (of(tables["events"], **key) or of(commands(tables), **key))
    return (
        mutation.before["kind"] == "command" and _left_nothing(mutation.before, tables) and is_free
    )


def _was_in_vain_and_last(mutation: Mutation, tables: Tables) -> bool:
    op = mutation.before
    session = of(tables["ops"], writer=op["writer"], session=op["session"])
    is_last: bool = op["seq"] == max(one["seq"] for one in session)
    saw_nothing = op["kind"] == "query" and not op["rows_read"]
    return is_last and (saw_nothing or _asked_in_vain(mutation, tables))


def _stays_refused_for_its_key(mutation: Mutation, tables: Tables) -> bool:
    """Whether it was refused before the key that it has now was accepted, or as another payload."""
    op = mutation.after or mutation.before
    others = of(commands(tables), principal=op["principal"], key=op["key"], outcome="ok")
    return op["outcome"] == "fail" and all(
        op["start_ns"] <= one["end_ns"]
        or (op["status"] == 422 and one["payload_hash"] != op["payload_hash"])
        for one in others
    )


def _is_alone_with_its_key(mutation: Mutation, tables: Tables) -> bool:
    op = mutation.before
    return (
        op["kind"] == "command"
        and len(of(tables["ops"], principal=op["principal"], key=op["key"])) == 1
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
    named = of(tables["ops"], operation=mutation.after["operation"])
    return {one["kind"] for one in named} == {mutation.before["kind"]} and (
        {one["reads"] for one in named} <= {mutation.before["reads"], None}
    )


def _stays_of_its_class(mutation: Mutation, _: Tables) -> bool:
    low, high = values(mutation)
    return low // 100 == high // 100


def _stays_between_its_neighbours(mutation: Mutation, tables: Tables) -> bool:
    op = mutation.after or mutation.before
    session = of(tables["ops"], writer=op["writer"], session=op["session"])
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
    return all(of(tables["accounts"], aggregate=r["aggregate"], digest=r["digest"]) for r in rows)


REASONS = (
    Reason(
        "ops", ("problem",), "what went wrong, in a word, is told to the reader", always,
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
)  # fmt: skip
