"""API Gateway's proxy events as requests, and answers as API Gateway wants them.

Errors are problem documents (RFC 9457); their `type` is stable, so that a caller can act on it.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

NOBODY = "-"
"""Who calls where the gateway names no principal."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    Attributes:
        route: method and path template.
        caller: the principal's unique id, as IAM verified it; it never holds a `#`.
        path: the values of the template's names.
        query: the query string's values.
        headers: the headers; their names are in lower case.
        body: the body, empty for none.
    """

    route: str
    caller: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; a body is JSON."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


class ProblemError(Exception):
    """The answer is a problem document.

    Args:
        status: the HTTP status.
        slug: what makes the problem's type, stable for callers.
        detail: one sentence for a person.
        headers: further headers.
        members: further members of the document, such as the field that is wrong.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.slug = slug
        self.response = Response(
            status,
            {
                "type": f"urn:tidemark:problem:{slug}",
                "title": slug.replace("-", " ").capitalize(),
                "status": status,
                "detail": detail,
                **members,
            },
            {"Content-Type": "application/problem+json", **(headers or {})},
        )


class MalformedError(ProblemError):
    """The request cannot be understood; `field` is what is wrong with it."""

    def __init__(self, field_name: str, detail: str) -> None:
        super().__init__(400, "malformed", f"{field_name} {detail}", field=field_name)


def from_proxy(event: Mapping[str, Any]) -> Request:
    """Return the request in a Lambda proxy event.

    Raises:
        MalformedError: the body is not text.
    """
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            body = base64.b64decode(body).decode()
        except ValueError:
            raise MalformedError("body", "is not UTF-8 text") from None
    return Request(
        route=f"{event['httpMethod']} {event['resource']}",
        caller=_caller(event),
        path=event.get("pathParameters") or {},
        query=event.get("queryStringParameters") or {},
        headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
        body=body,
    )


def _caller(event: Mapping[str, Any]) -> str:
    """Return who signed the request, the same for as long as the principal exists.

    A role's id is followed by the name of one of its sessions, which changes when credentials are
    refreshed, as an access key does: neither belongs to the caller. A federated user has no id of
    its own: its name follows the account's number, and without it all of them would be one
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable).
    """
    identity = (event.get("requestContext") or {}).get("identity") or {}
    stated = str(identity.get("caller") or NOBODY)
    principal = stated.partition(":")[0]
    return quote(stated if principal.isdecimal() else principal, safe=":@=+,") or NOBODY


def received_at(event: Mapping[str, Any]) -> int | None:
    """Return when the gateway had the request (UTC ms), None if the event does not say."""
    value = (event.get("requestContext") or {}).get("requestTimeEpoch")
    return value if isinstance(value, int) else None


def to_proxy(response: Response) -> dict[str, Any]:
    """Return an answer as a Lambda proxy result."""
    return {
        "statusCode": response.status,
        "headers": {"Content-Type": "application/json", **response.headers},
        "body": json.dumps(response.body, separators=(",", ":")),
    }
