"""What our users cost a load generator, beside Locust's own that sign, plan and record nothing.

Both ask the same trivial server for the same account, in turns and on one core each. CPU seconds
per request are told beside the rates, for a busy machine changes them less.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from tools.bench.row import Row
from tools.bench.stub_server import stub_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RUN = "20260101T000000-abcdef"
_PAIRS = 5
_ROUND_S = 5.0
_LONG_S = 40.0
FLOOD = 100_000.0
"""So many calls a second are more than one core sends: every call is due at once."""
_OF_MOST = 0.7
_US = 1e6


@dataclass(frozen=True, slots=True)
class Sent:
    """What one process of a generator came to.

    Attributes:
        requests: How many requests it sent.
        failures: How many of them failed.
        seconds: How long that took.
        cpu_s: What it took of the CPU.
        grown_mb: How much more memory it had at the end than after a quarter of that time.
        late_p99_ms: How long after their intended starts its calls began; 0 of bare users.
    """

    requests: int
    failures: int
    seconds: float
    cpu_s: float
    grown_mb: float
    late_p99_ms: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU per request, in microseconds."""
        return self.cpu_s / self.requests * _US


def measure() -> list[Row]:
    """Send with bare users and ours in turn, then with two processes, below the most, and long."""
    with stub_server(*_pinned(1)) as url:
        pairs = [(_bare(url), _ours(url)) for _ in range(_PAIRS)]
        most = statistics.median(ours.rate for _, ours in pairs)
        calm = _ours(url, rate=_OF_MOST * most, seconds=2 * _ROUND_S)
        long = _ours(url, seconds=_LONG_S)
    with stub_server() as url:
        twos = [(_ours(url), _two(url)) for _ in range(_PAIRS)]
        # They send for a second before they count.
        calls = sum(one.rate * (_ROUND_S + 1) for alone, two in twos for one in (alone, *two))
        server_us = _server_cpu_s() / calls * _US
    return [*of_pairs(pairs), of_twos(twos, server_us), of_calm(calm), of_long(long)]


def of_pairs(pairs: Sequence[tuple[Sent, Sent]]) -> list[Row]:
    """How ours compare with the bare users that were measured beside each.

    Args:
        pairs: A bare generator, and ours.
    """
    bare, ours = (statistics.median(one.rate for one in side) for side in zip(*pairs, strict=True))
    bare_us, ours_us = (
        statistics.median(one.cpu_us for one in side) for side in zip(*pairs, strict=True)
    )
    return [
        Row(
            "requests/s of our users / of bare ones",
            statistics.median(ours.rate / bare.rate for bare, ours in pairs),
            "x",
            at_least=0.9,
            note=f"median of {len(pairs)} pairs; {ours:,.0f}/s and {bare:,.0f}/s",
        ),
        Row(
            "CPU per request of bare users / of ours",
            statistics.median(bare.cpu_us / ours.cpu_us for bare, ours in pairs),
            "x",
            at_least=0.9,
            note=f"{bare_us:.0f} µs and {ours_us:.0f} µs",
        ),
    ]


def of_twos(twos: Sequence[tuple[Sent, Sequence[Sent]]], server_us: float) -> Row:
    """What a second process brings.

    One process has a core and leaves the other to the server; two share both with it. So where
    a call takes less of the generator, two of them have less of two cores.

    Args:
        twos: One process, and two at once.
        server_us: What a call takes of the server, in microseconds.
    """
    ours_us = statistics.median(alone.cpu_us for alone, _ in twos)
    most = 2 * ours_us / (ours_us + server_us)
    return Row(
        "requests/s of two processes / of one",
        statistics.median(sum(one.rate for one in two) / alone.rate for alone, two in twos),
        "x",
        at_least=1.7,
        note=f"on {os.cpu_count()} cores, with the server: {server_us:.0f} µs a call beside "
        f"{ours_us:.0f}, which leaves two {most:.2f} times at most",
    )


def of_calm(calm: Sent) -> Row:
    """How punctual ours are below the most that they can send."""
    busy = calm.cpu_s / calm.seconds
    note = f"at {_OF_MOST:.0%} of the most, {calm.rate:,.0f}/s, {busy:.0%} of a core"
    return Row("a call begins after its intended start, p99", calm.late_p99_ms, "ms", 2, note)


def of_long(long: Sent) -> Row:
    """How much memory a run takes that goes on."""
    note = f"in the last three quarters of {long.requests:,} calls"
    return Row("memory grown while ours send", long.grown_mb, "MB", 5, note)


def _bare(url: str) -> Sent:
    with _started(url, "--seconds", str(_ROUND_S), core=0) as process:
        return _said(process)


def _ours(url: str, *, rate: float = FLOOD, seconds: float = _ROUND_S) -> Sent:
    with _started_ours(url, rate, seconds, core=0) as process:
        return _said(process)


def _two(url: str) -> list[Sent]:
    with (
        _started_ours(url, FLOOD, _ROUND_S, core=0) as first,
        _started_ours(url, FLOOD, _ROUND_S, core=1) as second,
    ):
        return [_said(first), _said(second)]


def mixed(url: str, rate: float, seconds: float, run: Path) -> Sent:
    """Send reads and writes by our users to a bank that answers them.

    Args:
        url: Where its API is.
        rate: How many calls a second.
        seconds: For how long.
        run: The folder that they are written to.
    """
    with _started(url, *_about(rate, seconds, run), "--profile", "mixed", core=0) as process:
        return _said(process)


@contextmanager
def _started_ours(
    url: str, rate: float, seconds: float, core: int
) -> Iterator[subprocess.Popen[str]]:
    with tempfile.TemporaryDirectory(prefix="tidemark-bench-") as folder:
        about = _about(rate, seconds, Path(folder) / "runs" / RUN)
        with _started(url, *about, core=core) as process:
            yield process


def _about(rate: float, seconds: float, run: Path) -> tuple[str, ...]:
    return ("--seconds", str(seconds), "--rate", str(rate), "--run", str(run))


@contextmanager
def _started(url: str, *about: str, core: int) -> Iterator[subprocess.Popen[str]]:
    command = [*_pinned(core), sys.executable, "-m", "tools.bench.generator_users", url, *about]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def _said(process: subprocess.Popen[str]) -> Sent:
    """What a generator says at its end.

    Raises:
        RuntimeError: It failed, or requests of it did.
    """
    said, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"a load generator ended with {process.returncode}")
    document: dict[str, Any] = json.loads(said)
    sent = Sent(**document)
    if sent.failures or not sent.requests:
        raise RuntimeError(f"{sent.failures} of {sent.requests} requests failed")
    return sent


def _server_cpu_s() -> float:
    """What the server has taken of the CPU."""
    taken = [one.cpu_times() for one in psutil.Process().children(recursive=True)]
    return sum(one.user + one.system for one in taken)


def _pinned(core: int) -> tuple[str, ...]:
    """What a program is started by to stay on one core, where that can be had."""
    if shutil.which("taskset") is None or core >= (os.cpu_count() or 1):
        return ()
    return ("taskset", "-c", str(core))
