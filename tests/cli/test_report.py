"""The verb report: where it draws, what it opens, and how it ends."""

from __future__ import annotations

import sys
import webbrowser
from typing import TYPE_CHECKING, Any

import pytest

from tests.invariants.clean_runs import clean_run
from tests.invariants.folders import write_run
from tests.invariants.recorded import RUN
from tests.report.made import say_more
from tidemark.cli import program
from tidemark.history.places import VERDICT
from tidemark.host.state import write_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path))
    folder = write_run(tmp_path / "runs/clean", clean_run(steps=1))
    judged = {"run": RUN, "verdict": "holds", "exit_code": 0, "invariants": [], "lateness": None}
    write_json(folder.path / VERDICT, judged)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tidemark", "report", *arguments])
        code = program.run()
        return (int(code), *capsys.readouterr())

    return run


def test_the_newest_run_is_drawn_into_its_folder(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "runs/clean/report.html"

    assert run() == (0, f"{page}\n", "")
    assert page.read_text().startswith("<!doctype html>")
    assert {one.name for one in page.parent.glob("*.*")} == {
        *("report.html", "summary.md", "run.json", "verdict.json")
    }


def test_the_page_is_opened_where_that_is_asked_for(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def open_it(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", open_it)

    assert run("clean", "--open")[0] == 0
    assert opened == [(tmp_path / "runs/clean/report.html").as_uri()]


def test_a_machine_without_a_browser_is_told_where_the_page_is_and_ends_well(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    code, said, error = run("--open")

    assert code == 0
    assert said.strip().endswith("report.html")
    assert error.startswith("No browser could be started here: open the file above in one")


def test_a_run_that_is_not_there_is_refused(run: Run) -> None:
    code, _, error = run("another")

    assert code == 64
    assert "No run is called another" in error


@pytest.mark.parametrize(
    "edited",
    [
        {"invariants": 5},
        {"invariants": [{"id": "I1", "verdict": "violated"}]},
        {"figures": 5},
        {"figures": {"operations": []}},
        {"lateness": {"lag": 5}},
    ],
)
def test_a_verdict_that_was_edited_is_said_to_be(
    run: Run, tmp_path: Path, edited: dict[str, Any]
) -> None:
    file = tmp_path / "runs/clean/verdict.json"
    write_json(file, {"run": RUN, "verdict": "violated", "exit_code": 1} | edited)

    code, _, error = run()

    assert code == 3
    assert f"{file} was edited, or is of another version: remove it" in error


def test_a_load_run_that_nobody_judged_is_drawn_with_its_calls(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "runs/clean"
    (folder / VERDICT).unlink()
    say_more(folder, load={"profile": "write", "refusals": [], "slo": {"error_share": 0.5}})

    assert run()[0] == 0
    page = (folder / "report.html").read_text()
    assert ">Calls</h2>" in page
    assert ">error_share</td>" in page


def test_a_folder_that_cannot_be_written_to_is_said_to_be(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tidemark.host.state.tempfile.mkstemp", refuse)
    code, _, error = run()

    assert code == 70
    assert "cannot be written to (Permission denied): copy the run" in error
