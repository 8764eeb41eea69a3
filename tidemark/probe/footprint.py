"""What a probe would make on a target that asks first, in lines for a person to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark.probe.names import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tidemark.probe.row import Row

# What comes with a thing, or stays of it.
_MORE = {
    "functions": "functions with their log groups, and a role",
    "metrics": "a few custom metrics (CloudWatch forgets them after 15 months, not before)",
    "stacks": "small CloudFormation stacks",
    "APIs": "REST APIs",
}


def what_is_made(rows: Sequence[Row]) -> Iterator[str]:
    """What rows make for a while, each kind once, and what becomes of it."""
    yield f"For as long as it is needed, this makes what it asks about, named {PREFIX}-…:"
    for one in dict.fromkeys(one for row in rows for one in row.makes):
        yield f"  {_MORE.get(one, one)}"
    yield "Each is removed as soon as its row has ended, also if it fails or you press Ctrl-C."
    yield "What could not be removed is named at the end. The deployed stack is only read."
