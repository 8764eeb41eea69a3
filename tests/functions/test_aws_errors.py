"""What AWS answered, as what may be done next."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from functions.adapters.aws_errors import (
    AwsError,
    ContendedError,
    RefusedWriteError,
    UnansweredError,
    sorted_errors,
)


def error(
    code: str, *reasons: str, tries: int = 1, status: int = 400, item: Any = None
) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "no"},
        "ResponseMetadata": {"RetryAttempts": tries - 1, "HTTPStatusCode": status},
        "CancellationReasons": [{"Code": reason, "Item": item or {}} for reason in reasons],
    }
    return ClientError(response, "TransactWriteItems")


def sorted_(raised: Exception, *, reading: bool = False) -> AwsError:
    with pytest.raises(AwsError) as caught, sorted_errors(reading=reading):
        raise raised
    assert caught.value.__cause__ is raised
    return caught.value


CANCELLED = "TransactionCanceledException"


@pytest.mark.parametrize(
    ("raised", "kind", "ambiguous"),
    [
        (error("ThrottlingException"), ContendedError, False),
        (error("ThrottlingException", tries=2), ContendedError, True),
        (error("TransactionConflictException"), ContendedError, False),
        (error(CANCELLED, "None", "TransactionConflict"), RefusedWriteError, False),
        (error(CANCELLED, "None", "TransactionConflict", tries=2), RefusedWriteError, True),
        # A condition that fails now fails for what is still under way, too.
        (error(CANCELLED, "ConditionalCheckFailed", "None", tries=2), RefusedWriteError, False),
        (error("ConditionalCheckFailedException", tries=2), RefusedWriteError, False),
        (error(CANCELLED, "ValidationError"), UnansweredError, False),
        (error("AccessDeniedException"), UnansweredError, False),
        (error("AccessDeniedException", tries=2), UnansweredError, True),
        (error("InternalServerError", status=500), UnansweredError, True),
        (error("TransactionInProgressException"), UnansweredError, True),
        (ConnectTimeoutError(endpoint_url="there"), UnansweredError, True),
    ],
)
def test_an_error_says_what_helps_and_whether_it_may_have_been_done(
    raised: Exception, kind: type[AwsError], *, ambiguous: bool
) -> None:
    found = sorted_(raised)
    assert (type(found), found.ambiguous) == (kind, ambiguous)


@pytest.mark.parametrize(
    "raised",
    [
        error("ThrottlingException", tries=2),
        error("InternalServerError", status=500),
        ConnectTimeoutError(endpoint_url="there"),
    ],
)
def test_nothing_about_reading_is_ambiguous(raised: Exception) -> None:
    assert not sorted_(raised, reading=True).ambiguous


def test_a_refused_write_tells_of_each_item() -> None:
    item = {"version": {"N": "3"}}
    reasons = ("ConditionalCheckFailed", "None", "TransactionConflict")
    found = sorted_(error(CANCELLED, *reasons, item=item))
    assert isinstance(found, RefusedWriteError)
    assert [found.failed(position) for position in range(3)] == [True, False, False]
    assert found.contended
    assert found.reasons[0].item == item


def test_a_single_write_is_one_item() -> None:
    found = sorted_(error("ConditionalCheckFailedException"))
    assert isinstance(found, RefusedWriteError)
    assert found.failed(0)
    assert not found.contended


def test_what_is_not_of_aws_stays_what_it_is() -> None:
    with pytest.raises(KeyError), sorted_errors():
        raise KeyError("a bug")
