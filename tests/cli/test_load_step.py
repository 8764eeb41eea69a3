"""A load run as a process of its own: what it came to, and how it is interrupted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

from tidemark.cli.load_step import _ended
from tidemark.errors import ExitCode, InterruptedByUserError, NotStartedError, TidemarkError

WITHIN_S = 60
REPORT = {"run": "r1", "exit_code": 2, "reason": "late", "figures": {"measures": {}}}


def test_a_run_came_to_what_it_reports() -> None:
    ended = _ended(2, json.dumps(REPORT), "")
    assert (ended.run, ended.exit_code, ended.reason) == ("r1", ExitCode.SLO_MISSED, "late")
    assert ended.figures == {"measures": {}}


def test_a_run_that_did_not_start_says_why_in_its_own_words() -> None:
    with pytest.raises(NotStartedError, match="--rate must be more than 0"):
        _ended(64, "", "--rate must be more than 0, and at most 10000.\n")


@pytest.mark.parametrize("out", ["", "{", "{}", "[]", '{"run": "r1", "exit_code": 9}'])
def test_a_run_without_a_report_is_a_failure_with_its_last_words(out: str) -> None:
    with pytest.raises(TidemarkError, match="ended with 70 and without a report") as failed:
        _ended(70, out, "begun\n" * 9 + "no answer\ntidemark: the target failed (exit 70)\n")
    assert failed.value.exit_code is ExitCode.FAILED
    assert str(failed.value).endswith("report:" + "\nbegun" * 4 + "\nno answer")


def test_a_run_that_somebody_stopped_ends_the_search_as_an_interrupt() -> None:
    with pytest.raises(InterruptedByUserError):
        _ended(130, json.dumps(REPORT | {"exit_code": 130}), "")


_WAIT = """
import subprocess, sys
from tidemark.cli import load_step
from tidemark.errors import InterruptedByUserError
load_step._ENDS_WITHIN_S = float(sys.argv[2])
load_step._KILLED_WITHIN_S = float(sys.argv[3])
try:
    load_step._wait(
        subprocess.Popen([sys.executable, "-c", sys.argv[1]], start_new_session=True)
    )
except InterruptedByUserError:
    print("interrupted")
"""
_IN_ORDER = """
import time
try:
    print("begun", flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    print("ended in order", flush=True)
"""
_WHEN_ASKED_AGAIN = """
import signal, time
asked = []
def stop(*_):
    asked.append(1)
    if len(asked) == 2:
        print("asked again", flush=True)
        raise SystemExit
signal.signal(signal.SIGINT, stop)
print("begun", flush=True)
while True:
    time.sleep(600)
"""
_NEVER = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
print("begun", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize(
    ("number", "run", "ends_within_s", "killed_within_s", "says"),
    [
        (signal.SIGINT, _IN_ORDER, WITHIN_S, WITHIN_S, "ended in order\n"),
        (signal.SIGTERM, _IN_ORDER, WITHIN_S, WITHIN_S, "ended in order\n"),
        (signal.SIGINT, _WHEN_ASKED_AGAIN, 1, WITHIN_S, "asked again\n"),
        (signal.SIGINT, _NEVER, 0.1, 0.1, ""),
    ],
)
def test_ctrl_c_and_a_kill_end_a_run_in_order_else_when_asked_again_else_at_once(
    number: signal.Signals, run: str, ends_within_s: float, killed_within_s: float, says: str
) -> None:
    within = (str(ends_within_s), str(killed_within_s))
    with subprocess.Popen(
        [sys.executable, "-c", _WAIT, run, *within], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            process.send_signal(number)
            said, _ = process.communicate(timeout=WITHIN_S)
        finally:
            process.kill()
    assert said == f"{says}interrupted\n"
