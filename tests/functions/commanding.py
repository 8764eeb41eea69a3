"""Commands as the gateway hands them over, and what they leave in the log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.adapters.clock import Clock
from functions.adapters.event_log import EventLog
from functions.command_handler.handler import CommandHandler, build
from functions.domain.account import Event
from tests.functions.calling import LambdaContext, aws, parts, proxy_event

if TYPE_CHECKING:
    from collections.abc import Mapping

CLOCK = Clock()

ROUTES = {
    "open": "/accounts",
    "deposit": "/accounts/{account_id}/deposits",
    "withdraw": "/accounts/{account_id}/withdrawals",
    "close": "/accounts/{account_id}/closure",
}


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def problem(self) -> str:
        return str(self.body["type"]).removeprefix("urn:tidemark:problem:")


def send(
    operation: str,
    account_id: str | None = None,
    body: Any = None,
    *,
    key: str | None = None,
    if_match: str | None = None,
    headers: dict[str, str] | None = None,
    identity: dict[str, Any] | None = None,
    handler: CommandHandler | None = None,
) -> Answer:
    sent = {"Idempotency-Key": CLOCK.new_id() if key is None else key} | (headers or {})
    if if_match is not None:
        sent["if-match"] = if_match
    event = proxy_event(
        "POST",
        ROUTES[operation],
        path=None if account_id is None else {"account_id": account_id},
        headers=sent,
        body=body,
        identity=identity,
    )
    result = (handler or build(parts())).handle(event, LambdaContext())
    return Answer(result["statusCode"], result["headers"], json.loads(result["body"]))


def opened(unique: str, *, balance: int = 0) -> str:
    account_id = f"{unique}-a"
    assert send("open", body={"account_id": account_id, "owner_id": unique}).status == 202
    if balance:
        assert send("deposit", account_id, {"amount": balance}).status == 202
    return account_id


def log_of(account_id: str) -> list[Event]:
    log = EventLog(aws().dynamodb, "commands")
    found = log.between(account_id, after=0, before=10**6, most=1_000)
    return [event for event in found if isinstance(event, Event)]
