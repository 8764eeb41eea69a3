"""Load runs of several processes, as on several machines: nothing goes missing unsaid."""

from __future__ import annotations

import signal
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from acceptance.load.processes import WITHIN_S, deployed, ended, started
from tests.api.servers import served
from tests.history.rows import rows
from tests.load.fake_bank import FakeBank
from tidemark.host import ports
from tidemark.host.waiting import NotYetError, eventually

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

SENT = (
    *("--headless", "--check", "off", "--arrivals", "write", "--rate", "20"),
    *("--seed", "s1", "--max-errors", "1"),
)
AHEAD_S = 7.0
ENDS_WITHIN_S = 10


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[FakeBank]:
    """A bank that the state folder of the test knows."""
    bank = FakeBank()
    with served(bank.answer) as url:
        deployed(url, tmp_path)
        yield bank


def processes(many: int) -> tuple[str, ...]:
    """Say how many, on a port where no other run's workers come."""
    port = str(ports.choose(None))
    return "--processes", str(many), "--master-bind-port", port, "--master-port", port


def run_in(state: Path) -> Path:
    (run,) = (one.parent for one in state.glob("runs/*/run.json"))
    return run


def loaded_by(run: Path) -> Counter[str]:
    """How many calls of the load each process sent."""
    loads = (op for op in rows(run, "ops") if op["purpose"] == "load")
    return Counter(op["writer"].rpartition(".")[2] for op in loads)


def closing_rows(run: Path) -> dict[str, dict[str, Any]]:
    return {row["writer"].rpartition(".")[2]: row for row in rows(run, "writers")}


def workers_of(master: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(master.pid).children(recursive=True)


def begun(state: Path, *arguments: str, run_time_s: int = 60) -> subprocess.Popen[str]:
    """Start a run that is long enough to break off when two workers have written calls down."""
    master = started(state, *SENT, "--run-time", str(run_time_s), *arguments)
    eventually(
        lambda: all(list(state.glob(f"runs/*/ops/*.{one}~*.parquet")) for one in ("w1", "w2")),
        within_s=WITHIN_S,
        what="calls of both workers that are written down",
    )
    return master


def test_two_processes_send_the_plan_of_one(tmp_path: Path, bank: FakeBank) -> None:
    code, out, err = ended(started(tmp_path, *SENT, "--run-time", "3", *processes(2)))

    assert code == 0, err
    run = run_in(tmp_path)
    sent = loaded_by(run)
    assert set(sent) == {"w1", "w2"}
    assert abs(sent["w1"] - sent["w2"]) <= 1  # they take turns
    assert f"Planned: {sent.total()} calls" in out
    assert sent.total() == sum(request.method == "POST" for request in bank.requests) - 2 * len(
        bank.balances
    )
    assert set(closing_rows(run)) == {"w0", "w1", "w2"}
    assert all(row["closed"] for row in closing_rows(run).values())


@pytest.mark.usefixtures("bank")
def test_a_run_that_lost_a_worker_is_not_ok_at_its_end(tmp_path: Path) -> None:
    master = begun(tmp_path, *processes(2), run_time_s=15)
    workers_of(master)[0].kill()
    code, out, err = ended(master)

    assert code == 3, err
    assert "1 of 2 workers was lost (w" in err
    assert err.splitlines()[-1].endswith("unknown or incomplete (exit 3)")
    assert "latency in ms" in out


@pytest.mark.usefixtures("bank")
def test_a_worker_that_is_ended_early_makes_the_run_incomplete(tmp_path: Path) -> None:
    master = begun(tmp_path, *processes(2), run_time_s=15)
    workers_of(master)[0].terminate()
    code, _, err = ended(master)

    assert code == 3, err
    assert "ended before the run did" in err
    assert all(row["closed"] for row in closing_rows(run_in(tmp_path)).values())


@pytest.mark.usefixtures("bank")
def test_a_kill_ends_all_processes_and_each_closes_its_part(tmp_path: Path) -> None:
    master = begun(tmp_path, *processes(2))
    workers = workers_of(master)
    killed_ns = time.time_ns()
    master.send_signal(signal.SIGTERM)
    code, out, err = ended(master, within_s=ENDS_WITHIN_S)

    assert code == 130, err
    assert "Traceback" not in err
    assert "latency in ms" in out
    assert not [one for one in workers if one.is_running()]
    closed = closing_rows(run_in(tmp_path))
    assert {name: row["closed"] for name, row in closed.items()} == dict.fromkeys(
        ("w0", "w1", "w2"), True
    )
    # Calls under way have 4 s to end in; none begins meanwhile.
    assert max(op["intended_ns"] for op in rows(run_in(tmp_path), "ops")) < killed_ns + 3e9


@pytest.mark.usefixtures("bank")
def test_a_worker_elsewhere_sends_its_part_and_goes_by_the_masters_clock(tmp_path: Path) -> None:
    port, elsewhere = str(ports.choose(None)), tmp_path / "elsewhere"
    master = started(
        tmp_path, *SENT, "--run-time", "3", "--master", "--master-bind-port", port,
        "--expect-workers", "2",
    )  # fmt: skip
    joins = ("--worker", "--master-port", port)
    here = started(tmp_path, *joins)
    ahead = ("acceptance.load.clock_ahead", str(AHEAD_S), "/")
    there = started(elsewhere, *joins, module=ahead)
    code, _, err = ended(master)

    assert code == 0, err
    assert [ended(one)[0] for one in (here, there)] == [0, 0]
    run = run_in(tmp_path)
    assert set(loaded_by(run)) == {"w1", "w2"}
    assert not list(elsewhere.glob("runs/*"))
    assert_one_clock(run)


@pytest.mark.usefixtures("bank")
def test_a_clock_that_steps_during_a_run_moves_nothing_in_its_history(tmp_path: Path) -> None:
    port, stepped = str(ports.choose(None)), tmp_path / "stepped"
    joins = ("--worker", "--master-port", port)
    workers = [
        started(tmp_path, *joins),
        started(
            tmp_path, *joins, module=("acceptance.load.clock_ahead", str(AHEAD_S), str(stepped))
        ),
    ]
    master = begun(
        tmp_path, "--master", "--master-bind-port", port, "--expect-workers", "2", run_time_s=5
    )
    stepped.touch()
    code, _, err = ended(master)

    assert code == 0, err
    assert [ended(one)[0] for one in workers] == [0, 0]
    assert_one_clock(run_in(tmp_path))


def assert_one_clock(run: Path) -> None:
    """Assert that no process went by a clock of its own, and that none says so."""
    ops = [op for op in rows(run, "ops") if op["purpose"] == "load"]
    assert max(op["end_ns"] for op in ops) - min(op["start_ns"] for op in ops) < AHEAD_S * 1e9
    for row in closing_rows(run).values():
        assert abs(row["clock_offset_ns"]) + row["clock_error_ns"] < AHEAD_S * 1e9 / 2


@pytest.mark.usefixtures("bank")
def test_the_page_of_a_master_shows_what_its_workers_do(tmp_path: Path) -> None:
    web, closed = str(ports.choose(None)), ("--check", "off", "--arrivals", "closed")
    master = started(tmp_path, "--web-port", web, "--run-time", "5m", *closed, *processes(2))

    def asked(method: str, path: str, **form: str) -> Any:
        try:
            url = f"http://127.0.0.1:{web}{path}"
            return httpx.request(method, url, data=form, trust_env=False, timeout=WITHIN_S).json()
        except httpx.TransportError as error:
            raise NotYetError(str(error)) from error

    def shown() -> dict[str, str]:
        (tide,) = asked("GET", "/stats/requests")["extended_stats"]
        return {row["measure"]: row["now"] for row in tide["data"]}

    def is_counting() -> bool:
        now = shown()
        return now.get("events accepted", "0") != "0" and now["writes"] != "0.0/s"

    def workers_are_there() -> bool:
        return len(asked("GET", "/stats/requests")["workers"]) == 2

    eventually(workers_are_there, within_s=WITHIN_S, what="the workers")
    assert shown() == {"run": "none yet"}
    assert asked("POST", "/swarm", user_count="2", spawn_rate="2")["success"]
    eventually(is_counting, within_s=WITHIN_S, what="the workers' calls in the tab")
    asked("POST", "/stop")
    eventually(lambda: list(tmp_path.glob("runs/*/report.html")) or None, within_s=WITHIN_S)
    master.send_signal(signal.SIGINT)
    code, out, err = ended(master)

    assert code == 0, err
    assert "latency in ms" in out
    assert "Traceback" not in err


def test_who_comes_after_the_begin_has_no_share_and_ends(tmp_path: Path, bank: FakeBank) -> None:
    port = str(ports.choose(None))
    joins = ("--worker", "--master-port", port)
    master = started(
        tmp_path, *SENT, "--run-time", "60", "--master", "--master-bind-port", port,
        "--expect-workers", "2",
    )  # fmt: skip
    workers = [started(tmp_path, *joins) for _ in range(2)]
    eventually(
        lambda: list(tmp_path.glob("runs/*/ops/*.w1~*.parquet")) or None,
        within_s=WITHIN_S,
        what="a run that has begun",
    )
    code, _, err = ended(started(tmp_path, *joins))
    master.send_signal(signal.SIGINT)
    said = ended(master)[2]

    assert code == 64
    assert "start it before the run" in err
    assert "A worker came after the run had begun" in said
    assert [ended(one)[0] for one in workers] == [0, 0]
    assert set(loaded_by(run_in(tmp_path))) == {"w1", "w2"}
    assert bank.unsigned == []


@pytest.mark.usefixtures("bank")
def test_a_run_with_more_workers_than_users_does_not_begin(tmp_path: Path) -> None:
    master = started(tmp_path, *SENT, "--run-time", "3", *processes(3), "--users", "2")
    code, out, err = ended(master)

    assert (code, out) == (64, "")
    assert "There are 3 workers for 2 users: say --users 3 or more." in err
    assert "Traceback" not in err
