"""The function that rows invoke; it runs in Lambda, and does what its environment says.

Every invocation logs one line, by which a row counts and times the attempts.
"""

import json
import os
import time
from typing import Any

_FAILS = "fail"
# A target may collect what is logged beside the invocation, and miss what comes with the answer.
_LOGGED_BEFORE_ANSWER_S = 0.1


def handle(event: Any, context: Any) -> Any:
    """Log the invocation, then fail, or answer with ANSWER.

    In it, $id is a message's id, and $caller who signed a request, as API Gateway says.

    Raises:
        RuntimeError: BEHAVIOUR says so, or a request through API Gateway.
    """
    records = event.get("Records", []) if isinstance(event, dict) else []
    ids = [record.get("messageId", "") for record in records]
    bodies = [record.get("body", "") for record in records]
    seen = {
        "at_ms": time.time_ns() // 1_000_000,
        "request_id": getattr(context, "aws_request_id", ""),
        "bodies": bodies,
    }
    print(json.dumps({"probe": seen}), flush=True)  # noqa: T201 -- what a function logs
    if os.environ.get("EXTRA_LINE"):
        print(os.environ["EXTRA_LINE"], flush=True)  # noqa: T201 -- likewise
    time.sleep(_LOGGED_BEFORE_ANSWER_S)
    if os.environ.get("BEHAVIOUR") == _FAILS or _is_told_to_fail(event):
        raise RuntimeError("as asked")
    bad = [one for one, body in zip(ids, bodies, strict=True) if body == "bad"]
    answer = os.environ.get("ANSWER", "{}").replace("$id", (bad or [""])[0])
    return json.loads(answer.replace("$caller", _caller(event)))


def _caller(event: Any) -> str:
    context = event.get("requestContext") if isinstance(event, dict) else None
    identity = (context or {}).get("identity") or {}
    return str(identity.get("caller") or "nobody")


def _is_told_to_fail(event: Any) -> bool:
    """Whether it is a request through API Gateway with ?fail in its URL."""
    asked = event.get("queryStringParameters") if isinstance(event, dict) else None
    return _FAILS in (asked or {})
