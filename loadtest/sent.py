"""What a run of the open model sends: a profile at a target's rate, and the accounts it is for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gevent.pool import Pool  # type: ignore[import-untyped]  # it ships no types

from loadtest import tags
from tidemark.api.op import Outcome
from tidemark.errors import TidemarkError
from tidemark.load import profiles
from tidemark.load.options import CLOSED
from tidemark.load.schedule import Schedule
from tidemark.measures.slo import MEASURES
from tidemark.workloads import bank
from tidemark.workloads.bank_arrivals import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemark.api.client import Client
    from tidemark.load.share import Share

PROFILES = Path(__file__).with_name("profiles")
"""What a load run may send."""

_TARGETS = Path(__file__).with_name("targets")
_AT_ONCE = 8
_TRIES = 5
_VISIBLE_WITHIN_MS = 5_000


@dataclass(frozen=True)
class Sent:
    """What a run sends.

    Attributes:
        profile: What arrives.
        rate: The rate of which the profile takes its shares, in calls per second.
        callers: How many calls may be under way at once.
        bounds: The SLOs of profile and target.
    """

    profile: profiles.Profile
    rate: float
    callers: int
    bounds: Mapping[str, float]

    @property
    def told(self) -> str:
        """What is sent, in words."""
        return f"{self.profile.about}, in shares of {self.rate:g} calls/s"

    def schedule(
        self,
        run_id: str,
        seconds: float,
        seed: str,
        *,
        share: Share,
        clock: Callable[[], int],
    ) -> Schedule:
        """Return a process's share of the calls of a run, and when they are due by its clock."""
        plan = self.profile.plan(seconds=seconds, rate=self.rate, seed=seed)
        return Schedule(plan, self._traffic(run_id), clock, share)

    def sampled_share(self, seconds: float) -> float:
        """Of which share of a run's writes it is seen when they can be read, from 0 to 1."""
        return self.profile.sampled_share(
            self.profile.plan(seconds=seconds, rate=self.rate, seed="")
        )

    def open_accounts(self, client: Client) -> None:
        """Open the accounts that calls are for, and see that they can be read.

        Raises:
            TidemarkError: If one of them can't be had.
        """
        traffic = self._traffic(client.session.writer.run_id)
        accounts = range(self.profile.population.accounts)
        pool = Pool(_AT_ONCE)
        opening = pool.imap_unordered(partial(_open, client, traffic), accounts)
        try:
            for problem in opening:
                if problem is not None:
                    raise TidemarkError(problem)
        finally:
            opening.kill()
            pool.kill()

    def _traffic(self, run_id: str) -> Traffic:
        return Traffic(run_id, self.profile.population, self.profile.mix)


def chosen(options: Any, target: str) -> Sent | None:
    """Return what is sent by these options on this target, None for a closed loop.

    Raises:
        NotStartedError: If the profile, or what the target takes, is wrong, or tags leave nothing.
    """
    if options.arrivals == CLOSED:
        return None
    profile = profiles.profile(PROFILES, options.arrivals, MEASURES)
    profile = replace(profile, mix=tags.restrict(profile.mix, options.operations))
    takes = profiles.target_rate(_TARGETS, target, MEASURES)
    return Sent(
        profile, float(options.rate or takes.rate), takes.callers, {**takes.slo, **profile.slo}
    )


def _open(client: Client, traffic: Traffic, account: int) -> str | None:
    """Open an account in a session of its own; return what went wrong."""
    own = client.for_session(f"setup{account + 1}")
    version = None
    for call in traffic.openings(account):
        op = own.run(call)
        for _ in range(_TRIES):
            if op.outcome is Outcome.OK:
                break
            op = own.run(call, key=op.key)
        if op.outcome is not Outcome.OK:
            return f"{call.aggregate} could not be opened: {op.detail or op.problem}."
        version = op.version
    read = bank.account(
        traffic.account_id(account), min_version=version, wait_ms=_VISIBLE_WITHIN_MS
    )
    for _ in range(_TRIES):
        if own.poll(read).outcome is Outcome.OK:
            return None
    return f"{traffic.account_id(account)} was opened and is not projected."
