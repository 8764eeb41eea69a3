"""Did a load run sustain its rate, and if not, what kept it from it?"""

from __future__ import annotations

from typing import Any

from tidemark.errors import ExitCode
from tidemark.load.sustained import BOUNDS, Limit, Tried, tried
from tidemark.measures.contention import HotKey

HOT = HotKey("late events", "owner", "o1", 0.9, 0.4)


def step(
    exit_code: ExitCode = ExitCode.OK,
    *,
    reason: str = "",
    hot: HotKey | None = None,
    was_limit: bool = False,
    was_starved: bool = False,
    refused: int = 0,
    accepted: int = 1000,
    **measures: float,
) -> Tried:
    figures: dict[str, Any] = {
        "measures": {"writes_per_s": 9.5, "write_p99_ms": 100.0, "lag_p99_ms": 200.0, **measures},
        "writes": {"ok": accepted, "refused": refused, "errors": 0, "replayed": 0},
        "reads": {"ok": 0, "refused": 0, "errors": 0, "replayed": 0},
        "refusals": {"busy": refused},
        "generator": {"was_limit": was_limit or was_starved, "was_starved": was_starved},
    }
    return tried(
        "write",
        10.0,
        run="r1",
        exit_code=exit_code,
        reason=reason,
        figures=figures,
        bounds=BOUNDS,
        hot=hot,
    )


def test_a_run_within_its_bounds_sustained_its_rate() -> None:
    one = step()
    assert (one.limit, one.why, one.writes_per_s, one.reads_per_s) == (None, "", 9.5, 0.0)
    assert one.step.passed


def test_a_run_beyond_a_bound_did_not_and_says_which_by_how_much() -> None:
    one = step(lag_p99_ms=1200.0)
    assert one.limit is Limit.TARGET
    assert one.why == "lag_p99_ms is 1200 ms and may be 1000 ms"
    assert not one.step.passed


def test_every_bound_that_is_missed_is_said() -> None:
    one = step(lag_p99_ms=1200.0, write_p99_ms=600.0)
    assert one.why.count(" may be ") == 2


def test_a_violated_invariant_is_no_slow_target_whatever_else_is_wrong() -> None:
    one = step(
        ExitCode.VIOLATED, reason="the history is violated", hot=HOT, was_limit=True, lag_p99_ms=9e9
    )
    assert (one.limit, one.why) == (Limit.CORRECTNESS, "the history is violated")
    assert one.is_violated


def test_what_is_unknown_is_not_sustained() -> None:
    one = step(ExitCode.UNKNOWN, reason="3 of 9 events were not seen projected")
    assert (one.limit, one.why) == (Limit.TARGET, "3 of 9 events were not seen projected")


def test_a_bound_of_the_profile_counts_like_those_of_the_search() -> None:
    one = step(ExitCode.SLO_MISSED, reason="write_max_ms is 3 ms and may be 2 ms")
    assert (one.limit, one.why) == (Limit.TARGET, "write_max_ms is 3 ms and may be 2 ms")


def test_where_the_generator_was_the_limit_the_target_is_not_blamed() -> None:
    one = step(was_limit=True, hot=HOT, unsent_share=0.2)
    assert one.limit is Limit.GENERATOR
    assert one.why == (
        "the load generator was the limit, not the target: unsent_share is 20% and may be 1%"
    )


def test_where_others_had_the_generators_cores_neither_it_nor_the_target_is_blamed() -> None:
    one = step(was_starved=True, unsent_share=0.2)
    assert one.limit is Limit.SHARED_CORES
    assert one.why == (
        "others had the cores that the load generator needed, and where the target is one of "
        "them, who was the limit cannot be told: unsent_share is 20% and may be 1%"
    )


def test_a_tired_generator_within_the_bounds_is_no_limit() -> None:
    assert step(was_limit=True).limit is None


def test_a_hot_key_is_named_before_the_bound_that_it_missed() -> None:
    one = step(hot=HOT, lag_p99_ms=1200.0)
    assert one.limit is Limit.HOT_KEY
    assert one.why.startswith("a single hot key is the limit: 90% of the late events")
    assert one.why.endswith("; lag_p99_ms is 1200 ms and may be 1000 ms")


def test_a_hot_key_within_the_bounds_is_no_limit() -> None:
    assert step(hot=HOT).limit is None


def test_a_rate_that_is_refused_is_not_taken() -> None:
    assert step(refused=10).limit is None
    one = step(refused=30)
    assert one.limit is Limit.TARGET
    assert one.why == "2.9% of the calls were refused (busy 30) and 1% may be"


def test_a_step_is_read_as_it_was_written() -> None:
    for one in (step(), step(lag_p99_ms=1200.0)):
        assert Tried.of_json(one.as_json()) == one
