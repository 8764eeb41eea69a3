"""Of the functions with one thing broken, the invariant that must notice does.

The same is done to them as they are: none complains.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from acceptance.ablations import broken, faults
from acceptance.ablations.system import System
from tidemark.invariants.catalog import catalog
from tidemark.invariants.judge import Judgement, Verdict, judge
from tidemark.workloads import bank

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from acceptance.ablations.broken import Break

    Printed = Callable[[], list[dict[str, Any]]]
    Begin = Callable[[], System]


@dataclass(frozen=True)
class Ablation:
    """The functions with one thing broken.

    Attributes:
        breaks: What.
        fault: The fault under which it shows.
        must: What must be violated: one of each group.
        holds: What must hold all the same.
    """

    breaks: Break
    fault: Break
    must: tuple[set[str], ...] = ()
    holds: tuple[str, ...] = ()


ABLATIONS = [
    Ablation(broken.amounts_altered, faults.nothing, ({"I1"},)),
    Ablation(broken.no_sweeper, faults.lost_publish, ({"I2"}, {"I6"})),
    Ablation(broken.no_version_guard, faults.duplicate_delivery, ({"I4"},)),
    Ablation(broken.no_version_guard, faults.reordering, ({"I6"}, {"I8"})),
    Ablation(broken.gaps_acknowledged, faults.drop, ({"I2", "I6"}, {"I7"})),
    # An event carries the balance that it leaves: the account is right, its statement is not.
    Ablation(broken.gaps_jumped_over, faults.reordering, ({"I8"}, {"I2"})),
    Ablation(broken.two_writes, faults.crash_of_the_processor, ({"I4"}, {"I7"})),
    Ablation(broken.answer_kept_later, faults.crash_of_the_handler, ({"I1"}, {"I11"})),
    Ablation(broken.refused_first, faults.lost_answer, ({"I11", "I1"},)),
    Ablation(broken.hash_without_account, faults.one_key_on_two_accounts, ({"I1"},)),
    Ablation(broken.no_conditions, faults.concurrent_writers, ({"I10"}, {"I1"})),
    Ablation(broken.marks_whatever, faults.impossible_version, ({"I3"},)),
    Ablation(broken.failures_swallowed, faults.poison, ({"I12", "I2"},)),
    Ablation(broken.failures_of_all, faults.one_bad_record_in_ten, holds=("I4", "I13")),
]


def name_of(ablation: Ablation) -> str:
    return f"{ablation.breaks.__name__}-{ablation.fault.__name__}"


@pytest.fixture
def begin(
    environment: pytest.MonkeyPatch,  # noqa: ARG001 -- what the functions are told
    tmp_path: Path,
    printed: Printed,
) -> Begin:
    """Makes the system, in the test: its loggers keep the stream that they begin with."""
    return partial(System, tmp_path, printed)


def judged(system: System, fault: Break, patch: pytest.MonkeyPatch) -> dict[str, Judgement]:
    for account in (system.a, system.b):
        system.call(bank.open_account(owner_id=system.owner, account_id=account))
    system.project()
    fault(system, patch)
    folder = system.finish()
    assert folder.gaps == {}
    return {one.invariant.id: one for one in judge(folder, list(catalog().values()))}


@pytest.mark.parametrize("fault", dict.fromkeys(one.fault for one in ABLATIONS))
def test_the_whole_system_stands_the_fault(
    begin: Begin, fault: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = judged(begin(), fault, monkeypatch)

    assert [one.counterexamples for one in found.values() if one.counterexamples] == []
    assert {found[one].verdict for one in ("I0", "I1", "I2", "I4", "I6", "I8")} == {Verdict.HOLDS}


@pytest.mark.parametrize("ablation", ABLATIONS, ids=name_of)
def test_what_is_broken_is_found(
    begin: Begin, ablation: Ablation, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = begin()
    ablation.breaks(system, monkeypatch)

    found = judged(system, ablation.fault, monkeypatch)

    violated = {one for one, each in found.items() if each.verdict is Verdict.VIOLATED}
    assert all(group & violated for group in ablation.must), violated
    assert "I0" not in violated
    assert all(found[one].verdict is Verdict.HOLDS for one in ablation.holds)
    # A person can follow it: it names an account, its owner, a key or a message.
    for one in set().union(*ablation.must) & violated:
        first = found[one].counterexamples[0]
        assert first.aggregate in (system.a, system.b, system.owner) or first.key is not None
