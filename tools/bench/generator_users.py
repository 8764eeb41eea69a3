"""One process of a load generator, with eight users, bare or ours: prints what it came to.

A program of its own, because importing Locust patches the standard library of its process.
"""

from __future__ import annotations

import locust  # isort: skip  # noqa: F401 -- before all else: it patches what they import
import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import gevent  # type: ignore[import-untyped]  # it ships no types
import psutil
import pyarrow.parquet as pq
from botocore.credentials import Credentials
from gevent.event import Event  # type: ignore[import-untyped]  # likewise
from locust import FastHttpUser, User, task
from locust.env import Environment

from loadtest.sent import PROFILES, Sent
from loadtest.users import MixedUser
from loadtest.watching import collect_seldom, watch_generator
from tidemark.api.client import Client, process_clock
from tidemark.api.httpx_transport import HttpxTransport
from tidemark.api.op import Purpose
from tidemark.api.session import Writer
from tidemark.history.writing import RunWriter
from tidemark.load import profiles
from tidemark.load.arrivals import Plan, Stretch
from tidemark.load.schedule import Schedule
from tidemark.load.share import Share
from tidemark.measures.slo import MEASURES
from tidemark.percentiles import percentile
from tidemark.workloads.bank_arrivals import Population, Traffic
from tidemark.workloads.bank_history import BankHistory
from tidemark.workloads.bank_tables import BankTables
from tools.bench.generator import FLOOD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemark.load.profiles import Profile

_USERS = 8
_AT_ONCE = 100
_WARM_S = 1.0
_ENOUGH_S = 30.0
_POPULATION = Population(1_000, "uniform", 100, "uniform")
_CREDENTIALS = Credentials("AKIAEXAMPLE", "secret")


class BareUser(FastHttpUser):
    """What Locust's users begin with: one URL, unsigned, again and again."""

    @task
    def read(self) -> None:
        """Read an account."""
        self.client.get("/accounts/a", name="/accounts/{id}")


class OurRun:
    """As much of a load run as its users need: a plan, and a folder.

    Args:
        url: Where the API is.
        path: The run folder.
        rate: How many calls arrive in a second.
        seconds: For how long.
        profile: What arrives; reads of accounts that nobody opened, if absent.
    """

    def __init__(
        self, url: str, path: Path, rate: float, seconds: float, profile: str | None = None
    ) -> None:
        self._url = url
        self._writer = Writer(path.name, "w1")
        self._customers = 0
        tables = BankTables(None, "", "")  # type: ignore[arg-type]  # no table is ever asked
        self.history = RunWriter(path, self._writer, BankHistory(tables))
        if profile is None:
            plan = Plan((Stretch(seconds, rate, rate),), "seed")
            traffic = Traffic(path.name, _POPULATION, {"account": 1.0})
            self.schedule = Schedule(plan, traffic, process_clock())
        else:
            self._send(profiles.profile(PROFILES, profile, MEASURES), rate, seconds)
        self.ended = Event()
        self.read_share = 1.0
        self.clients = SimpleNamespace(connection=SimpleNamespace(ca_bundle=None))

    def _send(self, profile: Profile, rate: float, seconds: float) -> None:
        """Open accounts, and have the calls of a profile sent, at a steady rate."""
        steady = replace(profile, population=_POPULATION, shares=(Stretch(1.0, 1.0, 1.0),))
        sent = Sent(steady, rate, _USERS, {})
        with HttpxTransport() as transport:
            sent.open_accounts(self._client("setup", transport, Purpose.SETUP))
        self.schedule = sent.schedule(
            self.history.path.name, seconds, "seed", share=Share(), clock=process_clock()
        )

    def new_customer(self, transport: Any, _: Mapping[str, float]) -> tuple[Any, Client]:
        """Return a place, for what is sent the plan says, and the client of a session."""
        self._customers += 1
        place = SimpleNamespace(place=self._customers)
        return place, self._client(f"c{self._customers}", transport)

    def _client(self, session: str, transport: Any, purpose: Purpose = Purpose.LOAD) -> Client:
        return Client(
            api_url=self._url,
            region="us-east-1",
            credentials=_CREDENTIALS,
            transport=transport,
            session=self._writer.session(session),
            sink=self.history.record,
            purpose=purpose,
        )


def main() -> None:
    """Send for some seconds, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--rate", type=float, help="calls per second of our users")
    parser.add_argument("--run", type=Path, help="their run folder; else the users are bare")
    parser.add_argument("--profile", help="what ours send; reads, if absent")
    options = parser.parse_args()
    if options.run is None:
        document, _ = _sent(BareUser, options.url, options.seconds)
    else:
        enough_s = options.seconds + _ENOUGH_S
        run = OurRun(options.url, options.run, options.rate, enough_s, options.profile)
        collect_seldom()
        # A flood that is asked what of it is due is planned ahead of what is sent, all of it.
        watching = []
        if options.rate < FLOOD:
            clock = process_clock()
            watching.append(watch_generator(run.history, run.schedule, run.ended, clock))
        MixedUser.load_run = run  # type: ignore[assignment]  # as much of one as is needed
        document, span_ns = _sent(MixedUser, options.url, options.seconds)
        run.ended.set()
        gevent.joinall(watching)
        run.history.close()
        document["late_p99_ms"] = _late_p99_ms(options.run, *span_ns)
    sys.stdout.write(f"{json.dumps(document)}\n")


def _sent(user: type[User], url: str, seconds: float) -> tuple[dict[str, float], tuple[int, int]]:
    """Send; returns what came of it, and from when to when that was counted, in nanoseconds."""
    environment = Environment(user_classes=[user], host=url)
    runner = environment.create_local_runner()
    runner.start(_USERS, spawn_rate=_AT_ONCE)
    gevent.sleep(_WARM_S)
    total = environment.stats.total
    begin_ns = process_clock()()
    begin, begin_s, begin_cpu_s = total.num_requests, time.monotonic(), time.process_time()
    gevent.sleep(seconds / 4)
    begin_mb = _memory_mb()
    gevent.sleep(seconds * 3 / 4)
    document = {
        "requests": total.num_requests - begin,
        "seconds": time.monotonic() - begin_s,
        "cpu_s": time.process_time() - begin_cpu_s,
        "grown_mb": _memory_mb() - begin_mb,
        "failures": total.num_failures,
        "late_p99_ms": 0.0,
    }
    span_ns = begin_ns, process_clock()()
    runner.quit()
    return document, span_ns


def _late_p99_ms(run: Path, from_ns: int, to_ns: int) -> float:
    """How late calls began that were due in a span, not while users were made or ended."""
    began = pq.read_table(run / "ops", columns=["intended_ns", "start_ns"]).to_pydict()
    late = [
        start - intended
        for intended, start in zip(*began.values(), strict=True)
        if from_ns <= intended < to_ns
    ]
    # Of a flood all was due before.
    return percentile(sorted(late), 0.99) / 1e6 if late else 0.0


def _memory_mb() -> float:
    return psutil.Process().memory_info().rss / 1e6


if __name__ == "__main__":
    main()
