"""Locust in the open model, as a process, against a bank on loopback."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

from acceptance.load.processes import deployed, ended, started
from acceptance.load.test_locust import recorded, written
from tests.api.servers import served
from tests.load.fake_bank import FakeBank
from tidemark.api.exchange import Answer, Headers, Request
from tidemark.host.waiting import NotYetError, eventually

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNTS = 50
WRITES = (
    *("--headless", "--check", "off", "--arrivals", "write", "--rate", "100"),
    *("--run-time", "3"),
)


def test_a_profile_opens_accounts_and_sends_its_plan(tmp_path: Path) -> None:
    bank = FakeBank()
    with served(bank.answer) as url:
        deployed(url, tmp_path)
        code, out, err = ended(started(tmp_path, *WRITES, "--seed", "s1"))

    assert code == 0, err
    report = written(tmp_path)
    figures = report["figures"]
    plan = figures["punctuality"]
    loaded = [op for op in recorded(tmp_path) if op["purpose"] == "load"]
    assert report["profile"] == "write"
    writes = figures["writes"]
    assert plan["planned"] - plan["unsent"] == len(loaded) == writes["ok"] + writes["replayed"]
    # Of some 150 commands each twentieth is sent once more, and done once.
    assert writes["replayed"] > 0
    assert sum(len(log) for log in bank.log.values()) - 2 * ACCOUNTS == writes["ok"]
    assert f"Planned: {plan['planned']} calls" in out
    assert len(bank.balances) == ACCOUNTS
    assert all(op["intended_ns"] <= op["start_ns"] for op in loaded)
    assert {op["operation"] for op in loaded} == {"deposit", "withdraw"}


def test_a_stall_hides_neither_in_the_plan_nor_in_the_latencies(tmp_path: Path) -> None:
    stall_s = 1.0
    calls = iter(range(10**6))
    going_on = threading.Event()

    def stalls(request: Request) -> Answer | None:
        if request.method == "POST" and next(calls) == 2 * ACCOUNTS + 10:
            threading.Timer(stall_s, going_on.set).start()
            going_on.wait(60)
        return None

    # It answers under a lock, one request at a time: all wait.
    bank = FakeBank(answer_first=stalls)
    with served(bank.answer) as url:
        deployed(url, tmp_path)
        # Of it the profile takes less than a third.
        code, _, err = ended(started(tmp_path, *WRITES, "--rate", "340", "--max-errors", "1"))

    assert code in {0, 2}, err
    loaded = [op for op in recorded(tmp_path) if op["purpose"] == "load"]
    stalled = [op for op in loaded if op["end_ns"] - op["intended_ns"] >= stall_s * 1e9 / 2]
    # Some 50 arrivals were intended in the first half of the stall.
    assert len(stalled) > 10


def test_accounts_that_cannot_be_opened_end_it_in_one_sentence(tmp_path: Path) -> None:
    bank = FakeBank(
        answer_first=lambda request: (
            Answer(500, Headers({}), b"{}") if request.method == "POST" else None
        )
    )
    with served(bank.answer) as url:
        deployed(url, tmp_path)
        code, out, err = ended(started(tmp_path, *WRITES))

    assert code == 70
    assert out == ""
    assert "could not be opened" in err.splitlines()[-2]
    assert "Traceback" not in err


def test_ctrl_c_while_accounts_are_opened_ends_with_130(tmp_path: Path) -> None:
    opening = threading.Event()

    def waits(request: Request) -> Answer | None:
        if request.method == "POST":
            opening.set()
        return Answer(503, Headers({}), b"{}") if request.method == "POST" else None

    bank = FakeBank(answer_first=waits)
    with served(bank.answer) as url:
        deployed(url, tmp_path)
        process = started(tmp_path, *WRITES)
        assert opening.wait(60)
        process.send_signal(signal.SIGINT)
        code, _, err = ended(process)

    assert code in {70, 130}, err  # it may have given up before
    assert "Traceback" not in err


def test_ctrl_c_half_way_ends_between_calls_and_keeps_what_was_seen(tmp_path: Path) -> None:
    bank = FakeBank()
    with served(bank.answer) as url:
        deployed(url, tmp_path)
        process = started(tmp_path, *WRITES[:-1], "60")

        def some_calls() -> None:
            if len(bank.requests) < 4 * ACCOUNTS:
                raise NotYetError(f"{len(bank.requests)} requests")

        eventually(some_calls, within_s=60)
        process.send_signal(signal.SIGINT)
        code, out, err = ended(process)

    assert code == 130, err
    assert "Planned: " in out
    assert {op["outcome"] for op in recorded(tmp_path)} == {"ok"}
    assert "Traceback" not in err
