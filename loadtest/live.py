"""What a load run shows of itself while it goes on: the last minutes, second by second.

It is counted in passing and kept small: percentiles are of a second's first calls, lag is of the
sampled events. The report has the exact figures.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tidemark.api.call import Kind
from tidemark.api.op import Outcome, Purpose
from tidemark.percentiles import Spread
from tidemark.report.page import NOTHING
from tidemark.workloads.bank_traffic import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tidemark.api.op import Op

KEPT_S = 600
"""How many seconds are kept."""

REPORTED = "tidemark"
"""Where a worker's report to the master has it."""

_MOST_TIMES = 500
_RECENT_S = 5
_FULL_S = 10
# Locust's workers report each three seconds.
_TOLD_WITHIN_S = 4
_COUNTED = ("writes", "reads", "refused", "errors")
_TIMED = ("write_ms", "read_ms", "lag_ms")
_NS = 1_000_000_000


@dataclass(slots=True)
class Second:
    """What happened in a second.

    Attributes:
        at_s: Which one, since 1970.
        writes: Commands that were accepted, and made an event.
        reads: Queries that were answered.
        refused: Calls that were refused, as they should be.
        errors: Calls that failed in any other way, or whose effect is in doubt.
        accepted: How many of them there were by its end.
        queued: How many messages the queue held, when it was last asked; None if it never was.
        outbox: How many events were not projected then, likewise.
        write_ms: How long commands took from their intended start.
        read_ms: How long queries took.
        lag_ms: How late events were that were seen projected.
        write: The spread of `write_ms`, once it is over; likewise `read` and `lag`.
    """

    at_s: int
    writes: int = 0
    reads: int = 0
    refused: int = 0
    errors: int = 0
    accepted: int = 0
    queued: int | None = None
    outbox: int | None = None
    write_ms: list[float] = field(default_factory=list)
    read_ms: list[float] = field(default_factory=list)
    lag_ms: list[float] = field(default_factory=list)
    write: Spread | None = None
    read: Spread | None = None
    lag: Spread | None = None

    def add(self, other: Mapping[str, Any]) -> None:
        """Add what another process counted in it."""
        for name in _COUNTED:
            setattr(self, name, getattr(self, name) + other[name])
        for name in _TIMED:
            times = getattr(self, name)
            times += other[name][: _MOST_TIMES - len(times)]
        self.end()

    def end(self) -> None:
        """Sum its times up, once, as it is shown many times."""
        self.write, self.read = Spread.of(self.write_ms), Spread.of(self.read_ms)
        self.lag = Spread.of(self.lag_ms)

    def next(self) -> Second:
        """The second after it, before anything has happened in it."""
        return Second(self.at_s + 1, accepted=self.accepted, queued=self.queued, outbox=self.outbox)

    def forget(self) -> None:
        """Keep the sums alone."""
        self.write_ms, self.read_ms, self.lag_ms = [], [], []

    @property
    def projected(self) -> int | None:
        """How many events the read side had; fewer, where the outbox has others' as well."""
        return None if self.outbox is None else max(0, self.accepted - self.outbox)


class Live:
    """The last minutes of a run.

    Args:
        clock: UTC in nanoseconds.
        is_told: Whether it is told of the calls by other processes, and late.

    Attributes:
        began_s: When it began, since 1970.
        is_over: Whether it has ended.
    """

    def __init__(self, clock: Callable[[], int] = time.time_ns, *, is_told: bool = False) -> None:
        self._late_s = _TOLD_WITHIN_S if is_told else 0
        self._reported_s = 0
        self._clock = clock
        self._now = Second(clock() // _NS)
        self._past: deque[Second] = deque(maxlen=KEPT_S)
        self.began_s = self._now.at_s
        self.is_over = False

    def take(self, op: Op) -> None:
        """Count an op of the load: a sink for clients."""
        if op.purpose is not Purpose.LOAD:
            return
        now = self._at(op.end_ns // _NS)
        is_write = op.kind is Kind.COMMAND
        if op.outcome is Outcome.OK:
            if is_write:
                now.writes += not op.replayed
                now.accepted += not op.replayed
            else:
                now.reads += 1
        elif op.outcome is Outcome.FAIL and op.problem in REFUSALS:
            now.refused += 1
        else:
            now.errors += 1
        times = now.write_ms if is_write else now.read_ms
        if len(times) < _MOST_TIMES:
            times.append(op.latency_ms)

    def saw(self, sample: Mapping[str, Any]) -> None:
        """Note how late an event was that a sample shows projected."""
        if sample["projected_at_ms"] is not None:
            now = self._at(self._clock() // _NS)
            now.lag_ms.append(float(sample["projected_at_ms"] - sample["recorded_at_ms"]))

    def waits(self, seen: Mapping[str, Any]) -> None:
        """Note what is on its way: a row of the table `backlog`."""
        now = self._at(self._clock() // _NS)
        if seen["queue_visible"] is not None:
            now.queued = seen["queue_visible"] + seen["queue_in_flight"]
        now.outbox = seen["outbox"]

    def end(self) -> None:
        """Stay as it is from now on."""
        self._at(self._clock() // _NS)
        self.is_over = True

    def seconds(self) -> list[Second]:
        """The seconds that are over, the earliest first."""
        if not self.is_over:
            self._at(self._clock() // _NS)
        seconds = list(self._past)
        return seconds[: len(seconds) - self._late_s] if self._late_s else seconds

    def report(self) -> list[dict[str, Any]]:
        """What a worker reports to the master: the seconds that are over since it last did."""
        self._at(self._clock() // _NS)
        news = [one for one in self._past if one.at_s > self._reported_s][-_FULL_S:]
        self._reported_s = self._now.at_s - 1
        return [asdict(one) for one in news]

    def learn(self, reported: Iterable[Mapping[str, Any]]) -> None:
        """Add what a worker reported."""
        for one in reported:
            self._at(self._clock() // _NS)
            known = [*self._past, self._now]
            # Of a clock that is far off, the oldest or the newest second will do.
            at = min(max(0, one["at_s"] - known[0].at_s), len(known) - 1)
            known[at].add(one)
            for later in known[at:]:
                later.accepted += one["writes"]

    def recent(self) -> Recent:
        """The last seconds in a few numbers."""
        seconds = self.seconds()
        return Recent(seconds[-_RECENT_S:], self.began_s)

    def _at(self, second: int) -> Second:
        """The second that goes on; what ends late is counted where it is told."""
        while self._now.at_s < second:
            if second - self._now.at_s > KEPT_S:  # nobody told anything for long
                self._past.clear()
                self._now.at_s = second - KEPT_S
            before = self._now
            before.end()
            self._past.append(before)
            if len(self._past) > _FULL_S:
                self._past[-_FULL_S - 1].forget()
            self._now = before.next()
        return self._now


@dataclass(frozen=True, slots=True)
class Recent:
    """The last seconds.

    Attributes:
        seconds: The seconds; none, when a run has just begun.
        began_s: When the run began, since 1970.
    """

    seconds: list[Second]
    began_s: int

    def per_s(self, what: str) -> float:
        """How many there were each second of `writes`, `reads`, `refused` or `errors`."""
        total: int = sum(getattr(one, what) for one in self.seconds)
        return total / max(1, len(self.seconds))

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """What is shown of them: names, values, and what else there is to say."""
        for name, times in (("writes", "write_ms"), ("reads", "read_ms")):
            yield name, f"{self.per_s(name):.1f}/s", ""
            yield f"{name[:-1]} latency", *self._spread(times)
        yield "refused", f"{self.per_s('refused'):.1f}/s", ""
        yield "errors", f"{self.per_s('errors'):.1f}/s", ""
        yield "projection lag, sampled", *self._spread("lag_ms")
        last = self.seconds[-1] if self.seconds else Second(0)
        yield "events accepted", f"{last.accepted:,}", ""
        yield "of them projected", _count(last.projected), ""
        yield "messages in the queue", _count(last.queued), ""

    def _spread(self, times: str) -> tuple[str, str]:
        spread = Spread.of(ms for one in self.seconds for ms in getattr(one, times))
        if spread is None:
            return NOTHING, f"p99 {NOTHING}"
        return f"{spread.p50_ms:,.0f} ms", f"p99 {spread.p99_ms:,.0f} ms"


def _count(value: int | None) -> str:
    return NOTHING if value is None else f"{value:,}"
