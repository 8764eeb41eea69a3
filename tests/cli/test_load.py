"""What `tidemark load` makes of how Locust ends, and what it passes on to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from tests.project.reading import ROOT
from tidemark.aws.connection import EMULATOR_CREDENTIALS, Connection
from tidemark.cli import known, program
from tidemark.cli import load as verb
from tidemark.errors import EndedError, InterruptedByUserError, NotStartedError, TidemarkError
from tidemark.host.deployment import Deployment
from tidemark.host.state import write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from typer.testing import Result

WITHIN_S = 60
DEPLOYMENT = Deployment(
    target="embedded",
    endpoint="http://127.0.0.1:1",
    region="us-east-1",
    stack_name="One",
    api_url="http://127.0.0.1:1/prod",
    template_digest="",
    outputs={},
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run the verb with a Locust that ends with a code, and wrote a report or did not."""
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(known, "choose", lambda *_: (DEPLOYMENT, None))
    connection = Connection("us-east-1", DEPLOYMENT.endpoint, EMULATOR_CREDENTIALS)
    monkeypatch.setattr(known, "connect", lambda _: connection)

    def run(code: int, *, reported: int | None, is_interrupted: bool = False) -> None:
        def locust(_: Any, __: Any, environment: Mapping[str, str]) -> tuple[int, bool]:
            assert Deployment.load(Path(environment["TIDEMARK_DEPLOYMENT"])) == DEPLOYMENT
            if reported is not None:
                path = tmp_path / "runs" / environment["TIDEMARK_RUN"] / "load.json"
                write_json(path, {"exit_code": reported})
            return code, is_interrupted

        monkeypatch.setattr(verb, "_run", locust)
        result = CliRunner().invoke(program.app, ["load"])
        if isinstance(result.exception, Exception):
            raise result.exception

    return run


@pytest.mark.parametrize("code", [1, 2, 3, 130])
def test_what_the_run_came_to_is_how_the_verb_ends(run: Callable[..., None], code: int) -> None:
    with pytest.raises(EndedError) as ended:
        run(code, reported=code)
    assert ended.value.exit_code == code


def test_a_run_that_is_fine_ends_well(run: Callable[..., None]) -> None:
    run(0, reported=0)


@pytest.mark.parametrize("code", [3, 64, 70])
def test_what_never_became_a_run_or_had_no_room_left_needs_no_report(
    run: Callable[..., None], code: int
) -> None:
    with pytest.raises(EndedError) as ended:
        run(code, reported=None)
    assert ended.value.exit_code == code


@pytest.mark.parametrize(("code", "reported"), [(1, None), (2, None), (0, None), (2, 0), (1, 130)])
def test_locusts_own_codes_never_pass_for_ours(
    run: Callable[..., None], code: int, reported: int | None
) -> None:
    with pytest.raises(TidemarkError) as failed:
        run(code, reported=reported)
    assert failed.value.exit_code == 70
    assert f"Locust ended with {code}" in str(failed.value)


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that a run has left."""
    monkeypatch.setattr(verb, "new_run_id", lambda: "20260101T000000-abcdef")
    left = tmp_path / "runs/20260101T000000-abcdef"
    left.mkdir(parents=True)
    return left


def test_a_run_whose_locust_was_killed_names_what_is_left_of_it(
    run: Callable[..., None], left: Path
) -> None:
    with pytest.raises(TidemarkError, match="ended by signal 9") as failed:
        run(-9, reported=None)
    assert failed.value.exit_code == 70
    assert str(left) in str(failed.value)


def test_a_run_that_was_interrupted_before_it_began_is_said_to_be(run: Callable[..., None]) -> None:
    with pytest.raises(InterruptedByUserError):
        run(1, reported=None, is_interrupted=True)


def test_an_interrupted_run_that_did_not_end_in_time_names_what_is_left_of_it(
    run: Callable[..., None], left: Path
) -> None:
    with pytest.raises(InterruptedByUserError) as interrupted:
        run(-9, reported=None, is_interrupted=True)
    assert str(left) in str(interrupted.value)


def test_a_locustfile_that_does_not_import_is_a_failure(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise SyntaxError")
    code, is_interrupted = verb._run(
        [sys.executable, "-m", "locust", "-f", str(broken), "--headless"], tmp_path, os.environ
    )
    assert (code, is_interrupted) == (1, False)  # which is not ours, as the tests above have it


def test_ctrl_c_while_locust_still_starts_ends_it_without_a_traceback(tmp_path: Path) -> None:
    starting = tmp_path / "starting.py"
    starting.write_text("import os, signal; os.kill(os.getpid(), signal.SIGINT)")
    ended = subprocess.run(
        [sys.executable, "-m", "loadtest", "-f", str(starting), "--headless"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert (ended.returncode, ended.stdout + ended.stderr) == (130, "")


_PASS_ON = """
import os, pathlib, signal, subprocess, sys
from tidemark.cli import load
signal.signal(signal.SIGTERM, signal.default_int_handler)  # as the program has it
class Patient(subprocess.Popen):
    def __init__(self, *args, **others):
        super().__init__(*args, **others)
        self._sigint_wait_secs = float(sys.argv[3])  # for a child that ends by itself
subprocess.Popen = Patient
load._END_WITHIN_S = float(sys.argv[2])
print(load._run([sys.executable, "-c", sys.argv[1]], pathlib.Path(), dict(os.environ)))
"""
_HEED = """
import time
try:
    print("begun", flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    raise SystemExit(130)
"""
_IGNORE = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)" + _HEED


@contextmanager
def passing_on(
    script: str, *, end_within_s: float = WITHIN_S, patience_s: float = 0.25
) -> Iterator[subprocess.Popen[str]]:
    """A process that runs the script as the verb runs Locust; the script has begun."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PASS_ON, script, str(end_within_s), str(patience_s)],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_a_kill_are_passed_on_to_locust_at_once(number: signal.Signals) -> None:
    with passing_on(_HEED, patience_s=10 * WITHIN_S) as process:
        process.send_signal(number)
        said, _ = process.communicate(timeout=WITHIN_S)
    assert said == "(130, True)\n"


def test_a_locust_that_does_not_end_is_ended() -> None:
    with passing_on(_IGNORE, end_within_s=0.1) as process:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=WITHIN_S)
    assert said == "(-9, True)\n"


ON_AWS = replace(
    DEPLOYMENT,
    target="aws",
    endpoint=None,
    api_url="https://a1.execute-api.us-east-1.amazonaws.com/v1",
    outputs={"Wiring": "queued"},
)


@pytest.fixture
def on_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """The verb loads a stack on AWS; this is what Locust was started with."""
    started: list[Sequence[str]] = []
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(known, "choose", lambda *_: (ON_AWS, None))
    connection = Connection("us-east-1", None, EMULATOR_CREDENTIALS)
    monkeypatch.setattr(known, "connect", lambda _: connection)

    def locust(command: Sequence[str], *_: Any) -> tuple[int, bool]:
        started.append(command)
        return 70, False

    monkeypatch.setattr(verb, "_run", locust)
    return started


def load(*arguments: str) -> Result:
    return CliRunner().invoke(program.app, ["load", *arguments])


def test_a_cheap_run_on_aws_says_its_price_and_starts(on_aws: list[Sequence[str]]) -> None:
    ended = load("--duration", "10s")
    assert "Estimated cost: at most about $0.0" in ended.output
    assert "\n  " not in ended.output
    assert on_aws[0][-6:] == ["--arrivals", "mixed", "--run-time", "10s", "--max-ops", "5000000"]


def test_a_dear_run_on_aws_does_not_start_where_nobody_can_agree(
    on_aws: list[Sequence[str]],
) -> None:
    ended = load("write", "--rate", "1000", "--duration", "1h")
    assert isinstance(ended.exception, NotStartedError)
    assert "more than --max-cost 1.00" in str(ended.exception)
    assert "say --yes" in str(ended.exception)
    assert "DynamoDB write units" in ended.output
    assert not on_aws


@pytest.mark.parametrize("agreed", [["--yes"], ["--max-cost", "100"]])
def test_a_dear_run_on_aws_starts_when_it_is_agreed(
    on_aws: list[Sequence[str]], agreed: list[str]
) -> None:
    load("write", "--rate", "1000", "--duration", "1h", *agreed)
    [command] = on_aws
    assert not {"--yes", "--max-cost"} & set(command)


def test_a_run_on_an_emulator_has_no_price(run: Callable[..., None]) -> None:
    run(0, reported=0)
    assert "cost" not in load().output


def test_help_names_the_options_of_a_load_run() -> None:
    shown = CliRunner().invoke(program.app, ["load", "--help"], terminal_width=80).output
    for option in (
        "--users",
        "--duration",
        "--arrivals",
        "--seed",
        "--read-share",
        "--max-ops",
        "--max-errors",
    ):
        assert option in shown
    assert {"--lag-deadline", "--json"} <= set(shown.split())
