"""What the functions log, found by name."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tidemark.aws import logs
from tidemark.host.waiting import NotYetError, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

_LOGGED_WITHIN_S = 40.0


@dataclass(frozen=True)
class LogReader:
    """Reads what the functions of one deployment log from now on."""

    aws: AwsClients
    deployment: Deployment
    since_ms: int = field(default_factory=lambda: int(time.time() * 1000) - 1000)

    def lines(self, function: str) -> Iterator[dict[str, Any]]:
        """The JSON lines of a function."""
        for line in logs.read(self.aws, self.deployment, [function], since_ms=self.since_ms):
            try:
                said = json.loads(line.text)
            except ValueError:
                continue  # a line of the runtime's
            if isinstance(said, dict):
                yield said

    def await_line(self, function: str, **members: Any) -> dict[str, Any]:
        """Wait for a line that says all this, and return it."""

        def probe() -> dict[str, Any]:
            seen = 0
            for line in self.lines(function):
                seen += 1
                if members.items() <= line.items():
                    return line
            raise NotYetError(f"{seen} other lines")

        return eventually(probe, within_s=_LOGGED_WITHIN_S, what=f"{function} to log {members}")

    def await_records(self, message_ids: list[str]) -> dict[str, dict[str, Any]]:
        """Wait until the processor has done with each of these messages; how, by message id."""
        assert message_ids

        def probe() -> dict[str, dict[str, Any]]:
            done = {
                line["message_id"]: line
                for line in self.lines("update-processor")
                if line.get("outcome") in {"applied", "duplicate"}
            }
            missing = [one for one in message_ids if one not in done]
            if missing:
                raise NotYetError(f"{len(missing)} of {len(message_ids)} missing: {missing}")
            return {one: done[one] for one in message_ids}

        return eventually(
            probe, within_s=_LOGGED_WITHIN_S, what=f"{len(message_ids)} messages to be processed"
        )
