"""Logged lines as people read them."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemark.aws.logs import Line


class Level(StrEnum):
    """The levels of logged lines, the least first."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


_RANKS = {level.value: rank for rank, level in enumerate(Level)}
_COLOURS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}
# Said at every invocation; one that was cut short has its status in the report.
_OF_THE_RUNTIME = re.compile(
    r"(START|END|INIT_START|XRAY) |REPORT (?!.*Status: (timeout|error))", re.DOTALL
)
_METRICS = "_aws"
_PLATFORM = "platform."
# In the order in which they come first; what follows is not for people.
_FIRST = ("message", "outcome")
_TRACES = ("exception", "stack_trace", "stackTrace")
_LEFT_OUT = {
    *_FIRST,
    *_TRACES,
    "exception_name",
    "function_request_id",
    "level",
    "location",
    "service",
    "timestamp",
    "trace",
    "xray_trace_id",
}
# What would move a terminal's cursor or change its colours.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def is_for_people(line: Line) -> bool:
    """Whether it tells more than that an invocation came and went; metrics have a verb."""
    members = line.members
    if members is None:
        return bool(line.text.strip()) and not _OF_THE_RUNTIME.match(line.text)
    return _METRICS not in members and not str(members.get("type", "")).startswith(_PLATFORM)


def is_at_least(line: Line, level: Level) -> bool:
    """Whether it is of a level or above; one without a level may be an error, and always is."""
    said = str((line.members or {}).get("level", Level.CRITICAL)).upper()
    return _RANKS.get(said, len(Level)) >= _RANKS[level]


def readable(line: Line) -> Iterator[str]:
    """The line, then its traceback, if it has one; times are UTC."""
    at = datetime.fromtimestamp(line.at_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    members = line.members or {}
    level = str(members.get("level", ""))
    first, *more = (_tell(members) if members else line.text).split("\n")
    for trace in _TRACES:
        more += _trace(members.get(trace))
    head = f"{at} {line.function:<16} {level:<7} "
    yield typer.style(_escape(head + first), fg=_COLOURS.get(level))
    yield from (_escape(f"    {one}") for one in more)


def as_json(line: Line) -> str:
    """The line as one JSON object, whole."""
    said = line.text if line.members is None else line.members
    return json.dumps({"at_ms": line.at_ms, "function": line.function, "said": said})


def _tell(members: Mapping[str, Any]) -> str:
    words = [str(members[name]) for name in _FIRST if name in members]
    words += [
        f"{name}={_value(one)}"
        for name, one in members.items()
        if name not in _LEFT_OUT and one not in ("", None)
    ]
    return " ".join(words)


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _trace(found: Any) -> list[str]:
    """The lines of a traceback; one that Powertools has as an object is there as text as well."""
    parts = found if isinstance(found, list) else [found] if isinstance(found, str) else []
    return [line for part in parts for line in str(part).rstrip("\n").split("\n")]


def _escape(text: str) -> str:
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
