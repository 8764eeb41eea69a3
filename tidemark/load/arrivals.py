"""When calls arrive: a plan that no target can slow down.

In an open model calls come when their callers want, however long the calls before take; a target
that stalls then shows as what waits, and not as fewer calls. The plan is a function of the seed:
of N workers the i-th takes each N-th arrival, and together they send the plan of one.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from itertools import count, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_DRAW_BYTES = 8
_MOST_DRAWS = hashlib.blake2b.MAX_DIGEST_SIZE // _DRAW_BYTES


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


@dataclass(frozen=True)
class Arrival:
    """One call to come.

    Attributes:
        number: Its place in the plan, from 0.
        offset_s: When it is intended, in seconds after the begin of the run.
    """

    number: int
    offset_s: float


@dataclass(frozen=True)
class Plan:
    """The arrivals of a run.

    Attributes:
        stretches: How the rate goes, one stretch after the other.
        seed: Where every draw comes from.
        is_poisson: Whether arrivals are independent of each other, as those of many callers are;
            else they come as evenly as the rate allows.
    """

    stretches: tuple[Stretch, ...]
    seed: str
    is_poisson: bool = True

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
        return islice(self._all(), worker, None, workers)

    def _all(self) -> Iterator[Arrival]:
        begun_s = 0.0
        expected_before = 0.0
        at = self._gap(0)
        numbers = count()
        for stretch in self.stretches:
            while at < expected_before + stretch.arrivals:
                number = next(numbers)
                yield Arrival(number, begun_s + stretch.instant_of(at - expected_before))
                at += self._gap(number + 1)
            begun_s += stretch.seconds
            expected_before += stretch.arrivals

    def _gap(self, number: int) -> float:
        if not self.is_poisson:
            return 1.0
        (chance,) = draws(f"{self.seed}/gap", number, 1)
        return -math.log1p(-chance)


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
    return tuple(
        (int.from_bytes(hashed[at : at + _DRAW_BYTES]) >> 11) / 2**53
        for at in range(0, len(hashed), _DRAW_BYTES)
    )
