"""What the workers of a load run share, and what each takes of it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tidemark.load.arrivals import Plan, Stretch
from tidemark.load.schedule import Schedule
from tidemark.load.share import Share
from tidemark.workloads.bank_arrivals import Population, Traffic

TRAFFIC = Traffic("run", Population(9, "zipfian", 2, "uniform"), {"deposit": 1, "account": 2})


def shares(workers: int) -> list[Share]:
    return [Share(worker, workers) for worker in range(workers)]


@given(seed=st.text(max_size=5), workers=st.integers(1, 7))
@settings(deadline=None, max_examples=25)
def test_the_workers_send_the_plan_of_one_at_the_same_instants(seed: str, workers: int) -> None:
    plan = Plan((Stretch(3, 5, 20),), seed)

    def sent(share: Share) -> list[tuple[int, object]]:
        schedule = Schedule(plan, TRAFFIC, lambda: 0, share)
        schedule.begin_at(1_000)
        return [(due.intended_ns, due.call) for due in iter(schedule.take, None)]

    by_all = [one for share in shares(workers) for one in sent(share)]
    assert sorted(by_all, key=lambda one: one[0]) == sent(Share())


@given(most=st.integers(1, 1000), workers=st.integers(1, 32))
def test_a_bound_holds_over_all_workers_together(most: int, workers: int) -> None:
    assert sum(share.part_of(most) for share in shares(workers)) == most


def test_no_two_workers_have_a_number_or_a_name_in_common() -> None:
    numbers = [share.number_of(place) for share in shares(3) for place in range(4)]
    assert sorted(numbers) == list(range(12))
    assert [share.writer for share in shares(3)] == ["w1", "w2", "w3"]
