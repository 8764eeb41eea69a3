"""A small system in memory, and the workload that describes it: shelves that things are put on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tidemark.aws.clients import AwsClients
from tidemark.aws.connection import EMULATOR_CREDENTIALS, Connection
from tidemark.host.deployment import Deployment
from tidemark.workloads.own import Accepted, Command, Event, OwnWorkload, Refused, State, View

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPLOYMENT = Deployment(
    target="embedded",
    endpoint="http://127.0.0.1:9",
    region="us-east-1",
    stack_name="Shelves",
    api_url="",
    template_digest="0",
    outputs={},
)
CLIENTS = AwsClients(Connection("us-east-1", "http://127.0.0.1:9", EMULATOR_CREDENTIALS))


@dataclass
class System:
    """What a system holds: its log, and its views."""

    log: list[Event] = field(default_factory=list)
    views: dict[str, View] = field(default_factory=dict)


def raising(*_: Any) -> Any:
    """A method that looks for what is not there."""
    raise KeyError("thing")


class Shelves(OwnWorkload):
    """A shelf has things; it knows keys, pins and tokens."""

    system: System

    def send(self, command: Command) -> Any:
        thing = command.body["thing"]
        log = [event for event in self.system.log if event.aggregate == command.aggregate]
        for event in log:
            if event.key == command.key:
                return Accepted(event.version, replayed=True)
        if command.expected_version not in (None, len(log)):
            return Refused("moved", 412)
        if thing == "elephant":
            return Refused("too-big")
        version = len(log) + 1
        things = [*(event.data["thing"] for event in log), thing]
        self.system.log.append(
            Event(
                aggregate=command.aggregate,
                version=version,
                key=command.key,
                data={"thing": thing},
                recorded_at_ms=1000 + version,
                projected_at_ms=1100 + version,
            )
        )
        self.system.views[command.aggregate] = View(version, {"things": things})
        return Accepted(version)

    def read(self, aggregate: str, token: int | None) -> Any:
        view = self.system.views.get(aggregate)
        behind = token is not None and (view is None or view.version < token)
        return Refused("behind", 409) if behind else view

    def events(self, prefix: str) -> Iterator[Any]:
        assert prefix
        yield from self.system.log

    def views(self, prefix: str) -> Iterator[Any]:
        assert prefix
        yield from self.system.views.items()

    def fold(self, state: State | None, event: Event) -> Any:
        return {"things": [*(state or {"things": []})["things"], event.data["thing"]]}

    def expects(self, command: Command) -> Any:
        return {"thing": command.body["thing"]}
