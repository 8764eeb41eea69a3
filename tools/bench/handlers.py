"""What the handlers cost beyond their AWS calls, against bare functions that make the same calls.

A handler runs once on a template account while its calls are recorded. From then on the handler
and the bare replay of those calls take turns, each on an account of its own.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions.adapters.event_codec import Unreadable, to_message
from functions.adapters.event_log import EventLog
from functions.adapters.runtime import Runtime
from functions.command_handler import handler as command_handler
from functions.query_handler import handler as query_handler
from functions.update_processor import handler as update_processor
from tools.bench.row import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tidemark.aws.clients import AwsClients

_PAIRS = 300
_WARM_UP = 30
_OWNER = "bench-owner"
_TEMPLATE_ACCOUNT = "account-T00000"

Call = tuple[Any, str, dict[str, Any]]
"""A client, the name of its method, and the parameters."""


class _Context:
    """An invocation with time enough."""

    aws_request_id = "bench"

    def get_remaining_time_in_millis(self) -> int:
        return 10_000


def measure(clients: AwsClients, template: Mapping[str, Any]) -> list[Row]:
    """Measure each handler and its bare calls in turn, on tables of their own.

    Args:
        clients: AwsClients of an emulated target.
        template: The stack's template, whose tables are made once more for this.
    """
    with _environment(clients, template), _muted():
        bank = _Bank(Runtime())
        opening = bank.recorded(lambda: bank.open(_TEMPLATE_ACCOUNT))
        message = bank.opening_message()
        projection = bank.recorded(lambda: bank.project(_TEMPLATE_ACCOUNT, message))
        deposit = bank.recorded(lambda: bank.deposit(_TEMPLATE_ACCOUNT))
        query = bank.recorded(lambda: bank.query(_TEMPLATE_ACCOUNT))
        refusal = bank.recorded(lambda: bank.withdraw_too_much(_TEMPLATE_ACCOUNT))
        handled = [f"account-H{n:05d}" for n in range(_PAIRS)]
        bare = [f"account-B{n:05d}" for n in range(_PAIRS)]
        for account_id in handled + bare:
            _replay(_on(opening, account_id))
        return [
            Row("AWS calls of an accepted command", len(deposit), "calls", 3),
            Row("AWS calls of a refused command", len(refusal), "calls", 2),
            Row("AWS calls of a projected event", len(projection), "calls", 1),
            Row("AWS calls of a query", len(query), "calls", 1),
            _ratio("projection", lambda one: bank.project(one, message), projection, handled, bare),
            _ratio("accepted command", bank.deposit, deposit, handled, bare),
            _ratio("query", bank.query, query, handled, bare),
        ]


class _Bank:
    """The handlers that are measured, and what each is asked."""

    def __init__(self, parts: Runtime) -> None:
        self._clients = [parts.dynamodb, parts.dynamodb_once, parts.sns]
        self._commands = command_handler.build(parts)
        self._queries = query_handler.build(parts)
        self._processor = update_processor.build(parts)
        table_name = parts.environment(command_handler.Environment).command_table_name
        self._log = EventLog(parts.dynamodb, table_name)

    def recorded(self, action: Callable[[], None]) -> list[Call]:
        """Return the AWS calls that an action makes."""
        calls: list[Call] = []

        def hook(client: Any) -> Callable[..., None]:
            def record(params: dict[str, Any], model: Any, **_: Any) -> None:
                (method,) = (
                    python
                    for python, api in client.meta.method_to_api_mapping.items()
                    if api == model.name
                )
                calls.append((client, method, json.loads(json.dumps(params))))

            return record

        hooks = [(client, hook(client)) for client in self._clients]
        for client, record in hooks:
            client.meta.events.register("provide-client-params", record)
        action()
        for client, record in hooks:
            client.meta.events.unregister("provide-client-params", record)
        if not calls:
            raise RuntimeError("what is measured made no call that was seen")
        return calls

    def _command(self, resource: str, body: Any, key: str, account_id: str | None = None) -> int:
        event = {
            "httpMethod": "POST",
            "resource": resource,
            "pathParameters": None if account_id is None else {"account_id": account_id},
            "queryStringParameters": None,
            "headers": {"Idempotency-Key": key},
            "body": json.dumps(body),
        }
        status: int = self._commands.handle(event, _Context())["statusCode"]
        return status

    def open(self, account_id: str) -> None:
        """Open an account."""
        body = {"account_id": account_id, "owner_id": _OWNER}
        _expect(self._command("/accounts", body, f"{account_id}-open"), 202)

    def deposit(self, account_id: str) -> None:
        """Deposit to it."""
        resource = "/accounts/{account_id}/deposits"
        _expect(self._command(resource, {"amount": 5}, f"{account_id}-deposit", account_id), 202)

    def withdraw_too_much(self, account_id: str) -> None:
        """Ask for more than it has."""
        resource = "/accounts/{account_id}/withdrawals"
        _expect(self._command(resource, {"amount": 6}, f"{account_id}-refused", account_id), 422)

    def opening_message(self) -> str:
        """Return the message that carries the opening of the template account."""
        (event,) = self._log.between(_TEMPLATE_ACCOUNT, after=0, before=2, most=1)
        if isinstance(event, Unreadable):
            raise RuntimeError(f"the opening of the template account: {event.reason}")  # noqa: TRY004  its content is wrong
        return to_message(event)

    def project(self, account_id: str, message: str) -> None:
        """Deliver the opening of an account."""
        record = {
            "messageId": account_id,
            "receiptHandle": "none",
            "body": message.replace(_TEMPLATE_ACCOUNT, account_id),
            "attributes": {"ApproximateReceiveCount": "1"},
        }
        if self._processor.handle({"Records": [record]}, _Context())["batchItemFailures"]:
            raise RuntimeError("the projection that is measured failed")

    def query(self, account_id: str) -> None:
        """Read an account."""
        event = {
            "httpMethod": "GET",
            "resource": "/accounts/{account_id}",
            "pathParameters": {"account_id": account_id},
            "queryStringParameters": None,
            "headers": {},
            "body": None,
        }
        _expect(self._queries.handle(event, _Context())["statusCode"], 200)


def _ratio(
    name: str,
    handle: Callable[[str], None],
    calls: list[Call],
    handled: list[str],
    bare: list[str],
) -> Row:
    handler_ms: list[float] = []
    bare_ms: list[float] = []
    for turn, (account_id, bare_account_id) in enumerate(zip(handled, bare, strict=True)):
        prepared = _on(calls, bare_account_id)
        runs = [
            (handler_ms, lambda: handle(account_id)),  # noqa: B023  called at once
            (bare_ms, lambda: _replay(prepared)),  # noqa: B023  called at once
        ]
        # Whoever goes first finds colder caches, so they take turns at that, too.
        for taken, action in runs[:: 1 if turn % 2 else -1]:
            taken.append(_timed_ms(action))
    of_handler = statistics.median(handler_ms[_WARM_UP:])
    of_bare = statistics.median(bare_ms[_WARM_UP:])
    return Row(
        f"{name}: handler / bare calls",
        of_handler / of_bare,
        "x",
        1.15,
        f"median {of_handler:.2f} ms / {of_bare:.2f} ms",
    )


def _timed_ms(action: Callable[[], None]) -> float:
    begin = time.perf_counter()
    action()
    return (time.perf_counter() - begin) * 1000


def _on(calls: list[Call], account_id: str) -> list[Call]:
    """Return the calls as they would be on another account."""
    return [
        (client, method, json.loads(json.dumps(params).replace(_TEMPLATE_ACCOUNT, account_id)))
        for client, method, params in calls
    ]


def _replay(calls: list[Call]) -> None:
    for client, method, params in calls:
        getattr(client, method)(**params)


def _expect(status: int, wanted: int) -> None:
    if status != wanted:
        raise RuntimeError(f"the handler answered {status} where {wanted} is measured")


@contextmanager
def _environment(clients: AwsClients, template: Mapping[str, Any]) -> Iterator[None]:
    """Tables and a topic of their own, and the environment that the stack would set."""
    tables = [_table(clients, name, template) for name in ("CommandTable", "QueryTable")]
    topic_arn = clients.sns.create_topic(Name="bench")["TopicArn"]
    connection = clients.connection
    credentials = connection.credentials
    if connection.endpoint is None or credentials is None:
        raise RuntimeError("the handlers are measured on an emulated target")
    before = dict(os.environ)
    os.environ |= {
        "AWS_ENDPOINT_URL": connection.endpoint,
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_REGION": connection.region,
        "AWS_DEFAULT_REGION": connection.region,
        "COMMAND_TABLE_NAME": tables[0],
        "QUERY_TABLE_NAME": tables[1],
        "TOPIC_ARN": topic_arn,
        "STACK_NAME": "Bench",
        "POWERTOOLS_SERVICE_NAME": "bench",
        "POWERTOOLS_METRICS_NAMESPACE": "Tidemark",
    }
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before


def _table(clients: AwsClients, name: str, template: Mapping[str, Any]) -> str:
    (properties,) = (
        resource["Properties"]
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::DynamoDB::Table" and name in logical_id
    )
    table_name = f"bench-{name}"
    clients.dynamodb.create_table(
        TableName=table_name,
        KeySchema=properties["KeySchema"],
        AttributeDefinitions=properties["AttributeDefinitions"],
        GlobalSecondaryIndexes=properties["GlobalSecondaryIndexes"],
        BillingMode="PAY_PER_REQUEST",
    )
    return table_name


@contextmanager
def _muted() -> Iterator[None]:
    """The functions' log lines go where Lambda's would: to a file, and out of the way."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        yield
