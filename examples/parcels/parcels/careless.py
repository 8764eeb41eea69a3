"""The tracker with a bug: an entry for each message, so that a copy of an event is a second one.

`--tidemark-context tracker=careless` deploys it in the tracker's place, to see it found.
"""

from __future__ import annotations

import json
from typing import Any

from tracker import enter


def handle(event: dict[str, Any], _context: object) -> None:
    """Take a batch of the queue, as the tracker does."""
    for record in event["Records"]:
        scan = json.loads(record["body"])
        enter(f"{scan['version']} {record['messageId']}", scan)
        print(record["body"])  # noqa: T201 -- the log of a function
