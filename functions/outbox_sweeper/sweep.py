"""One sweep of the outbox: publish again what is due, and put off when it is due next."""

from dataclasses import dataclass

from functions.adapters.budget import Budget
from functions.adapters.clock import Clock
from functions.adapters.event_bus import EventBus
from functions.adapters.event_codec import Unreadable
from functions.adapters.outbox import (
    SHARDS,
    UNREADABLE_BACKOFF_MS,
    Outbox,
    Unprojected,
    backoff_ms,
)
from functions.adapters.telemetry import Telemetry
from functions.domain.account import Event

MOST_PER_SHARD = 500

_LONGEST_TAKE_MS = 2_000
"""What one event may take: with less time than that, none is begun."""


@dataclass(slots=True)
class Sweep:
    """What one sweep has seen and done so far.

    Attributes:
        size: Unprojected events; stops counting at `MOST_PER_SHARD` in a shard.
        stuck: How many of them are stuck.
        unreadable: How many of them this version cannot read.
        unread_shards: Shards that could not be read: what they hold is in no count.
        oldest_age_ms: How long ago the oldest was recorded; 0 where there is none.
        redriven: Stuck events that were made due at once.
        published: Copies that the topic took.
        not_published: Copies that it did not take.
        not_postponed: Events that could not be put off, and are due as before.
    """

    size: int = 0
    stuck: int = 0
    unreadable: int = 0
    unread_shards: int = 0
    oldest_age_ms: int = 0
    redriven: int = 0
    published: int = 0
    not_published: int = 0
    not_postponed: int = 0


class Sweeper:
    """Sweeps one outbox.

    Nothing that goes wrong with one event or one shard stops the sweep: the mark stays, so
    nothing is lost, and a later sweep tries again.
    """

    def __init__(
        self, outbox: Outbox, bus: EventBus, clock: Clock, budget: Budget, telemetry: Telemetry
    ) -> None:
        self._outbox = outbox
        self._bus = bus
        self._clock = clock
        self._budget = budget
        self._telemetry = telemetry

    def redrive(self, seen: Sweep) -> None:
        """Make what is stuck due at once, as if it had never been published.

        It leaves at least a quarter of the time to the sweep that follows.
        """
        enough_ms = self._budget.left_ms() / 4
        for entry in self._unprojected(seen):
            if self._budget.left_ms() <= enough_ms:
                break
            if entry.stuck:
                now_ms = self._clock.now_ms()
                seen.redriven += self._postpone(entry, seen, due=now_ms, attempts=0)

    def sweep(self, seen: Sweep) -> None:
        """Publish every due event once more, what is due longest first, while there is time.

        Each event that was taken moves behind the others, whether its copy could be published or
        not, so none starves another. An outage of an hour causes a handful of copies of each event.
        """
        entries = self._unprojected(seen)
        now_ms = self._clock.now_ms()
        recorded = [one.recorded_at for one in entries if one.recorded_at is not None]
        seen.oldest_age_ms = max(0, now_ms - min(recorded, default=now_ms))
        seen.size = len(entries)
        seen.stuck = sum(entry.stuck for entry in entries)
        seen.unreadable = sum(isinstance(entry.event, Unreadable) for entry in entries)
        for entry in entries:
            if entry.due > now_ms or self._budget.left_ms() < _LONGEST_TAKE_MS:
                break
            self._take(entry, seen)

    def _unprojected(self, seen: Sweep) -> list[Unprojected]:
        """Return what every shard owes that could be read, what is due longest first.

        Reading takes half of the time at the most, or a slow table would leave none to publish in;
        and it begins anywhere, or the last shards would never be read.
        """
        entries: list[Unprojected] = []
        enough_ms = self._budget.left_ms() / 2
        begin, unread = self._clock.chosen(0, SHARDS - 1), 0
        for shard in (*range(begin, SHARDS), *range(begin)):
            if self._budget.left_ms() < enough_ms:
                unread += 1
                continue
            try:
                entries += self._outbox.unprojected(shard, most=MOST_PER_SHARD)
            except Exception:
                unread += 1
                self._telemetry.logger.exception("shard not read", extra={"shard": shard})
        seen.unread_shards = unread
        return sorted(entries, key=lambda entry: entry.due)

    def _take(self, entry: Unprojected, seen: Sweep) -> None:
        event, attempts = entry.event, entry.attempts
        if isinstance(event, Unreadable):
            self._telemetry.logger.error(
                "unreadable event", extra={**_place(entry), "reason": event.reason}
            )
            wait_ms = UNREADABLE_BACKOFF_MS
        else:
            if self._publish(event, attempts + 1):
                seen.published += 1
                attempts += 1
            else:
                seen.not_published += 1  # no copy was made: it does not count as an attempt
            wait_ms = backoff_ms(attempts)
        self._postpone(entry, seen, due=self._clock.now_ms() + wait_ms, attempts=attempts)

    def _publish(self, event: Event, attempt: int) -> bool:
        about = {
            "event_id": event.event_id,
            "command_id": event.command_id,
            "account_id": event.account_id,
            "version": event.version,
        }
        try:
            self._bus.publish(event, trace=self._telemetry.trace())
        except Exception:
            self._telemetry.logger.exception("publish failed", extra=about)
            return False
        self._telemetry.logger.info("republished", extra=about | {"attempts": attempt})
        return True

    def _postpone(self, entry: Unprojected, seen: Sweep, *, due: int, attempts: int) -> bool:
        try:
            return self._outbox.postpone(entry, due=due, attempts=attempts)
        except Exception:
            # Most likely the projection is at it in this moment, and holds its transaction.
            seen.not_postponed += 1
            self._telemetry.logger.warning("not put off", extra=_place(entry), exc_info=True)
            return False


def _place(entry: Unprojected) -> dict[str, str]:
    return dict(zip(("pk", "sk"), entry.key, strict=True))
