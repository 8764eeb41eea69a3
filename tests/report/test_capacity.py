"""What a search for capacity is said to have found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tidemark.load.capacity_log import CapacityLog, Wanted
from tidemark.load.sustained import Limit, Tried
from tidemark.report.capacity import endings, headline

if TYPE_CHECKING:
    from pathlib import Path

WANTED = Wanted(
    profiles=["read"],
    step_s=8,
    bounds={},
    resolution=1.1,
    most_steps=16,
    start=None,
    processes=1,
    seed="s",
)
LOG = CapacityLog(
    id="l",
    date="2026-11-27",
    target="embedded",
    stack_name="One",
    template_digest="0",
    versions={},
    cores=2,
    wanted=WANTED,
)


def _tried(rate: float, limit: Limit | None = None) -> Tried:
    return Tried(
        profile="read",
        rate=rate,
        run=f"r{rate:g}",
        writes_per_s=0,
        reads_per_s=rate,
        measures={},
        limit=limit,
        why="" if limit is None else f"{limit} at {rate:g}",
        is_violated=limit is Limit.CORRECTNESS,
    )


def test_a_search_that_went_on_is_told_in_the_order_of_one_that_never_stopped(
    tmp_path: Path,
) -> None:
    log = replace(
        LOG,
        versions={"tidemark": "1", "ministack": "2"},
        wanted=replace(WANTED, bounds={"write_p99_ms": 1000, "lag_p99_ms": 5000}),
        tried=[replace(_tried(85.7), measures={"write_p99_ms": 900.0, "lag_p99_ms": 70.0})],
    )

    resumed = CapacityLog.read(log.save(tmp_path))

    assert headline(resumed) == headline(log)


def test_a_violated_invariant_is_said_of_a_rate_above_the_lowest_that_failed_too() -> None:
    log = replace(
        LOG,
        tried=[
            _tried(111, Limit.CORRECTNESS),
            _tried(102, Limit.TARGET),
            _tried(93.5, Limit.TARGET),
            _tried(85.7),
        ],
    )

    assert list(endings(log)) == [
        "read: 111 calls/s failed (run r111): correctness at 111.",
        "read: 93.5 calls/s failed (run r93.5): target at 93.5.",
        "read: 85.7 calls/s passed, and was not repeated.",
    ]
