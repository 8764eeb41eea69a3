"""The program where it needs no target: usage, help, refusals."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from tidemark import cli
from tidemark.cli import program
from tidemark.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., "Ended"]

PROGRAM = Path(sys.executable).parent / "tidemark"
REFUSED = "tidemark: not started (exit 64)"


@dataclass(frozen=True)
class Ended:
    exit_code: int
    stdout: str
    stderr: str


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path / "state"))
    for name in ("CI", "ENDPOINT_URL", "PORT", "STACK_NAME", "TARGET", "WIRING"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["tidemark", *arguments])
        code = program.run()
        return Ended(code, *capsys.readouterr())

    return run


def test_help_names_every_verb_and_the_exit_codes(run: Run) -> None:
    ended = run("--help")

    assert ended.exit_code == 0
    for verb in ("up", "down", "status", "deploy", "destroy", "diff", "logs", "call", "load"):
        assert f" {verb} " in ended.stdout
    said = " ".join(ended.stdout.split())
    for code in ExitCode:
        assert f"{code.value} {code.meaning}" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["frobnicate"], "No such command"),
        (["up", "--colour"], "No such option"),
        (["up", "--port", "http"], "Invalid value for '--port'"),
        (["up", "--stack-name", "a/b"], "The stack name 'a/b' will not do"),
        (["up"], "needs a checkout of Tidemark"),
        (["down", "--target", "cloud"], "There is no target 'cloud'"),
        (
            ["status"],
            "go where `tidemark up` was run, or name its state folder in",
        ),
        (["logs", "everything"], "There is no function 'everything'"),
        (["call", "DELETE", "/accounts"], "The API knows GET and POST, not DELETE"),
        (["call", "GET", "accounts"], "The path begins with a slash: /accounts"),
        (["load"], "needs a checkout of Tidemark"),
        *(
            ([*verb, "--since", given], f"{given} is no time to look back: write 90s, 5m, 2h or 1d")
            for verb in (["logs"], ["trace", "a"])
            for given in ("nan", "inf", "-1", "1e300", "soon", "5w", "m", "20y")
        ),
    ],
)
def test_what_cannot_start_is_refused_with_a_sentence_and_64(
    run: Run, arguments: list[str], said: str
) -> None:
    ended = run(*arguments)

    assert ended.exit_code == 64
    assert said in " ".join(ended.stderr.replace("│", "").split())
    assert ended.stderr.rstrip().splitlines()[-1] == REFUSED
    assert "Traceback" not in ended.stderr


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version") == Ended(0, f"tidemark {metadata.version('tidemark-cqrs')}\n", "")


def test_the_package_is_the_program_too(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tidemark", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("tidemark ")


def test_down_with_nothing_running_is_fine(run: Run) -> None:
    assert run("down") == Ended(0, "Nothing was running.\n", "")


def test_a_state_folder_that_cannot_be_made_is_one_sentence(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path / "file" / "state"))

    ended = run("down")

    assert ended.exit_code == 70
    assert ended.stderr.splitlines()[0] == (
        f"The state folder {tmp_path}/file/state cannot be written (Not a directory): make it "
        "writable, or name another one in TIDEMARK_STATE_DIR."
    )


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_state_folder_that_refuses_a_file_is_one_sentence(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def write(*_: object) -> NoReturn:
        raise OSError(number, os.strerror(number), str(tmp_path / "state" / "lock"))

    monkeypatch.setattr("tidemark.deploy.teardown.down", write)

    ended = run("down")

    assert ended.exit_code == 70
    assert f"The state folder {tmp_path}/state cannot be written" in ended.stderr


def test_a_file_elsewhere_that_cannot_be_written_is_not_the_state_folder(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_: object) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "elsewhere"))

    monkeypatch.setattr("tidemark.deploy.teardown.down", write)

    with pytest.raises(PermissionError):
        run("down")


def test_the_installed_program_ends_with_the_code_it_names(tmp_path: Path) -> None:
    ended = subprocess.run(
        [PROGRAM, "status"],
        cwd=tmp_path,
        env=os.environ | {"TIDEMARK_STATE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ended.returncode == 64
    assert ended.stderr.splitlines()[-1] == REFUSED


def test_a_bug_shows_its_trace_and_is_no_violated_invariant(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> NoReturn:
        raise ZeroDivisionError

    handlers = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGHUP)]
    monkeypatch.setattr(program, "run", fail)
    try:
        with pytest.raises(SystemExit) as ended:
            cli.main()
    finally:
        for one, handler in zip((signal.SIGTERM, signal.SIGHUP), handlers, strict=True):
            signal.signal(one, handler)

    assert ended.value.code == 70
    stderr = capsys.readouterr().err
    assert "ZeroDivisionError" in stderr
    assert stderr.endswith("tidemark: the harness or the target failed (exit 70)\n")


def test_a_reader_that_has_enough_is_no_failure(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(*_: object, **__: object) -> NoReturn:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr("tidemark.deploy.teardown.down", end)

    assert run("down").exit_code == 0
