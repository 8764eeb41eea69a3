"""The entry point: `locust -f loadtest/locustfile.py`, with the web page or `--headless`."""

from __future__ import annotations

from loadtest import lifecycle
from loadtest.users import MixedUser, ReadUser, WriteUser

__all__ = ["MixedUser", "ReadUser", "WriteUser"]

lifecycle.register()
