"""No Locust outlives its test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from acceptance.load.processes import STARTED

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _none_is_left() -> Iterator[None]:
    yield
    while STARTED:
        with STARTED.pop() as process:
            process.kill()
