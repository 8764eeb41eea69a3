"""What the tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tidemark.workloads.calling import Caller


@pytest.fixture
def parcel(tidemark_caller: Caller) -> str:
    """A parcel that no other test knows."""
    return tidemark_caller.new_id()
