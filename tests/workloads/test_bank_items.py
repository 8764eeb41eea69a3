"""What an item's id says."""

from __future__ import annotations

import pytest

from tidemark.workloads import bank_items
from tidemark.workloads.bank_items import command_id, command_key, principal_and_key, stands_for


@pytest.mark.parametrize("key", ["key", "a#b", "#", " a key "])
@pytest.mark.parametrize("principal", ["-", "AIDAUSER", "123456789012:ada"])
def test_a_command_is_named_by_principal_and_key(principal: str, key: str) -> None:
    named = command_id(principal, key)

    assert principal_and_key(named) == (principal, key)
    assert command_key(named)["pk"] == {"S": f"command#{principal}#{key}"}
    assert stands_for(named, named)
    assert stands_for(key, named)


@pytest.mark.parametrize("other", ["b", "AIDAUSER", "a#", "AIDAUSER#a", "#a#b", ""])
def test_a_part_of_its_name_does_not_stand_for_a_command(other: str) -> None:
    assert not stands_for(other, command_id("AIDAUSER", "a#b"))


@pytest.mark.parametrize("said", [None, 5, ["k"]])
def test_what_is_no_text_is_no_command(said: object) -> None:
    assert not stands_for("k", said)


def test_what_an_update_made_at_an_events_place_is_nobodys_event() -> None:
    key = bank_items.event_key("a", 2)

    phantom = bank_items.nobodys_event({**key, "projected_at": {"N": "7"}})

    assert phantom is not None
    assert (phantom.key, phantom.projected_at_ms) == (bank_items.EventKey("a", 2, ""), 7)
    assert bank_items.nobodys_event({**key, "type": {"S": "FundsDeposited"}}) is None
