"""A search for capacity as a file, written after each step, so that it can go on after a Ctrl-C."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from tidemark.errors import NotStartedError
from tidemark.host.state import read_json, write_json
from tidemark.load.sustained import Tried

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path
    from types import UnionType

    from tidemark.load.capacity import Step

_FOLDER = "capacity"


@dataclass(frozen=True)
class Wanted:
    """What a search is for.

    Attributes:
        profiles: What is sent, one search after the other.
        step_s: How long calls arrive in a step, in seconds.
        bounds: What each measure may be.
        resolution: See `Search`, like the number of steps, which is that of each profile.
        most_steps: Likewise.
        start: The first rate, in calls per second; None: the profile's own share of what
            loadtest/targets says.
        processes: How many processes send; -1 for one on each core.
        seed: Where every draw comes from.
    """

    profiles: Sequence[str]
    step_s: float
    bounds: Mapping[str, float]
    resolution: float
    most_steps: int
    start: float | None
    processes: int
    seed: str


@dataclass
class CapacityLog:
    """A search and its steps.

    Attributes:
        id: Its name; they sort by time.
        date: The day it began, UTC.
        target: Where it goes.
        stack_name: The stack there.
        template_digest: What is deployed there.
        versions: Of the programs that take part.
        cores: How many this machine has.
        wanted: What it is for.
        tried: Its steps until now.
        spent_usd: What its load runs cost until now, where they cost something, in US dollars.
        is_finished: Whether nothing is left to try.
    """

    id: str
    date: str
    target: str
    stack_name: str
    template_digest: str
    versions: Mapping[str, str]
    cores: int
    wanted: Wanted
    tried: list[Tried] = field(default_factory=list)
    spent_usd: float = 0.0
    is_finished: bool = False

    def of(self, profile: str) -> list[Tried]:
        """Return the steps of a profile."""
        return [one for one in self.tried if one.profile == profile]

    def steps(self, profile: str) -> list[Step]:
        """Return the same as steps of its search."""
        return [one.step for one in self.of(profile)]

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)

    def save(self, state: Path) -> Path:
        """Write it into a state folder, and return where."""
        path = state / _FOLDER / f"{self.id}.json"
        write_json(path, self.as_json())
        return path

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what was written.

        Raises:
            NotStartedError: It is not there, or something else.
        """
        document = read_json(path) or {}
        try:
            log = cls(**document)
            log.wanted = Wanted(**document["wanted"])
            log.tried = [Tried.of_json(one) for one in document["tried"]]
            _require(str, (*log.wanted.profiles, log.wanted.seed))
            _require(int | float, log.wanted.bounds.values())
            _require(int | float, (log.wanted.step_s, log.wanted.resolution, log.wanted.most_steps))
            _require(int | float, (log.wanted.processes, log.spent_usd))
            for one in log.tried:
                _require(str, (one.profile, one.run, one.why))
                _require(int | float, (one.rate, one.writes_per_s, one.reads_per_s))
                _require(int | float, one.measures.values())
        except (AttributeError, KeyError, TypeError, ValueError):
            raise NotStartedError(
                f"{path} is no search for capacity: remove it, and begin anew."
            ) from None
        return log


def _require(kind: type | UnionType, values: Iterable[object]) -> None:
    if not all(isinstance(one, kind) for one in values):
        raise TypeError


def newest(state: Path) -> CapacityLog | None:
    """Return the search of a state folder that was written last; None if there is none."""
    paths = (state / _FOLDER).glob("*.json")
    newest = max(paths, key=lambda path: path.stat().st_mtime_ns, default=None)
    return None if newest is None else CapacityLog.read(newest)
