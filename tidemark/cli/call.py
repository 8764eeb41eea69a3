"""The verb call: one signed request to the API."""

import json
import uuid
from typing import Annotated

import typer

from tidemark.api.exchange import Answer, Headers, Request, TransportError
from tidemark.api.httpx_transport import HttpxTransport
from tidemark.aws.api_clients import client_of
from tidemark.cli import known
from tidemark.cli.options import KnownStack, KnownTarget
from tidemark.errors import NotStartedError, TidemarkError

Method = Annotated[str, typer.Argument(help="GET or POST.")]
Path = Annotated[str, typer.Argument(help="The path, such as /accounts/alice.")]
Body = Annotated[str | None, typer.Argument(help="The JSON body of a POST.")]
Key = Annotated[
    str | None,
    typer.Option("--key", help="The idempotency key of a command; a new one by default."),
]


def call(
    method: Method,
    path: Path,
    body: Body = None,
    key: Key = None,
    target: KnownTarget = None,
    stack_name: KnownStack = None,
) -> None:
    """Send one signed request to the API and print the answer.

    For example: `tidemark call POST /accounts '{"owner_id": "me"}'`.
    """
    method = method.upper()
    if method not in {"GET", "POST"}:
        raise NotStartedError(f"The API knows GET and POST, not {method}.")
    if not path.startswith("/"):
        raise NotStartedError(f"The path begins with a slash: /{path}.")
    deployment, clients = known.reach(target, stack_name)
    headers = {}
    if method == "POST":
        headers["Idempotency-Key"] = key or str(uuid.uuid4())
    if body is not None:
        headers["Content-Type"] = "application/json"
    with HttpxTransport(ca_bundle=clients.connection.ca_bundle) as transport:
        request = Request(
            method, deployment.api_url + path, Headers(headers), (body or "").encode()
        )
        try:
            answer = client_of(deployment, clients, transport).send(request)
        except TransportError as error:
            raise TidemarkError(f"The API did not answer: {error}.") from error
    typer.echo(f"{answer.status}", err=True)
    typer.echo(_format(answer))
    if answer.status >= 500:
        raise TidemarkError(f"The API failed with status {answer.status}.")


def _format(answer: Answer) -> str:
    members = answer.members
    if members is None:
        return answer.body.decode(errors="replace")
    return json.dumps(members, indent=2)
