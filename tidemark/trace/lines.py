"""What the functions logged about an id: their JSON lines, with the ids that each names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from tidemark.aws import logs
from tidemark.workloads.bank_items import EventKey, stands_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

WRITERS = ("command-handler", "update-processor", "outbox-sweeper")
"""The functions that a command passes; the Query Handler's lines name no command."""

MOST_LINES = 10_000
"""Where the search of one function's log stops."""

_NAMES = ("command_id", "event_id", "account_id", "message_id")
# What a CloudWatch filter pattern takes between quotes; emulators read others differently.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:@/-]*")


def is_named(members: Mapping[str, Any], name: str, wanted_id: str) -> bool:
    """Whether an id of a line or letter is the wanted one; a command may be named by its key.

    Args:
        members: What the line or letter says.
        name: The id's name there, such as `event_id`.
        wanted_id: The id.
    """
    said = members.get(name)
    return stands_for(wanted_id, said) if name == "command_id" else said == wanted_id


@dataclass(frozen=True, slots=True)
class Said:
    """One JSON line of a function.

    Attributes:
        at_ms: When the function wrote it, by its own clock, UTC milliseconds.
        function: The function's short name.
        members: What it says.
    """

    at_ms: int
    function: str
    members: Mapping[str, Any]

    def names(self, wanted_id: str) -> bool:
        """Whether it names an id as command, event, account or message."""
        return any(is_named(self.members, name, wanted_id) for name in _NAMES)

    @property
    def message(self) -> str:
        """What kind of line it is."""
        return str(self.members.get("message", ""))

    @property
    def outcome(self) -> str:
        """What became of what it is about."""
        return str(self.members.get("outcome", ""))


class Lines:
    """Searches the logs of one deployment's functions.

    Args:
        clients: The target's.
        deployment: The stack.
    """

    def __init__(self, clients: AwsClients, deployment: Deployment) -> None:
        self._clients = clients
        self._deployment = deployment

    def about(self, wanted_id: str, *, since_ms: int) -> list[Said]:
        """The lines that name an id, in order of time.

        Args:
            wanted_id: A command's, event's, account's or message's.
            since_ms: Where to begin, UTC milliseconds.
        """
        found = [
            said
            for function in WRITERS
            for said in self._read(function, wanted_id, since_ms)
            if said.names(wanted_id)
        ]
        return sorted(found, key=lambda said: said.at_ms)

    def _read(self, function: str, wanted_id: str, since_ms: int) -> Iterator[Said]:
        word = wanted_id.rpartition("#")[2]  # of a command, its key or the end of it
        containing = word if _PLAIN.fullmatch(word) else None
        lines = logs.read(
            self._clients, self._deployment, [function], since_ms=since_ms, containing=containing
        )
        for line in islice(lines, MOST_LINES):
            said = parse(line)
            if said is not None:
                yield said


def parse(line: logs.Line) -> Said | None:
    """The JSON line that a function wrote; ``None`` for a line of the runtime's or of metrics."""
    members = line.members
    if members is None or "message" not in members:
        return None
    return Said(_written_at_ms(members, line.at_ms), line.function, members)


def _written_at_ms(members: Mapping[str, Any], logged_at_ms: int) -> int:
    """The line's own time: some targets stamp all lines of an invocation with its end."""
    try:
        written = datetime.strptime(members["timestamp"], "%Y-%m-%d %H:%M:%S,%f%z")
    except (KeyError, TypeError, ValueError):
        return logged_at_ms
    return round(written.timestamp() * 1000)


def event_key(members: Mapping[str, Any]) -> EventKey | None:
    """The event that a line or a letter is about; ``None`` when it does not name one in full."""
    match members:
        case {"version": bool()}:
            return None  # an int to Python, and no version
        case {"account_id": str(account_id), "version": int(version), "event_id": str(event_id)}:
            return EventKey(account_id, version, event_id)
        case _:
            return None
