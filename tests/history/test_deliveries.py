"""What the processor's log says of each message becomes rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemark.history.deliveries import told

if TYPE_CHECKING:
    from collections.abc import Iterator


def tried(request: str, at_ms: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """The lines of an invocation that fails with its only message."""
    said: list[dict[str, Any]] = [
        {"message": "started", "message_ids": ["m"]},
        {
            "message": "record",
            "message_id": "m",
            "account_id": "run.a",
            "outcome": "failed",
            "attempts": 1,
            "ambiguous": False,
            "healed": [],
        },
        {"message": "invocation"},
    ]
    for one in said:
        yield at_ms, one | {"function_request_id": request}


def test_a_retry_under_the_same_request_id_is_an_invocation_of_its_own() -> None:
    lines = [*tried("r", 1), *tried("other", 2), *tried("r", 3)]

    rows = list(told(lines, accounts={"run.a"}))

    outcomes = [row["request_id"] for table, row in rows if table == "deliveries"]
    invocations = [row for table, row in rows if table == "invocations"]
    assert outcomes == ["r", "other", "r~2"]
    assert [one["request_id"] for one in invocations] == outcomes
    assert all(one["ended"] for one in invocations)


def test_an_invocation_that_began_before_the_run_and_one_that_never_ended_are_told_apart() -> None:
    _, *late = tried("early", 1)
    lines = [
        *late,
        *tried("early", 2),
        *list(tried("killed", 3))[:2],
        (4, {"message": "of others"}),
    ]

    rows = list(told(lines, accounts={"run.a"}))

    outcomes = [row["request_id"] for table, row in rows if table == "deliveries"]
    ended = {row["request_id"]: row["ended"] for table, row in rows if table == "invocations"}
    assert outcomes == ["early", "early", "killed"]
    assert ended == {"early": True, "killed": False}
