"""One sweep of the outbox: publish again what is due, and put off when it is due next."""

from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from functions.adapters.budget import Budget
from functions.adapters.clock import Clock
from functions.adapters.event_bus import EventBus
from functions.adapters.outbox import MOST_ATTEMPTS, NEVER, Outbox, Unprojected, backoff_ms
from functions.adapters.telemetry import Telemetry

MOST_PER_SHARD = 500


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one sweep saw and did.

    `size` and `stuck` stop counting at `MOST_PER_SHARD` in a shard; `oldest_age_ms` is 0 where
    the outbox is empty.
    """

    size: int
    stuck: int
    oldest_age_ms: int
    published: int
    not_published: int


class Sweeper:
    """Sweeps one outbox."""

    def __init__(
        self, outbox: Outbox, bus: EventBus, clock: Clock, budget: Budget, telemetry: Telemetry
    ) -> None:
        self._outbox = outbox
        self._bus = bus
        self._clock = clock
        self._budget = budget
        self._telemetry = telemetry

    def sweep(self) -> Sweep:
        """Publish every due event once more, what is due longest first, while there is time.

        Each event that was taken moves behind the others, whether its copy could be published or
        not, so none starves another. An outage of an hour causes a handful of copies of each event.
        """
        entries = self._outbox.unprojected(most_per_shard=MOST_PER_SHARD)
        now_ms = self._clock.now_ms()
        published = not_published = 0
        for entry in entries:
            if entry.due > now_ms or self._budget.left_ms() <= 0:
                break
            if self._publish(entry):
                published += 1
                self._postpone(entry, entry.attempts + 1)
            else:
                not_published += 1
                self._postpone(entry, entry.attempts)  # no copy was made: it does not count
        recorded = [entry.event.recorded_at for entry in entries]
        return Sweep(
            size=len(entries),
            stuck=sum(entry.stuck for entry in entries),
            oldest_age_ms=max(0, now_ms - min(recorded, default=now_ms)),
            published=published,
            not_published=not_published,
        )

    def redrive(self) -> int:
        """Make every stuck event due at once, as if never published; return how many."""
        now_ms = self._clock.now_ms()
        stuck = self._outbox.unprojected(due_from=NEVER, most_per_shard=MOST_PER_SHARD)
        return sum(self._outbox.postpone(entry, due=now_ms, attempts=0) for entry in stuck)

    def _publish(self, entry: Unprojected) -> bool:
        try:
            self._bus.publish(entry.event, trace=self._telemetry.trace())
        except (BotoCoreError, ClientError):
            # Nothing is lost: the mark stays, and a later sweep tries again.
            self._telemetry.logger.exception(
                "publish failed", extra={"event_id": entry.event.event_id}
            )
            return False
        self._telemetry.logger.info(
            "republished",
            extra={
                "event_id": entry.event.event_id,
                "command_id": entry.event.command_id,
                "account_id": entry.event.account_id,
                "version": entry.event.version,
                "attempts": entry.attempts + 1,
            },
        )
        return True

    def _postpone(self, entry: Unprojected, attempts: int) -> None:
        stuck = attempts >= MOST_ATTEMPTS
        due = NEVER if stuck else self._clock.now_ms() + backoff_ms(attempts)
        self._outbox.postpone(entry, due=due, attempts=attempts)
