"""Why AWS did not do what it was asked to: the one place where botocore's errors are sorted."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

_CONDITION = "ConditionalCheckFailed"
_SINGLE_CONDITION = "ConditionalCheckFailedException"

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
# lists the reasons of a cancellation; the others name a call that was refused for lack of room.
_CONTENTION = {
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingError",
    "ThrottlingException",
    "TransactionConflict",
    "TransactionConflictException",
}
# An earlier try of the same transaction may still commit: no contention.
_IN_PROGRESS = "TransactionInProgressException"


class AwsError(Exception):
    """AWS did not do what it was asked to.

    Args:
        message: what happened.
        ambiguous: whether it may have done it all the same, or may do it yet.
    """

    def __init__(self, message: str, *, ambiguous: bool) -> None:
        super().__init__(message)
        self.ambiguous = ambiguous


class UnansweredError(AwsError):
    """AWS did not answer, or not in a way that a further try is known to help."""


class ContendedError(AwsError):
    """Others were there first, or AWS had no room: try again.

    The try that was answered did nothing. It is ambiguous where the SDK had made another one
    before it, of which nobody knows what became.
    """


@dataclass(frozen=True, slots=True)
class Reason:
    """What happened to one item of a write, and the item as it was where the write asks for it."""

    code: str
    item: dict[str, Any]


class RefusedWriteError(ContendedError):
    """A write was refused for what its items are, or for what others were doing to them.

    Args:
        message: what happened.
        ambiguous: see `AwsError`; never where a condition failed, because it fails for every
            earlier try, too.
        reasons: one per item of the write, in order.
    """

    def __init__(self, message: str, *, ambiguous: bool, reasons: list[Reason]) -> None:
        super().__init__(message, ambiguous=ambiguous)
        self.reasons = reasons

    @property
    def contended(self) -> bool:
        """Whether others were there first: this hides how the conditions of some items stood."""
        return any(reason.code in _CONTENTION for reason in self.reasons)

    def failed(self, position: int) -> bool:
        """Tell whether the condition of the item at this position was not met."""
        return self.reasons[position].code == _CONDITION


@contextmanager
def sorted_errors(*, reading: bool = False) -> Iterator[None]:
    """Raise what botocore raises in this block as what the caller should do next.

    Args:
        reading: whether the block asks AWS for nothing but an answer, so that no try of it has
            an effect.

    Raises:
        RefusedWriteError: a condition was not met, or others were writing to the same items.
        ContendedError: AWS had no room.
        UnansweredError: anything else.
    """
    try:
        yield
    except ClientError as error:
        raise _sorted(error, reading=reading) from error
    except BotoCoreError as error:
        raise UnansweredError(str(error), ambiguous=not reading) from error


def _sorted(error: ClientError, *, reading: bool) -> AwsError:
    response: Mapping[str, Any] = error.response
    code = response["Error"]["Code"]
    metadata = response.get("ResponseMetadata", {})
    # The SDK tries again by itself. An answer then speaks of the last try alone, and an earlier
    # one that was not answered may still commit.
    tried_before = not reading and metadata.get("RetryAttempts", 0) > 0
    reasons = [
        Reason(reason.get("Code", "None"), reason.get("Item", {}))
        for reason in response.get("CancellationReasons", [])
    ]
    if code == _SINGLE_CONDITION:
        reasons = [Reason(_CONDITION, response.get("Item", {}))]
    if any(reason.code == _CONDITION for reason in reasons):
        return RefusedWriteError(str(error), ambiguous=False, reasons=reasons)
    if any(reason.code in _CONTENTION for reason in reasons):
        return RefusedWriteError(str(error), ambiguous=tried_before, reasons=reasons)
    if code in _CONTENTION:
        return ContendedError(str(error), ambiguous=tried_before)
    refused = metadata.get("HTTPStatusCode", 500) < 500 and code != _IN_PROGRESS
    return UnansweredError(str(error), ambiguous=not reading and (tried_before or not refused))
