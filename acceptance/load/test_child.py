"""Locust as a child of `tidemark load`: what is passed on to it, and that it always ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from acceptance.load.processes import WITHIN_S
from tests.project.reading import ROOT
from tidemark.cli import load as verb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_a_locustfile_that_does_not_import_is_a_failure(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise SyntaxError")
    code, is_interrupted = verb._run(
        [sys.executable, "-m", "locust", "-f", str(broken), "--headless"], tmp_path, os.environ
    )
    assert (code, is_interrupted) == (1, False)  # which is not ours


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
    time.sleep(600)  # until it is told to end; one that is left behind ends by itself
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
