"""Bank accounts: each operation of the bank as a call.

Amounts are integer minor units, 1 … 2^53-1. A command may be pinned to the version it expects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemark.api.call import Call

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_AMOUNT = 2**53 - 1
"""The most that an account can hold."""


def open_account(
    *, owner_id: str, account_id: str | None = None, expected_version: int | None = None
) -> Call:
    """Open an account; without an id the bank makes one, which the op's aggregate carries."""
    named = {} if account_id is None else {"account_id": account_id}
    return Call(
        operation="open_account",
        route="POST /accounts",
        body={**named, "owner_id": owner_id},
        aggregate=account_id,
        expected_version=expected_version,
    )


def deposit(account_id: str, amount: int, *, expected_version: int | None = None) -> Call:
    """Deposit an amount."""
    body = {"amount": amount}
    return _command("deposit", "deposits", account_id, body, expected_version)


def withdraw(account_id: str, amount: int, *, expected_version: int | None = None) -> Call:
    """Withdraw an amount; more than the balance is refused (`insufficient-funds`)."""
    body = {"amount": amount}
    return _command("withdraw", "withdrawals", account_id, body, expected_version)


def close(account_id: str, *, expected_version: int | None = None) -> Call:
    """Close an account; a balance other than zero is refused (`balance-not-zero`)."""
    return _command("close", "closure", account_id, None, expected_version)


def account(account_id: str, *, min_version: int | None = None, wait_ms: int | None = None) -> Call:
    """Read an account; with `min_version`, at that version or later, waiting `wait_ms`.

    The bank cuts a wait short: who would rather wait asks by `Client.poll`.
    """
    return Call(
        operation="account",
        route="GET /accounts/{id}",
        path={"id": account_id},
        parameters={"wait_ms": wait_ms},
        aggregate=account_id,
        token=min_version,
    )


def statement(account_id: str, *, limit: int | None = None, cursor: str | None = None) -> Call:
    """Read a page of an account's statement, newest line first."""
    return _page("statement", "/accounts/{id}/statement", account_id, limit, cursor)


def owner_accounts(owner_id: str, *, limit: int | None = None, cursor: str | None = None) -> Call:
    """Read a page of an owner's accounts."""
    return _page("owner_accounts", "/owners/{id}/accounts", owner_id, limit, cursor)


def owner_totals(owner_id: str) -> Call:
    """Read how many accounts an owner has and what they hold together."""
    return Call(
        operation="owner_totals",
        route="GET /owners/{id}/totals",
        path={"id": owner_id},
        aggregate=owner_id,
    )


def _command(
    operation: str,
    resource: str,
    account_id: str,
    body: Mapping[str, Any] | None,
    expected_version: int | None,
) -> Call:
    return Call(
        operation=operation,
        route=f"POST /accounts/{{id}}/{resource}",
        path={"id": account_id},
        body=body,
        aggregate=account_id,
        expected_version=expected_version,
    )


def _page(operation: str, template: str, of: str, limit: int | None, cursor: str | None) -> Call:
    return Call(
        operation=operation,
        route=f"GET {template}",
        path={"id": of},
        parameters={"limit": limit, "cursor": cursor},
        aggregate=of,
    )
