"""What happens to a system, whole or broken, whose accounts `a` and `b` are open and projected."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from functions.adapters.command_store import CommandStore
from tidemark.workloads import bank

if TYPE_CHECKING:
    import pytest

    from acceptance.ablations.system import System
    from functions.domain.account import Account


def nothing(system: System, _: pytest.MonkeyPatch) -> None:
    """Only a deposit."""
    system.call(bank.deposit(system.a, 10))


def lost_publish(system: System, _: pytest.MonkeyPatch) -> None:
    """Of the account's last event."""
    system.call(bank.deposit(system.a, 10))
    system.is_topic_down = True
    system.call(bank.deposit(system.a, 20))
    system.is_topic_down = False


def duplicate_delivery(system: System, _: pytest.MonkeyPatch) -> None:
    """The queue delivers a message that was acknowledged."""
    system.call(bank.deposit(system.a, 10))
    (message,) = system.waiting
    system.project()
    system.project(message)


def reordering(system: System, _: pytest.MonkeyPatch) -> None:
    """The second message comes first, and somebody reads in between."""
    system.call(bank.deposit(system.a, 10))
    system.call(bank.deposit(system.a, 20))
    first, second = system.waiting
    system.project(second)
    system.call(bank.account(system.a))
    system.call(bank.statement(system.a))
    system.project(first)


def drop(system: System, _: pytest.MonkeyPatch) -> None:
    """The first of two messages never comes."""
    system.call(bank.deposit(system.a, 10))
    system.call(bank.deposit(system.a, 20))
    del system.waiting[0]


def crash_of_the_processor(system: System, _: pytest.MonkeyPatch) -> None:
    """Between its writes, if it has several; then the message comes again."""
    system.call(bank.deposit(system.a, 10))
    system.crashes_between_writes = True
    system.project()
    system.sample(system.a, 2)


def crash_of_the_handler(system: System, _: pytest.MonkeyPatch) -> None:
    """Between its writes, if it has several; then the client sends the command again."""
    system.crashes_between_writes = True
    op = system.call(bank.deposit(system.a, 10))
    system.call(bank.deposit(system.a, 10), key=op.key)


def lost_answer(system: System, _: pytest.MonkeyPatch) -> None:
    """Somebody sees what the command did; then the client sends it again."""
    system.call(bank.deposit(system.a, 10))
    system.is_answer_lost = True
    op = system.call(bank.withdraw(system.a, 10))
    system.project()
    system.call(bank.account(system.a))
    system.call(bank.withdraw(system.a, 10), key=op.key)


def one_key_on_two_accounts(system: System, _: pytest.MonkeyPatch) -> None:
    """The same deposit, with the same key, for another account."""
    op = system.call(bank.deposit(system.a, 10))
    system.call(bank.deposit(system.b, 10), key=op.key)


def concurrent_writers(system: System, patch: pytest.MonkeyPatch) -> None:
    """The second reads the account before the first has written."""
    head = CommandStore.head
    seen: list[Account | None] = []

    def note(store: CommandStore, account_id: str) -> Account | None:
        seen.append(head(store, account_id))
        return seen[0]

    def recall(store: CommandStore, account_id: str) -> Account | None:
        return seen.pop() if seen else head(store, account_id)

    patch.setattr(CommandStore, "head", note)
    system.call(bank.deposit(system.a, 10, expected_version=1))
    patch.setattr(CommandStore, "head", recall)
    system.call(bank.deposit(system.a, 20, expected_version=1))


def impossible_version(system: System, _: pytest.MonkeyPatch) -> None:
    """A message of an event that the log never had."""
    system.call(bank.deposit(system.a, 10))
    (message,) = system.waiting
    system.project()
    about = json.loads(message.body)
    system.poisoned(json.dumps(about | {"version": about["version"] + 1, "event_id": "nobody's"}))


def poison(system: System, _: pytest.MonkeyPatch) -> None:
    """A message that is none."""
    system.poisoned("{not json")


def one_bad_record_in_ten(system: System, _: pytest.MonkeyPatch) -> None:
    """Nine deposits wait when it comes."""
    for amount in range(1, 10):
        system.call(bank.deposit(system.a, amount))
    system.poisoned("{not json")
