"""What a target is: something that answers as AWS and can hold deployed stacks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from tidemark.aws.connection import EMULATOR_CREDENTIALS, Connection
from tidemark.aws.principals import principal_of
from tidemark.errors import NotStartedError, TidemarkError
from tidemark.host.waiting import NotSeenError, NotYetError, eventually
from tidemark.targets import emulators

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tidemark.aws.clients import AwsClients

EMULATOR_ACCOUNT = "000000000000"
EMULATOR_REGION = "us-east-1"


class SilentTargetError(TidemarkError):
    """It runs, or may run, and does not answer: so nobody knows what is on it.

    It is never taken for gone, nor removed, unless the user says so.
    """


class LostKeyError(TidemarkError):
    """It runs, and the key that it takes orders by is gone."""


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """What the caller may say about a target; each target takes what concerns it.

    Attributes:
        state: The state folder, where a local target keeps its process record and log.
        endpoint_url: Where an endpoint target answers.
        port: The loopback port that a local target must take; any free one when absent.
        settings: What an earlier deployment recorded about the target.
        is_private: Whether it is a test session's own, and has no need to be where everybody
            looks for one.
    """

    state: Path
    endpoint_url: str | None = None
    port: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    is_private: bool = False


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
        patience_s: How long one that runs, or may run, is asked again before it is silent.
        asks_first: Whether it costs money or may hold what nobody else has: what would change
            there is shown first, and nothing changes without consent.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    is_ours: ClassVar[bool]
    takes_endpoint_url: ClassVar[bool] = False
    patience_s: float = 30.0
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
        """How to reach it; ``None`` when it is certain that nothing runs there.

        Raises:
            SilentTargetError: It did not answer, and may run all the same.
        """

    @abstractmethod
    def stop(self) -> bool:
        """Stop it and remove all it left behind, if it is ours; say whether there was any."""

    @abstractmethod
    def reach(self, endpoint: str | None, region: str) -> Connection:
        """The connection for a recorded endpoint and region, whether or not it answers.

        Raises:
            LostKeyError: Nobody can ask it any more.
        """

    @abstractmethod
    def versions(self) -> Mapping[str, str]:
        """What the target runs, by component."""

    @property
    def identity(self) -> str:
        """Who the target takes the caller for, once it was found."""
        return "anybody"

    def principal(self, clients: AwsClients) -> str:
        """Whom an API there takes us for, as its functions are told.

        Args:
            clients: The target's.
        """
        return principal_of(clients.sts.get_caller_identity()["UserId"])

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

    def refuse_another_port(self, running: Connection) -> None:
        """Refuse a port that is not the one where it runs.

        Raises:
            NotStartedError: Such a one is asked for.
        """
        port = emulators.parts_of(str(running.endpoint)).port
        if self.options.port not in (None, port):
            raise NotStartedError(
                f"The {self.name} target already runs on port {port}: leave out --port, or "
                "`tidemark down` first."
            )

    def await_answer(self, endpoint: str, *, within_s: float) -> Connection | None:
        """Ask one that was started here until it answers; ``None`` once it has ended.

        Raises:
            SilentTargetError: It runs, and has not answered in that time.
        """

        def probe() -> tuple[Connection | None]:
            if emulators.answers(endpoint, self.name):
                return (self.reach(endpoint, EMULATOR_REGION),)
            if self.how_ended() is not None:
                return (None,)
            raise NotYetError(f"no answer at {endpoint}")

        try:
            [found] = eventually(probe, within_s=within_s, what=f"the {self.name} target to answer")
        except NotSeenError as not_seen:
            raise SilentTargetError(
                f"The {self.name} target runs and has not answered for {within_s:g} s: try again "
                "when the machine has less to do, or remove it and what is on it: `tidemark down`."
            ) from not_seen
        return found
