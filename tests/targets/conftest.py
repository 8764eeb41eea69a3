"""An engine for LocalStack that needs none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.targets.fake_engine import FakeEngine, in_use

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    """The engine that docker's client finds: it has the image, and nothing else."""
    fake = FakeEngine()
    with in_use(fake, monkeypatch):
        yield fake
