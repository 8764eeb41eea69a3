from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.load.fake_bank import STAGE, FakeBank
from tidemark.api.call import Call, Kind
from tidemark.api.client import Client, forget
from tidemark.api.exchange import Answer, LostError, Request
from tidemark.api.op import Op, Outcome
from tidemark.api.session import Writer
from tidemark.workloads.bank_traffic import READS, REFUSALS, WRITES, Customer, mixed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random


class Person:
    """A customer at the counter."""

    def __init__(
        self,
        transport: Callable[[Request], Answer],
        *,
        place: int = 1,
        seed: str = "s",
        mix: Mapping[str, float] = WRITES,
    ) -> None:
        self.customer = Customer(place, seed=seed, mix=mix, run_id="run")
        self.client = Client(
            api_url=f"http://bank{STAGE}",
            region="r",
            credentials=None,
            transport=transport,
            session=Writer("run", "w1").session(f"c{place}"),
            sink=forget,
        )

    def call(self) -> Op:
        op = self.client.run(self.customer.next())
        self.customer.learn(op)
        return op


def of_its_own(call: Call) -> Call:
    """A call without the version that it waits for, which others make too."""
    return replace(call, token=None)


MIXES = st.sampled_from([WRITES, READS, mixed(0.5), mixed(0.8)])


@settings(max_examples=10, deadline=None)
@given(order=st.randoms(use_true_random=False), seed=st.text(max_size=3), mix=MIXES)
def test_the_seed_repeats_what_a_customer_does_whoever_else_does_what_meanwhile(
    order: Random, seed: str, mix: Mapping[str, float]
) -> None:
    turns = [order.randint(1, 5) for _ in range(1_000)]
    together = FakeBank()
    people = {place: Person(together.answer, place=place, seed=seed, mix=mix) for place in turns}
    done: dict[int, list[Call]] = defaultdict(list)
    for place in turns:
        done[place].append(of_its_own(people[place].call().call))
    for place, calls in done.items():
        alone = Person(FakeBank().answer, place=place, seed=seed, mix=mix)
        assert [of_its_own(alone.call().call) for _ in calls] == calls


@pytest.mark.parametrize("other", [Person(FakeBank().answer, seed="t"), None])
def test_another_seed_or_another_place_asks_for_something_else(other: Person | None) -> None:
    one = Person(FakeBank().answer)
    other = other or Person(FakeBank().answer, place=2)
    asked = [[person.call().call.body for _ in range(40)] for person in (one, other)]
    assert asked[0] != asked[1]


@settings(max_examples=20, deadline=None)
@given(seed=st.text(max_size=3))
def test_a_healthy_bank_gives_no_errors_and_refuses_only_what_was_too_much(seed: str) -> None:
    bank = FakeBank()
    people = [Person(bank.answer, place=n, seed=seed, mix=mixed(0.3)) for n in (1, 2, 3)]
    ops = [person.call() for _ in range(60) for person in people]
    # Of a few seeds nothing is refused.
    assert {op.outcome for op in ops} - {Outcome.FAIL} == {Outcome.OK}
    assert {op.problem for op in ops if op.outcome is Outcome.FAIL} <= REFUSALS
    assert {op.problem for op in ops if op.outcome is Outcome.FAIL} <= {
        "insufficient-funds",
        "key-reused",
    }
    assert min(bank.balances.values()) >= 0


def test_every_id_and_key_begins_with_the_run() -> None:
    bank = FakeBank()
    person = Person(bank.answer, place=3)
    ops = [person.call() for _ in range(50)]
    assert all(str(op.key).startswith("run.w1.c3.") for op in ops)
    assert all(str(op.aggregate).startswith("run.c") for op in ops)
    begun = [ops[0].key, *(op.key for before, op in pairwise(ops) if before.key != op.key)]
    assert len(set(begun)) == len(begun) > 40
    owners = {op.call.body["owner_id"] for op in ops if op.call.body and "owner_id" in op.call.body}
    assert owners == {"run.owner1"}


def test_customers_read_and_deposit_to_accounts_of_those_before_them() -> None:
    bank = FakeBank()
    people = [Person(bank.answer, place=n, mix=mixed(0.5)) for n in (1, 2, 3)]
    ops = [person.call() for _ in range(600) for person in people]
    theirs = [op for op in ops if op.session == "c3" and not str(op.aggregate).startswith("run.c3")]
    assert {"deposit", "account", "statement"} <= {op.operation for op in theirs}
    assert "withdraw" not in {op.operation for op in theirs}
    of_the_first = [
        op.aggregate for op in ops if op.session == "c1" and "owner" not in op.operation
    ]
    assert all(str(account_id).startswith("run.c1.") for account_id in of_the_first)


def test_the_first_call_opens_an_account_whatever_the_mix() -> None:
    for mix in (READS, WRITES, mixed(1.0)):
        assert Person(FakeBank().answer, mix=mix).call().operation == "open_account"


@pytest.mark.parametrize("share", [0.0, 0.5, 0.8, 1.0])
def test_a_mix_has_its_share_of_reads(share: float) -> None:
    mix = mixed(share)
    reads = sum(weight for name, weight in mix.items() if name in READS)
    assert reads / sum(mix.values()) == pytest.approx(share)
    person = Person(FakeBank().answer, mix=mix)
    ops = [person.call() for _ in range(400)]
    assert sum(op.kind is Kind.QUERY for op in ops) / 400 == pytest.approx(share, abs=0.1)


def test_a_read_only_customer_opens_one_account_and_then_reads() -> None:
    person = Person(FakeBank().answer, mix=READS)
    kinds = [person.call().kind for _ in range(30)]
    assert kinds == [Kind.COMMAND] + [Kind.QUERY] * 29


class Flaky:
    """A bank that does what it is asked, and loses the answers at some calls."""

    def __init__(self, losing: set[int]) -> None:
        self.bank = FakeBank()
        self.losing = losing
        self.calls = 0

    def __call__(self, request: Request) -> Answer:
        self.calls += 1
        answer = self.bank.answer(request)
        if self.calls in self.losing:
            raise LostError("cut off")
        return answer


def test_a_lost_command_is_sent_again_with_its_key_and_happens_once() -> None:
    flaky = Flaky(losing={1, 3})
    person = Person(flaky)
    lost, found, lost_again, found_again = (person.call() for _ in range(4))
    assert (lost.outcome, found.outcome) == (Outcome.INFO, Outcome.OK)
    assert lost.key == found.key
    assert found.replayed
    assert lost_again.key == found_again.key != lost.key
    assert found_again.replayed
    assert sum(len(events) for events in flaky.bank.log.values()) == 2


def test_a_command_that_stays_unknown_is_sent_three_times_and_then_left() -> None:
    flaky = Flaky(losing={1, 2, 3, 5})
    person = Person(flaky)
    keys = [person.call().key for _ in range(6)]
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert keys[4] == keys[5] != keys[3]


def test_after_a_command_that_stays_unknown_nothing_is_withdrawn_from_its_account() -> None:
    bank = FakeBank()
    is_losing = False

    def transport(request: Request) -> Answer:
        if is_losing:
            raise LostError("cut off")
        return bank.answer(request)

    person = Person(transport)
    op = person.call()
    while op.operation != "withdraw" or op.outcome is not Outcome.OK:
        op = person.call()
    is_losing = True
    unknown = person.call()
    while unknown.operation == "open_account":
        unknown = person.call()
    person.call()
    person.call()
    is_losing = False
    for _ in range(60):
        op = person.call()
        assert op.operation != "withdraw" or op.aggregate != unknown.aggregate


def test_a_customer_knows_what_is_in_its_accounts() -> None:
    bank = FakeBank()
    person = Person(bank.answer)
    ops = [person.call() for _ in range(300)]
    withdrawals = [op for op in ops if op.operation == "withdraw"]
    refused = [op for op in withdrawals if op.outcome is Outcome.FAIL]
    assert 0 < len(refused) < len(withdrawals) / 5


def test_an_operation_that_nobody_knows_is_an_error() -> None:
    person = Person(FakeBank().answer, mix={"rob": 1.0})
    person.call()
    with pytest.raises(ValueError, match="rob"):
        person.call()


def test_a_command_is_sent_once_more_now_and_then_and_happens_once() -> None:
    bank = FakeBank()
    person = Person(bank.answer)
    ops = [person.call() for _ in range(1_000)]
    again = [(before, op) for before, op in pairwise(ops) if before.key == op.key]
    alike = [op for before, op in again if op.call == before.call]
    other = [op for before, op in again if op.call != before.call]

    assert 5 < len(other) < len(alike) < 60
    assert {(op.status, op.problem) for op in other} <= {
        (422, "key-reused"),
        (422, "insufficient-funds"),
    }
    assert all(op.replayed or op.problem == "insufficient-funds" for op in alike)
    accepted = {op.key for op in ops if op.outcome is Outcome.OK}
    assert sum(len(events) for events in bank.log.values()) == len(accepted)


def test_some_reads_wait_for_the_newest_version_that_the_customer_knows_of() -> None:
    person = Person(FakeBank().answer, mix=mixed(0.5))
    ops = [person.call() for _ in range(300)]
    newest: dict[str, int] = {}
    tokens = 0
    for op in ops:
        if op.call.token is not None:
            tokens += 1
            assert op.call.token == newest[str(op.aggregate)]
        if op.version is not None:
            newest[str(op.aggregate)] = max(op.version, newest.get(str(op.aggregate), 0))
    assert 10 < tokens < 100
