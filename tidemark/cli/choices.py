"""What a user may choose about a stack, from the options that say so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tidemark.aws import stacks
from tidemark.aws.clients import AwsClients
from tidemark.cli.options import WIRINGS
from tidemark.deploy import changes
from tidemark.errors import RefusedError, TidemarkError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tidemark.aws.connection import Connection

_TOPIC_ARN = re.compile(r"arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]+")

KNOWN = {
    "wiring": WIRINGS,
    "arch": ("x86_64", "arm64"),
    "retention": ("destroy", "retain"),
    "alarm_topic_arn": None,
}
"""The contexts, and what there is to choose from; the app itself reads what is free."""


def chosen(
    contexts: Sequence[str] | None, *, wiring: str | None, retention: str | None
) -> dict[str, str]:
    """The context values that the options name, checked against each other.

    Raises:
        RefusedError: One is unknown, or two options contradict each other.
    """
    found = pairs(contexts, "--context")
    for name, value in (("wiring", wiring), ("retention", retention)):
        if value is not None and found.setdefault(name, value) != value:
            raise RefusedError(f"Two options name a {name}: {found[name]} and {value}.")
    for name, value in found.items():
        if name not in KNOWN:
            raise RefusedError(f"There is no context {name!r}: choose {', '.join(KNOWN)}.")
        choice = KNOWN[name]
        if choice is not None and value not in choice:
            raise RefusedError(f"There is no {name} {value!r}: choose {' or '.join(choice)}.")
        if name == "alarm_topic_arn" and not _TOPIC_ARN.fullmatch(value):
            raise RefusedError(f"{name} {value!r} is not the ARN of an SNS topic.")
    return found


def pairs(words: Sequence[str] | None, option: str) -> dict[str, str]:
    """The pairs that a repeated option names.

    Raises:
        RefusedError: One is no pair.
    """
    found = {}
    for word in words or ():
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise RefusedError(f"{option} {word} is no pair: write {option} NAME=VALUE.")
        found[name] = value
    return found


def kept_retention(connection: Connection | None, stack_name: str) -> Mapping[str, str]:
    """The retention of what is deployed: only who names another one changes it.

    Raises:
        TidemarkError: It cannot be read. Taking it for none would drop it.
    """
    if connection is None:
        return {}
    clients = AwsClients(connection)
    try:
        if stacks.describe(clients, stack_name) is None:
            return {}
        template = stacks.live_template(clients, stack_name)
    except (BotoCoreError, ClientError) as error:
        words = str(error).rstrip(".")
        raise TidemarkError(
            f"Whether {stack_name} keeps its tables cannot be read ({words}): try again, or name "
            "a --retention."
        ) from error
    return {"retention": "retain"} if changes.is_retained(template) else {}
