"""What ends a session ends it in sentences, and what they point to is there to be read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tidemark.errors import ExitCode, TidemarkError
from tidemark.host.progress import Steps
from tidemark.testing.options import Plan
from tidemark.testing.testbed import Testbed

if TYPE_CHECKING:
    from acceptance.plugin.sessions import Project

DEPLOYED = "def test_it(deployment): pass"
# Replaces one method of the testbed by one that raises.
BROKEN = """
import errno
from botocore.exceptions import EndpointConnectionError
from tidemark.errors import TidemarkError
from tidemark.testing.testbed import Testbed

def fail(*_, **__):
    error = {error}
    error.add_note("Something may be left running.")
    raise error

Testbed.{method} = fail
"""
FULL_DISK = "OSError(errno.ENOSPC, 'No space left on device')"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (FULL_DISK, "The disk is full: make room, for example with `make clean`"),
        (
            "EndpointConnectionError(endpoint_url='http://127.0.0.1:1')",
            "The target failed: Could not connect to the endpoint URL",
        ),
        ("TidemarkError('The deploy failed.')", "The deploy failed."),
    ],
)
def test_what_libraries_raise_is_a_sentence_with_what_was_noted(
    project: Project, error: str, sentence: str
) -> None:
    (project.folder / "conftest.py").write_text(BROKEN.format(error=error, method="deploy"))

    session = project.run(DEPLOYED)

    assert session.exit_code == ExitCode.FAILED
    assert sentence in session.output
    assert "Something may be left running." in session.output
    assert "Traceback" not in session.output
    assert "conftest.py" not in session.output


def test_a_bug_keeps_its_trace(project: Project) -> None:
    (project.folder / "conftest.py").write_text(BROKEN.format(error="KeyError(1)", method="deploy"))

    session = project.run(DEPLOYED)

    assert session.exit_code == pytest.ExitCode.TESTS_FAILED
    assert "KeyError: 1" in session.output


def test_evidence_that_cannot_be_kept_is_a_sentence_and_the_rest_is_removed(
    project: Project,
) -> None:
    (project.folder / "conftest.py").write_text(
        BROKEN.format(error=FULL_DISK, method="keep_evidence")
    )

    session = project.run(
        "def test_it(testbed): (testbed.state / 'begun').touch(); assert 0",
        *("--tidemark-app", "true"),
    )

    assert session.exit_code == pytest.ExitCode.TESTS_FAILED
    assert "The disk is full" in session.output.splitlines()[-2]
    assert not list((project.folder / "state").rglob("*.*"))


def test_what_a_failed_session_points_to_is_there_when_it_has_ended(project: Project) -> None:
    (project.folder / "app.py").write_text("print('some words')\nraise ValueError('no such thing')")

    cdk = project.folder / "node_modules/aws-cdk/bin/cdk"
    cdk.parent.mkdir(parents=True)
    cdk.touch()  # it bootstraps nothing, and says that it did

    session = project.run(DEPLOYED, "--tidemark-app", "python app.py")

    assert session.exit_code == ExitCode.FAILED
    assert "The CDK app does not synthesise: ValueError: no such thing" in session.output
    state = str(project.folder / "state")
    named = {Path(one) for one in re.findall(rf"{re.escape(state)}[^\s)]*[^\s).]", session.output)}
    assert {path.name for path in named} == {"synth.log", "failed"}
    assert session.output.count("What there is to look at") == 1
    assert [path for path in named if not path.exists()] == []
    [log] = [path for path in named if path.suffix]
    assert "some words" in log.read_text(encoding="utf-8")
    assert {path.parent for path in project.folder.rglob("*.log")} == {
        log.parent,
        project.folder / "state/pytest" / log.parts[-3] / "failed/Tidemark",
    }


def test_the_log_of_a_target_that_did_not_start_is_there_when_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bed = Testbed(Plan("embedded", None, tmp_path, command=("true",)), tmp_path / "state", Steps())
    log = bed.state / "embedded" / "ministack.log"

    def start() -> None:
        log.parent.mkdir(parents=True)
        log.write_text("the cause")
        (log.parent / "process.json").write_text("{}")
        raise TidemarkError(f"The embedded target ended while starting: see {log}.")

    def again() -> None:
        raise TidemarkError("The embedded target does not start again.")

    monkeypatch.setattr(bed.target, "start", start)
    with pytest.raises(TidemarkError, match="see "):
        bed.deploy()
    monkeypatch.setattr(bed.target, "start", again)
    with pytest.raises(TidemarkError, match="again"):
        bed.deploy(size="small")

    bed.remove()

    assert log.read_text() == "the cause"
    assert [path.name for path in log.parent.iterdir()] == ["ministack.log"]


def test_a_history_that_could_not_be_written_is_unknown_and_the_session_ends_in_order(
    project: Project,
) -> None:
    (project.folder / "conftest.py").write_text("""
from tidemark.history.recorder import RecordingError
from tidemark.testing.runs import SessionRuns

def fail(*_):
    raise RecordingError("The history could not be written.")

SessionRuns.close = fail
""")

    session = project.run("def test_it(testbed): pass")

    assert session.exit_code == ExitCode.UNKNOWN
    assert "1 passed" in session.output
    assert session.output.rstrip().endswith("The history could not be written.")
    assert "Traceback" not in session.output


JUDGED = """
from tidemark.errors import ExitCode
from tidemark.testing.testbed import Testbed

Testbed.judge = lambda self: [(ExitCode(code), [f"judged {{code}}"]) for code in {codes}]
"""
PASSES, FAILS = (
    f"def test_it(testbed): (testbed.state / 'begun').touch(); assert {wanted}"
    for wanted in (True, False)
)


@pytest.mark.parametrize(
    ("tests", "check", "codes", "exit_code"),
    [
        (PASSES, "fail", (3, 0), ExitCode.UNKNOWN),
        (PASSES, "fail", (3, 1, 3), ExitCode.VIOLATED),
        (FAILS, "fail", (3,), pytest.ExitCode.TESTS_FAILED),
        (PASSES, "report", (3, 1), ExitCode.OK),
    ],
)
def test_unknown_ends_a_session_with_3_but_neither_a_violation_nor_a_failed_test(
    project: Project, tests: str, check: str, codes: tuple[int, ...], exit_code: int
) -> None:
    (project.folder / "conftest.py").write_text(JUDGED.format(codes=codes))

    session = project.run(tests, "--tidemark-check", check, *("--tidemark-app", "true"))

    assert session.exit_code == exit_code, session.output
    assert all(f"judged {code}" in session.output for code in codes)
