"""AWS clients that the threads of all rows share."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from tidemark.aws.clients import AwsClients

if TYPE_CHECKING:
    from botocore.config import Config

    from tidemark.aws.connection import Connection


class SharedClients(AwsClients):
    """Clients that are each made once: clients are safe to share, making them is not.

    Args:
        connection: How to reach the target.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._lock = threading.Lock()
        self._made: dict[str, Any] = {}

    def client(self, service: str, limits: Config | None = None) -> Any:
        """A client for any service; see :meth:`AwsClients.client`. One with limits is made anew."""
        with self._lock:
            if limits is not None:
                return super().client(service, limits)
            if service not in self._made:
                self._made[service] = super().client(service)
            return self._made[service]
