"""What a target is: something that answers as AWS and can hold deployed stacks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from tidemark.aws.connection import EMULATOR_CREDENTIALS, Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

EMULATOR_ACCOUNT = "000000000000"
EMULATOR_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """What the caller may say about a target; each target takes what concerns it.

    Attributes:
        state: The state folder, where a local target keeps its process record and log.
        endpoint_url: Where an endpoint target answers.
        port: The loopback port that a local target must take; any free one when absent.
        settings: What an earlier deployment recorded about the target.
    """

    state: Path
    endpoint_url: str | None = None
    port: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preparation:
    """Something that a target must have before a stack can live there, and does not have.

    Attributes:
        what: What it is, for a person who decides whether it may be made.
        make: Makes it, once for all stacks; no stack owns it and none takes it down.
    """

    what: str
    make: Callable[[], None]


class Target(ABC):
    """One kind of target.

    A target knows how to be started, reached and stopped. It knows nothing of stacks.

    Attributes:
        name: What the user calls it.
        summary: What it is, in a few words.
        is_ours: Whether it is started and stopped here; if not, only stacks on it are ours.
        takes_endpoint_url: Whether the caller may say where it answers.
        asks_first: Whether it costs money or may hold what nobody else has: what would change
            there is shown first, and nothing changes without consent.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    is_ours: ClassVar[bool]
    takes_endpoint_url: ClassVar[bool] = False
    asks_first: ClassVar[bool] = False

    def __init__(self, options: TargetOptions) -> None:
        self.options = options

    @abstractmethod
    def start(self) -> Connection:
        """Find it running or start it, and return how to reach it once it answers.

        Raises:
            TidemarkError: It cannot be started or does not answer.
        """

    @abstractmethod
    def find(self) -> Connection | None:
        """How to reach it if it answers now; ``None`` when it does not."""

    @abstractmethod
    def stop(self) -> bool:
        """Stop it and remove all it left behind, if it is ours; say whether there was any."""

    @abstractmethod
    def reach(self, endpoint: str | None, region: str) -> Connection:
        """The connection for a recorded endpoint and region, whether or not it answers."""

    @abstractmethod
    def versions(self) -> Mapping[str, str]:
        """What the target runs, by component."""

    @property
    def identity(self) -> str:
        """Who the target takes the caller for, once it was found."""
        return "anybody"

    def how_ended(self) -> str | None:
        """How a target that was started here came to its end by itself, if it did."""
        return None

    def preparations(self, connection: Connection) -> Sequence[Preparation]:  # noqa: ARG002 -- most targets need none
        """What must be made there, outside any stack, before the first deploy."""
        return ()

    @property
    def settings(self) -> Mapping[str, str]:
        """What to record with a deployment so that it can be reached again; no secrets."""
        return {}

    @property
    def node_modules(self) -> Path | None:
        """Where functions in Node.js find packages, if their runtime does not bring the AWS SDK."""
        return None

    @abstractmethod
    def keep_log(self, path: Path) -> None:
        """Write the target's own log to a file, if it has one."""

    def api_url(self, connection: Connection, rest_api_id: str, stage: str) -> str:
        """The base URL of a REST API on this target, without a trailing slash."""
        return f"{connection.endpoint}/_aws/execute-api/{rest_api_id}/{stage}"


class LocalTarget(Target):
    """An emulator that this harness starts: no others' stacks, and the emulators' conventions."""

    is_ours: ClassVar[bool] = True

    def reach(self, endpoint: str | None, region: str) -> Connection:
        """The connection for an endpoint; see :meth:`Target.reach`."""
        return Connection(
            endpoint=endpoint,
            region=region,
            credentials=EMULATOR_CREDENTIALS,
            account=EMULATOR_ACCOUNT,
        )
