"""What a load run on AWS would cost, from what it is told to send."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemark.errors import NotStartedError
from tidemark.load.options import (
    CLOSED,
    DEFAULT_PROFILE,
    DEFAULT_RUN_TIME_S,
    DEFAULT_USERS,
    OPTIONS,
)
from tidemark.measures.cost import Calls, Estimate, price

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tidemark.load.profiles import Profile

_USERS = re.compile(r"\w+User")
# One caller after the other, each answered in 50 ms: more than a warm function takes there.
_CLOSED_CALLS_PER_S = 20
# Retries, polls until a write is seen, and the reading of both tables when it is over.
_BESIDES = 1.15
_TRIES_AT_MOST = 5
_TIME = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")


@dataclass(frozen=True)
class Told:
    """What a load run is told to send, defaults included.

    Attributes:
        profile: What arrives, or `closed`.
        seconds: How long.
        rate: The rate of which the profile takes shares; None for the target's.
        users: How many callers there are in a closed loop.
        max_ops: After how many calls it stops.
        read_share: The share of reads in a closed loop.
    """

    profile: str
    seconds: float
    rate: float | None
    users: int
    max_ops: int
    read_share: float

    @property
    def arguments(self) -> list[str]:
        """The same as arguments, so that no settings file of Locust's says otherwise."""
        said = {
            "--arrivals": self.profile,
            "--run-time": f"{self.seconds:.0f}s",
            "--max-ops": str(self.max_ops),
        }
        if self.rate is not None:
            said["--rate"] = f"{self.rate:g}"
        if self.profile == CLOSED:
            said["--users"] = str(self.users)
            said["--read-share"] = f"{self.read_share:g}"
        return [word for pair in said.items() for word in pair]


def told_by(arguments: Sequence[str], environ: Mapping[str, str]) -> Told:
    """Read what a load run is told by arguments, else by the environment, else by default.

    Args:
        arguments: Those for Locust.
        environ: Where Locust and Tidemark look for what no argument says.

    Raises:
        NotStartedError: If a value can't be read, or there are tags, which would change the mix.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("-t", "--run-time", default=environ.get("LOCUST_RUN_TIME"))
    parser.add_argument("-u", "--users", type=int, default=environ.get("LOCUST_USERS"))
    parser.add_argument("-T", "--tags", nargs="*", default=environ.get("LOCUST_TAGS"))
    parser.add_argument(
        "-E", "--exclude-tags", nargs="*", default=environ.get("LOCUST_EXCLUDE_TAGS")
    )
    for option in OPTIONS:
        default = environ.get(option.variable, option.default)
        parser.add_argument(option.flag, type=option.kind, default=default)
    try:
        said, others = parser.parse_known_args(list(arguments))
    except argparse.ArgumentError as error:
        raise NotStartedError(f"{error}.".capitalize()) from None
    if said.tags or said.exclude_tags:
        raise NotStartedError(
            "Tags change what a run costs, and are not priced: name a profile with that mix."
        )
    is_closed = said.users or any(_USERS.fullmatch(other) for other in others)
    return Told(
        profile=said.arrivals or (CLOSED if is_closed else DEFAULT_PROFILE),
        seconds=_seconds(said.run_time),
        rate=said.rate,
        users=said.users or DEFAULT_USERS,
        max_ops=said.max_ops,
        read_share=said.read_share,
    )


def estimate(told: Told, profile: Profile | None, *, rate: float, wiring: str) -> Estimate:
    """Estimate what a load run costs on AWS, upwards where it is uncertain.

    Args:
        told: What it sends.
        profile: The profile that it names; None in a closed loop.
        rate: The rate of which the profile takes its shares, in calls per second.
        wiring: That of the stack.
    """
    if profile is None:
        share = 1 - told.read_share
        calls = min(told.max_ops, told.users * told.seconds * _CLOSED_CALLS_PER_S)
        setup, hottest, repeated = 0.0, (1.0, 1.0), 0.0
    else:
        share, repeated = profile.write_share, profile.repeated_share
        plan = profile.plan(seconds=told.seconds, rate=rate, seed="")
        calls = min(told.max_ops, sum(stretch.arrivals for stretch in plan.stretches))
        # Each account is opened, gets funds, and is read until both are seen.
        setup, hottest = float(profile.population.accounts), profile.population.hottest
    account, owner = hottest
    return price(
        Calls(
            commands=_BESIDES * (calls * share * (1 + repeated) + 2 * setup),
            queries=_BESIDES * (calls * (1 - share) + setup),
            tries=1 + account * (_TRIES_AT_MOST - 1),
            projection_tries=1 + owner * (_TRIES_AT_MOST - 1),
            wiring=wiring,
        )
    )


def _seconds(said: str | None) -> float:
    if said is None:
        return float(DEFAULT_RUN_TIME_S)
    found = _TIME.fullmatch(said.strip())
    if not said.strip() or found is None:
        raise NotStartedError(f"{said} is no duration: say it like 20s, 5m or 1h30m.")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * 3600.0 + minutes * 60 + seconds
