"""The Query Handler: parse, read, respond."""

from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.adapters import clock, fields, runtime, telemetry
from functions.adapters.http import ProblemError, Request, Response, from_proxy, to_proxy
from functions.adapters.query_store import QueryStore, Row

LARGEST_LIMIT = 100
DEFAULT_LIMIT = 20
LONGEST_WAIT_MS = 5_000
_SPARE_MS = 1_000


@cache
def _store() -> QueryStore:
    return QueryStore(runtime.dynamodb(), runtime.query_table_name())


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one API Gateway proxy event."""
    try:
        request = from_proxy(event)
        response = _answer(request, deadline_ms=_deadline_ms(context))
        telemetry.log_invocation(context, "answered", route=request.route)
    except ProblemError as problem:
        response = problem.response
        telemetry.log_invocation(context, problem.slug, status=response.status)
    except (BotoCoreError, ClientError) as error:
        response = ProblemError(
            503, "unavailable", "the read model did not answer", headers={"Retry-After": "1"}
        ).response
        telemetry.logger().exception("AWS did not answer as needed")
        telemetry.log_invocation(context, "unavailable", error=type(error).__name__)
    return to_proxy(response)


def _deadline_ms(context: Any) -> int:
    remaining_ms: int = context.get_remaining_time_in_millis()
    return clock.now_ms() + remaining_ms - _SPARE_MS


def _answer(request: Request, *, deadline_ms: int) -> Response:
    match request.route:
        case "GET /accounts/{account_id}":
            return _account(request, deadline_ms)
        case "GET /accounts/{account_id}/statement":
            return _statement(request)
        case "GET /owners/{owner_id}/accounts":
            return _owner_accounts(request)
        case "GET /owners/{owner_id}/totals":
            return Response(200, _store().totals(fields.identifier(request.path, "owner_id")))
        case route:
            raise ValueError(f"no query at {route}")


def _account(request: Request, deadline_ms: int) -> Response:
    account_id = fields.identifier(request.path, "account_id")
    wait_ms = fields.integer(request, "wait_ms", default=0, least=0, most=LONGEST_WAIT_MS)
    token = fields.integer(request, "min_version", default=0, least=0, most=fields.LARGEST_VERSION)
    if "min_version" in request.query:
        last_try_ms = min(clock.now_ms() + wait_ms, deadline_ms)
        row = _read_at_least(account_id, token, last_try_ms)
    else:
        row = _store().account(account_id, consistent=False)
    if row is None:
        raise _no_such_account(account_id)
    return Response(200, row, {"ETag": f'"{row["version"]}"'})


def _read_at_least(account_id: str, version: int, last_try_ms: int) -> Row | None:
    """Read consistently until the account is at a version; the last try is at the deadline."""
    attempt = 0
    while True:
        row = _store().account(account_id, consistent=True)
        seen = row["version"] if row else 0
        if seen >= version:
            return row
        attempt += 1
        left_ms = last_try_ms - clock.now_ms()
        if left_ms <= 0:
            raise ProblemError(
                409,
                "behind",
                f"the read model has version {seen} of account {account_id}, not yet {version}",
                headers={"Retry-After": "1"},
                version=seen,
            )
        clock.pause(min(left_ms, clock.jittered_ms(attempt, base_ms=20, longest_ms=500)))


def _statement(request: Request) -> Response:
    account_id = fields.identifier(request.path, "account_id")
    limit = fields.integer(request, "limit", default=DEFAULT_LIMIT, least=1, most=LARGEST_LIMIT)
    # A position is the last version that was shown; behind version 1 there is nothing to ask for.
    position = fields.cursor(request, r"[2-9]|[1-9][0-9]{1,11}")
    before = int(position) if position else fields.LARGEST_VERSION + 1
    page = _store().statement(account_id, before=before, limit=limit)
    if not page.rows:
        raise _no_such_account(account_id)  # an account has a line from its first event on
    return _page("lines", page.rows, str(page.rows[-1]["version"]) if page.more else None)


def _owner_accounts(request: Request) -> Response:
    owner_id = fields.identifier(request.path, "owner_id")
    limit = fields.integer(request, "limit", default=DEFAULT_LIMIT, least=1, most=LARGEST_LIMIT)
    after = fields.cursor(request, fields.ID) or ""
    page = _store().owner_accounts(owner_id, after=after, limit=limit)
    return _page("accounts", page.rows, page.rows[-1]["account_id"] if page.more else None)


def _page(name: str, rows: list[Row], position: str | None) -> Response:
    body: dict[str, Any] = {name: rows}
    if position is not None:
        body["cursor"] = fields.to_cursor(position)
    return Response(200, body)


def _no_such_account(account_id: str) -> ProblemError:
    return ProblemError(404, "no-such-account", f"there is no account {account_id}")
