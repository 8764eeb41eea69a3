"""What events change on the query side, over any sequence of commands."""

import pytest
from hypothesis import given

from functions.domain.account import Account, Command, Event, evolve
from functions.domain.projection import effect_of
from tests.domain.test_account_properties import COMMANDS, history


@given(COMMANDS)
def test_the_account_on_the_query_side_is_what_a_fold_of_its_events_says(
    commands: list[Command],
) -> None:
    _, events, _ = history(commands)
    account: Account | None = None
    for event in events:
        account = evolve(account, event)
        assert effect_of(event).account == account


@given(COMMANDS)
def test_an_owner_s_totals_are_the_sum_of_what_each_event_adds(commands: list[Command]) -> None:
    account, events, _ = history(commands)
    totals = [effect_of(event).totals for event in events]
    assert account is not None
    assert sum(total.accounts for total in totals) == 1
    assert sum(total.balance for total in totals) == account.balance


@given(COMMANDS)
def test_each_line_leads_from_the_balance_before_to_the_balance_after(
    commands: list[Command],
) -> None:
    _, events, _ = history(commands)
    before = 0
    for event in events:
        effect = effect_of(event)
        assert abs(effect.line.balance - before) == effect.line.amount
        before = effect.line.balance


def test_an_event_without_a_rule_is_refused() -> None:
    unruled = Event(
        event_id="e", command_id="k", account_id="a", owner_id="o", version=1, recorded_at=1
    )
    with pytest.raises(ValueError, match="Event changes on the query side"):
        effect_of(unruled)
