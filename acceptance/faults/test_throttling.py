"""A function may not run for a block, and may again however that ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from acceptance.faults.conftest import HANDLER
from tidemark.faults.place import describe
from tidemark.faults.throttling import release, throttled_projection
from tidemark.host.undo import Journal

if TYPE_CHECKING:
    from pathlib import Path

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment


class Rows(list[dict[str, Any]]):
    """A history that keeps what faults write into it."""

    def plan(self, fault: str, times: int) -> None:
        self.append({"planned": fault, "times": times})

    def note_letter(self, letter: object) -> None:
        raise AssertionError(letter)

    def add(self, table: str, values: dict[str, Any]) -> None:
        assert table == "faults"
        self.append(values)


def reserved(aws: AwsClients) -> int | None:
    answer = aws.functions.get_function_concurrency(FunctionName=HANDLER)
    return answer.get("ReservedConcurrentExecutions")


def test_a_function_is_refused_for_a_block_and_runs_after_it(
    aws: AwsClients, deployment: Deployment, tmp_path: Path
) -> None:
    journal, rows = Journal(tmp_path), Rows()
    refused = aws.functions.exceptions.TooManyRequestsException
    with throttled_projection(journal, aws, deployment, rows):
        with pytest.raises(refused):
            aws.functions.invoke(FunctionName=HANDLER)
        [begun] = journal.entries()
        assert begun.what == f"The function {HANDLER} may not run"

    assert aws.functions.invoke(FunctionName=HANDLER)["StatusCode"] == 200
    assert journal.entries() == []
    planned, row = rows
    assert planned == {"planned": "throttled", "times": 1}
    assert (row["fault"], row["fired"]) == ("throttled", 1)
    assert row["start_ns"] < row["end_ns"]


def test_a_concurrency_that_was_reserved_is_reserved_again_also_when_the_block_fails(
    aws: AwsClients, deployment: Deployment, tmp_path: Path
) -> None:
    aws.functions.put_function_concurrency(FunctionName=HANDLER, ReservedConcurrentExecutions=3)
    try:
        throttled = throttled_projection(Journal(tmp_path), aws, deployment, None)
        with pytest.raises(KeyboardInterrupt), throttled:
            raise KeyboardInterrupt

        assert reserved(aws) == 3
    finally:
        aws.functions.delete_function_concurrency(FunctionName=HANDLER)


def test_what_a_killed_run_throttled_may_run_again(
    aws: AwsClients, deployment: Deployment, tmp_path: Path
) -> None:
    place = describe(Journal(tmp_path), deployment)
    aws.functions.put_function_concurrency(FunctionName=HANDLER, ReservedConcurrentExecutions=0)

    assert release(place, HANDLER, None) == f"The function {HANDLER} may run again."

    assert reserved(aws) is None
    assert release(place, "no-such-function", None) is None
