"""An idempotency key is its caller's own, as far as the target tells who calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration import strangers
from integration.accounts import accepted
from integration.facts import await_projected
from integration.ledger import assert_sides_agree
from tidemark.aws.principals import NOBODY, principal_of
from tidemark.workloads import bank
from tidemark.workloads.bank_items import command_id

if TYPE_CHECKING:
    from integration.accounts import Names
    from integration.site import Site
    from tidemark.api.client import Client
    from tidemark.testing.capabilities import Capabilities


@pytest.fixture
def emulator(site: Site) -> Site:
    """A target on which a test may make users and roles."""
    if site.aws.connection.endpoint is None:
        pytest.skip("a test makes no users and roles in an account")
    return site


def test_a_command_is_its_principals_where_the_target_tells_who_calls(
    site: Site, capabilities: Capabilities
) -> None:
    ours = principal_of(site.aws.sts.get_caller_identity()["UserId"])

    assert site.principal == (ours if "callers" in capabilities else NOBODY)


@pytest.mark.needs("callers")
def test_a_strangers_same_key_is_just_another_key(
    emulator: Site, client: Client, names: Names, account_id: str
) -> None:
    key = names.key("k")
    with strangers.user(emulator, client) as stranger:
        theirs = accepted(stranger.run(bank.withdraw(account_id, 100), key=key))
        mine = accepted(client.run(bank.deposit(account_id, 5), key=key))
        again = client.run(bank.deposit(account_id, 5), key=key)
        theirs_again = stranger.run(bank.withdraw(account_id, 100), key=key)

    assert (theirs.version, mine.version) == (3, 4)
    assert (accepted(again), again.replayed) == (mine, True)
    assert (accepted(theirs_again), theirs_again.replayed) == (theirs, True)
    assert stranger.principal is not None
    assert [one.command_id for one in emulator.tables.log(account_id)[2:]] == [
        command_id(stranger.principal, key),
        command_id(emulator.principal, key),
    ]
    await_projected(emulator.tables, [theirs, mine])
    assert assert_sides_agree(emulator.tables, account_id) == (4, 405, "open")


@pytest.mark.needs("callers")
def test_a_refreshed_session_of_a_role_keeps_its_keys(
    emulator: Site, client: Client, names: Names, account_id: str
) -> None:
    key = names.key("k")
    with strangers.role(emulator) as role:
        before, after = role.session("before", client), role.session("after", client)
        first = accepted(before.run(bank.deposit(account_id, 5), key=key))
        again = after.run(bank.deposit(account_id, 5), key=key)

    assert (accepted(again), again.replayed) == (first, True)
    assert emulator.tables.command(command_id(role.unique_id, key)) is not None
