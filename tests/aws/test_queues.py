"""What a queue holds, whatever of it a target counts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tidemark.aws.queues import depth_at, depths_at

COUNTED = {
    "ApproximateNumberOfMessages": "3",
    "ApproximateNumberOfMessagesDelayed": "4",
    "ApproximateNumberOfMessagesNotVisible": "5",
}


@pytest.mark.parametrize(
    ("left_out", "found"),
    [
        ("", (7, 5)),
        ("ApproximateNumberOfMessagesDelayed", (3, 5)),
        ("ApproximateNumberOfMessagesNotVisible", (7, 0)),
    ],
)
def test_what_a_target_does_not_count_is_none(left_out: str, found: tuple[int, int]) -> None:
    counted = {name: count for name, count in COUNTED.items() if name != left_out}
    sqs: Any = SimpleNamespace(get_queue_attributes=lambda **_: {"Attributes": counted})

    assert depths_at(sqs, "http://127.0.0.1:1/queue") == found
    assert depth_at(sqs, "http://127.0.0.1:1/queue") == sum(found)
