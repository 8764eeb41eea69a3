"""The rules of an account, over any sequence of commands."""

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from functions.domain.account import (
    LARGEST_AMOUNT,
    Account,
    AccountClosed,
    CloseAccount,
    Command,
    Deposit,
    Event,
    FundsDeposited,
    FundsWithdrawn,
    NotStartedError,
    OpenAccount,
    Stamp,
    Withdraw,
    decide,
    evolve,
)

AMOUNTS = st.integers(1, 20) | st.integers(1, LARGEST_AMOUNT)
COMMANDS = st.lists(
    st.one_of(
        st.just(OpenAccount("a", "o")),
        st.builds(Deposit, st.just("a"), AMOUNTS),
        st.builds(Withdraw, st.just("a"), AMOUNTS),
        st.just(CloseAccount("a")),
    ),
    max_size=40,
).map(lambda commands: [OpenAccount("a", "o"), *commands])


def history(commands: list[Command]) -> tuple[Account | None, list[Event], int]:
    account: Account | None = None
    events: list[Event] = []
    refused = 0
    for number, command in enumerate(commands):
        try:
            event = decide(account, command, Stamp(f"e{number}", f"k{number}", number))
        except NotStartedError:
            refused += 1
            continue
        account = evolve(account, event)
        events.append(event)
    return account, events, refused


@given(COMMANDS)
def test_versions_are_one_to_n_without_gap_or_repeat(commands: list[Command]) -> None:
    _, events, refused = history(commands)
    assert [event.version for event in events] == list(range(1, len(events) + 1))
    assert len(events) + refused == len(commands)


@given(COMMANDS)
def test_the_head_is_the_fold_of_the_events(commands: list[Command]) -> None:
    account, events, _ = history(commands)
    start: Account | None = None
    assert account == reduce(evolve, events, start)
    moved = sum(
        event.amount if isinstance(event, FundsDeposited) else -event.amount
        for event in events
        if isinstance(event, FundsDeposited | FundsWithdrawn)
    )
    assert account is not None
    assert account.balance == moved


@given(COMMANDS)
def test_no_balance_leaves_its_bounds_and_nothing_follows_a_closure(
    commands: list[Command],
) -> None:
    _, events, _ = history(commands)
    account: Account | None = None
    for event in events:
        account = evolve(account, event)
        assert 0 <= account.balance <= LARGEST_AMOUNT
        if isinstance(event, FundsDeposited | FundsWithdrawn):
            assert event.balance == account.balance
    closed_at = [event.version for event in events if isinstance(event, AccountClosed)]
    assert closed_at in ([], [len(events)])
