from __future__ import annotations

from dataclasses import replace

from tidemark.load.arrivals import Plan, Repeats, Stretch
from tidemark.load.schedule import Due, Schedule
from tidemark.load.share import Share
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


def test_a_call_that_comes_twice_is_the_same_one_with_the_same_key() -> None:
    repeats = Repeats(0.5, lambda chance: chance < 1 / 3)  # the deposits of the mix
    schedule = Schedule(replace(PLAN, repeats=repeats), TRAFFIC, Clock(), Share(1, 2))
    keyed: dict[str, list[Due]] = {}
    for due in iter(schedule.take, None):
        if due.call.key is not None:
            keyed.setdefault(due.call.key, []).append(due)

    assert keyed
    for key, dues in keyed.items():
        # It begins as the keys of the process do that sends it.
        assert key.startswith("run.w2.plan.")
        first, again = dues
        assert first.call == again.call
        assert first.call.operation == "deposit"


def test_what_is_due_is_counted_once_whether_it_was_taken_or_not() -> None:
    clock = Clock()
    schedule = Schedule(PLAN, TRAFFIC, clock)
    taken = [schedule.take() for _ in range(3)]
    clock.now_ns += 250_000_000
    assert schedule.newly_due() == 2
    clock.now_ns += 400_000_000
    # Of these, three were taken by nobody yet; that they were looked at changes nothing.
    assert schedule.newly_due() == 4
    assert schedule.newly_due() == 0
    taken += [schedule.take() for _ in range(40)]
    clock.now_ns += 10_000_000_000
    assert schedule.newly_due() == len(list(PLAN.arrivals())) - 6
    instants = [due.intended_ns for due in taken if due is not None]
    assert len(instants) == len(set(instants)) == len(list(PLAN.arrivals()))
    assert instants == sorted(instants)


def test_of_a_plan_that_nobody_began_nothing_is_due() -> None:
    assert Schedule(PLAN, TRAFFIC, Clock()).newly_due() == 0
