"""Who is of this machine, and who is not, where somebody listens beyond it."""

from __future__ import annotations

import pytest

from tidemark.targets.guard.origin import foreign


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "192.0.2.7:8089"},
        {"host": "[2001:db8::7]:8089"},
        {"host": "192.0.2.7:8089", "origin": "http://192.0.2.7:8089"},
    ],
)
def test_who_listens_to_others_is_asked_by_address(headers: dict[str, str]) -> None:
    assert foreign(headers, listens_beyond=True) is None
    assert foreign(headers) is not None


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "192.0.2.7:8089", "origin": "http://192.0.2.8:8089"},
        {"host": "192.0.2.7:8089", "origin": "https://page.example"},
        {"host": "rebound.example:8089"},
        {"host": "localhost:8089", "origin": "http://192.0.2.7:8089"},
    ],
)
def test_nobody_else_is_let_in_there(headers: dict[str, str]) -> None:
    assert foreign(headers, listens_beyond=True) is not None
