"""Why DynamoDB did not do what it was asked to."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

FAILED_CONDITION = "ConditionalCheckFailed"
FAILED_CONDITION_EXCEPTION = "ConditionalCheckFailedException"

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
# lists the reasons of a cancellation; the others name a call that was refused for lack of room.
# TransactionInProgressException is not among them: an earlier try may still commit, so nobody
# may be told that nothing was done.
_CONTENTION = {
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingError",
    "ThrottlingException",
    "TransactionConflict",
    "TransactionConflictException",
}


class ContendedError(Exception):
    """Others were there first, or DynamoDB had no room: nothing was written, try again."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What happened to one item of a cancelled transaction, and the item as it was."""

    code: str
    item: dict[str, Any]


def cancellation(error: ClientError) -> list[Reason]:
    """Return a cancelled transaction's reasons, one per item in order; else an empty list."""
    reasons: list[dict[str, Any]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]  # absent from botocore-stubs
    return [Reason(reason.get("Code", "None"), reason.get("Item", {})) for reason in reasons]


def is_contention(error: ClientError) -> bool:
    """Tell whether a call failed only because others were there first: trying again may help."""
    codes = {reason.code for reason in cancellation(error)}
    return bool(_CONTENTION & (codes | {error.response["Error"]["Code"]}))
