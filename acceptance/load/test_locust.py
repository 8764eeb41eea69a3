"""Locust as a user starts it: a process, against a bank on loopback."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from acceptance.load.processes import CHECKOUT, LOADED, WITHIN_S, deployed, ended, loaded, started
from tests.api.servers import dead_url, served
from tests.history.rows import rows
from tests.load.fake_bank import FakeBank
from tidemark.api.exchange import Answer, Request
from tidemark.host.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path


def written(state: Path) -> dict[str, Any]:
    (path,) = state.glob("runs/*/load.json")
    document = json.loads(path.read_text())
    assert isinstance(document, dict)
    return document


def recorded(state: Path) -> list[dict[str, Any]]:
    """What the run's folder has of its calls."""
    (run,) = (one.parent for one in state.glob("runs/*/run.json"))
    return rows(run, "ops")


def test_a_load_run_prints_rates_and_latencies_and_writes_them_down(tmp_path: Path) -> None:
    bank = FakeBank()
    with served(bank.answer) as url:
        deployed(url, tmp_path)
        code, out, err = loaded(tmp_path, "--max-ops", "200", "--users", "3", "--seed", "s1")
    assert code == 0, err
    assert "\x1b" not in out + err
    assert "seed s1" in out
    assert "Generator: " in out
    document = written(tmp_path)
    figures = document["figures"]
    assert document["exit_code"] == 0
    assert document["seed"] == "s1"
    # That nobody judged it is no verdict.
    assert document["verdict"] is None
    assert figures["errors"] == {}
    assert figures["generator"]["seconds"] >= 1
    # Calls that were under way when it was enough are finished and recorded.
    assert (
        200
        <= figures["writes"]["ok"]
        + figures["writes"]["replayed"]
        + figures["reads"]["ok"]
        + sum(figures["refusals"].values())
        < 210
    )
    (page,) = tmp_path.glob("runs/*/report.html")
    assert f"Drawn: {page}" in out
    assert f'<data value="{figures["writes"]["per_s"]}">' in page.read_text()
    assert sum(op["purpose"] == "load" for op in recorded(tmp_path)) == sum(
        figures[side][count]
        for side in ("writes", "reads")
        for count in ("ok", "refused", "errors", "replayed")
    )
    commands = [request for request in bank.requests if request.method == "POST"]
    writes = figures["writes"]
    assert sum(len(log) for log in bank.log.values()) == writes["ok"]
    assert writes["ok"] + writes["replayed"] + writes["refused"] == len(commands)
    assert bank.unsigned == []


def test_only_the_users_that_are_named_run(tmp_path: Path) -> None:
    bank = FakeBank()
    with served(bank.answer) as url:
        deployed(url, tmp_path)
        code, _, err = loaded(tmp_path, "--max-ops", "60", "WriteUser")
    assert code == 0, err
    loaded_by = {op["kind"] for op in recorded(tmp_path) if op["purpose"] == "load"}
    assert loaded_by == {"command"}


def test_a_target_that_accepts_nothing_ends_with_70(tmp_path: Path) -> None:
    def refuse(request: Request) -> Answer | None:
        return Answer(500, body=b'{"message": "no"}') if request.method == "POST" else None

    with served(FakeBank(answer_first=refuse).answer) as url:
        deployed(url, tmp_path)
        code, out, err = loaded(tmp_path, "--max-ops", "20")
    assert code == 70
    assert "Errors: info http-500" in out
    assert "no write was accepted" in err


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
    assert_one_sentence(err, "No deployment is known")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--run-time", "soon"], "soon is no duration"),
        (["--processes", "-2"], "1 to 32"),
        (["foo"], "There is no foo"),
    ],
)
def test_malformed_options_are_refused_in_one_sentence(
    arguments: list[str], says: str, tmp_path: Path
) -> None:
    code, out, err = loaded(tmp_path, *arguments)
    assert (code, out) == (64, "")
    assert_one_sentence(err, says)
    assert "UserClass" not in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_or_a_kill_half_way_ends_between_calls_and_prints_what_was_seen(
    number: signal.Signals, tmp_path: Path
) -> None:
    bank = FakeBank()
    with served(bank.answer) as url:
        deployed(url, tmp_path)
        process = started(tmp_path, *LOADED)
        eventually(lambda: len(bank.requests) > 50 or None, within_s=WITHIN_S, what="50 requests")
        process.send_signal(number)
        code, out, err = ended(process)
    assert code == 130
    assert "latency in ms" in out
    assert err.splitlines()[-1].endswith("interrupted (exit 130)")
    assert "Traceback" not in err
    assert written(tmp_path)["figures"]["writes"]["ok"] > 0
    ops = recorded(tmp_path)
    # The first request is the one before the run, which proves that the target answers.
    assert len(ops) == len(bank.requests) - 1
    assert {op["outcome"] for op in ops} <= {"ok", "fail"}


def test_ctrl_c_never_comes_in_the_middle_of_a_users_call() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "acceptance.load.interrupted_in_a_call"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=True,
    )
    assert ended.stdout.strip() == "['the call ended', 'the run was told']"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_or_a_kill_while_the_last_event_is_waited_for_prints_what_was_seen(
    number: signal.Signals, tmp_path: Path
) -> None:
    bank = FakeBank(is_projecting=lambda _: False)
    with served(bank.answer) as url:
        deployed(url, tmp_path)
        judged = ("--headless", "--arrivals", "closed", "--max-ops", "20", "WriteUser")
        process = started(tmp_path, *judged)
        eventually(lambda: bank.readings or None, within_s=WITHIN_S, what="the log to be read")
        process.send_signal(number)
        code, out, err = ended(process)
    assert code == 130
    assert "latency in ms" in out
    assert "Traceback" not in err
    assert written(tmp_path)["exit_code"] == 130


def test_a_call_that_would_not_end_is_recorded_as_one_that_may_have_been_done(
    tmp_path: Path,
) -> None:
    released = threading.Event()
    waiting: list[str] = []

    def answer(request: Request) -> Answer:
        if request.url.endswith("/deposits"):
            waiting.append(request.headers["idempotency-key"])
            released.wait(WITHIN_S)
        return bank.answer(request)

    bank = FakeBank()
    with served(answer) as url:
        deployed(url, tmp_path)
        process = started(tmp_path, *LOADED, "--users", "1", "WriteUser")
        eventually(lambda: waiting or None, within_s=WITHIN_S, what="a call that does not end")
        process.send_signal(signal.SIGINT)
        code, _, err = ended(process)
        released.set()
    assert (code, "Traceback" in err) == (130, False)
    (cut,) = [op for op in recorded(tmp_path) if op["key"] in waiting]
    assert (cut["outcome"], cut["status"]) == ("info", None)
    assert cut["problem"] == "lost"


def test_more_errors_than_may_be_end_with_2(tmp_path: Path) -> None:
    def fail(request: Request) -> Answer | None:
        is_proof = request.url.endswith("nobody")
        return Answer(500) if request.method == "GET" and not is_proof else None

    with served(FakeBank(answer_first=fail).answer) as url:
        deployed(url, tmp_path)
        code, _, err = loaded(tmp_path, "--max-ops", "60")
    assert code == 2
    assert "% and may be 1%." in err
    assert err.splitlines()[-1].endswith("an SLO is missed (exit 2)")


def test_json_is_all_that_is_printed_if_it_is_asked_for(tmp_path: Path) -> None:
    with served(FakeBank().answer) as url:
        deployed(url, tmp_path)
        code, out, err = loaded(tmp_path, "--max-ops", "40", "--json")
    assert code == 0, err
    assert json.loads(out) == written(tmp_path)


def test_the_first_run_has_the_name_that_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_RUN", "a-name")
    bank = FakeBank()
    with served(bank.answer) as url:
        deployed(url, tmp_path)
        code, _, err = loaded(tmp_path, "--max-ops", "40")
    assert code == 0, err
    assert (tmp_path / "runs" / "a-name" / "load.json").is_file()
    keys = [request.headers.get("idempotency-key") for request in bank.requests]
    assert all(key.startswith("a-name.w1.c") for key in keys if key)
    assert all(account_id.startswith("a-name.c") for account_id in bank.balances)


def assert_one_sentence(err: str, part: str) -> None:
    said, last = err.splitlines()
    assert part in said
    assert last.endswith(("not started (exit 64)", "the harness or the target failed (exit 70)"))
