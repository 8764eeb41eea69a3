"""The verb capacity, on targets whose limit is known."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from tidemark.aws.connection import EMULATOR_CREDENTIALS, Connection
from tidemark.cli import capacity as verb
from tidemark.cli import known, program, searching
from tidemark.cli.load_step import Ended
from tidemark.errors import EndedError, ExitCode, InterruptedByUserError, TidemarkError
from tidemark.host.deployment import Deployment
from tidemark.host.state import state_dir
from tidemark.measures.contention import HotKey

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DEPLOYMENT = Deployment(
    target="embedded",
    endpoint="http://127.0.0.1:1",
    region="us-east-1",
    stack_name="One",
    api_url="http://127.0.0.1:1/prod",
    template_digest="0123456789ab",
    outputs={},
)
SHARES = {"write": 0.3, "read": 0.6, "hot_account": 0.3}


HOT = HotKey("late events", "account", "a1", 0.9, 0.5)


@dataclass(frozen=True)
class Seen(Ended):
    """A run without a folder.

    Attributes:
        hot: The key that was, if one was.
    """

    hot: HotKey | None = None

    def hot_key(self, _: object) -> HotKey | None:
        """Return it."""
        return self.hot


@dataclass
class Target:
    """A target that takes so many calls a second, of each profile; and who loads it.

    Attributes:
        takes: By profile.
        others: How a run ends otherwise, by how many were tried before.
        tried: Profile and rate of every run that was judged.
        warmed: Those of every other.
        interrupted_at: After how many runs Ctrl-C comes.
        arguments: What the newest run was told.
        is_quick: Whether it takes more than is sent.
    """

    takes: dict[str, float]
    others: dict[int, ExitCode] = field(default_factory=dict)
    tried: list[tuple[str, float]] = field(default_factory=list)
    warmed: list[tuple[str, float]] = field(default_factory=list)
    interrupted_at: int | None = None
    arguments: Sequence[str] = ()
    is_quick: bool = False

    def load(self, _: Deployment, arguments: Sequence[str]) -> Ended:
        """End as the target would."""
        self.arguments = arguments
        profile = arguments[0]
        rate = round(float(arguments[arguments.index("--rate") + 1]) * SHARES[profile], 3)
        if "off" in arguments:
            self.warmed.append((profile, rate))
        elif len(self.tried) == self.interrupted_at:
            raise InterruptedByUserError("Interrupted.")
        else:
            self.tried.append((profile, rate))
        code = self.others.get(len(self.tried) - 1, ExitCode.OK)
        side = "read" if profile == "read" else "write"
        p99_ms = 40.0 if rate <= self.takes[profile] else 4_000.0
        measures = {f"{side}s_per_s": rate, f"{side}_p50_ms": 20.0, f"{side}_p99_ms": p99_ms}
        none = {"ok": 0, "refused": 0, "errors": 0}
        return Seen(
            f"run{len(self.tried)}",
            code,
            code.meaning if code else "",
            {
                "measures": measures,
                "writes": none,
                "reads": none,
                "refusals": {},
                "generator": {"was_limit": self.is_quick},
            },
            hot=HOT if profile == "hot_account" else None,
        )


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    target = Target({"write": 97.0, "read": 240.0, "hot_account": 30.0})
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(known, "choose", lambda *_: (DEPLOYMENT, None))
    connection = Connection("us-east-1", DEPLOYMENT.endpoint, EMULATOR_CREDENTIALS)
    monkeypatch.setattr(known, "connect", lambda _: connection)
    monkeypatch.setattr(verb, "versions", lambda _: {"tidemark": "0.1.0", "aws-cdk": "2"})
    monkeypatch.setattr(searching, "load", target.load)
    return target


def ran(*arguments: str) -> tuple[ExitCode, str]:
    """Run the verb: its exit code, and what it said."""
    result = CliRunner().invoke(program.app, ["capacity", *arguments])
    if isinstance(result.exception, EndedError):
        return result.exception.exit_code, result.output
    if isinstance(result.exception, TidemarkError):
        return result.exception.exit_code, f"{result.output}{result.exception}"
    if isinstance(result.exception, Exception):
        raise result.exception
    return ExitCode(result.exit_code), result.output


def test_it_finds_writes_and_reads_and_says_so_in_a_sentence(target: Target) -> None:
    code, said = ran()
    assert code is ExitCode.OK
    headline = said.splitlines()[-1]
    assert headline.startswith(
        "93.5 writes/s and 222 reads/s with write p99 <= 500 ms, read p99 <= 500 ms, every claimed "
        "invariant holding: on embedded, "
    )
    assert headline.endswith("tidemark 0.1.0, template 01234567")
    assert (
        "write: 102 calls/s failed (run run5): write_p99_ms is 4000 ms and may be 500 ms." in said
    )
    assert target.warmed == [("write", 72), ("read", 144)]
    assert target.tried.count(("write", 93.5)) == 2


def test_a_single_hot_key_is_named_as_the_reason(target: Target) -> None:
    code, said = ran("--profile", "hot_account")
    assert code is ExitCode.OK
    assert target.tried
    assert "limit: hot key" in said
    assert (
        "a single hot key is the limit: 90% of the late events are of the account a1, which has "
        "50% of the calls; write_p99_ms is 4000 ms and may be 500 ms." in said
    )


def test_the_generators_own_limit_is_not_reported_as_the_targets(target: Target) -> None:
    target.is_quick = True
    code, said = ran("--profile", "write")
    assert code is ExitCode.OK
    assert "limit: generator" in said
    assert "the load generator was the limit, not the target: write_p99_ms is" in said
    assert said.splitlines()[-1].startswith("at least 93.5 writes/s with ")


def test_as_json_it_prints_one_object_with_each_step(target: Target) -> None:
    code, said = ran("--json", "--profile", "write")
    document = json.loads(said[said.index("{") :])
    assert code is ExitCode.OK
    assert document["found"]["write"]["rate"] == document["found"]["write"]["writes_per_s"] == 93.5
    assert [one["rate"] for one in document["tried"]] == [rate for _, rate in target.tried]
    assert document["curve"][0][0] == "profile"


def test_after_ctrl_c_it_goes_on_without_repeating_a_step(target: Target) -> None:
    ran("--seed", "s")
    whole, target.tried = target.tried, []
    target.interrupted_at = 3
    code, said = ran("--seed", "s")
    assert code is ExitCode.INTERRUPTED
    assert "Interrupted after 3 steps; `tidemark capacity --resume` goes on." in said

    target.interrupted_at = None
    code, said = ran("--resume")
    assert code is ExitCode.OK
    assert "93.5 writes/s and 222 reads/s" in said
    assert target.tried == whole
    assert target.warmed[-2:] == [("write", 72), ("read", 144)]


def test_a_search_that_has_ended_is_not_resumed(target: Target) -> None:
    ran("--profile", "write")
    code, said = ran("--resume")
    assert code is ExitCode.NOT_STARTED
    assert "There is no search to go on with" in said
    assert len(target.warmed) == 1


def test_what_is_deployed_now_is_not_what_the_search_was_of(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    target.interrupted_at = 1
    ran()
    other = replace(DEPLOYMENT, template_digest="other")
    monkeypatch.setattr(known, "choose", lambda *_: (other, None))
    code, said = ran("--resume")
    assert code is ExitCode.NOT_STARTED
    assert "not what is deployed now" in said


def test_a_violated_invariant_ends_it_with_1_and_the_search_with_less(target: Target) -> None:
    target.others = {1: ExitCode.VIOLATED}
    code, said = ran("--profile", "write")
    assert code is ExitCode.VIOLATED
    assert "failed (run run2): an invariant is violated." in said
    assert "36" not in said.splitlines()[-1].split(" writes/s")[0]


def test_a_target_that_takes_nothing_misses_its_slos(target: Target) -> None:
    target.takes["write"] = 0
    code, said = ran("--profile", "write")
    assert code is ExitCode.SLO_MISSED
    assert said.splitlines()[-1].startswith("nothing of write with ")


def test_the_lowest_rate_that_fails_when_repeated_is_none_that_is_sustained(target: Target) -> None:
    target.takes["write"] = 0.6
    target.others = {2: ExitCode.SLO_MISSED}
    code, said = ran("--profile", "write", "--start", "0.5", "--resolution", "2")
    assert target.tried == [("write", 0.5), ("write", 1), ("write", 0.5)]
    assert said.splitlines()[-1].startswith("nothing of write with ")
    assert code is ExitCode.SLO_MISSED


@pytest.mark.parametrize(
    "edited",
    [
        {"tried": [5]},
        {"tried": [{"profile": "write", "rate": "18", "run": "run1"}]},
        {"wanted": {"profiles": 5}},
        {"wanted": {"bounds": {"write_p99_ms": "500"}}},
        {"wanted": {"most_steps": None}},
    ],
)
def test_a_search_whose_file_was_edited_is_not_resumed(
    target: Target, tmp_path: Path, edited: dict[str, Any]
) -> None:
    target.interrupted_at = 1
    ran("--profile", "write")
    [file] = (tmp_path / "capacity").glob("*.json")
    document = json.loads(file.read_text())
    if isinstance(edited.get("wanted"), dict):
        edited = {"wanted": document["wanted"] | edited["wanted"]}
    file.write_text(json.dumps(document | edited))

    code, said = ran("--resume")

    assert code is ExitCode.NOT_STARTED
    assert f"{file} is no search for capacity: remove it, and begin anew." in said


def test_a_search_whose_file_is_torn_is_in_nobodys_way_but_that_of_who_resumes_it(
    target: Target, tmp_path: Path
) -> None:
    target.interrupted_at = 1
    ran("--profile", "write")
    [file] = (tmp_path / "capacity").glob("*.json")
    file.write_text(file.read_text()[:99])

    code, said = ran("--resume")
    assert code is ExitCode.NOT_STARTED
    assert f"{file} is no search for capacity" in said
    target.interrupted_at = None
    assert ran("--profile", "write")[0] is ExitCode.OK


def test_a_search_that_is_interrupted_before_its_first_step_goes_on_as_it_was_begun(
    target: Target,
) -> None:
    target.interrupted_at = 0
    ran("--profile", "read", "--seed", "s")
    target.interrupted_at = None
    assert ran("--resume", "--json")[0] is ExitCode.OK
    assert {profile for profile, _ in target.tried} == {"read"}


def test_every_load_run_of_a_search_sends_from_as_many_processes(target: Target) -> None:
    target.interrupted_at = 1
    ran("--profile", "write", "--processes", "2")
    target.interrupted_at = None
    ran("--resume")
    arguments = list(target.arguments)
    assert arguments[arguments.index("--processes") + 1] == "2"


@pytest.fixture
def on_aws(target: Target, monkeypatch: pytest.MonkeyPatch) -> Target:
    deployment = replace(DEPLOYMENT, target="aws", outputs={"Wiring": "queued"})
    monkeypatch.setattr(known, "choose", lambda *_: (deployment, None))
    return target


def test_on_aws_a_search_asks_once_what_its_load_runs_may_cost_together(on_aws: Target) -> None:
    code, said = ran("--profile", "write", "--start", "2", "--max-steps", "2")
    assert code is ExitCode.NOT_STARTED
    assert "beyond $1.00 (--max-cost)" in said
    assert "say --yes" in said
    assert not on_aws.warmed

    ran("--profile", "write", "--start", "2", "--max-steps", "2", "--yes")
    assert len(on_aws.tried) == 2
    assert "--yes" in on_aws.arguments


def test_on_aws_a_search_ends_before_it_costs_too_much_and_goes_on_for_more(
    on_aws: Target,
) -> None:
    code, said = ran("--profile", "write", "--yes", "--max-cost", "0.05", "--seed", "s")
    assert code is ExitCode.UNKNOWN
    assert "the next would exceed --max-cost 0.05: `tidemark capacity --resume`" in said
    before = list(on_aws.tried)
    assert len(before) in range(1, 7)
    code, said = ran("--resume", "--yes", "--max-cost", "0.05")
    assert (code, on_aws.tried) == (ExitCode.UNKNOWN, before)

    code, said = ran("--resume", "--yes", "--max-cost", "5")
    assert code is ExitCode.OK
    assert on_aws.tried[: len(before)] == before
    assert "--max-cost" not in said.splitlines()[-1]


def test_a_target_that_dies_leaves_a_search_that_goes_on(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> Ended:
        raise TidemarkError("the target does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(searching, "load", dies)
        code, said = ran("--profile", "write")
    assert code is ExitCode.FAILED
    assert "The search stopped after 0 steps; `tidemark capacity --resume` goes on." in said
    assert said.endswith("the target does not answer")
    assert ran("--resume")[0] is ExitCode.OK
    assert target.tried


def test_a_target_that_dies_in_the_middle_of_a_step_has_not_failed_at_its_rate(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_gone(_: object) -> Connection:
        if target.tried:
            raise TidemarkError("the target does not answer")
        return Connection("us-east-1", DEPLOYMENT.endpoint, EMULATOR_CREDENTIALS)

    target.others = {1: ExitCode.FAILED}
    with monkeypatch.context() as patched:
        patched.setattr(known, "connect", is_gone)
        code, said = ran("--profile", "write", "--seed", "s")
    assert code is ExitCode.FAILED
    assert "The search stopped after 1 steps; `tidemark capacity --resume` goes on." in said
    assert said.endswith("the target does not answer")

    code, said = ran("--resume")
    assert code is ExitCode.OK
    assert "93.5 writes/s" in said


def test_a_target_that_answers_and_took_nothing_has_failed_at_its_rate(target: Target) -> None:
    target.others = {1: ExitCode.FAILED}
    _, said = ran("--profile", "write")
    assert "write: 36 calls/s failed" in said


def test_a_limit_of_steps_leaves_it_incomplete(target: Target) -> None:
    code, said = ran("--profile", "write", "--max-steps", "2")
    assert code is ExitCode.UNKNOWN
    assert "(--max-steps)" in said
    assert "write: 36 calls/s was sustained, and no more was tried." in said
    assert len(target.tried) == 2


def test_a_step_has_callers_enough_for_its_slowest_answers(target: Target) -> None:
    ran("--profile", "write", "--start", "90", "--max-steps", "1", "--slo", "write_p99_ms=1000")
    arguments = list(target.arguments)
    assert arguments[arguments.index("--users") + 1] == "90"


def test_a_target_that_is_late_without_any_load_has_a_bound_of_its_own(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = replace(DEPLOYMENT, target="localstack")
    monkeypatch.setattr(known, "choose", lambda *_: (emulator, None))
    target.interrupted_at = 1
    for said, bound in (((), 3000), (("--slo", "lag_p99_ms=900"), 900)):
        ran("--profile", "write", *said)
        newest = max((state_dir() / "capacity").glob("*.json"), key=lambda one: one.stat().st_mtime)
        assert json.loads(newest.read_text())["wanted"]["bounds"]["lag_p99_ms"] == bound


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--slo", "write_p9_ms=3"), "There is no measure write_p9_ms; the nearest is"),
        (("--slo", "write_p99_ms=soon"), "--slo write_p99_ms must be 0 or more, and not soon."),
        (("--profile", "ramp"), "ramp has no steady rate, and a search is for one."),
        (("--profile", "wirte"), "There is no profile wirte; the nearest is write"),
        (("--profile", "write", "--start", "3001"), "at most 3000 calls/s with write"),
        (("--start", "0"), "--start must be more than 0"),
        (("--resume", "--step", "5"), "leave the others away"),
        (("--processes", "0"), "--processes must be 1 or more, or -1 for one on each core."),
        (("--resume",), "There is no search to go on with"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_anything_is_sent(
    target: Target, arguments: Sequence[str], sentence: str
) -> None:
    code, said = ran(*arguments)
    assert code is ExitCode.NOT_STARTED
    assert sentence in said
    assert not target.warmed
