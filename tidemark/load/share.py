"""What one of the processes of a load run takes of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """One process's share.

    Attributes:
        worker: Its place among the workers, from 0.
        workers: How many there are.
    """

    worker: int = 0
    workers: int = 1

    @property
    def writer(self) -> str:
        """What the process is called in the run."""
        return f"w{self.worker + 1}"

    def number_of(self, place: int) -> int:
        """Return the number among all workers' of this worker's n-th.

        Args:
            place: Its place among those of this worker, from 0.
        """
        return place * self.workers + self.worker

    def part_of(self, most: int) -> int:
        """Return how many of a number that holds for all workers are this one's."""
        return most // self.workers + (self.worker < most % self.workers)
