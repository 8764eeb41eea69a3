from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.load.fake_bank import STAGE, FakeBank
from tidemark.api.client import Client
from tidemark.api.exchange import Answer, LostError, Request
from tidemark.api.op import Kind, Op, Outcome
from tidemark.measures.summary import is_error
from tidemark.workloads.bank import Bank
from tidemark.workloads.bank_traffic import READS, REFUSALS, WRITES, Accounts, Customer, mixed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def customer(
    transport: Callable[[Request], Answer],
    *,
    seed: int = 1,
    mix: Mapping[str, float] = WRITES,
    name: str = "c1",
    accounts: Accounts | None = None,
) -> Customer:
    client = Client(
        api_url=f"http://bank{STAGE}", region="r", credentials=None, transport=transport
    )
    return Customer(
        Bank(client),
        rng=Random(seed),  # noqa: S311 -- a reproducible draw, not a secret
        mix=mix,
        prefix=f"run-{name}",
        owner_id="run-owner",
        accounts=Accounts() if accounts is None else accounts,
    )


def asked(bank: FakeBank) -> list[tuple[str, str, bytes]]:
    return [
        (request.url, request.headers.get("idempotency-key", ""), request.body)
        for request in bank.requests
    ]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(), share=st.floats(0, 1))
def test_the_same_seed_asks_for_the_same(seed: int, share: float) -> None:
    banks = FakeBank(), FakeBank()
    for bank in banks:
        one = customer(bank.answer, seed=seed, mix=mixed(share))
        for _ in range(40):
            one.call()
    assert asked(banks[0]) == asked(banks[1])


def test_another_seed_asks_for_something_else() -> None:
    banks = FakeBank(), FakeBank()
    for seed, bank in enumerate(banks):
        one = customer(bank.answer, seed=seed)
        for _ in range(40):
            one.call()
    assert asked(banks[0]) != asked(banks[1])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers())
def test_a_healthy_bank_gives_no_errors_and_refuses_only_what_was_too_much(seed: int) -> None:
    bank, accounts = FakeBank(), Accounts()
    customers = [
        customer(bank.answer, seed=seed + n, name=f"c{n}", accounts=accounts, mix=mixed(0.3))
        for n in range(3)
    ]
    ops = [one.call() for _ in range(60) for one in customers]
    assert not [op for op in ops if is_error(op, REFUSALS)]
    assert {op.problem for op in ops if op.outcome is Outcome.FAIL} <= {"insufficient-funds"}
    assert min(bank.balances.values()) >= 0


def test_every_id_and_key_begins_with_the_run() -> None:
    bank = FakeBank()
    one = customer(bank.answer)
    ops = [one.call() for _ in range(50)]
    assert all(str(op.key).startswith("run-c1-") for op in ops)
    assert all(str(op.aggregate).startswith("run-c1-") for op in ops)
    assert len({op.key for op in ops}) == 50


def test_the_first_call_opens_an_account_whatever_the_mix() -> None:
    for mix in (READS, WRITES, mixed(1.0)):
        assert customer(FakeBank().answer, mix=mix).call().operation == "open_account"


@pytest.mark.parametrize("share", [0.0, 0.5, 0.8, 1.0])
def test_a_mix_has_its_share_of_reads(share: float) -> None:
    mix = mixed(share)
    reads = sum(weight for name, weight in mix.items() if name in READS)
    assert reads / sum(mix.values()) == pytest.approx(share)


def test_a_read_only_customer_opens_one_account_and_then_reads() -> None:
    one = customer(FakeBank().answer, mix=READS)
    kinds = [one.call().kind for _ in range(30)]
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
    one = customer(flaky)
    lost, found, lost_again, found_again = (one.call() for _ in range(4))
    assert (lost.outcome, found.outcome) == (Outcome.INFO, Outcome.OK)
    assert lost.key == found.key
    assert found.replayed
    assert lost_again.key == found_again.key != lost.key
    assert found_again.replayed
    assert sum(len(events) for events in flaky.bank.log.values()) == 2


def test_a_command_that_stays_unknown_is_sent_three_times_and_then_left() -> None:
    flaky = Flaky(losing={1, 2, 3})
    one = customer(flaky)
    keys = [one.call().key for _ in range(4)]
    assert keys[0] == keys[1] == keys[2] != keys[3]


def test_after_a_command_that_stays_unknown_nothing_is_withdrawn_from_its_account() -> None:
    bank = FakeBank()
    is_losing = False

    def transport(request: Request) -> Answer:
        if is_losing:
            raise LostError("cut off")
        return bank.answer(request)

    one = customer(transport)
    op = one.call()
    while op.operation != "withdraw" or op.outcome is not Outcome.OK:
        op = one.call()
    is_losing = True
    unknown = one.call()
    while unknown.operation == "open_account":
        unknown = one.call()
    one.call()
    one.call()
    is_losing = False
    for _ in range(60):
        op = one.call()
        assert op.operation != "withdraw" or op.aggregate != unknown.aggregate


def test_a_customer_knows_what_is_in_its_accounts() -> None:
    bank = FakeBank()
    one = customer(bank.answer)
    ops = [one.call() for _ in range(300)]
    withdrawals = [op for op in ops if op.operation == "withdraw"]
    refused = [op for op in withdrawals if op.outcome is Outcome.FAIL]
    assert 0 < len(refused) < len(withdrawals) / 5


def test_commands_carry_what_they_ask_for() -> None:
    bank = FakeBank()
    one = customer(bank.answer)
    ops: list[Op] = [one.call() for _ in range(30)]
    for op, request in zip(ops, bank.requests, strict=True):
        assert urlsplit(request.url).path.startswith(STAGE)
        assert json.loads(request.body)
        assert op.route.startswith("POST /accounts")


def test_an_operation_that_nobody_knows_is_an_error() -> None:
    one = customer(FakeBank().answer, mix={"rob": 1.0})
    one.call()
    with pytest.raises(ValueError, match="rob"):
        one.call()
