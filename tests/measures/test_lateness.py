"""How late a run was, by queries, is what a slow and obvious reckoning in Python says."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.invariants.clean_runs import clean_run, closed
from tests.invariants.database import Database
from tests.invariants.edits import leave_views_only
from tests.invariants.folders import write_run
from tests.measures.lateness_oracle import lateness
from tidemark.invariants.views import connect
from tidemark.measures.lateness import AGES_MS, Stale, Visible, lateness_of, with_samples
from tidemark.report.lateness import describe, measure

if TYPE_CHECKING:
    from pathlib import Path

    from tests.invariants.recorded import Tables

MS = 1_000_000


@cache
def database() -> Database:
    return Database()


def agree(tables: Tables) -> None:
    database().load(tables)
    run = database().connection
    assert with_samples(run, lateness_of(run)) == lateness(tables)


def stirred(seed: int) -> Tables:
    """A run whose reads, lags and clocks are what chance makes them."""
    draw = random.Random(seed)  # noqa: S311 -- draws, no secrets
    tables = clean_run(seed % 4, steps=seed % 4 * 8)
    ops = [dict(row) for row in tables["ops"]]
    for row in ops:
        if row["reads"] == "account_reads":
            row["version"] = draw.choice([row["version"], None, draw.randint(0, 9)])
            row["token"] = draw.choice([row["token"], None])
            row["purpose"] = draw.choice(["load", "test", "poll"])
        elif row["event_id"] is not None and draw.random() < 0.3:
            row["purpose"] = "setup"
        moved_ns = draw.choice([0, 7, -300, 4_000]) * MS
        row["start_ns"] += moved_ns
        row["end_ns"] += moved_ns
    events = [dict(row) for row in tables["events"]]
    for row in events:
        if draw.random() < 0.1 * (seed % 3):
            row["projected_at_ms"] = draw.choice([None, row["recorded_at_ms"] + 700])
    writers = [
        row | {"clock_offset_ns": draw.randint(-50, 50) * MS, "clock_error_ns": draw.randint(0, MS)}
        for row in tables["writers"]
    ]
    return tables | {"ops": ops, "events": events, "writers": writers}


def test_a_clean_run_is_measured_as_by_hand() -> None:
    agree(clean_run(1, steps=30))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**20))
def test_any_run_is_measured_as_by_hand(seed: int) -> None:
    agree(stirred(seed))


def test_what_set_a_run_up_was_as_late_as_it_was_and_is_none_of_the_runs_lag() -> None:
    tables = clean_run(1, steps=30)
    opened = next(one for one in tables["ops"] if one["event_id"] is not None)
    slow = [
        one
        | {
            "projected_at_ms": one["recorded_at_ms"]
            + 9_000 * (one["event_id"] == opened["event_id"])
        }
        for one in tables["events"]
    ]
    ops = [
        one | {"purpose": "setup"} if one["event_id"] == opened["event_id"] else one
        for one in tables["ops"]
    ]
    tables = tables | {"ops": ops, "events": slow}
    agree(tables)
    measured = lateness(tables)
    assert measured.lag is not None
    assert (measured.lag.max_ms, measured.lagging) == (0, len(slow) - 1)
    said = "\n".join(describe(measured, None))
    assert f" {len(slow) - 1} events, without 1 that set it up\n" in said


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**20))
def test_where_writes_are_polled_for_the_time_to_visibility_is_theirs_alone(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 -- draws, no secrets
    tables = clean_run(1, steps=30)
    written = [one for one in tables["ops"] if one["kind"] == "command" and one["version"]]
    read = next(one for one in tables["ops"] if one["reads"] == "account_reads")
    ops = list(tables["ops"])
    for write in draw.sample(written, 3):
        for seq in range(draw.randint(1, 3)):
            seen = {
                "writer": write["writer"],
                "session": f"{write['session']}~{write['seq']}",
                "seq": seq + 1,
                "purpose": "poll",
                "aggregate": write["aggregate"],
                "version": draw.choice([None, write["version"] - 1, write["version"]]),
                "rows_read": draw.choice([0, 1]),
                "end_ns": write["end_ns"] + draw.randint(-1, 900) * MS,
            }
            ops.append(read | seen)
    agree(tables | {"ops": ops})


def test_what_was_polled_for_is_said_to_be_a_sample() -> None:
    measured = replace(lateness(clean_run(1, steps=30)), sampled=3, unread=1)

    assert any(line.endswith("3 sampled; 1 not seen") for line in describe(measured, None))


@pytest.mark.parametrize(
    ("fresh", "says"),
    [
        ([4, 4], "all of 8 reads"),
        ([3, 4], "75.0% to 10 ms, all of 4 reads after that"),
        ([4, 3], "100.0% to 10 ms, 75.0% later"),
    ],
)
def test_where_all_reads_are_fresh_from_some_age_on_that_is_said_once(
    fresh: list[int], says: str
) -> None:
    curve = tuple(Visible(age, 4, one) for age, one in zip((10, None), fresh, strict=True))
    measured = replace(lateness(clean_run(1, steps=30)), curve=curve, clock_error_ms=0.0)

    assert f"newest version: {says}" in "\n".join(describe(measured, None)) + "\n"


def test_of_a_run_without_anything_nothing_is_said() -> None:
    empty: Tables = {name: [] for name in clean_run(1, steps=1)}
    database().load(empty)
    measured = lateness_of(database().connection)

    assert measured == lateness(empty)
    assert (measured.lag, measured.visibility, measured.converged_ms) == (None, None, None)
    assert describe(measured, "embedded") == []


def test_what_is_smaller_than_the_error_of_the_clocks_is_said_to_be_so() -> None:
    tables = clean_run(1, steps=30)
    tables = tables | {"writers": [row | {"clock_error_ns": 10**10} for row in tables["writers"]]}
    measured = lateness(tables)
    said = "\n".join(describe(measured, "aws"))

    assert measured.clock_error_ms == 20_000
    assert said.count("<20000") == 4  # the times to visibility, and no lag
    assert not any(f"to {bound} ms" in said for bound in AGES_MS)


def test_stale_reads_on_an_emulator_are_said_to_show_the_lag_alone() -> None:
    measured = replace(lateness(clean_run(1, steps=30)), own_writes=Stale(reads=8, stale=2))

    assert "own writes not seen 2 of 8 (25.0%)" in "\n".join(describe(measured, "aws"))
    assert "consistent" not in "\n".join(describe(measured, "aws"))
    assert "every read is consistent" in "\n".join(describe(measured, "localstack"))


def test_a_run_that_did_not_converge_says_how_much_is_not_projected() -> None:
    tables = clean_run(1, steps=10)
    last = tables["events"][-1] | {"projected_at_ms": None}
    said = describe(lateness(tables | {"events": [*tables["events"][:-1], last]}), None)

    assert "Not converged: 1 events are not projected." in said


def test_a_log_that_never_says_when_is_not_taken_for_one_that_lost_everything() -> None:
    tables = clean_run(1, steps=10)
    leave_views_only(tables)
    tables["events"] = [event | {"projected_at_ms": None} for event in tables["events"]]
    agree(tables)
    said = describe(lateness(tables), None)

    assert "The log does not say when events were projected: no lag, no convergence." in said


def test_what_is_not_whole_is_not_measured() -> None:
    assert describe(None, "embedded") == [
        (
            "Lateness: not measured, for the tables it is taken from are not whole, or more than "
            "memory and the disk for temporary files hold."
        )
    ]


def test_what_does_not_fit_the_memory_is_not_measured(tmp_path: Path) -> None:
    folder = write_run(tmp_path, closed(clean_run(1, steps=30)))
    with connect(folder) as run:
        assert measure(run, folder) is not None
        run.execute("SET memory_limit = '100KB'")
        run.execute("SET max_temp_directory_size = '0KB'")
        assert measure(run, folder) is None
