"""ministack behind its guard: `python -m tidemark.targets.guard.server` starts both as one.

They share a process, so that nothing answers without the guard: who kills it, kills both.
"""

from __future__ import annotations

from typing import Any

from ministack import app as ministack
from ministack.services import apigateway_v1

from tidemark.targets.guard.layer import Guard
from tidemark.targets.guard.workers import bound_workers


def main() -> None:
    """Serve until a signal says to end."""
    ministack.app = Guard(ministack.app)
    _ask_for_signatures()
    bound_workers()
    ministack.main()


def _ask_for_signatures() -> None:
    """Let a route with IAM authorization take signatures only.

    The emulator takes any `Authorization` header for one; what claims to be a signature, the
    guard has checked by then.
    """
    authorize = apigateway_v1._authorize_request_v1  # noqa: SLF001 -- there is no public way in

    async def authorize_signed(*arguments: Any) -> Any:
        method, headers = arguments[2], arguments[6]
        if method.get("authorizationType") == "AWS_IAM":
            headers = {
                name: value
                for name, value in headers.items()
                if name.lower() != "authorization" or value.startswith("AWS4-HMAC-SHA256")
            }
        return await authorize(*arguments[:6], headers, *arguments[7:])

    apigateway_v1._authorize_request_v1 = authorize_signed  # noqa: SLF001 -- likewise


if __name__ == "__main__":
    main()
