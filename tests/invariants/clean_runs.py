"""Runs in which nothing went wrong, though much happened; and the rows with which a run closes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.invariants.bank import Answer
from tests.invariants.recorded import RUN, Run, Tables
from tidemark.history.examination import CLOSING
from tidemark.history.tables import TABLES
from tidemark.workloads.canonical import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


EXPORT = f"{RUN}.export"
CLAIMED = [f"I{number}" for number in (*range(14), 15, 16, 17, 18)]
SETTINGS = {
    "convergence_bound_ms": 150_000,
    "lag_bound_ms": 5_000,
    "recovery_ms": 0,
    "most_receives": 6,
}
_ROUNDS = 20


def clean_run(seed: int = 1, steps: int = 60) -> Tables:
    """The tables of a run in which nothing went wrong, and everything was exercised.

    Args:
        seed: Where every draw comes from.
        steps: How many commands and reads, beside those that exercise each invariant.
    """
    run = Run(seed)
    accounts = [f"{RUN}-a{number}" for number in range(4)]
    for number, account in enumerate(accounts):
        run.command("open", account, owner=f"{RUN}-o{number % 2}")
    _disturb(run, accounts[0])
    _interrupt(run, accounts[2])
    _send_again(run, accounts[1])
    _sample(run, accounts[2])
    _close(run)
    for _ in range(steps):
        run.random.choice(_STEPS)(run, run.random.choice(accounts))
    return finish(run)


def finish(run: Run) -> Tables:
    """Let a run become quiet, read what it came to, and export all of it."""
    for _ in range(_ROUNDS):
        run.clock.pass_ms(100)
        run.project()
        if not any(event.in_outbox for event in run.write.events):
            break
        run.sweep()
    read_finally(run)
    return export(run)


def read_finally(run: Run) -> None:
    """Read through the API what the read model came to."""
    for account in sorted({event.account for event in run.write.events}):
        run.read(account, purpose="final")
        run.read_pages(account, 5, 100, purpose="final", is_kept=False)
    for owner in sorted({event.owner for event in run.write.events}):
        run.read_owner(owner, purpose="final")


def export(run: Run) -> Tables:
    """What both sides and the transport hold, beside what was recorded, and how it closes."""
    tables: Tables = {name: [] for name in TABLES} | run.rows | run.transport.rows
    tables["events"] = [event.row() for event in run.write.events]
    tables["heads"] = [
        {
            "aggregate": head.id,
            "version": head.version,
            "state": head.state(),
            "digest": digest_of(head.state()),
        }
        for head in run.write.heads.values()
    ]
    tables["commands"] = [
        {
            "principal": principal,
            "key": key,
            "aggregate": answer.event.account,
            "version": answer.version,
            "event_id": answer.event_id,
        }
        for (principal, key), (_, answer) in run.write.kept.items()
        if answer.event is not None
    ]
    tables["accounts"] = run.projection.account_rows()
    tables["lines"] = run.projection.line_rows()
    tables["totals"] = run.projection.totals_rows()
    tables["claims"] = [{"invariant": one} for one in CLAIMED]
    tables["settings"] = [{"name": name, "value": value} for name, value in SETTINGS.items()]
    struck = Counter(row["fault"] for row in tables["faults"])
    tables["planned_faults"] = [{"fault": one, "times": 1} for one in sorted(struck)]
    return closed(tables)


def closed(tables: Tables, killed: Collection[str] = ()) -> Tables:
    """A run's tables with the rows that close it, as they must be for what is in them."""
    rows = Counter(
        (row.get("writer", EXPORT), name)
        for name in TABLES
        if name not in CLOSING
        for row in tables[name]
    )
    writers = sorted({writer for writer, _ in rows} | {EXPORT} | set(killed))
    closing: Tables = {
        "writers": [
            {
                "writer": writer,
                "ops_begun": rows[writer, "ops"],
                "ops_written": rows[writer, "ops"],
                "clock_offset_ns": 0,
                "clock_error_ns": 1_000,
                "closed": writer not in killed,
            }
            for writer in writers
        ],
        "written": [
            {"writer": writer, "table_name": name, "row_count": rows[writer, name]}
            for writer in writers
            if writer not in killed
            for name in TABLES
            if name not in CLOSING
        ],
    }
    return tables | closing


def _disturb(run: Run, account: str) -> None:
    """All that may go wrong on the way without harm."""
    poison = run.transport.publish(None)
    fault = run.fault("poison", message_id=poison.id)
    for _ in range(5):
        run.project()
    fault["end_ns"] = run.clock.now_ns
    fault = run.fault("throttled")
    run.command("deposit", account, 11)
    run.command("deposit", account, 12)
    fault["end_ns"] = run.clock.now_ns
    run.project()
    # The second comes without the first, which comes later.
    run.command("deposit", account, 7)
    run.command("deposit", account, 8)
    run.transport.project(run.transport.waiting[1:])
    run.project()
    # A copy of the sweeper's came first; the message itself was never let through.
    run.command("deposit", account, 13)
    late = run.transport.waiting[0]
    run.sweep()
    run.transport.project(run.transport.waiting[1:])
    late.receive_count = 6
    run.transport.bury(late)


def _interrupt(run: Run, account: str) -> None:
    """Work of the processor of which nobody was told."""
    run.command("deposit", account, 9)
    run.projection.loses_next_answer = True
    run.project()
    # This process ended after its work, and before it said so.
    run.command("deposit", account, 10)
    run.projection.crashes_in_the_middle = True
    run.project()
    run.project()


def _send_again(run: Run, account: str) -> None:
    """Keys that are used more than once, and versions to which several commands are pinned."""
    session = run.caller(0, 0)
    first = run.command("deposit", account, 50, pinned=1, caller=session)
    run.command("deposit", account, 60, pinned=1, caller=run.caller(1, 1))
    run.command("deposit", account, 60, pinned=9)
    run.again(first)
    run.again(first, pinned=None)
    run.again(first, amount=51)
    run.again(first, refused=Answer(429, "throttled"))
    # Another caller's key is another key, whatever it says.
    run.send(run.caller(0, 1), run.asked(session, "deposit", account, 1, key=first["key"],
             principal="AROA1"))  # fmt: skip
    lost = run.command("withdraw", account, 5, is_lost=True)
    run.again(lost)
    run.command("withdraw", account, 1, is_lost=True)
    refused = run.command("withdraw", account, 1_000)
    run.again(refused, amount=2)
    run.command("deposit", account, 3, is_lost=True, refused=Answer(503))
    run.read(account, caller=session, with_token=True)
    run.project()
    for _ in range(3):
        run.read(account, caller=session, with_token=True)
    run.read_pages(account, 3, 2)
    run.read_owner(run.write.owner_of(account))


def _sample(run: Run, account: str) -> None:
    """As many samples before and after projections as are wanted."""
    for amount in range(20):
        run.command("deposit", account, amount + 1)
        event = run.write.events[-1]
        run.sample(event)
        run.project()
        run.sample(event)


def _close(run: Run) -> None:
    shut = f"{RUN}-shut"
    run.read(shut)
    run.read_pages(shut, 2, 1)
    run.command("open", shut, owner=f"{RUN}-o0")
    run.command("close", shut)
    run.command("deposit", shut, 5)
    run.command("deposit", f"{RUN}-none", 5)


def _deposit(run: Run, account: str) -> None:
    run.command("deposit", account, run.random.randint(1, 99), is_lost=run.random.random() < 0.1)


def _withdraw(run: Run, account: str) -> None:
    run.command("withdraw", account, run.random.randint(1, 150))


def _project(run: Run, _: str) -> None:
    run.project(run.random.randint(1, 4))


def _deliver_twice(run: Run, _: str) -> None:
    run.sweep()
    run.project(run.random.randint(1, 4))


def _sample_any(run: Run, _: str) -> None:
    run.sample(run.random.choice(run.write.events), run.random.randrange(2))


def _read(run: Run, account: str) -> None:
    run.read(account, with_token=run.random.random() < 0.7)


def _read_pages(run: Run, account: str) -> None:
    run.read_pages(account, run.random.randint(1, 4), 2, is_kept=run.random.random() < 0.5)


def _read_owner(run: Run, account: str) -> None:
    run.read_owner(run.write.owner_of(account))


_STEPS: list[Callable[[Run, str], None]] = [
    _deposit, _deposit, _withdraw, _project, _project, _deliver_twice, _sample_any, _read, _read,
    _read_pages, _read_owner,
]  # fmt: skip
