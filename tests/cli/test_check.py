"""The verbs check and explain: what they print, which files they write, how they end."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import duckdb
import pytest

from tests.invariants import sentences
from tests.invariants.ablations import ABLATIONS, OWNER, A
from tests.invariants.clean_runs import clean_run
from tests.invariants.folders import write_rows, write_run
from tests.invariants.recorded import RUN
from tests.invariants.test_ablations import broken
from tidemark.cli import program
from tidemark.history.folder import RunFolder
from tidemark.invariants.catalog import catalog
from tidemark.invariants.judge import Counterexample, judge
from tidemark.invariants.timeline import timeline_of
from tidemark.report.verdict import summarise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

EVERY = "choose of I0, I1, I2"
TWICE, SWALLOWED = (
    next(one for one in ABLATIONS if (one.broken, one.fault.__name__) == wanted)
    for wanted in [
        ("no version guard in the projection", "duplicate_delivery"),
        ("consumer swallows exceptions", "poison"),
    ]
)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tidemark", *map(str, arguments)])
        code = program.run()
        return (int(code), *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with runs."""
    state = tmp_path_factory.mktemp("state")
    write_run(state / "runs/clean", clean_run(steps=10))
    write_run(state / "runs/twice", broken(TWICE))
    write_run(state / "runs/swallowed", broken(SWALLOWED))
    return state / "runs"


@pytest.fixture(autouse=True)
def _state(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(folders.parent))


def test_a_run_in_which_all_holds_ends_well(run: Run) -> None:
    code, said, _ = run("check", "clean")

    assert code == 0
    assert said.splitlines()[-1] == f"{RUN}: holds"
    assert all(f"{one.id} " in said and one.name in said for one in catalog().values())


def test_the_newest_run_is_judged_where_none_is_named(run: Run) -> None:
    code, said, error = run("check", "--only", "I4")

    assert (code, said.splitlines()[-1]) == (1, f"{RUN}: violated")
    assert error.splitlines()[-1] == "tidemark: an invariant is violated (exit 1)"


def test_a_counterexample_comes_with_all_that_touched_its_account(run: Run) -> None:
    _, said, _ = run("check", "twice", "--only", "I4")

    assert "I4 exactly once: 2 counterexamples" in said
    assert f"account {A}, version 2, expected 10, found 20" in said
    assert f"account {OWNER}, expected 10, found 20" in said
    story = said.split(f"What touched {A}:")[1].split(RUN + ": ")[0].splitlines()
    kinds = [line.split()[1] for line in story if line.strip()]
    assert {"op", "event", "delivery", "projection"} <= set(kinds)
    assert [line for line in story if "delivery" in line and " m3 " in line][1:]


def test_a_counterexample_of_a_message_comes_with_its_deliveries(run: Run) -> None:
    _, said, _ = run("check", "swallowed", "--only", "I12")

    assert "I12 poison isolated: 1 counterexample\n" in said
    story = said.split("What touched m3:")[1]
    for word in ("begins", "given the message", "failed", "receive 1", "has healed"):
        assert word in story


def test_what_was_not_seen_is_unknown_and_says_why(run: Run) -> None:
    code, said, error = run("check", "twice", "--only", "I12")

    assert "too little was seen: 0 injected poison, and it takes 1" in said
    assert (code, error.splitlines()[-1]) == (3, "tidemark: unknown or incomplete (exit 3)")


def test_what_many_are_unknown_for_is_said_once(run: Run, folders: Path, tmp_path: Path) -> None:
    torn = shutil.copytree(folders / "clean", tmp_path / "torn")
    for file in (torn / "events").iterdir():
        file.write_bytes(b"")

    _, said, _ = run("check", torn)

    assert said.count("is torn") == 1
    assert "as I1\n" in said
    ended = summarise(judge(RunFolder.open(torn), list(catalog().values())))
    assert [line.split(": ", 1)[1] for line in ended if "as I1" in line][1:]
    assert len([line for line in ended if "is torn" in line]) == 1


def test_a_folder_that_is_no_run_is_said_to_be_none(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "copied").mkdir()
    monkeypatch.chdir(tmp_path)

    code, _, error = run("check", "copied")

    assert (code, error.splitlines()[0].split(":")[0]) == (
        3,
        "copied is not a run folder (run.json",
    )


def test_a_program_gets_one_object(run: Run) -> None:
    code, said, error = run("check", "twice", "--json", "--only", " i4, I1,I4")

    document = json.loads(said)
    assert (document["run"], document["verdict"], document["exit_code"]) == (RUN, "violated", code)
    assert [one["id"] for one in document["invariants"]] == ["I1", "I4"]
    one = document["invariants"][1]
    assert (one["verdict"], one["claimed"], one["violations"]) == ("violated", True, 2)
    assert one["counterexamples"][0]["aggregate"] == A
    assert error.splitlines()[0] == f"{RUN}: violated"


def test_ci_gets_a_case_for_each_invariant(run: Run, tmp_path: Path) -> None:
    run("check", "twice", "--junit", tmp_path / "verdict.xml")

    suite = ET.parse(tmp_path / "verdict.xml").getroot()  # noqa: S314 -- written by ourselves
    cases = {case.attrib["name"].split()[0]: case for case in suite}
    assert cases.keys() == catalog().keys()
    failure, error = cases["I4"].find("failure"), cases["I12"].find("error")
    assert failure is not None
    assert A in (failure.text or "")
    assert error is not None
    assert "too little was seen" in error.attrib["message"]
    assert list(cases["I5"]) == []
    counted = [suite.attrib[one] for one in ("tests", "failures", "errors")]
    assert counted == [
        str(sum(case.find(kind) is not None if kind else True for case in suite))
        for kind in ("", "failure", "error")
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["check", "--only", "I14"], f"There is no invariant I14: {EVERY}"),
        (["check", "--only", "I4;I6"], f"There is no invariant I4;I6: {EVERY}"),
        (["check", "--only", ","], f"No invariant is named: {EVERY}"),
        (["check", "--only", ""], f"No invariant is named: {EVERY}"),
        (["check", "nothing"], "No run is called nothing: `tidemark runs` lists"),
        (["check", "/no/such"], "No run is called /no/such: `tidemark runs` lists"),
        (["check", "clean", "--junit", "/no/such/x.xml"], "/no/such/x.xml cannot be written (No "),
        (["check", "clean", "--junit", "/"], "/ cannot be written (Is a directory): name a file"),
        (["explain", "I14"], f"There is no invariant I14: {EVERY}"),
        (["explain", ""], f"No invariant is named: {EVERY}"),
        (["explain"], "Missing argument 'ID'"),
    ],
)
def test_what_cannot_be_asked_is_refused(run: Run, arguments: list[str], says: str) -> None:
    code, said, error = run(*arguments)

    assert code == 64
    assert says in error
    assert said == ""
    assert error.splitlines()[-1] == "tidemark: not started (exit 64)"


def test_of_a_load_run_a_program_gets_its_figures_too(
    run: Run, folders: Path, tmp_path: Path
) -> None:
    path = shutil.copytree(folders / "clean", tmp_path / "loaded")
    manifest = json.loads((path / "run.json").read_text())
    asked = {"profile": "write", "refusals": [], "slo": {"error_share": 0.5}}
    (path / "run.json").write_text(json.dumps(manifest | {"load": asked}))

    _, said, _ = run("check", path, "--json", "--only", "I1")

    figures = json.loads(said)["figures"]
    assert figures["writes"]["ok"] > 0
    assert [one["measure"] for one in figures["slo"]] == ["error_share"]


def test_a_folder_without_its_manifest_is_unknown(run: Run, folders: Path, tmp_path: Path) -> None:
    shutil.copytree(folders / "clean/ops", tmp_path / "half/ops")

    code, _, error = run("check", tmp_path / "half")

    assert code == 3
    assert f"{tmp_path}/half is not a run folder (run.json: No such file" in error


def test_what_is_wrong_with_a_folder_is_named(run: Run, folders: Path, tmp_path: Path) -> None:
    path = shutil.copytree(folders / "clean", tmp_path / "edited")
    write_rows(path, "heads", "nobody", [])

    code, said, _ = run("check", path, "--only", "I17")

    assert code == 3
    assert "heads/nobody.parquet is of no writer of this run" in said


def test_a_torn_table_beside_a_counterexample_takes_nothing_but_its_story(
    run: Run, folders: Path, tmp_path: Path
) -> None:
    path = shutil.copytree(folders / "twice", tmp_path / "torn")
    for file in (path / "invocations").iterdir():
        file.write_bytes(b"PAR1")

    code, said, _ = run("check", path, "--only", "I4,I13")

    assert code == 1
    assert f"account {A}, version 2, expected 10, found 20" in said
    assert "is torn, or no Parquet file" in said


def test_where_a_table_cannot_be_read_there_is_no_story() -> None:
    example = Counterexample("below zero", A, 2, None, None, 0, -1)

    assert timeline_of(duckdb.connect(), example).moments == ()


@pytest.mark.parametrize("identifier", catalog())
def test_an_invariant_is_explained_with_an_example(run: Run, identifier: str) -> None:
    one = catalog()[identifier]

    code, said, _ = run("explain", identifier.lower())

    assert code == 0
    assert said.startswith(f"{one.id}: {one.name}\n\n{one.says}\n")
    for heading in ("evidence", "reads", "reading", "example"):
        assert f"\n{heading}  " in said
    # What it would print of a run, and then what had happened there.
    what, story = one.example.split(". ", 1)
    assert any(
        what.startswith(f"{sentence}: ") for of, sentence in sentences.violations() if of == one.id
    )
    assert story.endswith(".")
