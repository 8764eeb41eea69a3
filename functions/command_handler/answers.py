"""What became of a command, as the HTTP answer."""

from typing import assert_never

from functions.adapters.http import ProblemError, Response
from functions.command_handler.execution import (
    Accepted,
    AtAnotherVersion,
    Busy,
    KeyReused,
    Outcome,
    Refused,
    Replayed,
)
from functions.domain.account import Rule

_STATUS_OF = {
    Rule.NO_SUCH_ACCOUNT: 404,
    Rule.ALREADY_EXISTS: 409,
    Rule.ACCOUNT_CLOSED: 422,
    Rule.INSUFFICIENT_FUNDS: 422,
    Rule.BALANCE_LIMIT: 422,
    Rule.BALANCE_NOT_ZERO: 422,
}


def answer(outcome: Outcome, *, route: str) -> Response:
    """Return the answer to a command.

    Args:
        outcome: what became of it.
        route: the route that was asked.

    Raises:
        ProblemError: it is certainly not done.
    """
    match outcome:
        case Accepted() | Replayed():
            return _accepted(outcome, route)
        case Refused(rule, detail):
            raise ProblemError(_STATUS_OF[rule], rule, detail)
        case AtAnotherVersion(version):
            raise ProblemError(
                412,
                "precondition-failed",
                f"the account is at version {version}",
                headers={"ETag": f'"{version}"'},
                version=version,
            )
        case KeyReused():
            raise ProblemError(
                422,
                "key-reused",
                "this Idempotency-Key stands for another command of the last 24 hours",
                field="Idempotency-Key",
            )
        case Busy():
            raise ProblemError(
                409,
                "busy",
                "others changed the account, try after try; nothing was done",
                headers={"Retry-After": "1"},
            )
        case _:
            assert_never(outcome)


def unavailable() -> Response:
    """Return the answer where nobody knows what became of the command."""
    return ProblemError(
        503,
        "unavailable",
        "the outcome is unknown; send the same command again with the same Idempotency-Key",
        headers={"Retry-After": "1"},
    ).response


def _accepted(outcome: Accepted | Replayed, route: str) -> Response:
    record = outcome.record
    # Relative to the URL that was asked, so that it is right behind any host, stage or prefix.
    to_root = "." if route == "POST /accounts" else "../.."
    headers = {
        "Location": f"{to_root}/accounts/{record.account_id}",
        "ETag": f'"{record.version}"',
    }
    if isinstance(outcome, Replayed):
        headers["Idempotency-Replayed"] = "true"
    return Response(
        202,
        {"account_id": record.account_id, "version": record.version, "event_id": record.event_id},
        headers,
    )
