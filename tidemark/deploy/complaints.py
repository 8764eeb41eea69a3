"""What functions say is wrong with them, where the API's answers do not tell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tidemark.aws import logs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

_NOBODY = {"account_id": "nobody"}
# To each function what it answers without changing anything: a deposit and a question that are
# refused because there is no such account, and a batch of no deliveries.
HARMLESS: Mapping[str, Mapping[str, Any]] = {
    "command-handler": {
        "httpMethod": "POST",
        "resource": "/accounts/{account_id}/deposits",
        "path": "/accounts/nobody/deposits",
        "pathParameters": _NOBODY,
        "headers": {"Idempotency-Key": "nobody"},
        "body": '{"amount": 1}',
    },
    "query-handler": {
        "httpMethod": "GET",
        "resource": "/accounts/{account_id}",
        "path": "/accounts/nobody",
        "pathParameters": _NOBODY,
    },
    "update-processor": {"Records": []},
}
_FAILED_FOR_GOOD = "dead-letter queue"


def ask(clients: AwsClients, deployment: Deployment, function: str) -> str | None:
    """Why a function cannot do its work, in its own words; ``None`` where it can, or soon may.

    Args:
        clients: The target's.
        deployment: The stack.
        function: The function's short name.
    """
    name = deployment.outputs[logs.FUNCTIONS[function]]
    try:
        answer = clients.functions.invoke(
            FunctionName=name, Payload=json.dumps(HARMLESS[function]).encode()
        )
    except ClientError:
        return None  # not even started: a target that is busy says so, and waiting may help
    if "FunctionError" not in answer:
        return None
    error = json.loads(answer["Payload"].read())
    words = f"{error.get('errorType', 'an error')}: {error.get('errorMessage', 'no message')}"
    # A cold start on a slow machine: the next may be in time.
    return None if "timed out" in words.lower() else f"{function} fails with {words}"


def read(clients: AwsClients, deployment: Deployment, *, since_ms: int) -> str | None:
    """Why the Update Processor gave a delivery up for good, if it logged that.

    Args:
        clients: The target's.
        deployment: The stack.
        since_ms: Where to begin, UTC milliseconds.
    """
    lines = logs.read(
        clients, deployment, ["update-processor"], since_ms=since_ms, containing=_FAILED_FOR_GOOD
    )
    for said in (one.members or {} for one in lines):
        if said.get("left_to") == _FAILED_FOR_GOOD:
            return f"update-processor gave a delivery up for good ({said.get('reason')})"
    return None
