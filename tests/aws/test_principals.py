"""Whom an API takes its caller for: the functions' rule, told from what STS answers."""

from __future__ import annotations

import pytest

from functions.adapters.http import NOBODY as NOBODY_TO_FUNCTIONS
from functions.adapters.http import from_proxy
from tests.functions.calling import proxy_event
from tidemark.aws.principals import NOBODY, principal_of

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


def test_nobody_is_called_as_the_functions_do() -> None:
    assert from_proxy(proxy_event("POST", "/accounts")).caller == NOBODY_TO_FUNCTIONS == NOBODY
