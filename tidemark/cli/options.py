"""The options that verbs share."""

from __future__ import annotations

import math
from typing import Annotated, Any

import typer

from tidemark import targets
from tidemark.deploy import cdk

DEFAULT_STACK_NAME = "Tidemark"
WIRINGS = ("queued", "direct")
MOST_MINUTES = 10 * 366 * 24 * 60
"""Ten years: further back there is nothing that anybody looks for."""

_MINUTES_IN = {"s": 1 / 60, "m": 1, "h": 60, "d": 24 * 60}

_TARGETS = ", ".join(targets.names())


def minutes(given: str | float) -> float:
    """How far to look back, in minutes, from words such as 90s, 5m, 2h or 1d.

    Raises:
        typer.BadParameter: It is no such time.
    """
    words = str(given)
    unit = words[-1:] if words[-1:] in _MINUTES_IN else ""
    try:
        value = float(words.removesuffix(unit)) * _MINUTES_IN[unit or "m"]
    except ValueError:
        value = math.nan
    if not 0 <= value <= MOST_MINUTES:
        raise typer.BadParameter(f"{given} is no time to look back: write 90s, 5m, 2h or 1d.")
    return value


def since(default: str, what: str) -> Any:
    """The option that says how far to look back.

    Args:
        default: Its default, in words.
        what: What is looked at.
    """
    return typer.Option(
        "--since",
        parser=minutes,
        metavar="TIME",
        show_default=False,
        help=f"How far back to {what}, such as 90s, 5m, 2h or 1d; {default} by default.",
    )


def max_cost_of(what: str) -> Any:
    """The option that bounds what load runs may cost.

    Args:
        what: What is bounded, and what happens beyond it.
    """
    return typer.Option("--max-cost", min=0, metavar="USD", help=f"On AWS, {what}.")


TargetToStart = Annotated[
    str,
    typer.Option(
        "--target",
        envvar="TARGET",
        help=f"Where to: {_TARGETS}; auto takes LocalStack when Docker and the image are "
        "there, else embedded.",
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
KnownTarget = Annotated[
    str | None,
    typer.Option(
        "--target", envvar="TARGET", help="The target, when deployments on several are known."
    ),
]
KnownStack = Annotated[
    str | None,
    typer.Option("--stack-name", envvar="STACK_NAME", help="The stack, when several are known."),
]
Context = Annotated[
    list[str] | None,
    typer.Option(
        "--context",
        "-c",
        metavar="NAME=VALUE",
        help="A context value of the CDK app: wiring, arch, retention or alarm_topic_arn. May be "
        "repeated.",
    ),
]
Retention = Annotated[
    str | None,
    typer.Option(
        "--retention",
        envvar="RETENTION",
        help="What becomes of the tables with the stack: destroy, or retain, which also protects "
        "the stack from deletion. What is deployed keeps its own by default.",
    ),
]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="NAME=VALUE", help="A stack tag. May be repeated."),
]
DeployWith = Annotated[
    str,
    typer.Option(
        "--deploy-with",
        envvar="DEPLOY_WITH",
        help=f"The program that deploys: {' or '.join(cdk.PROGRAMS)} (for emulators).",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Agree to what is shown, where a target asks first.")
]
