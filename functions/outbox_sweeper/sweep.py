"""One sweep of the outbox: publish again what is due, and put off when it is due next."""

from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from functions.adapters import clock, telemetry
from functions.adapters.event_bus import EventBus
from functions.adapters.outbox import MOST_ATTEMPTS, NEVER, Outbox, Unprojected, backoff_ms

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


def sweep(outbox: Outbox, bus: EventBus, *, trace: str | None, deadline_ms: int) -> Sweep:
    """Publish every due event once more, what is due longest first, until the deadline.

    Each event that was taken moves behind the others, whether its copy could be published or
    not, so none starves another. An outage of an hour causes a handful of copies of each event.
    """
    entries = outbox.unprojected(most_per_shard=MOST_PER_SHARD)
    now_ms = clock.now_ms()
    published = not_published = 0
    for entry in entries:
        if entry.due > now_ms or clock.now_ms() >= deadline_ms:
            break
        if _publish(bus, entry, trace):
            published += 1
            _postpone(outbox, entry, entry.attempts + 1)
        else:
            not_published += 1
            _postpone(outbox, entry, entry.attempts)  # no copy was made: it does not count
    recorded = [entry.event.recorded_at for entry in entries]
    return Sweep(
        size=len(entries),
        stuck=sum(entry.stuck for entry in entries),
        oldest_age_ms=max(0, now_ms - min(recorded, default=now_ms)),
        published=published,
        not_published=not_published,
    )


def redrive(outbox: Outbox) -> int:
    """Make every stuck event due at once, as if it had never been published; return how many."""
    now_ms = clock.now_ms()
    stuck = outbox.unprojected(due_from=NEVER, most_per_shard=MOST_PER_SHARD)
    return sum(outbox.postpone(entry, due=now_ms, attempts=0) for entry in stuck)


def _publish(bus: EventBus, entry: Unprojected, trace: str | None) -> bool:
    try:
        bus.publish(entry.event, trace=trace)
    except (BotoCoreError, ClientError):
        # Nothing is lost: the mark stays, and a later sweep tries again.
        telemetry.logger().exception("publish failed", extra={"event_id": entry.event.event_id})
        return False
    telemetry.logger().info(
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


def _postpone(outbox: Outbox, entry: Unprojected, attempts: int) -> None:
    stuck = attempts >= MOST_ATTEMPTS
    due = NEVER if stuck else clock.now_ms() + backoff_ms(attempts)
    outbox.postpone(entry, due=due, attempts=attempts)
