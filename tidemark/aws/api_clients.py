"""Clients of a deployment's API: the one way to make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark.api.client import Client, forget, process_clock
from tidemark.api.op import Purpose
from tidemark.api.session import Writer, new_run_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemark.api.client import Sink
    from tidemark.api.exchange import Transport
    from tidemark.api.session import Session
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment


def client_of(
    deployment: Deployment,
    clients: AwsClients,
    transport: Transport,
    *,
    session: Session | None = None,
    sink: Sink = forget,
    purpose: Purpose = Purpose.LOAD,
    principal: str | None = None,
    clock: Callable[[], int] | None = None,
) -> Client:
    """Return a client of a deployment's API that signs its requests.

    Args:
        deployment: The deployment.
        clients: The AWS clients of its target, whose credentials it signs with.
        transport: What sends the requests.
        session: Who calls; somebody whom no run knows, if absent.
        sink: Takes the op of every call; they are forgotten, if absent.
        purpose: What its calls are sent for.
        principal: Whom the API knows the caller as, if that is known.
        clock: UTC in nanoseconds; this process's, if absent.
    """
    return Client(
        api_url=deployment.api_url,
        region=deployment.region,
        credentials=clients.credentials,
        transport=transport,
        session=session or Writer(new_run_id(), "w1").session("s1"),
        sink=sink,
        purpose=purpose,
        principal=principal,
        clock=clock or process_clock(),
    )
