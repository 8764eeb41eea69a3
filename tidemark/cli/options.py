"""The options that verbs share."""

from __future__ import annotations

from typing import Annotated

import typer

from tidemark.targets import NAMES

DEFAULT_STACK_NAME = "Tidemark"
WIRINGS = ("queued", "direct")

_TARGETS = ", ".join(NAMES)

TargetToStart = Annotated[
    str,
    typer.Option(
        "--target",
        envvar="TARGET",
        help=f"Where to: {_TARGETS}; auto takes LocalStack when Docker and the image are there, "
        "else embedded.",
    ),
]
StackToStart = Annotated[
    str,
    typer.Option("--stack-name", envvar="STACK_NAME", help="The stack's name; several can live."),
]
EndpointUrl = Annotated[
    str | None,
    typer.Option(
        "--endpoint-url", envvar="ENDPOINT_URL", help="Where the endpoint target answers."
    ),
]
Port = Annotated[
    int | None,
    typer.Option(
        "--port",
        envvar="PORT",
        min=1,
        max=65535,
        help="The loopback port of a target that is started; any free one by default.",
    ),
]
Wiring = Annotated[
    str | None,
    typer.Option(
        "--wiring",
        envvar="WIRING",
        help="How events travel: queued (SNS, SQS, function) or direct (SNS, function).",
    ),
]
RecordedTarget = Annotated[
    str | None,
    typer.Option(
        "--target", envvar="TARGET", help="The target, when deployments on several are recorded."
    ),
]
RecordedStack = Annotated[
    str | None,
    typer.Option("--stack-name", envvar="STACK_NAME", help="The stack, when several are recorded."),
]
