"""A workload of one's own: its calls are ops, its export is rows, its mistakes are sentences."""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from decimal import Decimal
from math import nan
from typing import TYPE_CHECKING, Any

import pytest

from tests.history.rows import rows
from tests.workloads.shelves import CLIENTS, DEPLOYMENT, Shelves, System, raising
from tidemark.api.op import Outcome
from tidemark.api.session import Writer
from tidemark.errors import NotStartedError
from tidemark.history import finishing
from tidemark.history.finishing import finish
from tidemark.history.folder import RunFolder
from tidemark.history.quiescence import Quiescence
from tidemark.history.writing import RunWriter
from tidemark.host.waiting import eventually
from tidemark.invariants.catalog import choose
from tidemark.invariants.judge import Verdict, judge
from tidemark.workloads.calling import Caller
from tidemark.workloads.own import Accepted, Command, Event, Refused, View
from tidemark.workloads.own_checks import WorkloadError, find, make
from tidemark.workloads.own_history import OwnHistory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tidemark.api.op import Op

RUN = "20261123T101112-abc123"
CLAIMED = ("I0", "I1", "I2", "I3", "I5", "I6")


class Session:
    """A session that calls the shelves, in a run of its own."""

    def __init__(self, path: Path, kind: type[Shelves]) -> None:
        self.path = path / RUN
        self.system = kind.system = System()
        self.workload = OwnHistory(make(kind, DEPLOYMENT, CLIENTS))
        self.writer = Writer(RUN, "main")
        self.run = RunWriter(self.path, self.writer, self.workload)
        self.run.describe(DEPLOYMENT, kind="pytest")
        self.is_closed = False
        self.ops: list[Op] = []
        session = self.writer.session("t1")
        self.caller = Caller(workload=self.workload.own, session=session, sink=self._take)
        self.shelf = self.caller.new_id()

    def _take(self, op: Op) -> None:
        self.ops.append(op)
        self.run.record(op)

    def close(self) -> None:
        if not self.is_closed:
            self.run.close()
        self.is_closed = True

    def put(self, thing: str = "book", **more: Any) -> Op:
        return self.caller.command("put", self.shelf, {"thing": thing}, **more)

    def verdicts(self) -> dict[str, Verdict]:
        self.close()
        folder = finish(self.path, DEPLOYMENT, CLIENTS, self.workload, within_s=0.1)
        return {one.invariant.id: one.verdict for one in judge(folder, choose(None))}


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = Session(tmp_path, Shelves)
    yield session
    session.close()


def test_what_is_called_is_written_down_and_holds(session: Session) -> None:
    put = session.put()
    again, refused = session.put("vase"), session.put("elephant")
    read = session.caller.read(session.shelf, token=again.version)

    assert (put.outcome, put.version, put.event_id) == (Outcome.OK, 1, f"{session.shelf}@1")
    assert (refused.outcome, refused.status, refused.problem) == (Outcome.FAIL, 422, "too-big")
    assert (read.version, read.state) == (2, {"things": ["book", "vase"]})
    verdicts = session.verdicts()
    assert {verdicts[one] for one in (*CLAIMED, "I8")} == {Verdict.HOLDS}
    assert Verdict.VIOLATED not in verdicts.values()
    [account] = rows(session.path, "accounts")
    assert (account["version"], account["projected_at_ms"]) == (2, 1102)
    assert rows(session.path, "settings")[-1]["name"] == "views_only"


def test_what_is_not_there_or_behind_is_no_answer(session: Session) -> None:
    missing = session.caller.read(session.shelf)
    behind = session.caller.read(session.shelf, token=1)

    assert (missing.outcome, missing.status) == (Outcome.FAIL, 404)
    assert (behind.outcome, behind.status, behind.problem) == (Outcome.FAIL, 409, "behind")
    session.close()
    [read] = rows(session.path, "account_reads")
    assert (read["version"], read["state"]) == (0, None)


def test_a_read_that_is_asked_until_something_is_seen_is_a_poll(session: Session) -> None:
    session.put()
    eventually(lambda: session.caller.read(session.shelf))
    session.caller.read(session.shelf)

    assert [op.purpose.value for op in session.ops] == ["test", "poll", "test"]


def test_another_effect_than_was_asked_for_is_seen(session: Session) -> None:
    session.put()
    session.system.log[0].data["thing"] = "stone"  # type: ignore[index]  # a broken system

    assert session.verdicts()["I1"] is Verdict.VIOLATED


def test_an_event_that_no_view_shows_is_lost(session: Session) -> None:
    session.put()
    session.system.views.clear()

    assert session.workload.unprojected(RUN) == 1
    assert session.verdicts()["I2"] is Verdict.VIOLATED


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [(View(1, {"things": ["vase"]}), Verdict.VIOLATED), (TimeoutError(), Verdict.UNKNOWN)],
    ids=["something else", "nothing"],
)
def test_what_a_read_shows_in_the_end_is_what_the_views_hold(
    session: Session, answer: View | Exception, verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: Any) -> View:
        if isinstance(answer, Exception):
            raise answer
        return answer

    session.put()
    monkeypatch.setattr(finishing, "await_quiescence", lambda *_, **__: Quiescence("quiet", 0.1))
    monkeypatch.setattr(session.workload.own, "read", read)

    assert session.verdicts()["I6"] is verdict


def test_what_others_do_is_not_of_the_run(session: Session) -> None:
    session.put()
    session.system.log.append(Event(aggregate="theirs", version=1, key="k", data={"thing": "x"}))
    session.system.views["theirs"] = View(1, {"things": ["x"]})

    assert session.verdicts()["I3"] is Verdict.HOLDS
    with pytest.raises(WorkloadError, match=r"'theirs' is no id of this run.*`new_id\(\)`"):
        session.caller.read("theirs")


@pytest.mark.parametrize("error", [TimeoutError("no answer"), KeyboardInterrupt()])
def test_what_raises_may_have_been_done(session: Session, error: BaseException) -> None:
    class Silent(Shelves):
        def send(self, command: Command) -> Any:
            super().send(command)
            raise error

    session.workload.own.__class__ = Silent
    with pytest.raises(type(error)):
        session.put()

    [op] = session.ops
    assert (op.outcome, op.problem) == (Outcome.INFO, "lost")
    assert session.verdicts()["I1"] is Verdict.UNKNOWN  # nothing was accepted


def exercise(session: Session) -> None:
    """Send a command twice, pin two to one version, read with a token twice."""
    first = session.put()
    session.put(key=first.key)
    session.put("vase", expected_version=1)
    session.put("lamp", expected_version=1)
    for _ in range(2):
        session.caller.read(session.shelf, token=1)


def test_keys_pins_and_tokens_are_judged_where_tests_use_them(session: Session) -> None:
    exercise(session)

    verdicts = session.verdicts()
    assert {verdicts[one] for one in (*CLAIMED, "I8", "I9", "I10", "I11")} == {Verdict.HOLDS}


@pytest.mark.parametrize(
    ("forgotten", "violated"),
    [
        ({"key": "another"}, {"I1", "I3", "I11"}),
        ({"expected_version": None}, {"I10"}),
    ],
    ids=["keys", "pins"],
)
def test_what_a_system_forgets_is_found(
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    forgotten: dict[str, Any],
    violated: set[str],
) -> None:
    send = Shelves.send

    def careless(self: Shelves, command: Command) -> Any:
        return send(self, replace(command, **forgotten))

    monkeypatch.setattr(Shelves, "send", careless)
    exercise(session)

    verdicts = session.verdicts()
    assert {one for one, verdict in verdicts.items() if verdict is Verdict.VIOLATED} >= violated


numbers = itertools.count()
EVENT = Event(aggregate=f"{RUN}.main.1", version=1, key="k", data={"thing": "x"})
WRONG_CALLS: dict[str, tuple[str, Callable[..., Any]]] = {
    r"Shelves\.send gave {'version': 1}, and must give Accepted or Refused\.": (
        "send",
        lambda *_: {"version": 1},
    ),
    r"Shelves\.send gave Accepted with version='1': it must be an integer\.": (
        "send",
        lambda *_: Accepted("1"),  # type: ignore[arg-type]
    ),
    r"Shelves\.send gave Accepted with version=0: versions begin at 1\.": (
        "send",
        lambda *_: Accepted(0),
    ),
    r"Shelves\.send gave Refused with status=503: what was refused": (
        "send",
        lambda *_: Refused("busy", 503),
    ),
    r"Shelves\.send gave Refused with why='': it must be a string that is not empty\.": (
        "send",
        lambda *_: Refused(""),
    ),
    r"Shelves\.expects raised KeyError: 'thing' for put, at .*shelves\.py:\d+\.": (
        "expects",
        raising,
    ),
    r"Shelves\.expects of put gave {'thing': \{1\}}: it must be JSON, and .*set": (
        "expects",
        lambda *_: {"thing": {1}},
    ),
    r"Shelves\.expects of put gave {'thing': nan}: it must be JSON, and Out of range float": (
        "expects",
        lambda *_: {"thing": nan},
    ),
}
WRONG_EXPORTS: dict[str, tuple[str, Callable[..., Any]]] = {
    r"Shelves\.events raised KeyError: 'thing', at .*shelves\.py:\d+\.": ("events", raising),
    r"Shelves\.events gave \('x', 1\), and must give Event\.": ("events", lambda *_: [("x", 1)]),
    r"Shelves\.events gave Event with key=None: it must be a string that is not empty\.": (
        "events",
        lambda *_: [Event(aggregate="a", version=1, key=None, data={})],  # type: ignore[arg-type]
    ),
    r"Shelves\.events gave Event with data=.*Decimal.*: it must be JSON, and .*Decimal": (
        "events",
        lambda *_: [Event(aggregate="a", version=1, key="k", data={"n": Decimal(1)})],
    ),
    r"Shelves\.events gave version 1 of \S+ twice: it must give each event of the log once\.": (
        "events",
        lambda *_: [EVENT, EVENT],
    ),
    r"Shelves\.views gave View.*, and must give tuple\.": ("views", lambda *_: [View(1, {})]),
    r"Shelves\.views gave \S+main\.1 twice: it must give each aggregate once\.": (
        "views",
        lambda *_: [(EVENT.aggregate, View(1, {}))] * 2,
    ),
    r"Shelves\.views gave View with state=\[\]: it must be a dict\.": (
        "views",
        lambda *_: [(EVENT.aggregate, View(1, []))],  # type: ignore[arg-type]
    ),
    r"Shelves\.fold raised KeyError: 'thing' for version 1 of \S+, at .*shelves\.py:\d+\.": (
        "fold",
        raising,
    ),
    r"Shelves\.fold of version 1 of \S+ gave None: it must be a dict\.": ("fold", lambda *_: None),
    r"Shelves\.fold is not deterministic: of version 1 of \S+ it made {.*}, and then {.*} of the": (
        "fold",
        lambda *_: {"number": next(numbers)},
    ),
}


@pytest.mark.parametrize(("sentence", "wrong"), WRONG_CALLS.items(), ids=WRONG_CALLS)
def test_what_a_call_must_not_say_is_said(
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    sentence: str,
    wrong: tuple[str, Callable[..., Any]],
) -> None:
    monkeypatch.setattr(Shelves, *wrong)

    with pytest.raises(WorkloadError, match=sentence):
        session.put()


@pytest.mark.parametrize(("sentence", "wrong"), WRONG_EXPORTS.items(), ids=WRONG_EXPORTS)
def test_what_cannot_be_exported_is_said_and_nothing_is_judged_by_it(
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    sentence: str,
    wrong: tuple[str, Callable[..., Any]],
) -> None:
    session.put()
    monkeypatch.setattr(Shelves, *wrong)

    with pytest.raises(WorkloadError, match=sentence):
        session.verdicts()


def test_an_export_that_broke_off_is_unknown_to_whoever_judges_it(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.put()
    monkeypatch.setattr(Shelves, "fold", raising)
    with pytest.raises(WorkloadError):
        session.verdicts()

    judged = judge(RunFolder.open(session.path), choose(None))
    assert {one.verdict for one in judged} == {Verdict.UNKNOWN}
    (said,) = judged[0].reasons  # once, of however many tables it is true
    assert "was never closed" in said


BASE = "from tidemark.workloads.own import OwnWorkload\nclass Own(OwnWorkload):\n"
METHODS = "".join(f"    def {one}(self, *_): ...\n" for one in ("send", "events", "views", "fold"))
CLASSES = {
    None: "cannot be imported from .* \\(ModuleNotFoundError: No module named",
    "class": "cannot be imported from .* \\(SyntaxError: ",
    "": "has no such class \\(in .*\\.py\\): ",
    "class Own: pass": "is no subclass of OwnWorkload \\(in .*\\.py\\): docs/own-workload.md says",
    BASE + METHODS: "lacks read: docs/own-workload.md says",
    f"{BASE}{METHODS}    def read(self, aggregate): ...\n": (
        "has a method read that cannot be called with \\(self, aggregate, token\\): too many"
    ),
}


@pytest.mark.parametrize(("body", "sentence"), CLASSES.items(), ids=CLASSES.values())
def test_a_class_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str | None, sentence: str
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    module = f"own_{next(numbers)}"
    if body is not None:
        (tmp_path / f"{module}.py").write_text(body, encoding="utf-8")

    with pytest.raises(NotStartedError, match=f"The workload {module}:Own {sentence}"):
        find(f"{module}:Own", tmp_path)


def test_a_method_may_do_without_the_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    read = "    @staticmethod\n    def read(aggregate, token): ...\n"
    module = f"own_{next(numbers)}"
    (tmp_path / f"{module}.py").write_text(BASE + METHODS + read, encoding="utf-8")

    assert find(f"{module}:Own", tmp_path).__name__ == "Own"


def test_a_name_is_of_a_module_and_a_class(tmp_path: Path) -> None:
    assert find("tests.workloads.shelves:Shelves", tmp_path) is Shelves
    with pytest.raises(NotStartedError, match="named as MODULE:CLASS, and 'shelves' is not"):
        find("shelves", tmp_path)


def test_one_that_cannot_be_made_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shelves, "__init__", raising)
    with pytest.raises(WorkloadError, match=r"Shelves\.__init__ raised KeyError: 'thing', at "):
        make(Shelves, DEPLOYMENT, CLIENTS)
