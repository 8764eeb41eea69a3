"""What a user may choose about a stack, from the options that say so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tidemark.cli.options import WIRINGS
from tidemark.errors import NotStartedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TOPIC_ARN = re.compile(r"arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]+")

KNOWN = {
    "wiring": WIRINGS,
    "arch": ("x86_64", "arm64"),
    "retention": ("destroy", "retain"),
    "alarm_topic_arn": None,
}
"""The contexts, and what there is to choose from; the app itself reads what is free."""

_DEFAULTS = {"wiring": "queued", "arch": "x86_64", "retention": "destroy", "alarm_topic_arn": ""}


def choose(
    contexts: Sequence[str] | None, *, wiring: str | None, retention: str | None
) -> dict[str, str]:
    """The context values that the options name, checked against each other.

    Raises:
        NotStartedError: One is unknown, or two options contradict each other.
    """
    found = pairs(contexts, "--context")
    for name, value in (("wiring", wiring), ("retention", retention)):
        if value is not None and found.setdefault(name, value) != value:
            raise NotStartedError(f"Two options name a {name}: {found[name]} and {value}.")
    for name, value in found.items():
        if name not in KNOWN:
            raise NotStartedError(f"There is no context {name!r}: choose {', '.join(KNOWN)}.")
        choice = KNOWN[name]
        if choice is not None and value not in choice:
            raise NotStartedError(f"There is no {name} {value!r}: choose {' or '.join(choice)}.")
        if name == "alarm_topic_arn" and value and not _TOPIC_ARN.fullmatch(value):
            raise NotStartedError(f"{name} {value!r} is not the ARN of an SNS topic.")
    return found


def pairs(words: Sequence[str] | None, option: str) -> dict[str, str]:
    """The pairs that a repeated option names.

    Raises:
        NotStartedError: One is no pair.
    """
    found = {}
    for word in words or ():
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise NotStartedError(f"{option} {word} is no pair: write {option} NAME=VALUE.")
        found[name] = value
    return found


def keep(kept: Mapping[str, str], named: Mapping[str, str]) -> dict[str, str]:
    """The context values to deploy with: what is named, else what is deployed; no default ones.

    Args:
        kept: How the stack is deployed.
        named: What the options name.
    """
    wanted = {**kept, **named}
    return {name: value for name, value in wanted.items() if value != _DEFAULTS[name]}


def describe(kept: Mapping[str, str], named: Mapping[str, str]) -> str | None:
    """What is kept although it is not the default, in words."""
    told = {name: value for name, value in keep(kept, {}).items() if name not in named}
    if not told:
        return None
    words = ", ".join(f"{name} {value}" for name, value in told.items())
    option = " ".join(f"-c {name}={_DEFAULTS[name]}" for name in told)
    return f"it keeps {words}, as it is deployed ({option} changes that)"
