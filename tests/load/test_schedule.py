from __future__ import annotations

from tidemark.load.arrivals import Plan, Stretch
from tidemark.load.schedule import Schedule
from tidemark.measures.summary import Punctuality
from tidemark.workloads.bank_arrivals import Population, Traffic

TRAFFIC = Traffic("run", Population(9, "zipfian", 2, "uniform"), {"deposit": 1, "account": 2})
PLAN = Plan((Stretch(2, 10, 10),), "s", is_poisson=False)


class Clock:
    now_ns = 5_000_000_000

    def __call__(self) -> int:
        return self.now_ns


def test_the_first_that_asks_begins_the_plan() -> None:
    clock = Clock()
    schedule = Schedule(PLAN, TRAFFIC, clock)
    clock.now_ns += 1_000_000_000
    first, second = schedule.take(), schedule.take()

    assert first is not None
    assert second is not None
    assert (first.intended_ns, second.intended_ns) == (6_100_000_000, 6_200_000_000)


def test_every_arrival_is_taken_once_and_then_there_is_none() -> None:
    schedule = Schedule(PLAN, TRAFFIC, Clock())
    taken = [due for _ in range(40) if (due := schedule.take()) is not None]

    assert len(taken) == len({due.intended_ns for due in taken}) == len(list(PLAN.arrivals()))


def test_the_seed_decides_call_by_call() -> None:
    def calls(seed: str) -> list[object]:
        schedule = Schedule(Plan(PLAN.stretches, seed), TRAFFIC, Clock())
        return [due.call for _ in range(40) if (due := schedule.take()) is not None]

    assert calls("s") == calls("s")
    assert calls("s") != calls("t")


def test_what_begins_late_or_never_is_counted() -> None:
    clock = Clock()
    schedule = Schedule(PLAN, TRAFFIC, clock)
    for late_ms in (0, 100, 101, 900):
        due = schedule.take()
        assert due is not None
        clock.now_ns = due.intended_ns + late_ms * 1_000_000
        schedule.begin(due)
    clock.now_ns = 5_000_000_000 + 950_000_000

    assert schedule.punctuality() == Punctuality(planned=9, late=2, unsent=5)


def test_a_plan_that_nobody_began_has_nothing_unsent() -> None:
    assert Schedule(PLAN, TRAFFIC, Clock()).punctuality() == Punctuality(0, 0, 0)
