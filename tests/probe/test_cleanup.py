"""What was made is removed, last made first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tidemark.errors import TidemarkError
from tidemark.probe.cleanup import EndedRowError, Leftovers

if TYPE_CHECKING:
    from collections.abc import Callable


def _raising(error: Exception) -> Callable[[], NoReturn]:
    def remove() -> NoReturn:
        raise error

    return remove


def _refused(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Delete")


def test_the_last_made_is_removed_first_and_once() -> None:
    removed: list[str] = []
    leftovers = Leftovers()
    leftovers.owe("role", lambda: removed.append("role"))
    leftovers.owe("function", lambda: removed.append("function"))

    assert leftovers.remove() == []
    assert leftovers.remove() == []
    assert removed == ["function", "role"]


@pytest.mark.parametrize(
    "error",
    [
        _refused("ResourceNotFoundException"),
        _refused("AWS.SimpleQueueService.NonExistentQueue"),
        _refused("NoSuchEntity"),
        _refused("ValidationError", "Stack with id a does not exist"),
    ],
)
def test_what_was_never_made_is_no_failure(error: ClientError) -> None:
    leftovers = Leftovers()
    leftovers.owe("queue", _raising(error))

    assert leftovers.remove() == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (_refused("AccessDenied"), "queue: AccessDenied"),
        (TidemarkError("It cannot be deleted."), "queue: It cannot be deleted."),
    ],
)
def test_one_failure_is_named_and_keeps_nothing_else_from_removal(
    error: Exception, said: str
) -> None:
    removed: list[str] = []
    leftovers = Leftovers()
    leftovers.owe("role", lambda: removed.append("role"))
    leftovers.owe("queue", _raising(error))

    assert leftovers.remove() == [said]
    assert removed == ["role"]


def test_a_target_that_does_not_answer_is_asked_once() -> None:
    asked: list[str] = []
    leftovers = Leftovers()
    leftovers.owe("role", lambda: asked.append("role"))
    leftovers.owe("queue", _raising(EndpointConnectionError(endpoint_url="http://127.0.0.1:9")))

    assert leftovers.remove() == [
        "queue: the target does not answer",
        "role: the target does not answer",
    ]
    assert asked == []


def test_what_is_made_too_late_is_removed_at_once() -> None:
    removed: list[str] = []
    leftovers = Leftovers()
    leftovers.remove()

    with pytest.raises(EndedRowError, match="topic would be made after the row has ended"):
        leftovers.owe_made("topic", lambda: removed.append("topic"))
    assert removed == ["topic"]
