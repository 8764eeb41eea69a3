"""The embedded target's DynamoDB, as the functions' own tests have it."""

from __future__ import annotations

from tests.functions.conftest import embedded, environment, printed, unique

__all__ = ["embedded", "environment", "printed", "unique"]
