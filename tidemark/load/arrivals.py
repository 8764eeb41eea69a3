"""When calls arrive: a plan that no target can slow down.

In an open model calls come when their callers want, however long the calls before take; a target
that stalls then shows as what waits, and not as fewer calls. The plan is a function of the seed:
of N workers the i-th takes each N-th arrival, and together they send the plan of one.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DRAW_BYTES = 8
_MOST_DRAWS = hashlib.blake2b.MAX_DIGEST_SIZE // _DRAW_BYTES
_AGAIN_AFTER_S = 1.0


@dataclass(frozen=True)
class Stretch:
    """A part of a plan in which the rate goes in a straight line from one value to another.

    Attributes:
        seconds: How long it is.
        rate_from: The rate at its begin, in arrivals per second.
        rate_to: The rate at its end.
    """

    seconds: float
    rate_from: float
    rate_to: float

    @property
    def arrivals(self) -> float:
        """How many arrivals are expected in it."""
        return self.seconds * (self.rate_from + self.rate_to) / 2

    def instant_of(self, arrivals: float) -> float:
        """Return after how many seconds so many arrivals are expected: `arrivals` inverted."""
        # Products of very small numbers are nothing: in units of the higher rate and of the whole
        # time, no number is small unless it does not count.
        unit = max(self.rate_from, self.rate_to) or 1.0
        begin, end = self.rate_from / unit, self.rate_to / unit
        wanted = arrivals / unit / self.seconds
        # The root of slope/2 t^2 + begin t = wanted that is right for slopes of either sign and
        # of none.
        rates = begin + math.sqrt(max(0.0, begin**2 + 2 * (end - begin) * wanted))
        return 2 * wanted / rates * self.seconds if rates else 0.0


class Arrival(NamedTuple):
    """One call to come.

    Attributes:
        number: Its place in the plan, from 0.
        offset_s: When it is intended, in seconds after the begin of the run.
        chances: Three numbers from 0 up to 1, which decide what it is.
        again_after_s: How long after it the same call comes a second time, with the same key; None
            if it comes once.
    """

    number: int
    offset_s: float
    chances: tuple[float, float, float]
    again_after_s: float | None = None


@dataclass(frozen=True)
class Repeats:
    """Which arrivals come a second time: a share of the commands, evenly, the first among them.

    In turn that is a second later, when the first one mostly has its answer, and at once, while it
    is under way.

    Attributes:
        share: Of how many commands each is sent again, from 0 to 1.
        is_command: Whether an arrival of such a first chance is a command.
    """

    share: float
    is_command: Callable[[float], bool]

    def mark(self, arrivals: Iterator[Arrival]) -> Iterator[Arrival]:
        """Yield arrivals, and with each of those that come a second time when that is."""
        commands = repeated = 0
        for arrival in arrivals:
            if not self.is_command(arrival.chances[0]):
                yield arrival
                continue
            commands += 1
            if repeated < math.ceil(commands * self.share):
                repeated += 1
                after_s = _AGAIN_AFTER_S if repeated % 2 else 0.0
                yield arrival._replace(again_after_s=after_s)
            else:
                yield arrival


@dataclass(frozen=True)
class Plan:
    """The arrivals of a run.

    Attributes:
        stretches: How the rate goes, one stretch after the other.
        seed: Where every draw comes from.
        is_poisson: Whether arrivals are independent of each other, as those of many callers are;
            else they come as evenly as the rate allows.
        repeats: Which of them come a second time, on top of the rate.
    """

    stretches: tuple[Stretch, ...]
    seed: str
    is_poisson: bool = True
    repeats: Repeats | None = None

    @property
    def seconds(self) -> float:
        """How long it is."""
        return sum(stretch.seconds for stretch in self.stretches)

    def arrivals(self, worker: int = 0, workers: int = 1) -> Iterator[Arrival]:
        """Yield the arrivals of one worker in their order.

        A Poisson process whose rate changes is one of rate 1 on the scale of what is expected
        (Çinlar, Introduction to Stochastic Processes, 1975, chapter 4.7): there the gaps are
        exponential, and each instant is read off the expectation.

        Args:
            worker: Its place among the workers, from 0.
            workers: How many there are.
        """
        if self.repeats is None:
            return islice(self._all(), worker, None, workers)
        marked = islice(self.repeats.mark(self._all()), worker, None, workers)
        return _with_repeats(marked, self.seconds)

    def _all(self) -> Iterator[Arrival]:
        begun_s = 0.0
        expected_before = 0.0
        number = 0
        at, chances = self._draw(number)
        for stretch in self.stretches:
            expected_by = expected_before + stretch.arrivals
            while at < expected_by:
                yield Arrival(number, begun_s + stretch.instant_of(at - expected_before), chances)
                number += 1
                gap, chances = self._draw(number)
                at += gap
            begun_s += stretch.seconds
            expected_before = expected_by

    def _draw(self, number: int) -> tuple[float, tuple[float, float, float]]:
        """Return the gap before an arrival, on the scale of what is expected, and its chances."""
        gap, which, where, size = draws(self.seed, number, 4)
        return -math.log1p(-gap) if self.is_poisson else 1.0, (which, where, size)


def _with_repeats(arrivals: Iterator[Arrival], until_s: float) -> Iterator[Arrival]:
    """Yield arrivals, and what comes a second time before the end, in their order."""
    later: deque[Arrival] = deque()  # ordered, as all of them are as late
    for arrival in arrivals:
        while later and later[0].offset_s <= arrival.offset_s:
            yield later.popleft()
        yield arrival
        if arrival.again_after_s:
            later.append(arrival._replace(offset_s=arrival.offset_s + arrival.again_after_s))
        elif arrival.again_after_s is not None:
            yield arrival
    while later and later[0].offset_s < until_s:
        yield later.popleft()


def draws(seed: str, number: int, many: int) -> tuple[float, ...]:
    """Return numbers from 0 up to 1 that depend on the seed and the place alone.

    Args:
        seed: Where they come from.
        number: The place, such as that of an arrival.
        many: How many; at most 8.
    """
    if many > _MOST_DRAWS:
        raise ValueError(f"There are {_MOST_DRAWS} draws to a place, and not {many}.")
    hashed = hashlib.blake2b(f"{seed}/{number}".encode(), digest_size=many * _DRAW_BYTES).digest()
    return tuple([(draw >> 11) / 2**53 for draw in struct.unpack(f">{many}Q", hashed)])
