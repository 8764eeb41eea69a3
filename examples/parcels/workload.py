"""The parcels as Tidemark needs to know them: how they are commanded, read, exported and folded."""

from __future__ import annotations

import json
from itertools import count, groupby
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from tidemark.workloads.own import Accepted, Command, Event, OwnWorkload, Refused, State, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_EVENT_OF = {"register": "Registered", "scan": "Scanned", "deliver": "Delivered"}
_plain = TypeDeserializer().deserialize


class Parcels(OwnWorkload):
    """A parcel is an aggregate; the tracking view shows its state and its places."""

    def send(self, command: Command) -> Accepted | Refused:
        """Have the intake function take a command."""
        answer = self._invoke(
            "IntakeFunction",
            {
                "command": command.operation,
                "parcel": command.aggregate,
                "place": command.body["place"],
                "key": command.key,
            },
        )
        return Refused(answer["refused"]) if "refused" in answer else Accepted(answer["version"])

    def read(self, aggregate: str, token: int | None) -> View | None:  # noqa: ARG002 -- it knows no tokens
        """Ask the lookup function."""
        answer = self._invoke("LookupFunction", {"parcel": aggregate})
        version = answer.pop("version")
        return View(version, answer) if version else None

    def events(self, prefix: str) -> Iterator[Event]:
        """The log, with when the tracking view heard of each event."""
        tracked = {
            (entry["parcel"], entry["version"]): int(entry["tracked_at"])
            for entry in self._items("TrackingTableName", prefix)
        }
        for item in self._items("LogTableName", prefix):
            yield Event(
                aggregate=item["parcel"],
                version=int(item["version"]),
                key=item["key"],
                data={"type": item["type"], "place": item["place"]},
                recorded_at_ms=int(item["recorded_at"]),
                projected_at_ms=tracked.get((item["parcel"], item["version"])),
            )

    def views(self, prefix: str) -> Iterator[tuple[str, View]]:
        """The tracking view of each parcel."""
        entries = sorted(
            self._items("TrackingTableName", prefix), key=lambda one: (one["parcel"], one["entry"])
        )
        for parcel, of_parcel in groupby(entries, key=lambda one: str(one["parcel"])):
            heard = list(of_parcel)
            versions = {int(one["version"]) for one in heard}
            # What comes after a gap is not shown.
            version = next(before for before in count() if before + 1 not in versions)
            shown = [one for one in heard if int(one["version"]) <= version]
            if shown:
                places = [one["place"] for one in shown]
                yield parcel, View(version, {"state": shown[-1]["type"], "places": places})

    def fold(self, state: State | None, event: Event) -> State:
        """A parcel is where its last event left it, and was where all of them were."""
        places = state["places"] if state else []
        return {"state": event.data["type"], "places": [*places, event.data["place"]]}

    def expects(self, command: Command) -> Mapping[str, Any]:
        """What is accepted happens at the place that was said."""
        return {"type": _EVENT_OF[command.operation], "place": command.body["place"]}

    def _invoke(self, output: str, event: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.aws.functions.invoke(
            FunctionName=self.deployment.outputs[output], Payload=json.dumps(event).encode()
        )
        payload = answer["Payload"].read()
        if "FunctionError" in answer:
            raise RuntimeError(payload.decode())
        document: dict[str, Any] = json.loads(payload)
        return document

    def _items(self, output: str, prefix: str) -> Iterator[dict[str, Any]]:
        pages = self.aws.dynamodb.get_paginator("scan").paginate(
            TableName=self.deployment.outputs[output],
            ConsistentRead=True,
            FilterExpression="begins_with(parcel, :prefix)",
            ExpressionAttributeValues={":prefix": {"S": prefix}},
        )
        for page in pages:
            for item in page["Items"]:
                yield {name: _plain(value) for name, value in item.items()}
