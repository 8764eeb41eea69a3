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

from functions.adapters import runtime
from functions.adapters.command_store import CommandStore
from functions.adapters.event_codec import to_message
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
        opening = _recorded(lambda: _open(_TEMPLATE_ACCOUNT))
        message = _opening_message()
        projection = _recorded(lambda: _project(_TEMPLATE_ACCOUNT, message))
        deposit = _recorded(lambda: _deposit(_TEMPLATE_ACCOUNT))
        query = _recorded(lambda: _query(_TEMPLATE_ACCOUNT))
        refusal = _recorded(lambda: _withdraw_too_much(_TEMPLATE_ACCOUNT))
        handled = [f"account-H{n:05d}" for n in range(_PAIRS)]
        bare = [f"account-B{n:05d}" for n in range(_PAIRS)]
        for account_id in handled + bare:
            _replay(_on(opening, account_id))
        return [
            Row("AWS calls of an accepted command", len(deposit), "calls", 3),
            Row("AWS calls of a refused command", len(refusal), "calls", 2),
            Row("AWS calls of a projected event", len(projection), "calls", 1),
            Row("AWS calls of a query", len(query), "calls", 1),
            _ratio("projection", lambda one: _project(one, message), projection, handled, bare),
            _ratio("accepted command", _deposit, deposit, handled, bare),
            _ratio("query", _query, query, handled, bare),
        ]


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


def _recorded(action: Callable[[], None]) -> list[Call]:
    """Return the AWS calls that an action makes."""
    calls: list[Call] = []
    clients = [runtime.dynamodb(), runtime.sns()]

    def hook(client: Any) -> Callable[..., None]:
        def record(params: dict[str, Any], model: Any, **_: Any) -> None:
            (method,) = (
                python
                for python, api in client.meta.method_to_api_mapping.items()
                if api == model.name
            )
            calls.append((client, method, json.loads(json.dumps(params))))

        return record

    hooks = [(client, hook(client)) for client in clients]
    for client, record in hooks:
        client.meta.events.register("provide-client-params", record)
    action()
    for client, record in hooks:
        client.meta.events.unregister("provide-client-params", record)
    return calls


def _on(calls: list[Call], account_id: str) -> list[Call]:
    """Return the calls as they would be on another account."""
    return [
        (client, method, json.loads(json.dumps(params).replace(_TEMPLATE_ACCOUNT, account_id)))
        for client, method, params in calls
    ]


def _replay(calls: list[Call]) -> None:
    for client, method, params in calls:
        getattr(client, method)(**params)


def _command(resource: str, body: Any, key: str, account_id: str | None = None) -> int:
    from functions.command_handler import handler  # noqa: PLC0415  after the environment is set

    event = {
        "httpMethod": "POST",
        "resource": resource,
        "pathParameters": None if account_id is None else {"account_id": account_id},
        "queryStringParameters": None,
        "headers": {"Idempotency-Key": key},
        "body": json.dumps(body),
    }
    status: int = handler.handle(event, _Context())["statusCode"]
    return status


def _expect(status: int, wanted: int) -> None:
    if status != wanted:
        raise RuntimeError(f"the handler answered {status} where {wanted} is measured")


def _open(account_id: str) -> None:
    body = {"account_id": account_id, "owner_id": _OWNER}
    _expect(_command("/accounts", body, f"{account_id}-open"), 202)


def _deposit(account_id: str) -> None:
    resource = "/accounts/{account_id}/deposits"
    _expect(_command(resource, {"amount": 5}, f"{account_id}-deposit", account_id), 202)


def _withdraw_too_much(account_id: str) -> None:
    resource = "/accounts/{account_id}/withdrawals"
    _expect(_command(resource, {"amount": 6}, f"{account_id}-refused", account_id), 422)


def _opening_message() -> str:
    log = CommandStore(runtime.dynamodb(), runtime.command_table_name())
    (event,) = log.events(_TEMPLATE_ACCOUNT, after=0, before=2)
    return to_message(event)


def _project(account_id: str, message: str) -> None:
    from functions.update_processor import handler  # noqa: PLC0415  after the environment is set

    record = {
        "messageId": account_id,
        "receiptHandle": "none",
        "body": message.replace(_TEMPLATE_ACCOUNT, account_id),
        "attributes": {"ApproximateReceiveCount": "1"},
    }
    if handler.handle({"Records": [record]}, _Context())["batchItemFailures"]:
        raise RuntimeError("the projection that is measured failed")


def _query(account_id: str) -> None:
    from functions.query_handler import handler  # noqa: PLC0415  after the environment is set

    event = {
        "httpMethod": "GET",
        "resource": "/accounts/{account_id}",
        "pathParameters": {"account_id": account_id},
        "queryStringParameters": None,
        "headers": {},
        "body": None,
    }
    _expect(handler.handle(event, _Context())["statusCode"], 200)


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
        "MAX_RECEIVE_COUNT": "5",
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
