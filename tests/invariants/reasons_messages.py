"""Why changes of deliveries, invocations and dead letters may go unnoticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.invariants.finding import setting
from tests.invariants.reason import Reason, always, of

if TYPE_CHECKING:
    from tests.invariants.mutations import Mutation
    from tests.invariants.recorded import Tables


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


def _may_be_the_one(mutation: Mutation, tables: Tables) -> bool:
    assert mutation.after is not None
    row = mutation.before
    place = {"aggregate": row["aggregate"], "version": row["version"]}
    others = [*of(tables["deliveries"], outcome="applied", **place), *of(tables["healed"], **place)]
    return (row["outcome"], mutation.after["outcome"], others) == ("duplicate", "applied", [])


def _is_allowed(mutation: Mutation, tables: Tables) -> bool:
    assert mutation.after is not None
    count = mutation.after["receive_count"]
    letters = of(tables["dead_letters"], message_id=mutation.before["message_id"])
    most = [*setting(tables, "most_receives"), *(one["receive_count"] for one in letters)]
    return all(count <= one for one in most)


def _is_as_often_as_delivered(mutation: Mutation, tables: Tables) -> bool:
    assert mutation.after is not None
    count = mutation.after["receive_count"]
    deliveries = of(tables["deliveries"], message_id=mutation.before["message_id"])
    return all(count >= (one["receive_count"] or 0) for one in deliveries)


def _took_one(mutation: Mutation, _: Tables) -> bool:
    assert mutation.after is not None
    return bool(mutation.before["outcome"] == "failed" or mutation.after["attempts"] >= 1)


def _is_stale(mutation: Mutation, tables: Tables) -> bool:
    return bool(of(tables["events"], event_id=mutation.before["event_id"]))


def _becomes_doubtful(mutation: Mutation, _: Tables) -> bool:
    return mutation.before["ambiguous"] is False


def _becomes_endless(mutation: Mutation, _: Tables) -> bool:
    return bool(mutation.before["ended"])


def _never_ended(mutation: Mutation, _: Tables) -> bool:
    return not mutation.before["ended"]


REASONS = (
    Reason(
        "deliveries", ("at_ms",), "when it was logged is told to the reader", always,
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
        "deliveries", ("outcome",),
        "no other says that it projected the event: one in doubt or cut off may not have, and this "
        "one instead",
        _may_be_the_one,
    ),
    Reason(
        "invocations", ("at_ms",), "when it started is told to the reader", always,
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
