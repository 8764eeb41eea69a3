"""The client of a CQRS API: builds, signs and reads requests, and does no I/O of its own.

It knows commands and queries, versions, idempotency keys and read-your-writes tokens; what is
being commanded is a workload's affair (`tidemark.workloads`).
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from tidemark.api.exchange import Answer, Headers, Request, TransportError
from tidemark.api.op import Kind, Op, Outcome, judge, version_of
from tidemark.api.signing import build_url, sign

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.credentials import Credentials

    from tidemark.api.exchange import Transport


def utc_clock() -> Callable[[], int]:
    """Return a clock of UTC nanoseconds that never steps back while it is in use."""
    offset_ns = time.time_ns() - time.monotonic_ns()
    return lambda: time.monotonic_ns() + offset_ns


@dataclass(frozen=True, kw_only=True)
class Client:
    """One session of calls to an API.

    Attributes:
        api_url: Where the API is, without a trailing slash.
        region: The region that requests are signed for.
        credentials: What they are signed with; None sends them unsigned.
        transport: What sends them.
        session: The name that each op carries.
        clock: UTC in nanoseconds.
    """

    api_url: str
    region: str
    credentials: Credentials | None = field(repr=False)
    transport: Transport = field(repr=False)
    session: str = "client"
    clock: Callable[[], int] = field(default_factory=utc_clock, repr=False)

    def command(
        self,
        operation: str,
        template: str,
        *,
        path: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        aggregate: str | None = None,
        idempotency_key: str | None = None,
        expected_version: int | None = None,
        intended_ns: int | None = None,
    ) -> Op:
        """POST a command and say what is known about it afterwards.

        An `info` op may be sent again with the key it carries: the API replays the answer of a
        command that was accepted, and its effect happens once.

        Args:
            operation: The operation's name, which the op carries.
            template: The path with names in braces.
            path: Their values.
            body: The JSON body, None for no body.
            aggregate: What the command is for; None reads it from the `Location` of the answer.
            idempotency_key: The caller's id for this command; None makes one.
            expected_version: Refuse (412) unless the aggregate is at this version.
            intended_ns: When the call was planned, UTC nanoseconds.
        """
        key = str(uuid.uuid4()) if idempotency_key is None else idempotency_key
        payload = _canonical(body) if body is not None else b""
        headers = {"Idempotency-Key": key}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if expected_version is not None:
            headers["If-Match"] = f'"{expected_version}"'
        request = Request(
            "POST",
            build_url(self.api_url, template, path),
            Headers(headers),
            payload,
            route=f"POST {template}",
        )
        start_ns, end_ns, result = self._timed(request)
        judged = judge(result)
        accepted = _Accepted.read(result) if isinstance(result, Answer) else _Accepted()
        ok = judged.outcome is Outcome.OK
        return Op(
            session=self.session,
            kind=Kind.COMMAND,
            operation=operation,
            route=request.route,
            aggregate=aggregate or (accepted.aggregate if ok else None),
            key=key,
            payload_hash=_payload_hash(operation, aggregate, payload),
            expected_version=expected_version,
            intended_ns=start_ns if intended_ns is None else intended_ns,
            start_ns=start_ns,
            end_ns=end_ns,
            outcome=judged.outcome,
            status=accepted.status,
            replayed=accepted.replayed,
            version=accepted.version,
            event_id=accepted.event_id if ok else None,
            problem_type=judged.problem_type,
            detail=judged.detail,
        )

    def query(
        self,
        operation: str,
        template: str,
        *,
        path: Mapping[str, str] | None = None,
        parameters: Mapping[str, str | int | None] | None = None,
        aggregate: str | None = None,
        token: int | None = None,
        intended_ns: int | None = None,
    ) -> Op:
        """GET from the query side and say what was read.

        Args:
            operation: The operation's name, which the op carries.
            template: The path with names in braces.
            path: Their values.
            parameters: The query string; what is None is left out.
            aggregate: What is asked about.
            token: The version the answer must have at least (sent as `min_version`).
            intended_ns: When the call was planned, UTC nanoseconds.
        """
        request = Request(
            "GET",
            build_url(self.api_url, template, path, {"min_version": token, **(parameters or {})}),
            route=f"GET {template}",
        )
        start_ns, end_ns, result = self._timed(request)
        judged = judge(result)
        answer = result if isinstance(result, Answer) else None
        return Op(
            session=self.session,
            kind=Kind.QUERY,
            operation=operation,
            route=request.route,
            aggregate=aggregate,
            token=token,
            intended_ns=start_ns if intended_ns is None else intended_ns,
            start_ns=start_ns,
            end_ns=end_ns,
            outcome=judged.outcome,
            status=answer.status if answer else None,
            version=version_of(answer) if answer else None,
            problem_type=judged.problem_type,
            detail=judged.detail,
            state=answer.members() if answer and judged.outcome is Outcome.OK else None,
        )

    def send(self, request: Request) -> Answer:
        """Sign and send a request that the caller built, however odd, and return the answer.

        Raises:
            TransportError: If no complete answer came.
        """
        if self.credentials is not None:
            request = sign(request, credentials=self.credentials, region=self.region)
        return self.transport(request)

    def _timed(self, request: Request) -> tuple[int, int, Answer | TransportError]:
        result: Answer | TransportError
        start_ns = self.clock()
        try:
            result = self.send(request)
        except TransportError as error:
            result = error
        return start_ns, self.clock(), result


@dataclass(frozen=True)
class _Accepted:
    """What the answer to a command says, as far as it says it."""

    status: int | None = None
    aggregate: str | None = None
    version: int | None = None
    event_id: str | None = None
    replayed: bool = False

    @classmethod
    def read(cls, answer: Answer) -> _Accepted:
        event_id = (answer.members() or {}).get("event_id")
        location = urlsplit(answer.headers.get("location", "")).path
        return cls(
            status=answer.status,
            aggregate=unquote(location.rpartition("/")[2]) or None,
            version=version_of(answer),
            event_id=event_id if isinstance(event_id, str) else None,
            replayed=answer.headers.get("idempotency-replayed", "").lower() == "true",
        )


def _canonical(body: Mapping[str, Any]) -> bytes:
    """Serialise so that equal bodies have equal bytes."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _payload_hash(operation: str, aggregate: str | None, payload: bytes) -> str:
    """Hash what a command asks for: the operation, the aggregate as sent, the body."""
    named = json.dumps([operation, aggregate]).encode()
    return hashlib.sha256(named + b"\n" + payload).hexdigest()
