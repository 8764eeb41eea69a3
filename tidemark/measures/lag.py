"""Projection lag of a run's events, by the system's own clocks.

Every event of the run is read from the log by key and consistently, so that nothing is taken
from an index or a metric that may itself be late.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tidemark.errors import TidemarkError
from tidemark.host.waiting import NotSeenError, NotYetError, eventually
from tidemark.percentiles import Spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True)
class LoggedEvent:
    """An event as the log has it.

    Attributes:
        partition: The partition key of its aggregate.
        event_id: Its id.
        recorded_at_ms: When the write side recorded it, UTC milliseconds.
        projected_at_ms: When the projection acknowledged it; None until then.
    """

    partition: str
    event_id: str
    recorded_at_ms: int
    projected_at_ms: int | None

    @property
    def lag_ms(self) -> int | None:
        """How late it reached the read side, None if it did not yet."""
        if self.projected_at_ms is None:
            return None
        return self.projected_at_ms - self.recorded_at_ms


@dataclass(frozen=True)
class Lag:
    """How late the events of a run were.

    Attributes:
        events: How many the log has.
        projected: How many of them were seen projected.
        spread: The projection lag of those.
        late: Ids of events that were not seen projected by the deadline.
        missing: Ids of events that were acknowledged and are not in the log.
        waited_s: How long after the load the last event was waited for.
        is_complete: Whether the waiting came to its end; False if it was cut short.
    """

    events: int
    projected: int
    spread: Spread | None
    late: Sequence[str]
    missing: Sequence[str]
    waited_s: float
    is_complete: bool = True


class LagMeter:
    """Watches the log until every event of a run is projected, or a deadline passes.

    Args:
        dynamodb: A client for the command table's account and region.
        table_name: The command table.
        clock: Monotonic time in seconds.
    """

    def __init__(
        self,
        dynamodb: DynamoDBClient,
        table_name: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dynamodb = dynamodb
        self._table_name = table_name
        self._clock = clock
        self._log: dict[str, list[LoggedEvent]] = {}

    def wait(
        self, partitions: Iterable[str], acknowledged: Iterable[str], *, within_s: float
    ) -> Lag:
        """Read the events of some aggregates until all are projected.

        Args:
            partitions: The partition keys of the run's aggregates in the command table.
            acknowledged: The ids of events that the run was told of.
            within_s: How long to wait for the last of them, in seconds.

        Returns:
            What was seen, also if the deadline passed first or the user cut the wait short.
        """
        self._log = {partition: [] for partition in partitions}
        pending = set(self._log)
        started = self._clock()
        is_complete = True

        def probe() -> bool | None:
            for partition in sorted(pending):
                self._log[partition] = list(self._events(partition))
                if all(event.lag_ms is not None for event in self._log[partition]):
                    pending.discard(partition)
            if pending:
                raise NotYetError(f"{len(self._late())} events not projected")
            return True

        try:
            eventually(probe, within_s=within_s, what="the last event to be projected")
        except NotSeenError:
            pass  # what is late is named in the result
        except KeyboardInterrupt:
            is_complete = False
        return self._seen(set(acknowledged), self._clock() - started, is_complete=is_complete)

    def _seen(self, acknowledged: set[str], waited_s: float, *, is_complete: bool) -> Lag:
        events = [event for logged in self._log.values() for event in logged]
        lags_ms = [event.lag_ms for event in events if event.lag_ms is not None]
        return Lag(
            events=len(events),
            projected=len(lags_ms),
            spread=Spread.of(lags_ms),
            late=self._late(),
            missing=sorted(acknowledged - {event.event_id for event in events}),
            waited_s=waited_s,
            is_complete=is_complete,
        )

    def _late(self) -> list[str]:
        return [
            event.event_id
            for logged in self._log.values()
            for event in logged
            if event.lag_ms is None
        ]

    def _events(self, partition: str) -> Iterable[LoggedEvent]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table_name,
            KeyConditionExpression="#pk = :pk AND begins_with(#sk, :sk)",
            ExpressionAttributeNames={"#pk": "pk", "#sk": "sk"},
            ExpressionAttributeValues={":pk": {"S": partition}, ":sk": {"S": "event#"}},
            ConsistentRead=True,
        )
        for page in pages:
            for item in page["Items"]:
                yield _event(partition, item)


def _event(partition: str, item: Mapping[str, Any]) -> LoggedEvent:
    try:
        projected_at = item.get("projected_at")
        return LoggedEvent(
            partition=partition,
            event_id=item["event_id"]["S"],
            recorded_at_ms=int(item["recorded_at"]["N"]),
            projected_at_ms=int(projected_at["N"]) if projected_at else None,
        )
    except (KeyError, ValueError) as error:
        raise TidemarkError(
            f"The log of {partition} has an event that this version of Tidemark cannot read "
            f"({error!r}): deploy the stack again with this version."
        ) from error
