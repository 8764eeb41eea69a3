"""The wirings compared, as `docs/wirings.md`: `make wirings`.

Each target that this machine can start is started anew, with a stack for each wiring; they are
loaded in turn with the same calls, and everything is stopped again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidemark.cli.options import WIRINGS
from tidemark.cli.tables import show, with_headings
from tidemark.errors import ExitCode, TidemarkError
from tidemark.history.folder import RunFolder
from tidemark.history.places import folder_of_runs
from tidemark.host.progress import Steps
from tidemark.invariants.views import connect
from tidemark.measures.cost import MILLION, Calls, price
from tidemark.measures.lateness import LAGGING_EVENTS
from tidemark.report.capacity import told
from tools import published
from tools.bench.bringup import tidemark
from tools.bench.targets import startable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

PAGE = Path(__file__).resolve().parents[1] / "docs/wirings.md"

_WARM_UP = ("--duration", "5s", "--check", "off")
_SEED = "wirings"


@dataclass(frozen=True)
class Used:
    """What a run of commands made the system do.

    Attributes:
        commands: How many commands of the load were accepted.
        deliveries: How often an event was delivered.
        transactions: How many transactions projected them.
        invocations: How many invocations of the Update Processor that took.
    """

    commands: int
    deliveries: int
    transactions: int
    invocations: int

    def calls(self, wiring: str) -> dict[str, float]:
        """Return the AWS calls per command, by kind."""
        events = max(1, self.commands)
        is_queued = wiring == "queued"
        return {
            "requests to the API and invocations of the Command Handler": 2,
            "reads and transactions of the Command Handler": 2,
            "publishes": 1,
            "messages into the queue": 1 if is_queued else 0,
            "receives and deletes of the queue": 2 * self.invocations / events if is_queued else 0,
            "invocations of the Update Processor": self.invocations / events,
            "transactions of the Update Processor": self.transactions / events,
        }

    def usd_per_million(self, wiring: str) -> float:
        """Return what a million commands cost on AWS, by the list prices."""
        events = max(1, self.commands)
        tries = max(1.0, self.transactions / events)
        return price(Calls(commands=MILLION, projection_tries=tries, wiring=wiring)).usd


def used_in(run: duckdb.DuckDBPyConnection) -> Used:
    """Count what a run made the system do.

    Args:
        run: A database with the tables of a run.
    """
    # What opens the accounts comes in a burst, and so in large batches.
    found = run.execute(f"""
        SELECT (SELECT COUNT(*) {LAGGING_EVENTS}), COUNT(*), COALESCE(SUM(attempts), 0)::BIGINT,
               COUNT(DISTINCT request_id)
        FROM deliveries
        WHERE event_id IN (SELECT event_id {LAGGING_EVENTS})
    """).fetchall()  # noqa: S608 -- a text of ours
    return Used(*found[0])


@dataclass(frozen=True)
class Measured:
    """What a load run with one wiring came to.

    Attributes:
        target: Where it ran.
        wiring: How events travelled.
        verdict: What the judge said of it.
        measures: Its measures.
        used: What it made the system do.
        versions: Of the programs that took part.
    """

    target: str
    wiring: str
    verdict: str
    measures: Mapping[str, float]
    used: Used
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Load:
    """What each wiring is loaded with.

    Attributes:
        profile: A profile of loadtest/profiles.
        rate: Of which it takes its shares, in calls per second; None for the target's.
        duration: How long calls arrive.
    """

    profile: str
    rate: float | None
    duration: str

    @property
    def arguments(self) -> list[str]:
        """It as arguments of `tidemark load`."""
        rate = [] if self.rate is None else ["--rate", f"{self.rate:g}"]
        return [self.profile, *rate, "--seed", _SEED]


def measure(target: str, load: Load) -> list[Measured]:
    """Start a target, load a stack of each wiring, and stop it.

    Raises:
        TidemarkError: A command failed.
    """
    steps = Steps()
    with published.target_of_its_own() as state:
        for wiring in WIRINGS:
            named = ("--target", target, "--stack-name", _stack(wiring))
            with steps.step(f"{wiring} is deployed to {target}, and warm"):
                tidemark("up", *named, "--wiring", wiring, state=state)
                _load(wiring, load, *_WARM_UP, state=state)
        return [_measured(target, wiring, load, state, steps) for wiring in WIRINGS]


def section(pair: Sequence[Measured], load: Load, on: str) -> str:
    """Return what the page says of a target.

    Args:
        pair: What was measured there.
        load: What the wirings were loaded with.
        on: The day.
    """
    rate = "the target's rate" if load.rate is None else f"{load.rate:g} calls/s"
    versions = ", ".join(f"{name} {value}" for name, value in pair[0].versions.items())
    return (
        f"On {on}, {os.cpu_count()} cores, load generator included: {versions}.\n"
        f"Calls were those of the profile `{load.profile}` at its share of {rate}, for "
        f"{load.duration}, seed `{_SEED}`.\n\n"
        + published.table(["", *(one.wiring for one in pair)], rows(pair))
    )


_BEGINS = """# The wirings compared

Written by `make wirings`; do not edit.

Both wirings got the same calls, one after the other, on one target.
`queued` is topic, queue, Update Processor; `direct` is topic, Update Processor.
"""
_ENDS = """## How to read it

Calls are counted from what a load left behind: deliveries, their transactions and invocations.
A command on its own makes 10 with `queued` and 7 with `direct`; batches make fewer, conflicts more.
A queue is received from and deleted from once for each invocation.
What a poller asks of an empty queue is not counted.
Costs are what AWS would charge for a million such commands, each event delivered by itself.
They follow the list prices of us-east-1 in `tidemark/measures/cost.py`; no bill was compared.
Lag and rates are those of an emulator on one machine.
They compare two wirings of this stack there, and do not predict AWS.
How the wirings differ when something fails is in the decisions
[4](adr/0004-a-queue-between-topic-and-processor.md) and
[9](adr/0009-direct-wiring-leaves-transient-failures-to-the-sweeper.md).

`make wirings` measures it anew on every target that the machine can start.
`make wirings TARGET=embedded` takes one.
"""


def rows(pair: Sequence[Measured]) -> list[list[str]]:
    """Return what was measured of some wirings, a row each: its name and their values."""
    found = [["verdict", *(one.verdict for one in pair)]]
    found += [
        [name, *(_shown(one.measures.get(measure)) for one in pair)]
        for name, measure in (
            ("accepted commands, per second", "writes_per_s"),
            ("command latency p50, ms", "write_p50_ms"),
            ("command latency p99, ms", "write_p99_ms"),
            ("projection lag p50, ms", "lag_p50_ms"),
            ("projection lag p99, ms", "lag_p99_ms"),
        )
    ]
    calls = [one.used.calls(one.wiring) for one in pair]
    found += [
        [f"{name}, per million commands", *(f"{one[name] * MILLION:,.0f}" for one in calls)]
        for name in calls[0]
    ]
    total = [sum(one.values()) * MILLION for one in calls]
    found.append(["AWS calls in all, per million commands", *(f"{one:,.0f}" for one in total)])
    costs = [one.used.usd_per_million(one.wiring) for one in pair]
    found.append(["estimated cost, USD per million commands", *(f"{one:.2f}" for one in costs)])
    return found


def _measured(target: str, wiring: str, load: Load, state: Path, steps: Steps) -> Measured:
    with steps.step(f"{wiring} on {target} is loaded and judged"):
        report = _load(wiring, load, "--duration", load.duration, state=state)
    status = json.loads(tidemark("status", "--stack-name", _stack(wiring), "--json", state=state))
    folder = folder_of_runs(state) / report["run"]
    with connect(RunFolder.open(folder)) as database:
        used = used_in(database)
    return Measured(
        target=target,
        wiring=wiring,
        verdict=report["verdict"],
        measures=report["figures"]["measures"],
        used=used,
        versions=told(status["versions"]),
    )


def _load(wiring: str, load: Load, *others: str, state: Path) -> dict[str, Any]:
    """Load the stack of a wiring; an SLO that is missed is a figure like others."""
    stack = ("--stack-name", _stack(wiring), "--json")
    said = tidemark("load", *load.arguments, *others, *stack, state=state, ends=(0, 2))
    report: dict[str, Any] = json.loads(said)
    return report


def _stack(wiring: str) -> str:
    return f"Wiring{wiring.capitalize()}"


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m tools.wirings", description=__doc__)
    known = startable()
    parser.add_argument("--target", choices=known, help="one of them; all by default")
    parser.add_argument("--profile", default="write")
    parser.add_argument("--rate", type=float, help="of which the profile takes its share")
    parser.add_argument("--duration", default="20s")
    said = parser.parse_args()
    load = Load(said.profile, said.rate, said.duration)
    failed = []
    for target in [said.target] if said.target else known:
        try:
            pair = measure(target, load)
        except TidemarkError as error:
            failed.append(f"{target} was not measured: {error}")
            continue
        drawn = with_headings(target, *WIRINGS, right=WIRINGS)
        for row in rows(pair):
            drawn.add_row(*row)
        show(drawn)
        told = section(pair, load, f"{datetime.now(UTC):%Y-%m-%d}")
        PAGE.write_text(published.page(_BEGINS, {target: told}, PAGE.read_text(), _ENDS))
        sys.stdout.write(f"Written to {PAGE}\n")
    if failed:
        sys.stderr.write("\n".join(failed) + "\n")
        raise SystemExit(ExitCode.FAILED)


if __name__ == "__main__":
    published.run(main)
