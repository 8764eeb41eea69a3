"""A call as a value: what is commanded or asked, and how that is said in HTTP."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tidemark.api.exchange import Headers, Request
from tidemark.api.signing import build_url

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(StrEnum):
    """Which side of CQRS a call goes to."""

    COMMAND = "command"
    QUERY = "query"


_HASH_BYTES = 16
# Made once: `json.dumps` would make one for each body.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True, kw_only=True)
class Call:
    """One command or query, before anybody sends it; equal calls ask for the same.

    Attributes:
        operation: The operation's name in its workload, such as `deposit`.
        route: The method and the path with names in braces; one constant per operation.
        path: The value of each name.
        body: The JSON body, None for none.
        parameters: The query string; what is None is left out.
        aggregate: The id of what is called for, None if the system is to make it.
        expected_version: What a command is pinned to: refused (412) at any other version.
        token: The version that a query must see at least (`min_version`).
        key: The idempotency key of a command; None has the client make one.
    """

    operation: str
    route: str
    path: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    parameters: Mapping[str, str | int | None] = field(default_factory=dict)
    aggregate: str | None = None
    expected_version: int | None = None
    token: int | None = None
    key: str | None = None

    @property
    def kind(self) -> Kind:
        """A query, if it only asks; else a command."""
        return Kind.QUERY if self.route.startswith("GET ") else Kind.COMMAND

    @property
    def payload_hash(self) -> str | None:
        """Equal for two commands exactly if they ask for the same; None of a query.

        It covers the operation, the aggregate as sent and the body; neither key nor version.
        """
        if self.kind is Kind.QUERY:
            return None
        named = f"{self.operation} {self.aggregate!r}\n".encode()
        return hashlib.blake2b(named + self._payload, digest_size=_HASH_BYTES).hexdigest()

    def request(self, api_url: str) -> Request:
        """Return the request that says this, unsigned; asked for again, it is the same one.

        Args:
            api_url: Where the API is, without a trailing slash.

        Raises:
            KeyError: The route names what `path` does not have.
        """
        made: tuple[str, Request] | None = self.__dict__.get("_made")
        if made is not None and made[0] == api_url:
            return made[1]
        request = self._request(api_url)
        object.__setattr__(self, "_made", (api_url, request))
        return request

    def _request(self, api_url: str) -> Request:
        method, _, template = self.route.partition(" ")
        headers = {}
        if self.key is not None:
            headers["Idempotency-Key"] = self.key
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        if self.expected_version is not None:
            headers["If-Match"] = f'"{self.expected_version}"'
        query = {"min_version": self.token, **self.parameters}
        url = build_url(api_url, template, self.path, query)
        return Request(method, url, Headers(headers), self._payload, route=self.route)

    @property
    def _payload(self) -> bytes:
        # What is kept takes a lock to make, and most calls have none.
        return b"" if self.body is None else self._encoded

    @cached_property
    def _encoded(self) -> bytes:
        """The body, so that equal bodies have equal bytes."""
        return _encode(self.body).encode()
