"""The transport of proofs and tests: httpx."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Self

import httpx

from tidemark.api.exchange import Answer, Headers, LostError, NotSentError, Request

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

# API Gateway itself gives up after 29 s: within this time its answer comes first.
TIMEOUT_S = 30.0

_LOOPBACK = ("all://localhost", "all://127.0.0.1", "all://[::1]")


class HttpxTransport:
    """Sends requests with httpx; safe to share between threads; close it, or use it in `with`.

    Proxy and CA variables of the environment count, except that loopback never goes through a
    proxy: an emulator on this machine is nobody else's to reach.

    Args:
        timeout_s: How long to wait for a connection, and between two parts of an answer.
        max_connections: How many connections are open at once.
        ca_bundle: Certificates to trust instead of the system's.
    """

    def __init__(
        self,
        *,
        timeout_s: float = TIMEOUT_S,
        max_connections: int = 100,
        ca_bundle: Path | None = None,
    ) -> None:
        self._client = httpx.Client(
            timeout=timeout_s,
            verify=ssl.create_default_context(cafile=ca_bundle) if ca_bundle else True,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=max_connections),
            mounts=dict.fromkeys(_LOOPBACK),
        )

    def __call__(self, request: Request) -> Answer:
        """Send one request, once.

        Raises:
            NotSentError: If no connection was made.
            LostError: If one was made and no complete answer came.
        """
        try:
            response = self._client.request(
                request.method, request.url, headers=dict(request.headers), content=request.body
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotSentError(_reason(error)) from error
        except httpx.HTTPError as error:
            raise LostError(_reason(error)) from error
        return Answer(response.status_code, Headers(response.headers), response.content)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
