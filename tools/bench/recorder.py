"""What writing a run down costs: CPU per call, memory, how long a loop is held, share of a load."""

from __future__ import annotations

import itertools
import resource
import statistics
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from msgspec import structs

from tidemark.api.call import Call, Kind
from tidemark.api.op import Op, Outcome, Purpose
from tidemark.api.session import Writer
from tidemark.history.writing import RunWriter
from tidemark.host.state import read_json
from tidemark.workloads import bank
from tidemark.workloads.bank_history import BankHistory
from tidemark.workloads.bank_tables import BankTables
from tools.bench.bringup import tidemark
from tools.bench.row import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPS = 10_000_000
_WARM = 1_000_000
# One more than the recorder lets wait: each block's last call has them written.
_BLOCK = 20_001
_LOAD_OPS_PER_S = 120
_LOAD_S = 20
_ROUNDS = 15
_ROUND_S = 1.5
_EVERY_S = 0.0005
_ACCOUNTS = 1_000
_RUN = "20260101T000000-abcdef"
_STATE = {"owner_id": "o", "balance": 5, "status": "open", "version": 2}
_LINES = [
    {"version": one, "type": "FundsDeposited", "amount": 5, "balance": one, "recorded_at": one}
    for one in range(20, 0, -1)
]


def measure() -> list[Row]:
    """Record ten million calls, watch a loop meanwhile, and compare with a load run."""
    return [*_recording(), _holding(), _share()]


def _recording() -> Iterator[Row]:
    cpu_s, warm_mb, count = 0.0, 0.0, 0
    commands = _commands()
    with _run() as run:
        while count < _OPS:
            block = list(itertools.islice(commands, _BLOCK))  # to make them does not count
            begin_s = time.process_time()
            for op in block:
                run.record(op)
            cpu_s += time.process_time() - begin_s
            if count < _WARM <= count + _BLOCK:
                warm_mb = _memory_mb()
            count += _BLOCK
        grown_mb = _memory_mb() - warm_mb
    note = f"{count / cpu_s:,.0f} calls/s of one core"
    yield Row("CPU to record a call, without pages", cpu_s / count * 1e6, "µs", 10, note)
    note = f"from {warm_mb:.0f} MB, of {count:,} calls"
    yield Row("memory grown since the first million calls", grown_mb, "MB", 50, note)


def _holding() -> Row:
    """How long a loop that always wants to go on cannot, at the rate of a fast load run."""
    longest_ms: tuple[list[float], list[float]] = ([], [])
    with _run() as run:
        ops = _mixed()
        for number in range(2 * _ROUNDS):
            is_recording, gap_s = number % 2, 0.0
            due = last = time.perf_counter()
            until = last + _ROUND_S
            while last < until:
                if is_recording and last >= due:
                    run.record(next(ops))
                    due += _EVERY_S
                now = time.perf_counter()
                gap_s, last = max(gap_s, now - last), now
            longest_ms[is_recording].append(gap_s * 1000)
    idle_ms, recording_ms = map(statistics.median, longest_ms)
    note = f"median of {_ROUNDS} rounds' longest; {idle_ms:.2f} ms where nothing is recorded"
    return Row("a loop is held while calls are recorded", recording_ms, "ms", 1, note)


def _share() -> Row:
    """The CPU of recording at the rate of a load run, of that of the run and its target."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        tidemark("up", "--target", "embedded", state=state)
        try:
            pid = (read_json(state / "embedded" / "process.json") or {})["pid"]
            before = _cpu_s(pid)
            tidemark("load", "--run-time", str(_LOAD_S), "--check", "off", state=state)
            load_s = _cpu_s(pid) - before
        finally:
            tidemark("down", state=state)
    with _run() as run:
        ops, before = _mixed(), time.process_time()
        for _ in range(_LOAD_S):
            for op in itertools.islice(ops, _LOAD_OPS_PER_S):
                run.record(op)
            time.sleep(1)
        recording_s = time.process_time() - before
    note = f"{recording_s:.2f} s of {load_s:.1f} s, with {_LOAD_OPS_PER_S} calls/s"
    return Row("recording, of the CPU of a load run", recording_s / load_s * 100, "%", 2, note)


@contextmanager
def _run() -> Iterator[RunWriter]:
    """A run of the bank, of which no table is ever asked."""
    with tempfile.TemporaryDirectory() as folder:
        bank_history = BankHistory(BankTables(None, "commands", "queries"))  # type: ignore[arg-type]  # likewise
        path = Path(folder) / "runs" / _RUN
        with RunWriter(path, Writer(_RUN, "w1"), bank_history) as run:
            yield run


def _commands() -> Iterator[Op]:
    """Accepted deposits, as a client hands them over: each new, and its request made."""
    for number in itertools.count(1):
        account_id = f"{_RUN}.c1.a{number % _ACCOUNTS}"
        call = bank.deposit(account_id, number % 1_000 + 1)
        call = replace(call, key=f"{_RUN}.w1.c1.{number}")
        call.request("http://bank")
        yield _answered(call, number)


def _mixed() -> Iterator[Op]:
    """Commands and reads, of which every tenth is a page of twenty lines."""
    commands = _commands()
    for number in itertools.count(1):
        account_id = f"{_RUN}.c1.a{number % _ACCOUNTS}"
        if number % 10 == 0:
            state = {"lines": _LINES}
            yield structs.replace(_answered(bank.statement(account_id), number), state=state)
        elif number % 3 == 0:
            yield next(commands)
        else:
            read = _answered(bank.account(account_id), number)
            yield structs.replace(read, state=_STATE | {"account_id": account_id})


def _answered(call: Call, number: int) -> Op:
    is_command = call.kind is Kind.COMMAND
    return Op(
        writer="w1",
        session="c1",
        sequence=number,
        purpose=Purpose.LOAD,
        call=call,
        intended_ns=number,
        start_ns=number,
        end_ns=number + 1,
        outcome=Outcome.OK,
        status=202 if is_command else 200,
        version=number,
        event_id=f"e{number}" if is_command else None,
        principal="000000000000",
    )


def _memory_mb() -> float:
    return psutil.Process().memory_info().rss / 1e6


def _cpu_s(pid: int) -> float:
    """Of a process and its children, and of what this one ran and awaited."""
    process = psutil.Process(pid)
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    ran = resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(one.user + one.system for one in times) + ran.ru_utime + ran.ru_stime
