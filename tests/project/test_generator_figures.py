"""What the bench makes of what load generators say of themselves."""

from __future__ import annotations

import pytest

from tools.bench.generator import Sent, of_calm, of_pairs, of_twos


def sent(requests: int, cpu_s: float = 1.0, late_p99_ms: float = 0.0) -> Sent:
    return Sent(requests, 0, 2.0, cpu_s, 0.0, late_p99_ms)


def test_ours_are_held_against_the_bare_users_that_ran_beside_them() -> None:
    # The machine was half as fast for the second pair.
    pairs = [(sent(1000), sent(950)), (sent(500), sent(475)), (sent(1000), sent(10))]

    rate, cpu = of_pairs(pairs)

    assert (rate.value, rate.reached) == (0.95, True)
    assert rate.note == "median of 3 pairs; 238/s and 500/s"
    assert cpu.value == pytest.approx(0.95)
    assert cpu.note == "1000 µs and 2105 µs"


def test_fewer_than_nine_tenths_are_missed() -> None:
    (rate, _) = of_pairs([(sent(1000), sent(899))])
    assert not rate.reached
    assert rate.bound == "≥ 0.9 x"


def test_two_processes_are_held_against_one() -> None:
    row = of_twos([(sent(1000), [sent(850), sent(900)])], server_us=250)
    assert (row.value, row.reached) == (1.75, True)
    assert row.note.endswith("250 µs a call beside 1000, which leaves two 1.60 times at most")


def test_a_late_call_is_told_with_the_rate_that_it_came_at() -> None:
    row = of_calm(sent(2000, late_p99_ms=3.0))
    assert (row.value, row.reached) == (3.0, False)
    assert row.note == "at 70% of the most, 1,000/s, 50% of a core"
