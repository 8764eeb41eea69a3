"""HTTP requests as commands."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from functions.adapters import fields
from functions.adapters.http import Request
from functions.domain.account import (
    LARGEST_AMOUNT,
    CloseAccount,
    Command,
    Deposit,
    OpenAccount,
    Withdraw,
)


class Existing(Enum):
    """The wish that the account is there, at whatever version."""

    ANY = "*"


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """One command as its caller sent it.

    Attributes:
        command: what is asked.
        command_id: who asks, and the caller's idempotency key: `<caller>#<key>`. A key is its
            caller's own, so a stranger's same key is just another command.
        payload_hash: the fingerprint of what is asked.
        wanted_version: where the account must be; None where any state will do.
    """

    command: Command
    command_id: str
    payload_hash: str
    wanted_version: int | Existing | None


def parse(request: Request, *, new_id: Callable[[], str]) -> CommandRequest:
    """Return the command that a request asks for.

    Args:
        request: what was sent.
        new_id: makes the id of an account that the caller does not name.

    Raises:
        MalformedError: the request is not well formed; it names the field.
    """
    # The first `#` ends the caller, which has none; a key may have some.
    command_id = f"{request.caller}#{fields.idempotency_key(request)}"
    wanted_version = _wanted_version(request)
    if request.route == "POST /accounts":
        body = fields.body(request, allowed={"account_id", "owner_id"})
        sent_id = fields.identifier(body, "account_id") if "account_id" in body else None
        owner_id = fields.identifier(body, "owner_id")
        command: Command = OpenAccount(sent_id or new_id(), owner_id)
    else:
        sent_id = fields.identifier(request.path, "account_id")
        match request.route.removeprefix("POST /accounts/{account_id}/"):
            case "deposits":
                body = fields.body(request, allowed={"amount"})
                command = Deposit(sent_id, fields.amount(body, largest=LARGEST_AMOUNT))
            case "withdrawals":
                body = fields.body(request, allowed={"amount"})
                command = Withdraw(sent_id, fields.amount(body, largest=LARGEST_AMOUNT))
            case "closure":
                body = fields.body(request, allowed=set())
                command = CloseAccount(sent_id)
            case _:
                raise ValueError(f"no command at {request.route}")
    # As sent: an id made here must not change the hash, or a retry would never match.
    payload = [type(command).__name__, sent_id, body]
    canonical = json.dumps(payload, sort_keys=True, separators=(",", ":"))
    payload_hash = hashlib.sha256(canonical.encode()).hexdigest()
    return CommandRequest(command, command_id, payload_hash, wanted_version)


def _wanted_version(request: Request) -> int | Existing | None:
    etag = fields.if_match(request)
    if etag is None:
        return None
    return Existing.ANY if etag == Existing.ANY.value else int(etag.strip('"'))
