"""When a sampled share of writes can be read: each is asked for again until it is seen."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from gevent.event import Event  # type: ignore[import-untyped]  # it ships no types
from gevent.pool import Pool  # type: ignore[import-untyped]  # likewise

from tidemark.api.op import Outcome, Purpose
from tidemark.measures.lateness import WAITS_FOR
from tidemark.workloads import bank

if TYPE_CHECKING:
    from tidemark.api.client import Client
    from tidemark.api.op import Op

_AT_ONCE = 8
_FIRST_S = 0.005
_LONGER_BY = 1.3
_LONGEST_S = 0.1
_GIVES_UP_AFTER_S = 30.0
_LAST_POLL_WITHIN_S = 1.0


class Watchers:
    """Polls for sampled writes, each in a session of its own that is named after the write.

    Reads are without a token, like those of somebody who knows nothing of the write. Beyond
    eight at once, a write that was drawn is left out.

    Args:
        client: Whose sessions they are, with a transport that many may share.
        share: Which share of the writes is sampled, from 0 to 1.
        seed: Where the draws come from.
    """

    def __init__(self, client: Client, share: float, seed: str) -> None:
        self._client = client
        self._share = share
        self._draw = random.Random(f"{seed}/visibility")  # noqa: S311 -- draws, no secrets
        self._pool = Pool(_AT_ONCE)
        self._closed = Event()

    def take(self, op: Op) -> None:
        """Poll for the event of an accepted command, if it is drawn."""
        is_new = op.event_id is not None and op.outcome is Outcome.OK and not op.replayed
        if not is_new or op.purpose is not Purpose.LOAD or self._draw.random() >= self._share:
            return
        if self._pool.free_count():
            self._pool.spawn(self._poll, op)

    def close(self, within_s: float) -> None:
        """Let those that wait go on for so long, and end the rest, between two polls if they can.

        Args:
            within_s: How long, in seconds.
        """
        self._pool.join(timeout=within_s)
        self._closed.set()
        self._pool.join(timeout=_LAST_POLL_WITHIN_S)
        self._pool.kill()

    def _poll(self, op: Op) -> None:
        client = self._client.for_session(f"{op.session}{WAITS_FOR}{op.sequence}")
        call, pause_s = bank.account(op.aggregate or ""), _FIRST_S
        while client.clock() - op.end_ns < _GIVES_UP_AFTER_S * 1e9:
            if self._closed.wait(pause_s):
                return
            seen = client.run(call, purpose=Purpose.POLL)
            if seen.outcome is Outcome.OK and (seen.version or 0) >= (op.version or 0):
                return
            pause_s = min(_LONGEST_S, pause_s * _LONGER_BY)
