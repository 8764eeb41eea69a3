"""Locust as a user starts it: a process, against a bank on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.api.servers import dead_url, served
from tests.load.fake_bank import LAG_MS, STAGE, FakeBank
from tidemark.api.exchange import Answer, Request
from tidemark.host.deployment import Deployment
from tidemark.host.waiting import eventually

CHECKOUT = Path(__file__).parents[2]
WITHIN_S = 60


def deployed(url: str, state: Path) -> None:
    Deployment(
        target="endpoint",
        endpoint=url,
        region="us-east-1",
        stack_name="Fake",
        api_url=f"{url}{STAGE}",
        template_digest="",
        outputs={"CommandTableName": "commands"},
    ).save(state)


def started(state: Path, *arguments: str) -> subprocess.Popen[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    env["TIDEMARK_STATE_DIR"] = str(state)
    env.pop("TIDEMARK_DEPLOYMENT", None)
    return subprocess.Popen(
        [sys.executable, "-m", "locust", "-f", "loadtest/locustfile.py", *arguments],
        cwd=CHECKOUT,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    try:
        out, err = process.communicate(timeout=WITHIN_S)
    finally:
        process.kill()
    return process.returncode, out, err


def loaded(state: Path, *arguments: str) -> tuple[int, str, str]:
    return ended(started(state, "--headless", "--run-time", "10m", *arguments))


def written(state: Path) -> dict[str, Any]:
    (path,) = state.glob("runs/*/load.json")
    document = json.loads(path.read_text())
    assert isinstance(document, dict)
    return document


def test_a_load_run_prints_rates_latencies_and_lag_and_writes_them_down(tmp_path: Path) -> None:
    bank = FakeBank()
    with served(bank.answer) as url:
        deployed(url, tmp_path)
        code, out, err = loaded(tmp_path, "--max-ops", "200", "--users", "3", "--seed", "s1")
    assert code == 0, err
    assert "\x1b" not in out + err
    assert "seed s1" in out
    assert f"Projection lag: p50 {LAG_MS}.0 ms" in out
    document = written(tmp_path)
    assert document["exit_code"] == 0
    assert document["seed"] == "s1"
    assert document["errors"] == {}
    # Calls that were under way when it was enough are finished and recorded.
    assert (
        200
        <= document["writes"]["ok"] + document["reads"]["ok"] + sum(document["refusals"].values())
        < 210
    )
    commands = [request for request in bank.requests if request.method == "POST"]
    assert document["projection_lag"]["events"] == document["writes"]["ok"]
    assert document["writes"]["ok"] + document["writes"]["refused"] == len(commands)
    assert bank.unsigned == []


def test_events_that_are_not_seen_projected_are_said_and_end_with_3(tmp_path: Path) -> None:
    bank = FakeBank(is_projecting=lambda account_id: "-c1-" not in account_id)
    with served(bank.answer) as url:
        deployed(url, tmp_path)
        code, out, err = loaded(tmp_path, "--max-ops", "60", "--lag-deadline", "0", "WriteUser")
    assert code == 3
    assert "Not seen projected: " in out
    assert err.splitlines()[-1].endswith("unknown or incomplete (3)")
    lag = written(tmp_path)["projection_lag"]
    assert 0 < len(lag["late"]) < lag["events"]
    assert all("-c1-" in event_id for event_id in lag["late"])
    # Only the user class that was named has run; the first request proves that the target answers.
    assert {request.method for request in bank.requests[1:]} == {"POST"}


def test_a_target_that_accepts_nothing_ends_with_70(tmp_path: Path) -> None:
    def refuse(request: Request) -> Answer | None:
        return Answer(500, body=b'{"message": "no"}') if request.method == "POST" else None

    with served(FakeBank(answer_first=refuse).answer) as url:
        deployed(url, tmp_path)
        code, out, err = loaded(tmp_path, "--max-ops", "20")
    assert code == 70
    assert "Errors: info http-500" in out
    assert "no command was accepted" in err


def test_a_dead_target_is_said_in_one_sentence(tmp_path: Path) -> None:
    deployed(dead_url(), tmp_path)
    code, out, err = loaded(tmp_path)
    assert (code, out) == (70, "")
    assert_one_sentence(err, "does not answer")


def test_something_else_that_answers_is_said_in_one_sentence(tmp_path: Path) -> None:
    with served(lambda _: Answer(404, body=b'{"message": "no such api"}')) as url:
        deployed(url, tmp_path)
        code, _, err = loaded(tmp_path)
    assert code == 70
    assert_one_sentence(err, "not as the bank (404, no such api)")


def test_no_deployment_is_refused_in_one_sentence(tmp_path: Path) -> None:
    code, _, err = loaded(tmp_path)
    assert code == 64
    assert_one_sentence(err, "No deployment is recorded")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--run-time", "soon"], "--run-time"),
        (["--processes", "2"], "one process"),
    ],
)
def test_malformed_options_are_refused_in_one_sentence(
    arguments: list[str], says: str, tmp_path: Path
) -> None:
    code, out, err = loaded(tmp_path, *arguments)
    assert (code, out) == (64, "")
    assert_one_sentence(err, says)


def test_ctrl_c_half_way_prints_what_was_seen(tmp_path: Path) -> None:
    bank = FakeBank()
    with served(bank.answer) as url:
        deployed(url, tmp_path)
        process = started(tmp_path, "--headless", "--run-time", "10m")
        eventually(lambda: len(bank.requests) > 50 or None, within_s=WITHIN_S, what="50 requests")
        process.send_signal(signal.SIGINT)
        code, out, err = ended(process)
    assert code == 130
    assert "Projection lag" in out
    assert err.splitlines()[-1].endswith("interrupted (130)")
    assert "Traceback" not in err
    assert written(tmp_path)["writes"]["ok"] > 0


def assert_one_sentence(err: str, part: str) -> None:
    said, last = err.splitlines()
    assert part in said
    assert last.endswith(("refused before start (64)", "the harness or the target failed (70)"))
