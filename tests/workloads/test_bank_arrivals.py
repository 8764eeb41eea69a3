from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.measures.ops import op
from tidemark.api.call import Kind
from tidemark.api.op import Outcome
from tidemark.workloads import bank
from tidemark.workloads.bank_arrivals import CHOICES, OPERATIONS, Known, Population, Traffic

CHANCE = st.floats(0, 1, exclude_max=True)
POPULATIONS = st.builds(
    Population,
    st.integers(1, 200),
    st.sampled_from(CHOICES),
    st.integers(1, 20),
    st.sampled_from(CHOICES),
)
EVENLY = [(place + 0.5) / 10_000 for place in range(10_000)]


@settings(deadline=None)
@given(POPULATIONS, CHANCE)
def test_whatever_the_chance_there_is_such_an_account_and_owner(
    population: Population, chance: float
) -> None:
    account = population.account_at(chance)

    assert 0 <= account < population.accounts
    assert 0 <= population.owner_of(account) < population.owners


def test_a_hot_account_gets_half_and_the_others_the_same() -> None:
    chosen = Counter(map(Population(11, "hot", 1, "uniform").account_at, EVENLY))

    assert chosen[0] == 5000
    assert {chosen[place] for place in range(1, 11)} == {500}


def test_a_zipfian_second_is_chosen_half_as_often_as_the_first() -> None:
    chosen = Counter(map(Population(100, "zipfian", 1, "uniform").account_at, EVENLY))

    assert abs(chosen[1] / chosen[0] - 1 / 2**0.99) < 0.01
    assert chosen[0] > chosen[1] > chosen[10] > chosen[99] > 0


def test_owners_have_accounts_as_they_are_chosen() -> None:
    population = Population(100, "uniform", 4, "uniform")

    assert Counter(map(population.owner_of, range(100))) == {0: 25, 1: 25, 2: 25, 3: 25}


@settings(deadline=None)
@given(
    POPULATIONS,
    st.tuples(CHANCE, CHANCE, CHANCE),
    st.dictionaries(st.sampled_from(OPERATIONS), st.floats(0.1, 1), min_size=1),
)
def test_a_call_is_one_of_the_mix_and_for_what_is_open(
    population: Population, chances: tuple[float, float, float], mix: dict[str, float]
) -> None:
    traffic = Traffic("run", population, mix)
    opened = [call for place in range(population.accounts) for call in traffic.openings(place)]
    call = traffic.call(chances)

    assert call.operation.replace("owner_", "") in mix
    assert call == traffic.call(chances)
    if call.operation == "owner_totals":
        assert call.path["id"] in {(one.body or {}).get("owner_id") for one in opened}
    else:
        assert call.aggregate in {one.aggregate for one in opened}


def test_operations_come_by_their_weights() -> None:
    traffic = Traffic("run", Population(1, "uniform", 1, "uniform"), {"deposit": 1, "account": 3})
    called = Counter(traffic.call((chance, 0, 0)).operation for chance in EVENLY)

    assert called == {"deposit": 2500, "account": 7500}


def test_each_third_read_of_a_known_account_has_the_newest_version_as_its_token() -> None:
    known, read = Known(3), bank.account("a")
    unknown = known.asked(read)
    wrote = structs.replace(op(), aggregate="a", version=4, event_id="e")
    saw = structs.replace(op(kind=Kind.QUERY, operation="account"), aggregate="a", version=3)
    refused = structs.replace(saw, version=9, outcome=Outcome.FAIL)
    for one in (wrote, saw, refused):
        known.learn(one)

    assert unknown.token is None
    assert [known.asked(read).token for _ in range(6)] == [None, None, 4, None, None, 4]


def test_what_is_no_read_of_a_known_account_is_sent_as_it_is_planned() -> None:
    known = Known(1)
    known.learn(structs.replace(op(), aggregate="a", version=4, event_id="e"))

    for call in (bank.account("b"), bank.statement("a"), bank.deposit("a", 1)) * 3:
        assert known.asked(call) is call
