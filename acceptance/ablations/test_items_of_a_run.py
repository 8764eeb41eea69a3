"""Of two runs on one pair of tables each sees what is its own, whoever made the ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from acceptance.ablations.system import System
from tests.functions.calling import aws
from tidemark.workloads import bank
from tidemark.workloads.bank_history import BankHistory
from tidemark.workloads.bank_tables import BankTables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest


def test_a_run_is_all_that_names_it_and_what_the_server_named_for_it(
    environment: pytest.MonkeyPatch,  # noqa: ARG001 -- what the functions are told
    tmp_path: Path,
    printed: Callable[[], list[dict[str, Any]]],
) -> None:
    bank_history = BankHistory(BankTables(aws().dynamodb, "commands", "queries"))
    other, run = (System(tmp_path / name, printed) for name in ("other", "run"))
    other.call(bank.open_account(owner_id=other.owner, account_id=other.a))
    run.call(bank.open_account(owner_id=run.owner, account_id=run.a))
    named = run.call(bank.open_account(owner_id=run.owner)).aggregate
    run.call(bank.deposit(str(named), 5))

    on_their_way = bank_history.unprojected(run.path.name)
    run.project()
    projected = bank_history.unprojected(run.path.name)
    strangers = bank_history.unprojected(other.path.name)
    rows: dict[str, set[str]] = {}
    for table, values in bank_history.export(run.path.name):
        rows.setdefault(table, set()).add(values.get("aggregate") or values["owner"])

    for one in (run, other):
        one.finish()

    assert (on_their_way, projected, strangers) == (3, 0, 1)
    assert rows.pop("totals") == {run.owner}
    both_sides = ("events", "heads", "commands", "accounts", "lines")
    assert rows == {table: {run.a, str(named)} for table in both_sides}
