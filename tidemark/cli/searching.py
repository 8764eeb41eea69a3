"""A search for capacity that is under way: the rate to try next is tried, and written down."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tidemark.cli.load_step import load
from tidemark.errors import ExitCode, NotStartedError
from tidemark.host.progress import Steps
from tidemark.host.state import state_dir
from tidemark.load import profiles
from tidemark.load.capacity import Search
from tidemark.load.options import HIGHEST_RATE, MOST_USERS
from tidemark.load.price import Told, estimate
from tidemark.load.sustained import tried
from tidemark.measures.slo import MEASURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tidemark.cli.load_step import Ended
    from tidemark.host.deployment import Deployment
    from tidemark.load.capacity_log import CapacityLog
    from tidemark.load.sustained import Tried

_WARM_UP_S = 5
# Functions start for each call under way: what starts in a step would be its p99.
_WARM_UP_TIMES = 4
_LEAST_RATE = 0.5
_LEAST_CALLERS = 10
# An overloaded target works off what it has taken before the next step begins.
_LAG_DEADLINE_S = 150


class Searching:
    """The search with one profile.

    Args:
        checkout: Where the profiles are.
        deployment: Where the load goes.
        log: What the steps are written into.
        profile: What is sent.
        find: Sees that the target answers, and raises if it does not.
        most_usd: What the load runs of all profiles may cost together, in US dollars; None where
            they cost nothing.

    Attributes:
        is_too_dear: Whether it ended before a load run that would have cost too much.

    Raises:
        NotStartedError: There is no such profile, or it has no steady rate.
    """

    def __init__(
        self,
        checkout: Path,
        deployment: Deployment,
        log: CapacityLog,
        profile: str,
        *,
        find: Callable[[], object],
        most_usd: float | None,
    ) -> None:
        self._find = find
        self.is_too_dear = False
        self._most_usd = most_usd
        self._deployment = deployment
        self._log = log
        self._profile = profile
        self._progress = Steps()
        self._sent = sent = profiles.profile(checkout / "loadtest/profiles", profile, MEASURES)
        takes = profiles.target_rate(checkout / "loadtest/targets", deployment.target, MEASURES)
        shares = {share for one in sent.shares for share in (one.rate_from, one.rate_to)}
        if len(shares) > 1:
            raise NotStartedError(f"{profile} has no steady rate, and a search is for one.")
        (self._share,) = shares
        wanted = log.wanted
        first = takes.rate * self._share if wanted.start is None else wanted.start
        most = HIGHEST_RATE * self._share
        if not 0 < first <= most:
            raise NotStartedError(
                f"--start must be more than 0, and at most {most:g} calls/s with {profile}."
            )
        self._search = Search(
            start=first,
            most=most,
            least=min(first, _LEAST_RATE),
            resolution=wanted.resolution,
            most_steps=wanted.most_steps,
        )

    @property
    def is_settled(self) -> bool:
        """Whether it ended by itself, and not by its limit of steps."""
        return self._search.is_settled(self._log.steps(self._profile))

    def run(self) -> None:
        """Try rates until nothing is left to try, or the next run would cost too much.

        Raises:
            TidemarkError: A step came to nothing, or was interrupted.
        """
        is_warm = False
        while (rate := self._search.next_rate(self._log.steps(self._profile))) is not None:
            runs = [(rate, self._log.wanted.step_s)]
            warm_up = (min(_WARM_UP_TIMES * self._search.start, self._search.most), _WARM_UP_S)
            if not self._affords(runs if is_warm else [*runs, warm_up]):
                self.is_too_dear = True
                return
            if not is_warm:
                with self._progress.step(f"{self._profile} is warmed up"):
                    self._load(*warm_up, "--check", "off")
                is_warm = True
            self._log.tried.append(self._try(rate))
            self._log.save(state_dir())

    def _affords(self, runs: Iterable[tuple[float, float]]) -> bool:
        """Tell whether load runs may be paid for, and if so, write down that they are.

        Args:
            runs: The rate and the seconds of each.
        """
        if self._most_usd is None:
            return True
        usd = self._log.spent_usd + sum(self._usd(rate, seconds) for rate, seconds in runs)
        if usd > self._most_usd:
            return False
        self._log.spent_usd = usd
        self._log.save(state_dir())
        return True

    def _usd(self, rate: float, seconds: float) -> float:
        told = Told(
            profile=self._profile,
            seconds=seconds,
            rate=rate / self._share,
            users=0,
            max_ops=_most_ops(rate, seconds),
            read_share=0.0,
        )
        wiring = str(self._deployment.outputs.get("Wiring", "queued"))
        return estimate(told, self._sent, rate=rate / self._share, wiring=wiring).usd

    def _try(self, rate: float) -> Tried:
        wanted = self._log.wanted
        number = len(self._log.of(self._profile)) + 1
        seed = f"{wanted.seed}.{self._profile}.{number}"
        with self._progress.step(f"{self._profile} at {rate:g} calls/s has been tried"):
            ended = self._load(rate, wanted.step_s, "--seed", seed)
            if ended.exit_code is ExitCode.FAILED:
                self._find()  # a target that is gone has not failed at a rate
        one = tried(
            self._profile,
            rate,
            run=ended.run,
            exit_code=ended.exit_code,
            reason=ended.reason,
            figures=ended.figures,
            bounds=wanted.bounds,
            hot=ended.hot_key(wanted.bounds),
        )
        self._progress.say(f"    {one.limit}: {one.why}" if one.limit else "    sustained")
        return one

    def _load(self, rate: float, seconds: float, *others: str) -> Ended:
        # As many as a target needs that answers within the bounds, so that it is not the callers
        # that are too few.
        slowest_s = max(
            self._log.wanted.bounds.get(f"{side}_p99_ms", 1000) / 1000 for side in ("write", "read")
        )
        callers = min(MOST_USERS, max(_LEAST_CALLERS, math.ceil(rate * slowest_s)))
        options = {
            "--rate": rate / self._share,
            "--duration": f"{seconds:g}s",
            "--users": callers,
            "--max-ops": _most_ops(rate, seconds),
            "--lag-deadline": _LAG_DEADLINE_S,
        }
        if self._log.wanted.processes != 1:
            options["--processes"] = self._log.wanted.processes
        told = [word for name, value in options.items() for word in (name, str(value))]
        # Of the search as a whole it was asked.
        agreed = [] if self._most_usd is None else ["--yes"]
        return load(self._deployment, [self._profile, *told, *others, *agreed])


def _most_ops(rate: float, seconds: float) -> int:
    return math.ceil(rate * seconds * 2) + 1000
