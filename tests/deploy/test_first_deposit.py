"""A first deposit sees more than its own balance, and waits for nothing that cannot come."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from tests.deploy.bank_system import DEPLOYMENT, BankSystem
from tidemark.api.exchange import Answer
from tidemark.deploy import first_deposit
from tidemark.deploy.first_deposit import DoesNotWorkError, FirstDeposit
from tidemark.host import waiting

if TYPE_CHECKING:
    from tidemark.aws.clients import AwsClients

BAD_GATEWAY = Answer(502, body=b'{"message": "Internal server error"}')
UNAVAILABLE = Answer(503, body=b'{"type": "urn:tidemark:problem:unavailable"}')
BEHIND = Answer(409, body=b'{"type": "urn:tidemark:problem:behind"}')
SYNTAX_ERROR = {
    "errorType": "Runtime.UserCodeSyntaxError",
    "errorMessage": "invalid syntax (handler.py, line 104)",
}


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> BankSystem:
    """A system in which nothing is waited for longer than a moment."""
    system = BankSystem()
    monkeypatch.setattr(first_deposit, "HttpxTransport", lambda **_: system)
    monkeypatch.setattr(first_deposit, "_WITHIN_S", 0.05)
    monkeypatch.setattr(first_deposit, "_DRAINED_WITHIN_S", 0.05)
    monkeypatch.setattr(waiting, "_LONGEST_PAUSE_S", 0.01)
    return system


def make(system: BankSystem) -> FirstDeposit:
    return first_deposit.make(DEPLOYMENT, cast("AwsClients", system))


def trouble_of(system: BankSystem) -> str:
    with pytest.raises(DoesNotWorkError) as error:
        make(system)
    return str(error.value)


def test_it_says_what_it_saw(system: BankSystem) -> None:
    system.letters = [3]
    system.queued = [0, 2, 1, 0]

    seen = make(system)

    assert (seen.balance, seen.lag_ms) == (4200, 42)
    assert (seen.in_queue, seen.in_outbox, seen.dead_letters) == (0, 0, 3)
    assert system.asked == []


def test_on_a_stack_that_others_use_the_queue_need_not_be_empty(system: BankSystem) -> None:
    system.queued = [1, 7]

    assert make(system).in_queue == 7


def test_an_event_that_became_a_dead_letter_while_its_deposit_arrived_is_no_success(
    system: BankSystem,
) -> None:
    system.queued = [0, 1]
    system.letters = [2, 2, 3]

    assert "1 more in the dead-letter queue since the deposit began; no function says why." in (
        trouble_of(system)
    )


def test_a_delivery_that_the_processor_gave_up_is_no_success_whatever_became_of_it(
    system: BankSystem,
) -> None:
    system.logged = [
        {"outcome": "failed", "reason": "try again", "left_to": "queue"},
        {"outcome": "failed", "reason": "owner_id is no int", "left_to": "dead-letter queue"},
    ]

    assert trouble_of(system).endswith("gave a delivery up for good (owner_id is no int).")


@pytest.mark.parametrize(
    ("attribute", "answer", "function"),
    [
        ("command", BAD_GATEWAY, "command-handler"),
        ("query", BAD_GATEWAY, "query-handler"),
        ("query", BEHIND, "update-processor"),
    ],
)
def test_a_function_that_cannot_be_loaded_says_so_itself(
    system: BankSystem,
    monkeypatch: pytest.MonkeyPatch,
    attribute: str,
    answer: Answer,
    function: str,
) -> None:
    monkeypatch.setattr(first_deposit, "_WITHIN_S", 60.0)
    monkeypatch.setattr(first_deposit, "_ASKED_AFTER_S", 0.0)
    setattr(system, attribute, answer)
    system.fails[function] = SYNTAX_ERROR

    assert trouble_of(system) == (
        f"The stack is deployed and does not work: {function} fails with "
        "Runtime.UserCodeSyntaxError: invalid syntax (handler.py, line 104)."
    )
    assert system.asked == [function]


def test_a_function_that_is_only_slow_is_waited_for_and_asked_once(system: BankSystem) -> None:
    system.command = BAD_GATEWAY
    system.fails["command-handler"] = {"errorMessage": "Task timed out after 10.00 seconds"}

    assert "Waited 0.05 s for an answer to opening an account" in trouble_of(system)
    assert system.asked == ["command-handler"]


def test_a_function_that_answers_by_itself_is_not_asked(system: BankSystem) -> None:
    system.command = UNAVAILABLE

    trouble_of(system)

    assert system.asked == []


def test_a_balance_that_is_wrong_is_no_success(system: BankSystem) -> None:
    system.balance = 1

    assert "The query side shows 4201" in trouble_of(system)
