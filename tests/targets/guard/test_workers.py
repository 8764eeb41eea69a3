"""Invocations of one function leave room for those of the others, in ministack's own account."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from ministack.services import lambda_svc

from tidemark.targets.guard import workers
from tidemark.targets.guard.turns import Bounds
from tidemark.targets.guard.workers import bound_workers

if TYPE_CHECKING:
    from collections.abc import Iterator

AT_ONCE = 4
ASKING = 40


@pytest.fixture(autouse=True)
def emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    """An emulator that has at most four invocations in flight, of which none ends."""
    for name in ("_acquire_execution_slot", "_release_execution_slot"):
        monkeypatch.setattr(lambda_svc, name, getattr(lambda_svc, name))
    monkeypatch.setattr(lambda_svc, "_ACCOUNT_CONCURRENCY_CAP", AT_ONCE)
    monkeypatch.setattr(lambda_svc, "_inflight", {})
    monkeypatch.setattr(lambda_svc, "_inflight_total", 0)


@pytest.fixture
def callers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(ASKING) as pool:
        yield pool


def invoke(function: str, reserved: int | None = None) -> Any:
    """Begin an invocation, and return its slot or why there is none."""
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function}"
    slot, limit = lambda_svc._acquire_execution_slot(
        {"concurrency": reserved}, {"FunctionName": function, "FunctionArn": arn}
    )
    return slot or limit


def test_readers_who_wait_leave_room_for_writers(callers: ThreadPoolExecutor) -> None:
    bound_workers(Bounds(usual=1, most=2, patience_s=0, limit_s=0))
    answers = list(callers.map(invoke, ["reader"] * ASKING))

    assert answers.count("account") == ASKING - 2
    assert invoke("writer").endswith(":writer")


def test_a_turn_ends_with_its_invocation() -> None:
    bound_workers(Bounds(usual=1, most=1, waiting=0))
    slot = invoke("reader")
    assert invoke("reader") == "account"
    lambda_svc._release_execution_slot(slot)
    assert invoke("reader") == slot


def test_a_function_that_may_not_run_at_all_is_throttled_each_time() -> None:
    bound_workers(Bounds(usual=1, most=1, waiting=0))
    assert [invoke("paused", reserved=0) for _ in range(3)] == ["function"] * 3


def test_a_function_has_a_worker_for_each_core_and_some_for_those_that_wait() -> None:
    assert workers._fitting(cores=2, in_flight=32) == Bounds(usual=2, most=6)
    assert workers._fitting(cores=64, in_flight=32) == Bounds(usual=10, most=10)


def test_without_bounds_given_a_function_has_a_third_of_the_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lambda_svc, "_ACCOUNT_CONCURRENCY_CAP", 9)
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    bound_workers()
    with ThreadPoolExecutor() as pool:
        slots = list(pool.map(invoke, ["one", "two", "three"] * 3))
    assert all(slot.startswith("000000000000:") for slot in slots)
