"""What a load run sends and how much of it: a profile's shares of a target's rate, from TOML."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tidemark.errors import NotStartedError
from tidemark.load.arrivals import Plan, Repeats, Stretch
from tidemark.load.toml_file import Table, nearest
from tidemark.workloads.bank_arrivals import CHOICES, OPERATIONS, Population
from tidemark.workloads.bank_traffic import WRITES, weighted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

VISIBILITY_SHARE = 0.05
"""Of so many writes at least it is seen when they can be read, if nobody says otherwise."""

REPEATED_SHARE = 0.05
"""So many commands are sent a second time with their key, if nobody says otherwise."""

# A short run is sampled more densely: a write a second, until there are so many. More polls than
# those of a write a second would be a load of their own on a slow target.
_SAMPLES = 200
_SAMPLES_PER_S = 1.0

_MOST_ACCOUNTS = 100_000
_MOST_CALLERS = 200
_MOST_OPS_PER_S = 100_000.0
_PROFILE = {
    *("about", "arrivals", "stretches", "mix", "accounts", "owners"),
    *("repeats", "visibility", "slo"),
}
_TARGET = {"about", "rate", "callers", "slo", "sustained"}


@dataclass(frozen=True)
class TargetRate:
    """What a target takes.

    Attributes:
        rate: The ops per second of which profiles take shares.
        callers: How many calls may be under way at once.
        slo: The bound of each measure, unless a profile has its own.
        sustained: What a rate must meet to count as sustained, where that is not what it is
            elsewhere.
    """

    rate: float
    callers: int
    slo: Mapping[str, float]
    sustained: Mapping[str, float]


@dataclass(frozen=True)
class Profile:
    """What is sent.

    Attributes:
        name: The name of its file.
        about: What it is for, in a sentence.
        shares: Stretches of a run of one second, with rates in shares of the target's.
        is_poisson: See `Plan`.
        mix: The weight of each operation.
        population: The accounts and owners that calls are for.
        visibility_share: Of which share of the writes it is seen when they can be read; None for
            one that suits the plan.
        repeated_share: How many of the commands are sent a second time, with their key.
        slo: The bound of each measure.
    """

    name: str
    about: str
    shares: tuple[Stretch, ...]
    is_poisson: bool
    mix: Mapping[str, float]
    population: Population
    visibility_share: float | None = None
    repeated_share: float = REPEATED_SHARE
    slo: Mapping[str, float] = field(default_factory=dict)

    def plan(self, *, seconds: float, rate: float, seed: str) -> Plan:
        """Return the arrivals of a run.

        Args:
            seconds: How long it is.
            rate: The target's rate, in ops per second.
            seed: Where every draw comes from.
        """
        stretches = tuple(
            Stretch(one.seconds * seconds, one.rate_from * rate, one.rate_to * rate)
            for one in self.shares
        )
        return Plan(stretches, seed, self.is_poisson, self._repeats())

    def _repeats(self) -> Repeats | None:
        if not self.repeated_share or not self.write_share:
            return None
        operation = weighted(self.mix)
        return Repeats(self.repeated_share, lambda chance: operation(chance) in WRITES)

    @property
    def write_share(self) -> float:
        """How many of the calls are commands, from 0 to 1."""
        return sum(weight for name, weight in self.mix.items() if name in WRITES) / sum(
            self.mix.values()
        )

    def sampled_share(self, plan: Plan) -> float:
        """Of which share of a plan's writes it is seen when they can be read, from 0 to 1."""
        if self.visibility_share is not None:
            return self.visibility_share
        writes = self.write_share * sum(stretch.arrivals for stretch in plan.stretches)
        samples = min(_SAMPLES, _SAMPLES_PER_S * plan.seconds)
        return min(1.0, max(VISIBILITY_SHARE, samples / writes)) if writes else VISIBILITY_SHARE


def profile(folder: Path, name: str, measures: Collection[str]) -> Profile:
    """Read a profile.

    Args:
        folder: Where profiles are.
        name: Which of them.
        measures: What an SLO may bound.

    Raises:
        NotStartedError: If there is none of this name, or if something in it is wrong.
    """
    table = _table(folder, name)
    table.only(_PROFILE)
    repeated = _share(table, "repeats")
    return Profile(
        name=name,
        about=str(table.entries.get("about", "")),
        shares=_shares(table),
        is_poisson=table.choice("arrivals", ("poisson", "even"), "poisson") == "poisson",
        mix=_mix(table),
        population=Population(*_chosen(table, "accounts", 100), *_chosen(table, "owners", 10)),
        visibility_share=_share(table, "visibility"),
        repeated_share=REPEATED_SHARE if repeated is None else repeated,
        slo=_slo(table, measures),
    )


def target_rate(folder: Path, name: str, measures: Collection[str]) -> TargetRate:
    """Read what a target takes.

    Raises:
        NotStartedError: If nobody has said, or if something there is wrong.
    """
    table = _table(folder, name)
    table.only(_TARGET)
    rate, callers = (
        table.number("rate", most=_MOST_OPS_PER_S),
        table.number("callers", 50, most=_MOST_CALLERS),
    )
    if not rate or callers < 1:
        raise table.wrong("callers" if rate else "rate", "nothing would be sent")
    return TargetRate(rate, int(callers), _slo(table, measures), _slo(table, measures, "sustained"))


def names(folder: Path) -> list[str]:
    """Return the names of the files in a folder."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def _table(folder: Path, name: str) -> Table:
    if name not in names(folder):
        kind = folder.name.removesuffix("s")
        raise NotStartedError(f"There is no {kind} {name}; {nearest(name, names(folder))}.")
    return Table.read(folder / f"{name}.toml")


def _shares(table: Table) -> tuple[Stretch, ...]:
    stretches = []
    for one in table.tables("stretches"):
        one.only({"part", "rate", "from", "to"})
        if ("rate" in one.entries) == ("from" in one.entries or "to" in one.entries):
            raise one.wrong("rate", "a stretch has either a rate, or from and to")
        part = one.number("part", 1.0)
        ends = ("rate", "rate") if "rate" in one.entries else ("from", "to")
        stretches.append(Stretch(part, *(one.number(end, most=100) for end in ends)))
    whole = sum(one.seconds for one in stretches)
    if not any(one.arrivals for one in stretches):
        raise table.wrong("stretches", "its stretches have no arrival: give a part and a rate")
    return tuple(Stretch(s.seconds / whole, s.rate_from, s.rate_to) for s in stretches if s.seconds)


def _mix(table: Table) -> dict[str, float]:
    (mix,) = table.tables("mix") or [table]
    if mix is table:
        raise table.wrong("mix", "mix is missing")
    mix.only(OPERATIONS)
    weights = {name: mix.number(name) for name in mix.entries}
    if not any(weights.values()):
        raise table.wrong("mix", "no operation of it has a weight")
    return weights


def _chosen(table: Table, name: str, default: int) -> tuple[int, str]:
    for one in table.tables(name):
        one.only({"number", "choice"})
        number = one.number("number", default, most=_MOST_ACCOUNTS)
        if number < 1 or number != int(number):
            raise one.wrong("number", f"number is a whole one from 1, and not {number:g}")
        return int(number), one.choice("choice", CHOICES, "uniform")
    return default, "uniform"


def _share(table: Table, name: str) -> float | None:
    for one in table.tables(name):
        one.only({"share"})
        return one.number("share", most=1)
    return None


def _slo(table: Table, measures: Collection[str], named: str = "slo") -> dict[str, float]:
    for one in table.tables(named):
        one.only(measures)
        return {name: one.number(name) for name in one.entries}
    return {}
