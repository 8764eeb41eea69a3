"""Bank accounts: the only place in the harness that knows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tidemark.api.client import Client
    from tidemark.api.op import Op

ACCOUNTS = "/accounts"
DEPOSITS = "/accounts/{id}/deposits"
WITHDRAWALS = "/accounts/{id}/withdrawals"
CLOSURE = "/accounts/{id}/closure"
ACCOUNT = "/accounts/{id}"
STATEMENT = "/accounts/{id}/statement"
OWNER_ACCOUNTS = "/owners/{id}/accounts"
OWNER_TOTALS = "/owners/{id}/totals"


def log_partition(account_id: str) -> str:
    """Return the command table's partition key of an account."""
    return f"account#{account_id}"


@dataclass(frozen=True)
class Bank:
    """The bank's operations over a client; each call returns its op and never raises a refusal.

    Amounts are integer minor units, 1 … 2^53-1. Every command takes an idempotency key (None
    makes one), the version it expects (None for any), and when it was intended (UTC ns).
    """

    client: Client

    def open_account(
        self,
        *,
        owner_id: str,
        account_id: str | None = None,
        idempotency_key: str | None = None,
        expected_version: int | None = None,
        intended_ns: int | None = None,
    ) -> Op:
        """Open an account; without an id the bank makes one, which the op's aggregate carries."""
        body = {"owner_id": owner_id}
        if account_id is not None:
            body["account_id"] = account_id
        return self.client.command(
            "open_account",
            ACCOUNTS,
            body=body,
            aggregate=account_id,
            idempotency_key=idempotency_key,
            expected_version=expected_version,
            intended_ns=intended_ns,
        )

    def deposit(
        self,
        account_id: str,
        amount: int,
        *,
        idempotency_key: str | None = None,
        expected_version: int | None = None,
        intended_ns: int | None = None,
    ) -> Op:
        """Deposit an amount."""
        return self.client.command(
            "deposit",
            DEPOSITS,
            path={"id": account_id},
            body={"amount": amount},
            aggregate=account_id,
            idempotency_key=idempotency_key,
            expected_version=expected_version,
            intended_ns=intended_ns,
        )

    def withdraw(
        self,
        account_id: str,
        amount: int,
        *,
        idempotency_key: str | None = None,
        expected_version: int | None = None,
        intended_ns: int | None = None,
    ) -> Op:
        """Withdraw an amount; more than the balance is refused (`insufficient-funds`)."""
        return self.client.command(
            "withdraw",
            WITHDRAWALS,
            path={"id": account_id},
            body={"amount": amount},
            aggregate=account_id,
            idempotency_key=idempotency_key,
            expected_version=expected_version,
            intended_ns=intended_ns,
        )

    def close(
        self,
        account_id: str,
        *,
        idempotency_key: str | None = None,
        expected_version: int | None = None,
        intended_ns: int | None = None,
    ) -> Op:
        """Close an account; a balance other than zero is refused (`balance-not-zero`)."""
        return self.client.command(
            "close",
            CLOSURE,
            path={"id": account_id},
            aggregate=account_id,
            idempotency_key=idempotency_key,
            expected_version=expected_version,
            intended_ns=intended_ns,
        )

    def account(
        self,
        account_id: str,
        *,
        min_version: int | None = None,
        wait_ms: int | None = None,
        intended_ns: int | None = None,
    ) -> Op:
        """Read an account; with `min_version`, at that version or later, waiting `wait_ms`."""
        return self.client.query(
            "account",
            ACCOUNT,
            path={"id": account_id},
            parameters={"wait_ms": wait_ms},
            aggregate=account_id,
            token=min_version,
            intended_ns=intended_ns,
        )

    def statement(
        self,
        account_id: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        intended_ns: int | None = None,
    ) -> Op:
        """Read a page of an account's statement, newest line first."""
        return self.client.query(
            "statement",
            STATEMENT,
            path={"id": account_id},
            parameters={"limit": limit, "cursor": cursor},
            aggregate=account_id,
            intended_ns=intended_ns,
        )

    def owner_accounts(
        self,
        owner_id: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        intended_ns: int | None = None,
    ) -> Op:
        """Read a page of an owner's accounts."""
        return self.client.query(
            "owner_accounts",
            OWNER_ACCOUNTS,
            path={"id": owner_id},
            parameters={"limit": limit, "cursor": cursor},
            aggregate=owner_id,
            intended_ns=intended_ns,
        )

    def owner_totals(self, owner_id: str, *, intended_ns: int | None = None) -> Op:
        """Read how many accounts an owner has and what they hold together."""
        return self.client.query(
            "owner_totals",
            OWNER_TOTALS,
            path={"id": owner_id},
            aggregate=owner_id,
            intended_ns=intended_ns,
        )
