"""AWS clients that the threads of all rows share."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from tidemark.aws import Clients

if TYPE_CHECKING:
    from tidemark.environment import Connection


class SharedClients(Clients):
    """Clients that are each made once: clients are safe to share, making them is not.

    Args:
        connection: How to reach the target.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._lock = threading.Lock()
        self._made: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A client for any service, by its boto3 name."""
        with self._lock:
            if service not in self._made:
                self._made[service] = super().client(service)
            return self._made[service]
