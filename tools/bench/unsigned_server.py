"""The embedded target's server without signatures, to be measured beside the one with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemark.targets.guard import server
from tidemark.targets.guard.layer import Guard
from tidemark.targets.guard.origin import foreign

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class _Unsigned(Guard):
    """A guard that looks at where a request comes from, and at nothing else."""

    async def __call__(
        self, scope: Any, receive: Callable[..., Awaitable[Any]], send: Callable[..., Any]
    ) -> None:
        headers = {name.decode(): value.decode() for name, value in scope.get("headers", ())}
        if scope["type"] == "http" and foreign(headers) is not None:
            raise RuntimeError("nobody else is measured here")
        await self._app(scope, receive, send)


if __name__ == "__main__":
    server.Guard = _Unsigned  # type: ignore[attr-defined]  # this process is the server
    server.main()
