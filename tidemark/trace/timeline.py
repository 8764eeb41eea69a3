"""One timeline out of the log's items, the functions' lines and the dead letters: pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tidemark.trace.lines import Said
    from tidemark.workloads.bank_items import Event


class Stage(StrEnum):
    """The stages on the way, in the order in which one millisecond shows them."""

    API_CALL = "API call"
    TRANSACTION = "transaction"
    PUBLISH = "publish"
    ANSWER = "answer"
    COPY = "copy"
    PROJECTION = "projection"
    DELIVERY = "delivery"


_RANKS = {stage: rank for rank, stage in enumerate(Stage)}


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened on the way.

    Attributes:
        at_ms: When, by the clock of whoever wrote it down, UTC milliseconds.
        stage: Which part of the way it belongs to.
        source: Who wrote it down: a table's item or a function's line.
        text: What happened, in words.
        is_trouble: Whether something went wrong.
        said: The ids and numbers that the source has about it.
    """

    at_ms: int
    stage: Stage
    source: str
    text: str
    is_trouble: bool = False
    said: Mapping[str, Any] = field(default_factory=dict)


def timeline(events: Iterable[Event], lines: Iterable[Said]) -> list[Moment]:
    """Everything that happened, in order of time."""
    told = list(lines)
    moments = [moment for event in events for moment in _of_event(event)]
    moments += [moment for said in told for moment in _of_line(said)]
    moments += _publishes(told)
    return sorted(moments, key=lambda moment: (moment.at_ms, _RANKS[moment.stage]))


def _of_event(event: Event) -> Iterator[Moment]:
    key = event.key
    about = {"account_id": key.account_id, "version": key.version, "event_id": key.event_id}
    amount = f" of {event.data['amount']}" if "amount" in event.data else ""
    yield Moment(
        event.recorded_at_ms,
        Stage.TRANSACTION,
        "command table",
        f"{event.type}{amount} is version {key.version} of {key.account_id}",
        said=about | {"type": event.type, "command_id": event.command_id, "data": event.data},
    )
    if event.projected_at_ms is not None:
        yield Moment(
            event.projected_at_ms,
            Stage.PROJECTION,
            "both tables",
            f"version {key.version} is on the query side, {event.lag_ms} ms after it was recorded",
            said=about | {"lag_ms": event.lag_ms},
        )


def _of_line(said: Said) -> Iterator[Moment]:
    match (said.function, said.message):
        case ("command-handler", "invocation"):
            yield from _of_command(said)
        case ("update-processor", "record"):
            yield _of_delivery(said)
        case ("outbox-sweeper", "republished"):
            copies = said.members.get("attempts")
            yield _moment(said, Stage.COPY, f"copy {copies} published by the sweeper")
        case ("outbox-sweeper", "publish failed"):
            text = f"the sweeper's copy was not published ({said.members.get('exception_name')})"
            yield _moment(said, Stage.COPY, text, is_trouble=True)
        case _:
            return


def _of_command(said: Said) -> Iterator[Moment]:
    members = said.members
    received_at_ms = members.get("received_at")
    if isinstance(received_at_ms, int):
        text = f"the gateway has command {members.get('command_id', 'without a key')}"
        yield Moment(received_at_ms, Stage.API_CALL, "API Gateway", text, said=_ids(members))
    match said.outcome:
        case "accepted" | "replayed":
            version = members.get("version")
            yield _moment(said, Stage.ANSWER, f"202 {said.outcome}, version {version}")
        case outcome:
            status = members.get("status", 503)
            yield _moment(said, Stage.ANSWER, f"{status} {outcome}", is_trouble=True)


def _publishes(lines: Sequence[Said]) -> Iterator[Moment]:
    """When each message was sent.

    The queue knows to the millisecond. Without one the Command Handler's line has to do, which
    it writes after the publish: the projection may be quicker than that.
    """
    deliveries = [said for said in lines if isinstance(said.members.get("sent_at"), int)]
    messages = {said.members.get("message_id"): said for said in reversed(deliveries)}
    for message_id, said in messages.items():
        text = f"message {message_id} is in the queue"
        yield Moment(said.members["sent_at"], Stage.PUBLISH, "queue", text, said=_ids(said.members))
    queued = {said.members.get("event_id") for said in deliveries}
    for said in lines:
        if said.outcome != "accepted":
            continue
        if not said.members.get("published"):
            text = "publish failed: the event is left to the sweeper"
            yield _moment(said, Stage.PUBLISH, text, is_trouble=True)
        elif said.members.get("event_id") not in queued:
            yield _moment(said, Stage.PUBLISH, "published to the topic")


def _of_delivery(said: Said) -> Moment:
    members = said.members
    count = members.get("receive_count")
    receive = f", receive {count}" if count is not None else ""
    text = f"message {members.get('message_id')}{receive}: {said.outcome}"
    if healed := members.get("healed"):
        text += f", after healing version {', '.join(map(str, healed))}"
    if (attempts := members.get("attempts", 1)) > 1:
        text += f" in {attempts} attempts"
    if reason := members.get("reason"):
        text += f": {reason}; left to the {members.get('left_to')}"
    return _moment(said, Stage.DELIVERY, text, is_trouble=said.outcome == "failed")


def _moment(said: Said, stage: Stage, text: str, *, is_trouble: bool = False) -> Moment:
    return Moment(said.at_ms, stage, said.function, text, is_trouble, _ids(said.members))


# What Powertools adds to every line, and what no reader of a timeline asks for.
_LEFT_OUT = {"level", "location", "message", "timestamp", "service", "exception", "stack_trace"}


def _ids(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name not in _LEFT_OUT}
