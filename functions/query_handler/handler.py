"""The Query Handler: parse, read, respond."""

import math
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from functions.adapters import fields, runtime
from functions.adapters.aws_errors import AwsError
from functions.adapters.budget import Budget, Invocation
from functions.adapters.clock import Clock
from functions.adapters.http import ProblemError, Request, Response, from_proxy, to_proxy
from functions.adapters.query_store import QueryStore, Row
from functions.adapters.telemetry import Telemetry

LARGEST_LIMIT = 100
DEFAULT_LIMIT = 20
LONGEST_WAIT_MS = 5_000
"""The longest wait that a caller may ask for."""

LONGEST_HOLD_MS = 250
"""The longest that one request waits, and holds a function.

Commands want concurrency of the same account. The stage admits 1,000 requests a second and 500 at
once, so 750 waiting reads are the most there can be, and 250 for long: a quarter of what an account
has by default. Who wants to wait longer asks again after `Retry-After`.
"""

_READS = {
    "GET /accounts/{account_id}": "AccountReads",
    "GET /accounts/{account_id}/statement": "StatementReads",
    "GET /owners/{owner_id}/accounts": "OwnerAccountsReads",
    "GET /owners/{owner_id}/totals": "OwnerTotalsReads",
}
"""How answered reads are counted."""

_SPARE_MS = 1_500
"""What is kept of the function's time: the SDK's pause before a last try, and the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment(runtime.Environment):
    """What the stack tells the Query Handler."""

    query_table_name: str


class QueryHandler:
    """Answers queries."""

    def __init__(
        self, *, store: QueryStore, clock: Clock, budget: Budget, telemetry: Telemetry
    ) -> None:
        self._store = store
        self._clock = clock
        self._budget = budget
        self._telemetry = telemetry

    def handle(self, event: dict[str, Any], context: Invocation) -> dict[str, Any]:
        """Answer one API Gateway proxy event."""
        self._budget.begin(context, spare_ms=_SPARE_MS)
        about: dict[str, Any] = {}
        try:
            request = from_proxy(event)
            about["route"] = request.route
            response = self._answer(request)
            name, metric = "answered", _READS[request.route]
        except ProblemError as problem:
            response, name = problem.response, problem.slug
            metric = "ReadsBehind" if name == "behind" else "ReadsRefused"
            about["status"] = response.status
        except AwsError as error:
            response, name, metric = _unavailable(), "unavailable", "ReadsUnavailable"
            about["error"] = type(error).__name__
            self._telemetry.logger.exception("AWS did not answer as needed")
        self._telemetry.count(**{metric: 1})
        self._telemetry.log_invocation(context, name, **about)
        self._telemetry.flush_metrics()
        return to_proxy(response)

    def _answer(self, request: Request) -> Response:
        match request.route:
            case "GET /accounts/{account_id}":
                return self._account(request)
            case "GET /accounts/{account_id}/statement":
                return self._statement(request)
            case "GET /owners/{owner_id}/accounts":
                return self._owner_accounts(request)
            case "GET /owners/{owner_id}/totals":
                owner_id = fields.identifier(request.path, "owner_id")
                return Response(200, self._store.totals(owner_id))
            case route:
                raise ValueError(f"no query at {route}")

    def _account(self, request: Request) -> Response:
        account_id = fields.identifier(request.path, "account_id")
        wait_ms = fields.integer(request, "wait_ms", default=0, least=0, most=LONGEST_WAIT_MS)
        token = fields.integer(
            request, "min_version", default=0, least=0, most=fields.LARGEST_VERSION
        )
        if "min_version" in request.query:
            row = self._read_at_least(account_id, token, wait_ms)
        else:
            row = self._store.account(account_id, consistent=False)
        if row is None:
            raise _no_such_account(account_id)
        return Response(200, row, {"ETag": f'"{row["version"]}"'})

    def _read_at_least(self, account_id: str, version: int, wait_ms: int) -> Row | None:
        """Read consistently until the account is at a version; the last try ends the wait."""
        begun_ms = self._clock.now_ms()
        last_try_ms = begun_ms + min(wait_ms, LONGEST_HOLD_MS, self._budget.left_ms())
        attempt = 0
        while True:
            row = self._store.account(account_id, consistent=True)
            seen = row["version"] if row else 0
            left_ms = last_try_ms - self._clock.now_ms()
            if seen >= version or left_ms <= 0:
                break
            attempt += 1
            wait = self._clock.jittered_ms(attempt, base_ms=20, longest_ms=LONGEST_HOLD_MS)
            self._clock.pause(min(math.ceil(left_ms), wait))
        if attempt:
            waited_ms = self._clock.now_ms() - begun_ms
            self._telemetry.measure(MetricUnit.Milliseconds, {"ReadWait": waited_ms})
        if seen >= version:
            return row
        raise ProblemError(
            409,
            "behind",
            f"the read model has version {seen} of account {account_id}, not yet {version}",
            headers={"Retry-After": "1"},
            version=seen,
        )

    def _statement(self, request: Request) -> Response:
        account_id = fields.identifier(request.path, "account_id")
        limit = fields.integer(request, "limit", default=DEFAULT_LIMIT, least=1, most=LARGEST_LIMIT)
        # A position is the last version that was shown; behind version 1 there is nothing.
        position = fields.cursor(request, r"[2-9]|[1-9][0-9]{1,11}")
        before = int(position) if position else fields.LARGEST_VERSION + 1
        page = self._store.statement(account_id, before=before, limit=limit)
        if not page.rows:
            raise _no_such_account(account_id)  # an account has a line from its first event on
        return _page("lines", page.rows, str(page.rows[-1]["version"]) if page.more else None)

    def _owner_accounts(self, request: Request) -> Response:
        owner_id = fields.identifier(request.path, "owner_id")
        limit = fields.integer(request, "limit", default=DEFAULT_LIMIT, least=1, most=LARGEST_LIMIT)
        after = fields.cursor(request, fields.ID) or ""
        page = self._store.owner_accounts(owner_id, after=after, limit=limit)
        return _page("accounts", page.rows, page.rows[-1]["account_id"] if page.more else None)


def build(parts: runtime.Runtime) -> QueryHandler:
    """Return the handler as it is deployed."""
    environment = parts.environment(Environment)
    return QueryHandler(
        store=QueryStore(parts.dynamodb, environment.query_table_name),
        clock=parts.clock,
        budget=parts.budget,
        telemetry=parts.telemetry(environment),
    )


def _page(name: str, rows: list[Row], position: str | None) -> Response:
    body: dict[str, Any] = {name: rows}
    if position is not None:
        body["cursor"] = fields.to_cursor(position)
    return Response(200, body)


def _unavailable() -> Response:
    return ProblemError(
        503, "unavailable", "the read model did not answer", headers={"Retry-After": "1"}
    ).response


def _no_such_account(account_id: str) -> ProblemError:
    return ProblemError(404, "no-such-account", f"there is no account {account_id}")
