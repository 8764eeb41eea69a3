"""By how much the clock of one process is ahead of another's, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Offset:
    """How far a clock is ahead: somewhere between two numbers of nanoseconds.

    Attributes:
        least_ns: The smaller.
        most_ns: The larger.
    """

    least_ns: int
    most_ns: int

    @classmethod
    def asked(cls, *, sent_ns: int, there_ns: int, received_ns: int) -> Self:
        """Read it off one question and its answer, as NTP does (RFC 5905, section 8).

        The other clock was read between sending and receiving; nothing is known of when.

        Args:
            sent_ns: When it was asked, by the clock here.
            there_ns: What the other clock said.
            received_ns: When the answer came, by the clock here.
        """
        return cls(sent_ns - there_ns, received_ns - there_ns)

    @classmethod
    def best(cls, asked: Iterable[Offset]) -> Offset:
        """Return the surest of several that were asked at one time."""
        return min(asked, key=lambda one: one.error_ns)

    @classmethod
    def over(cls, times: Iterable[Offset]) -> Self:
        """Return what holds for all of several times: clocks drift."""
        all_of_them = list(times)
        return cls(
            min(one.least_ns for one in all_of_them), max(one.most_ns for one in all_of_them)
        )

    @property
    def ns(self) -> int:
        """The middle."""
        return (self.least_ns + self.most_ns) // 2

    @property
    def error_ns(self) -> int:
        """By how much that may be wrong, half the round trip of one question."""
        return (self.most_ns - self.least_ns + 1) // 2
