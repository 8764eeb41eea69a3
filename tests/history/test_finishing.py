"""What a run's end adds: who was killed, what was planned, and dead letters that tests took."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.history.rows import rows
from tests.history.test_writing import DEPLOYMENT
from tests.measures.ops import op
from tidemark.api.session import Writer
from tidemark.history import finishing
from tidemark.history.folder import RunFolder
from tidemark.history.quiescence import DEADLINE, Quiescence
from tidemark.history.writing import RunWriter
from tidemark.invariants.catalog import catalog
from tidemark.invariants.judge import Verdict, judge
from tidemark.trace.letters import Letter
from tidemark.workloads.workload import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tidemark.workloads.workload import Asking

TAKEN = Letter("m1", 6, None, event={"event_id": "e1", "account_id": "stranger", "version": 1})
UNREAD = Letter("m2", 6, None, event={"event_id": "e2", "account_id": "stranger", "version": 0})
FOREIGN = Letter("m4", 6, None, event={"account_id": ["no text"]})


@dataclass(frozen=True, slots=True)
class Described(Unknown):
    """A system of which nothing but its claims is known."""

    claims: tuple[str, ...] = ("I1",)
    is_views_only: bool = False
    asked: list[Asking] = field(default_factory=list)

    def export(self, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
        assert prefix == "run"
        yield "heads", {"aggregate": "run.a", "version": 2, "state": "{}", "digest": 0}
        account = {"state": "{}", "digest": 0, "balance": 0, "projected_at_ms": 1}
        for number in range(30):
            yield "accounts", account | {"aggregate": f"run.a{number}", "version": number + 1}
        for owner, accounts in (("run.many", 1_000), ("run.few", 10)):
            yield "totals", {"owner": owner, "accounts": accounts, "balance": 0}

    def ask(self, asking: Asking) -> None:
        self.asked.append(asking)
        asking.sink(op())


def delivered(*_: object, messages: set[str], **__: object) -> Iterator[tuple[str, dict[str, Any]]]:
    assert messages == {"m1", "m2"}
    for message, event in (("m1", "e1"), ("m2", None)):
        names = {"event_id": event, "aggregate": None, "version": None}
        about = {"request_id": "r", "message_id": message, "receive_count": 1, "outcome": "failed"}
        yield "deliveries", about | names | {"attempts": 1, "ambiguous": False, "at_ms": 1}


@pytest.fixture
def finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run with poison in it, whose dead letters a test took."""
    return finish(tmp_path / "run", monkeypatch, Described())


def finish(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    workload: Described,
    how: str = "quiet",
    *,
    are_all: bool = True,
    fault: str = "poison",
) -> Path:
    monkeypatch.setattr(finishing, "await_quiescence", lambda *_, **__: Quiescence(how, 0.1))
    monkeypatch.setattr(finishing, "delivered", delivered)
    monkeypatch.setattr(finishing, "peek", lambda *_: ([FOREIGN], are_all))
    deployment = replace(DEPLOYMENT, outputs={"DeadLetterQueueName": "dead"})
    with RunWriter(path, Writer("run", "gw0"), workload) as run:
        run.describe(deployment)
        run.record(op())
        run.plan(fault, 2)
        for letter in (TAKEN, UNREAD):
            strike = {"id": letter.message_id, "message_id": letter.message_id}
            nothing = dict.fromkeys(("event_id", "aggregate"))
            when = {"start_ns": 1, "end_ns": 2, "fired": 1}
            run.add("faults", {"fault": "poison"} | strike | nothing | when)
            run.note_letter(letter)

    class Clients:
        sqs = None

    finishing.finish(path, deployment, Clients(), workload)  # type: ignore[arg-type]
    return path


def test_what_the_api_shows_in_the_end_is_asked_of_a_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workload = Described()

    path = finish(tmp_path / "run", monkeypatch, workload)

    [asked] = workload.asked
    assert len(asked.accounts) == finishing.MOST_ASKED
    assert all(name == f"run.a{version - 1}" for name, version in asked.accounts.items())
    assert asked.owners == ["run.few"]
    assert [one["writer"] for one in rows(path, "ops")].count("run.export") == 1


def test_what_still_changes_is_not_asked_of_the_api(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workload = Described()

    finish(tmp_path / "run", monkeypatch, workload, how=DEADLINE)

    assert workload.asked == []


def test_faults_add_the_invariants_that_they_exercise(finished: Path) -> None:
    assert rows(finished, "planned_faults") == [{"fault": "poison", "times": 2}]
    assert [one["invariant"] for one in rows(finished, "claims")] == ["I1", "I12", "I16"]


def test_letters_that_a_test_took_are_there_and_those_of_others_are_not(finished: Path) -> None:
    letters = {one["message_id"]: one for one in rows(finished, "dead_letters")}

    assert set(letters) == {"m1", "m2"}
    assert (letters["m1"]["event_id"], letters["m1"]["version"]) == ("e1", 1)


def test_letters_beyond_those_that_are_looked_at_leave_it_open_whether_poison_is_among_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = finish(tmp_path / "run", monkeypatch, Described(), are_all=False)
    folder = RunFolder.open(path)

    [gap] = folder.gaps["dead_letters"]
    assert "holds more letters than the 1 that were looked at" in gap
    [judged] = judge(folder, [catalog()["I12"]])
    assert judged.verdict is Verdict.UNKNOWN


def test_where_nobody_injected_poison_the_letters_of_others_leave_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = finish(tmp_path / "run", monkeypatch, Described(), are_all=False, fault="throttled")

    assert "dead_letters" not in RunFolder.open(path).gaps


def test_of_a_letter_that_nobody_could_read_it_is_not_said_what_it_is_about(finished: Path) -> None:
    [unread] = [one for one in rows(finished, "dead_letters") if one["message_id"] == "m2"]

    assert (unread["event_id"], unread["aggregate"], unread["version"]) == (None, None, None)
