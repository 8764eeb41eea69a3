"""Whom an API knows the caller as: the functions' rule, told from what STS answers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from functions.adapters.http import from_proxy
from tests.functions.calling import proxy_event
from tidemark.aws.callers import NOBODY, possible_principals, principal_of

USER_IDS = {
    "000000000000": "000000000000",
    "AIDAUSER": "AIDAUSER",
    "AROAROLE:session": "AROAROLE",
    "AROAROLE:i-0123456789abcdef0": "AROAROLE",
    "123456789012:federated": "123456789012:federated",
}


@pytest.mark.parametrize("user_id", USER_IDS)
def test_we_call_a_principal_as_the_functions_do(user_id: str) -> None:
    told = from_proxy(proxy_event("POST", "/accounts", identity={"caller": user_id}))

    assert principal_of(user_id) == told.caller == USER_IDS[user_id]


def test_where_the_target_tells_nothing_we_are_nobody() -> None:
    sts = SimpleNamespace(get_caller_identity=lambda: {"UserId": "AROAROLE:session"})
    clients: Any = SimpleNamespace(sts=sts)

    told = from_proxy(proxy_event("POST", "/accounts"))

    assert possible_principals(clients) == ("AROAROLE", NOBODY)
    assert told.caller == NOBODY
