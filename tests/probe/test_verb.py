"""The verb: what it refuses, prints, writes, and ends with."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.probe.asking import DEPLOYMENT, result, row, row_result
from tidemark.cli import known, program
from tidemark.cli import probe as verb
from tidemark.deploy import status
from tidemark.errors import TidemarkError
from tidemark.probe import rendering
from tidemark.probe.observation import Comparison
from tidemark.probe.result import Result, RowResult
from tidemark.probe.running import Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemark.probe.bench import Bench
    from tidemark.probe.observation import Observation

    Probe = Callable[..., tuple[int, str, str]]

OURS = SimpleNamespace(asks_first=False, is_ours=True)


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("TARGET", raising=False)
    monkeypatch.delenv("STACK_NAME", raising=False)


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Probe:
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tidemark", "probe", *arguments])
        code = program.run()
        printed = capsys.readouterr()
        return int(code), printed.out, printed.err

    return run


@pytest.fixture
def finds(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A target that answers, and whose rows find what the test says."""

    def prepare(*row_results: RowResult, **attributes: Any) -> None:
        run = Run(row_results, attributes.get("left_behind", []), attributes.get("complete", True))
        monkeypatch.setattr(verb, "ROWS", tuple(row(one.name) for one in row_results))
        monkeypatch.setattr(verb, "ask", lambda *_, **__: run)
        monkeypatch.setattr(known, "choose", lambda *_: (DEPLOYMENT, OURS))
        monkeypatch.setattr(known, "connect", lambda _: None)
        monkeypatch.setattr(verb, "AwsClients", lambda _: None)
        monkeypatch.setattr(status, "versions", lambda _: {"tidemark": "0.1.0"})

    return prepare


def _kept(path: Path, *row_results: RowResult) -> str:
    path.write_text(json.dumps(result(*row_results).as_json()), encoding="utf-8")
    return str(path)


def test_without_a_deployment_it_is_refused(probe: Probe) -> None:
    code, _, said = probe()

    assert code == 64
    assert said.startswith("No deployment is known in ")


def test_a_dead_target_is_one_sentence(probe: Probe) -> None:
    replace(DEPLOYMENT, target="embedded").save()

    code, out, said = probe()

    assert (code, out) == (70, "")
    assert said.splitlines() == [
        "The embedded target does not answer: run `tidemark up`, which starts it again.",
        "tidemark: the harness or the target failed (exit 70)",
    ]


def test_a_row_that_does_not_exist_is_refused(probe: Probe) -> None:
    code, _, said = probe("cancellation-reasons", "flight")

    assert code == 64
    assert "There is no row flight:" in said


def test_a_file_that_holds_no_result_is_refused_before_anything_is_asked(
    probe: Probe, tmp_path: Path
) -> None:
    code, _, said = probe("--against", str(tmp_path / "absent.json"))

    assert code == 64
    assert "absent.json holds no result of a probe" in said


def test_rows_that_differ_from_aws_are_no_failure(probe: Probe, finds: Callable[..., None]) -> None:
    finds(row_result("a", Comparison.DIFFERS), row_result("b", Comparison.NOT_SEEN))

    code, out, _ = probe()

    assert code == 0
    assert "2 rows on embedded" in out
    assert "1 differs, 1 not seen." in out


def test_a_row_that_fails_ends_with_unknown(probe: Probe, finds: Callable[..., None]) -> None:
    finds(row_result("a", Comparison.FAILED, observed="CreateQueue failed with Broken: it is"))

    code, out, said = probe()

    assert code == 3
    assert "CreateQueue failed with Broken" in out
    assert said.rstrip().endswith("tidemark: unknown or incomplete (exit 3)")


def test_json_is_all_that_is_printed(probe: Probe, finds: Callable[..., None]) -> None:
    finds(row_result("a"))

    code, out, _ = probe("--json")

    assert code == 0
    assert [one.name for one in Result.from_json(json.loads(out)).row_results] == ["a"]


def test_markdown_goes_to_a_file_or_to_standard_output(
    probe: Probe, finds: Callable[..., None], tmp_path: Path
) -> None:
    finds(row_result("a"))
    path = tmp_path / "target.md"

    _, out, _ = probe("--json", "--markdown", str(path))
    _, page, _ = probe("--markdown", "-")

    written = path.read_text(encoding="utf-8")
    assert written == rendering.markdown(Result.from_json(json.loads(out)))
    assert page.splitlines()[0] == "# The embedded target beside AWS"
    assert "| `a` |" in page


def test_a_page_that_cannot_be_written_is_refused_before_anything_is_asked(
    probe: Probe, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()

    for path in (tmp_path / "no" / "such.md", tmp_path, file / "page.md"):
        code, out, said = probe("--markdown", str(path))

        assert (code, out) == (64, "")
        assert f"{path} cannot be written: choose a file in a folder that is there" in said


def test_two_documents_do_not_share_standard_output(probe: Probe) -> None:
    code, _, said = probe("--json", "--markdown", "-")

    assert code == 64
    assert "--json and --markdown - both want standard output" in said


@pytest.mark.parametrize("how", [[], ["--json"]])
def test_a_page_that_cannot_be_written_in_the_end_loses_no_result(
    probe: Probe,
    finds: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: list[str],
) -> None:
    finds(row_result("a"), left_behind=["queue b: AccessDenied"])

    def fails(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_text", fails)
    code, out, said = probe(*how, "--markdown", str(tmp_path / "page.md"))

    assert code == 70
    assert "as documented" in out
    assert "Could not be removed: queue b: AccessDenied" in said
    assert "page.md could not be written (Permission denied): the result is printed above." in said


@pytest.mark.parametrize(
    ("before", "code", "said"),
    [
        (row_result("a"), 0, "1 row as before, 0 changed."),
        (row_result("a", observed="another"), 3, "0 rows as before, 1 changed."),
        (row_result("a", Comparison.DIFFERS), 3, "before  differs: as documented"),
        (row_result("b"), 3, "0 rows as before, 2 changed."),
    ],
)
def test_it_ends_with_unknown_when_a_row_says_something_else_than_before(
    probe: Probe,
    finds: Callable[..., None],
    tmp_path: Path,
    before: RowResult,
    code: int,
    said: str,
) -> None:
    finds(row_result("a"))

    ended, out, _ = probe("--against", _kept(tmp_path / "before.json", before))

    assert ended == code
    assert said in out


def test_rows_by_name_are_compared_alone(
    probe: Probe, finds: Callable[..., None], tmp_path: Path
) -> None:
    finds(row_result("a"))
    before = _kept(tmp_path / "before.json", row_result("a"), row_result("b"))

    assert probe("a", "--against", before)[0] == 0
    assert probe("--against", before)[0] == 3


def test_the_comparison_is_in_the_document(
    probe: Probe, finds: Callable[..., None], tmp_path: Path
) -> None:
    finds(row_result("a"))

    _, out, _ = probe("--json", "--against", _kept(tmp_path / "before.json", row_result("a")))

    assert json.loads(out)["against"] == {"same": 1, "changed": []}


def test_interrupted_it_shows_what_is_known(probe: Probe, finds: Callable[..., None]) -> None:
    finds(
        row_result("a"),
        row_result("b", Comparison.NOT_PROBED, observed="interrupted"),
        complete=False,
    )

    code, out, said = probe()

    assert code == 130
    assert "1 same, 1 not probed." in out
    assert "Interrupted; what the probe had made is removed." in said


def test_interrupted_it_does_not_say_that_all_is_removed_when_it_is_not(
    probe: Probe, finds: Callable[..., None]
) -> None:
    finds(row_result("a"), left_behind=["queue b: AccessDenied"], complete=False)

    code, _, said = probe()

    assert code == 130
    assert "Could not be removed: queue b: AccessDenied" in said
    assert "Interrupted; not all that the probe had made is removed." in said


def test_what_could_not_be_removed_is_named_and_the_end_is_unknown(
    probe: Probe, finds: Callable[..., None]
) -> None:
    finds(row_result("a"), left_behind=["queue b: AccessDenied"])

    code, out, said = probe()

    assert code == 3
    assert "1 row on embedded" in out
    assert said.splitlines() == [
        "Could not be removed: queue b: AccessDenied",
        "Remove by hand what is named here and still there.",
        "tidemark: unknown or incomplete (exit 3)",
    ]


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_target_that_is_lost_meanwhile_keeps_what_could_not_be_removed_unless_it_is_ours(
    probe: Probe, finds: Callable[..., None], monkeypatch: pytest.MonkeyPatch, *, is_ours: bool
) -> None:
    finds(row_result("a"), left_behind=["queue b: the target does not answer"])
    answers = iter([None])

    def answering(_: object) -> None:
        for _ in answers:
            return
        raise TidemarkError("It cannot be reached.")

    theirs = SimpleNamespace(asks_first=False, is_ours=is_ours)
    monkeypatch.setattr(known, "choose", lambda *_: (DEPLOYMENT, theirs))
    monkeypatch.setattr(known, "connect", answering)

    code, _, said = probe()

    assert code == 70
    assert ("Could not be removed: queue b" in said) is not is_ours


def test_only_the_named_rows_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def says(_: Bench) -> Observation:
        raise AssertionError

    monkeypatch.setattr(verb, "ROWS", (row("a", says), row("b", says), row("c", says)))

    assert [one.name for one in verb._choose(["c", "a"])] == ["a", "c"]
    assert [one.name for one in verb._choose([])] == ["a", "b", "c"]
