"""A bank in memory: its API and the log that a load run scans afterwards.

It follows the API's rules as far as a load run sees them and is projected the moment it is
written, except for what a test asks it to do wrong.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.api.sigv4 import expected_signature
from tests.workloads.items import event_item
from tidemark.api.exchange import Answer, Headers, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

STAGE = "/prod"
SECRET = "test"
IDENTITY = (
    b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
    b"<GetCallerIdentityResult><UserId>AIDATEST</UserId></GetCallerIdentityResult>"
    b"</GetCallerIdentityResponse>"
)


@dataclass
class FakeBank:
    """The bank; `answer` is a transport, or what a server serves."""

    answer_first: Callable[[Request], Answer | None] = lambda _: None
    is_projecting: Callable[[str], bool] = lambda _: True
    log: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=dict)
    given: dict[str, Answer] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    unsigned: list[Request] = field(default_factory=list)
    readings: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: Request) -> Answer:
        with self.lock:
            if "x-amz-target" in request.headers:
                return self._queried(json.loads(request.body))
            if urlsplit(request.url).path.startswith("/_"):
                return Answer(404)  # which emulator it is, it does not say
            if request.body.startswith(b"Action=GetCallerIdentity"):
                return Answer(200, Headers({"content-type": "text/xml"}), IDENTITY)
            self.requests.append(request)
            if not _is_signed(request):
                self.unsigned.append(request)
            early = self.answer_first(request)
            if early is not None:
                return early
            path = urlsplit(request.url).path.removeprefix(STAGE)
            if request.method == "GET":
                return self._read(path)
            return self._commanded(path, request)

    def _commanded(self, path: str, request: Request) -> Answer:
        key = request.headers["idempotency-key"]
        asked = f"{path} {request.body.decode()}"
        if key in self.given:
            first = self.given[key]
            if self.asked[key] != asked:
                return _problem("key-reused", 422)
            headers = Headers({**first.headers, "Idempotency-Replayed": "true"})
            return Answer(first.status, headers, first.body)
        body = json.loads(request.body)
        if path == "/accounts":
            account_id, amount = body["account_id"], 0
        else:
            account_id = path.split("/")[2]
            if account_id not in self.balances:
                return _problem("no-such-account", 404)
            amount = body["amount"] * (-1 if path.endswith("withdrawals") else 1)
        balance = self.balances.get(account_id, 0) + amount
        if balance < 0:
            return _problem("insufficient-funds", 422)
        self.balances[account_id] = balance
        self.given[key], self.asked[key] = self._append(account_id), asked
        return self.given[key]

    def _append(self, account_id: str) -> Answer:
        events = self.log.setdefault(f"account#{account_id}", [])
        version = len(events) + 1
        event_id = f"{account_id}-e{version}"
        is_projecting = self.is_projecting(account_id)
        event = event_item(
            account_id,
            version,
            event_id=event_id,
            projected_at_ms=1007 if is_projecting else None,
        )
        events.append(event)
        made = {"account_id": account_id, "version": version, "event_id": event_id}
        headers = {"Location": f"/accounts/{account_id}", "ETag": f'"{version}"'}
        return Answer(202, Headers(headers), json.dumps(made).encode())

    def _read(self, path: str) -> Answer:
        _, collection, name, *_ = path.split("/")
        if collection == "accounts" and name not in self.balances:
            return _problem("no-such-account", 404)
        version = len(self.log.get(f"account#{name}", []))
        headers = Headers({"content-type": "application/json", "ETag": f'"{version}"'})
        return Answer(200, headers, b"{}")

    def _queried(self, query: Mapping[str, Any]) -> Answer:
        is_log = query["TableName"] == "commands" and "IndexName" not in query
        self.readings += is_log
        items = [event for log in self.log.values() for event in log] if is_log else []
        body = json.dumps({"Items": items, "Count": len(items), "ScannedCount": len(items)})
        return Answer(200, Headers({"content-type": "application/x-amz-json-1.0"}), body.encode())


def _problem(slug: str, status: int) -> Answer:
    body = {"type": f"urn:tidemark:problem:{slug}", "title": slug, "status": status}
    headers = Headers({"content-type": "application/problem+json"})
    return Answer(status, headers, json.dumps(body).encode())


def _is_signed(request: Request) -> bool:
    if "host" not in request.headers:
        return True  # in memory there is no host to sign for
    target = request.url
    bears, should_bear = expected_signature(
        request.method, target, request.headers, request.body, SECRET
    )
    return bears == should_bear
