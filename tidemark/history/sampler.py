"""Samples of a projection while the run goes on: event, line and account in one transaction."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tidemark.api.op import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemark.api.op import Op
    from tidemark.history.writing import RunWriter
    from tidemark.workloads.workload import Values, Workload

EVERY_S = 0.1
"""A new event is sampled so often at most, at once and again when it should be projected."""

_AGAIN_AFTER_S = 2.0
_CLOSES_WITHIN_S = 5.0


class Sampler:
    """Samples the newest accepted event, again and again, from a thread of its own.

    Args:
        run: Where the samples are written down.
        workload: What reads them.
        clock: UTC in nanoseconds.
        told: Takes each sample as well.
    """

    def __init__(
        self,
        run: RunWriter,
        workload: Workload,
        clock: Callable[[], int] = time.time_ns,
        told: Callable[[Values], object] = lambda _: None,
    ) -> None:
        self._told = told
        self._clock = clock
        self._run = run
        self._workload = workload
        self._newest: tuple[str, int] | None = None
        self._later: deque[tuple[float, str, int]] = deque()
        self._samples = 0
        self._is_new, self._is_over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._sample, name="sampler", daemon=True)
        self._thread.start()

    def take(self, op: Op) -> None:
        """Note the event of an accepted command."""
        is_new = op.event_id is not None and op.outcome is Outcome.OK and not op.replayed
        if is_new and op.aggregate is not None and op.version is not None:
            self._newest = (op.aggregate, op.version)
            self._is_new.set()

    def close(self) -> None:
        """Stop sampling; a sample of a target that does not answer is not waited for."""
        self._is_over.set()
        self._is_new.set()
        self._thread.join(_CLOSES_WITHIN_S)

    def _sample(self) -> None:
        while not self._is_over.is_set():
            # A read model that is quick has an event before long: who is to see it before is quick.
            self._is_new.wait(EVERY_S)
            self._is_new.clear()
            newest, self._newest = self._newest, None
            if newest is not None and not self._is_over.is_set():
                self._take(*newest)
                self._later.append((time.monotonic() + _AGAIN_AFTER_S, *newest))
                self._is_over.wait(EVERY_S)
            while self._later and self._later[0][0] <= time.monotonic():
                if self._is_over.is_set():
                    return  # each may take as long as a target that is gone lets it
                _, aggregate, version = self._later.popleft()
                self._take(aggregate, version)

    def _take(self, aggregate: str, version: int) -> None:
        at_ms = self._clock() // 1_000_000
        # A sample that could not be taken is none: the judge says when there are too few.
        with suppress(BotoCoreError, ClientError):
            values = self._workload.sample(aggregate, version)
            if values is not None and not self._is_over.is_set():
                self._samples += 1
                taken = {"writer": self._run.name, "sample": self._samples, "taken_at_ms": at_ms}
                self._run.add("snapshots", taken | values)
                self._told(values)
