"""Requests as nobody should send them."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tidemark.api.exchange import Answer, Headers, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemark.api.client import Client

GATEWAYS_OWN = {400, 403, 404, 405, 413, 415}


def ask(
    client: Client,
    method: str,
    path: str,
    *,
    key: str | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes | str | None = None,
) -> Answer:
    """Sign and send a request exactly as it is given.

    Args:
        client: Whose API, and who signs.
        method: The HTTP method.
        path: Path and query, encoded, behind the API's base URL.
        key: The idempotency key.
        headers: Further headers.
        body: The body; text is sent as UTF-8.
    """
    sent = dict(headers or {})
    if key is not None:
        sent["Idempotency-Key"] = key
    if body is not None:
        sent.setdefault("Content-Type", "application/json")
    payload = body.encode() if isinstance(body, str) else body or b""
    return client.send(Request(method, f"{client.api_url}{path}", Headers(sent), payload))


def as_it_is(request: Request) -> Answer:
    """A transport that leaves bytes beyond ASCII in headers alone (ISO 8859-1)."""
    parts = urlsplit(request.url)
    assert parts.hostname is not None
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=30)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(request.method, target, request.body, dict(request.headers))
        response = connection.getresponse()
        return Answer(response.status, Headers(dict(response.getheaders())), response.read())
    finally:
        connection.close()


def problem_of(answer: Answer) -> Mapping[str, Any] | None:
    """The problem document that the API answered; None where the gateway answered by itself.

    The test fails unless the answer is one of the two.
    """
    said = answer.members
    assert said is not None, answer
    media_type = answer.headers.get("content-type", "").partition(";")[0]
    if media_type == "application/problem+json" and "status" in said:
        assert said["status"] == answer.status
        assert said["type"].startswith("urn:tidemark:problem:")
        return said
    assert answer.status in GATEWAYS_OWN, answer
    assert {name.lower() for name in said} >= {"message"} or "type" in said, answer
    return None


def json_of(**members: Any) -> str:
    """A JSON object, its text beyond ASCII left as it is."""
    return json.dumps(members, ensure_ascii=False)
