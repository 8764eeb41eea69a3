"""How far one clock is ahead of another."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tidemark.load.offset import Offset

TIME = st.integers(0, 10**12)


@given(ahead=st.integers(-(10**12), 10**12), out=TIME, back=TIME)
@settings(deadline=None)
def test_the_offset_is_within_its_error_however_uneven_the_way(
    ahead: int, out: int, back: int
) -> None:
    read = Offset.asked(sent_ns=ahead, there_ns=out, received_ns=out + back + ahead)
    assert abs(read.ns - ahead) <= read.error_ns
    assert read.error_ns <= (out + back) // 2 + 1


def test_of_questions_at_one_time_the_quickest_is_the_surest() -> None:
    quick, slow = Offset(5, 7), Offset(-100, 100)
    assert Offset.best([slow, quick]) == quick


def test_a_clock_that_drifts_is_as_unsure_as_it_drifted() -> None:
    over = Offset.over([Offset(0, 2), Offset(1_000, 1_004)])
    assert (over.ns, over.error_ns) == (502, 502)
