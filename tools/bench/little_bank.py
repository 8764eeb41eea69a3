"""The bank in one process's memory: a target that is quick, and whose runs can be judged.

It answers the API, trusts everybody, and projects a command at once. What it holds it shows as the
items of the two tables, so that a run against it is exported by what exports others.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from httptools import HttpRequestParser

from tidemark.host.ports import LOOPBACK
from tidemark.workloads import bank_items
from tidemark.workloads.bank_items import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PAGE = 20
_ITEMS_AT_ONCE = 5_000
_MADE = {"deposits": ("FundsDeposited", 1), "withdrawals": ("FundsWithdrawn", -1)}

Item = dict[str, Any]
Answer = tuple[int, str, bytes]
"""A status, further headers, and a body."""


@dataclass(slots=True)
class _Account:
    account_id: str
    owner_id: str
    balance: int = 0
    version: int = 0
    lines: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    def take(self, kind: str, amount: int, sign: int, key: str) -> Mapping[str, Any]:
        """Make an event; returns what its command is answered."""
        self.version += 1
        self.balance += sign * amount
        line = {"version": self.version, "type": kind, "amount": amount}
        line |= {"balance": self.balance, "recorded_at": time.time_ns() // 1_000_000}
        self.lines.append(json.dumps(line).encode())
        self.commands.append(key)
        return self.answer_of(self.version)

    def answer_of(self, version: int) -> Mapping[str, Any]:
        event_id = f"{self.account_id}.{version}"
        return {"account_id": self.account_id, "version": version, "event_id": event_id}

    def state(self) -> Item:
        state: Item = {"account_id": self.account_id, "owner_id": self.owner_id}
        return state | {"balance": self.balance, "status": "open", "version": self.version}

    def logged(self) -> Iterator[Item]:
        """The items of the command table."""
        yield self.state() | plain(bank_items.head_key(self.account_id))
        for line, key in zip(map(json.loads, self.lines), self.commands, strict=True):
            answer, at_ms = self.answer_of(line["version"]), line["recorded_at"]
            yield plain(bank_items.event_key(self.account_id, line["version"])) | {
                "event_id": answer["event_id"],
                "type": line["type"],
                "owner_id": self.owner_id,
                "command_id": key,
                "data": {"amount": line["amount"]} if line["amount"] else {},
                "recorded_at": at_ms,
                "projected_at": at_ms,
            }
            yield plain(bank_items.command_key(key)) | {"response": answer}

    def shown(self) -> Iterator[Item]:
        """The items of the query table."""
        lines = [json.loads(line) for line in self.lines]
        about = {"projected_at": lines[-1]["recorded_at"]}
        yield self.state() | about | plain(bank_items.account_key(self.account_id))
        for line in lines:
            key = bank_items.line_key(self.account_id, line.pop("version"))
            yield line | plain(key)


class LittleBank:
    """Accounts, their owners, and who commanded what."""

    def __init__(self) -> None:
        self._accounts: dict[str, _Account] = {}
        self._owners: dict[str, list[_Account]] = {}
        self._answered: dict[str, bytes] = {}
        self._items: dict[str, Iterator[Item]] = {}

    def command(self, path: list[str], body: Mapping[str, Any], key: str) -> Answer:
        """Answer a command of somebody whom nobody asked for a name."""
        if (known := self._answered.get(key)) is not None:
            return 202, "Idempotency-Replayed: true\r\n", known
        if len(path) == 1:
            account = _Account(body["account_id"], body["owner_id"])
            self._accounts[account.account_id] = account
            self._owners.setdefault(account.owner_id, []).append(account)
            told = account.take("AccountOpened", 0, 0, f"-#{key}")
        else:
            kind, sign = _MADE[path[2]]
            told = self._accounts[path[1]].take(kind, body["amount"], sign, f"-#{key}")
        self._answered[key] = json.dumps(told).encode()
        return 202, f'ETag: "{told["version"]}"\r\n', self._answered[key]

    def query(self, path: list[str], limit: int) -> Answer:
        """Answer a query, or hand out some more of the items of a table."""
        match path:
            case ["accounts", account_id] if account_id in self._accounts:
                account = self._accounts[account_id]
                return _found(account.state(), f'ETag: "{account.version}"\r\n')
            case ["accounts", account_id, _] if account_id in self._accounts:
                lines = self._accounts[account_id].lines
                cursor = b', "cursor": "more"' if len(lines) > limit else b""
                page = b", ".join(lines[: -limit - 1 : -1])
                return 200, "", b'{"lines": [' + page + b"]" + cursor + b"}"
            case ["owners", owner_id, "totals"]:
                own = self._owners.get(owner_id, [])
                totals = {"owner_id": owner_id, "accounts": len(own)}
                return _found(totals | {"balance": sum(one.balance for one in own)})
            case ["owners", owner_id, _]:
                own = sorted(self._owners.get(owner_id, []), key=lambda one: one.account_id)
                return _found({"accounts": [one.state() for one in own]})
            case ["items", table]:
                return _found({"items": self._next_items(table)})
        return 404, "", b"{}"

    def _next_items(self, table: str) -> list[Item]:
        """Some more items of a table; none where there are no more, and then all over again."""
        items = self._items.setdefault(table, self._scan(table))
        some = list(islice(items, _ITEMS_AT_ONCE))
        if not some:
            del self._items[table]
        return some

    def _scan(self, table: str) -> Iterator[Item]:
        for account in self._accounts.values():
            yield from account.logged() if table == "log" else account.shown()
        if table != "log":
            for owner_id, own in self._owners.items():
                balance = sum(one.balance for one in own)
                about = {"accounts": len(own), "balance": balance}
                yield about | plain(bank_items.totals_key(owner_id))


def _found(document: Mapping[str, Any], headers: str = "") -> Answer:
    return 200, headers, json.dumps(document).encode()


class _Served(asyncio.Protocol):
    """One connection: requests are answered as they come."""

    def __init__(self, bank: LittleBank) -> None:
        self._bank = bank
        self._parser = HttpRequestParser(self)
        self._begin()

    def _begin(self) -> None:
        self._url, self._key, self._body = b"", "", b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"idempotency-key":
            self._key = value.decode()

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        url = urlsplit(self._url.decode())
        path = url.path.strip("/").split("/")
        if self._parser.get_method() == b"POST":
            answer = self._bank.command(path, json.loads(self._body), self._key)
        else:
            answer = self._bank.query(path, int(parse_qs(url.query).get("limit", [_PAGE])[0]))
        status, headers, body = answer
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
        )
        length = f"Content-Length: {len(body)}\r\n\r\n"
        self._transport.write((head + headers + length).encode() + body)
        self._begin()


async def _serve(port: int) -> None:
    bank = LittleBank()
    server = await asyncio.get_running_loop().create_server(lambda: _Served(bank), LOOPBACK, port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
