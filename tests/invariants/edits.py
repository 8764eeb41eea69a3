"""Edits that break a run: of any cell or row, and such as a broken system would leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tests.invariants.bank import Account
from tidemark.history.checksums import DIGESTS
from tidemark.history.tables import TABLES, Kind
from tidemark.workloads.canonical import digest_of

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tests.invariants.bank import Row
    from tests.invariants.recorded import Tables

    Edit = Callable[[Tables, random.Random], None]

# What is computed from a text in the same row, and from other rows: no cell of its own.
SUMS = {(name, one.name) for name, one in DIGESTS.items()} | {("page_reads", "digest_sum")}


def edited(tables: Tables, edits: list[Edit], draw: random.Random) -> Tables:
    """A run's tables with edits made one after the other; the run itself stays as it is."""
    changed = {name: list(rows) for name, rows in tables.items()}
    for edit in edits:
        edit(changed, draw)
    return changed


def with_cell(name: str, row: Row, column: str, value: Any) -> Row:
    """A row with another cell, and with the digests that are computed from it."""
    row = row | {column: value}
    digest = DIGESTS.get(name)
    if digest and column in (digest.text, digest.place):
        (row[digest.name],) = digest.of(pa.RecordBatch.from_pylist([row]))
    return row


def another_cell(name: str, row: Row, rows: list[Row], draw: random.Random) -> tuple[str, Any]:
    """A column of a row, and a value for it that may be another."""
    columns = [one for one in TABLES[name].columns if (name, one.name) not in SUMS]
    column = draw.choice(columns)
    value = row[column.name]
    match column.kind:
        case Kind.FLAG:
            return column.name, not value
        case Kind.INTEGER:
            return column.name, (value or 0) + draw.choice([-1, 1, 7])
    others = {one[column.name] for one in rows} - {value, None}
    return column.name, draw.choice(sorted(others) or [f"{value or ''}x"])


_NOT_OF_VIEWS = (
    *("heads", "commands", "lines", "totals", "snapshots", "dead_letters"),
    *("deliveries", "healed", "invocations", "faults", "planned_faults"),
    *("page_reads", "page_lines", "totals_reads", "owner_reads"),
)

# Blind edits


def _drop(tables: Tables, draw: random.Random) -> None:
    rows = tables[_some_table(tables, draw)]
    del rows[draw.randrange(len(rows))]


def _double(tables: Tables, draw: random.Random) -> None:
    rows = tables[_some_table(tables, draw)]
    rows.append(draw.choice(rows))


def _change(tables: Tables, draw: random.Random) -> None:
    name = _some_table(tables, draw)
    rows = tables[name]
    at = draw.randrange(len(rows))
    column, value = another_cell(name, rows[at], rows, draw)
    rows[at] = with_cell(name, rows[at], column, value)


def _swap(tables: Tables, draw: random.Random) -> None:
    name = _some_table(tables, draw)
    rows = tables[name]
    column = draw.choice(TABLES[name].columns).name
    one, other = draw.randrange(len(rows)), draw.randrange(len(rows))
    first, second = rows[one][column], rows[other][column]
    rows[one] = with_cell(name, rows[one], column, second)
    rows[other] = with_cell(name, rows[other], column, first)


def _empty(tables: Tables, draw: random.Random) -> None:
    tables[_some_table(tables, draw)].clear()


def _some_table(tables: Tables, draw: random.Random) -> str:
    return draw.choice(sorted(name for name, rows in tables.items() if rows))


# Edits with a meaning


def _move_event(tables: Tables, draw: random.Random) -> None:
    event = _take(tables, "events", draw)
    if event:
        other = draw.choice([row["aggregate"] for row in tables["heads"]] or ["nobody"])
        tables["events"].append(event | {"aggregate": other})


def _shift_versions(tables: Tables, draw: random.Random) -> None:
    """From some version on, each event of an account is one later."""
    name = draw.choice(["events", "lines"])
    if not tables[name]:
        return
    start = draw.choice(tables[name])
    tables[name][:] = [
        with_cell(name, row, "version", row["version"] + 1)
        if row["aggregate"] == start["aggregate"] and row["version"] >= start["version"]
        else row
        for row in tables[name]
    ]


def _deliver_again(tables: Tables, draw: random.Random) -> None:
    if tables["deliveries"]:
        delivery = draw.choice(tables["deliveries"])
        again = {"request_id": "again", "message_id": delivery["message_id"]}
        outcome = draw.choice(["applied", "duplicate", "failed"])
        tables["deliveries"].append(
            delivery | again | {"outcome": outcome, "receive_count": draw.randint(1, 8)}
        )
        tables["invocations"].append(again | {"at_ms": delivery["at_ms"], "ended": True})


def _make_stale(tables: Tables, draw: random.Random) -> None:
    """Let a read have seen another version, rightly; its op says so, too."""
    read = _take(tables, "account_reads", draw)
    known = [row for row in tables["account_reads"] if row["version"]]
    if not read or not known:
        return
    other = draw.choice(known)
    seen = {name: other[name] for name in ("aggregate", "version", "state", "digest")}
    tables["account_reads"].append(read | seen)
    _change_op(tables, read, aggregate=seen["aggregate"], version=seen["version"])


def _lose_projection(tables: Tables, draw: random.Random) -> None:
    """An account's last event is not projected, or only some of it."""
    if not tables["accounts"]:
        return
    account = draw.choice(tables["accounts"])
    place = {"aggregate": account["aggregate"], "version": account["version"]}

    def is_at(row: Row) -> bool:
        return all(row[name] == value for name, value in place.items())

    if draw.random() < 0.7:
        unprojected = {"projected_at_ms": None, "in_outbox": draw.random() < 0.7}
        tables["events"][:] = [row | unprojected if is_at(row) else row for row in tables["events"]]
    if draw.random() < 0.7:
        tables["lines"][:] = [row for row in tables["lines"] if not is_at(row)]
    if draw.random() < 0.7:
        before = account | {"version": account["version"] - 1}
        tables["accounts"][:] = [before if is_at(row) else row for row in tables["accounts"]]


def _commit_refused(tables: Tables, draw: random.Random) -> None:
    """A command that was refused, or is in doubt, is in the log after all."""
    ops = [op for op in tables["ops"] if op["kind"] == "command" and op["outcome"] != "ok"]
    if not ops or not tables["events"]:
        return
    op = draw.choice(ops)
    event = draw.choice(tables["events"])
    tables["events"].append(
        event
        | {
            "aggregate": op["aggregate"],
            "version": draw.choice([event["version"], event["version"] + 1, 99]),
            "event_id": "committed",
            "principal": op["principal"],
            "key": op["key"],
            "effect_digest": draw.choice([op["effect_digest"], event["effect_digest"]]),
        }
    )


def _pin(tables: Tables, draw: random.Random) -> None:
    ops = [op for op in tables["ops"] if op["kind"] == "command"]
    if ops:
        op = draw.choice(ops)
        _change_op(tables, op, expected_version=(op["version"] or 1) - draw.randint(0, 2))


def _share_key(tables: Tables, draw: random.Random) -> None:
    ops = [op for op in tables["ops"] if op["kind"] == "command"]
    if ops:
        one, other = draw.choice(ops), draw.choice(ops)
        shared = {name: one[name] for name in ("principal", "key", "payload_hash")}
        if draw.random() < 0.5:
            shared |= {name: one[name] for name in ("effect_digest", "aggregate")}
        _change_op(tables, other, **shared)


def _postpone(tables: Tables, draw: random.Random) -> None:
    """All ops of a key but the first come a day later, and so may its events."""
    ops = [op for op in tables["ops"] if op["kind"] == "command"]
    if not ops:
        return
    key = draw.choice(ops)["key"]
    later_ns = draw.choice([23, 25]) * 3_600_000_000_000
    for op in [op for op in ops if op["key"] == key][1:]:
        times = ("intended_ns", "start_ns", "end_ns")
        _change_op(tables, op, **{name: op[name] + later_ns for name in times})


def _kill(tables: Tables, draw: random.Random) -> None:
    if tables["writers"]:
        at = draw.randrange(len(tables["writers"]))
        tables["writers"][at] = tables["writers"][at] | {"closed": False}


def _never_heal(tables: Tables, draw: random.Random) -> None:
    if tables["faults"]:
        at = draw.randrange(len(tables["faults"]))
        tables["faults"][at] = tables["faults"][at] | {"end_ns": None}


def _rebind(tables: Tables, draw: random.Random) -> None:
    """A bound that is much tighter."""
    if tables["settings"]:
        at = draw.randrange(len(tables["settings"]))
        tables["settings"][at] = tables["settings"][at] | {"value": draw.choice([0, 1, 20])}


def _count_twice(tables: Tables, draw: random.Random) -> None:
    if tables["accounts"] and tables["totals"]:
        at = draw.randrange(len(tables["accounts"]))
        row = tables["accounts"][at]
        balance = row["balance"] + draw.choice([-5, 5])
        state = Account(row["aggregate"], "", balance, "open", row["version"]).state()
        counted = {"balance": balance, "state": state, "digest": digest_of(state)}
        tables["accounts"][at] = row | counted


def _unclaim(tables: Tables, draw: random.Random) -> None:
    """A claim goes, with the table that it stands on."""
    name, claim = draw.choice(
        [
            ("faults", "I12"), ("faults", "I15"), ("planned_faults", "I16"), ("snapshots", "I7"),
            ("deliveries", "I13"), ("account_reads", "I9"), ("settings", "I6"), ("heads", "I17"),
        ]
    )  # fmt: skip
    tables[name] = []
    tables["claims"] = [row for row in tables["claims"] if row["invariant"] != claim]


def _read_backwards(tables: Tables, draw: random.Random) -> None:
    """A session reads an account with a token, and later as it was before."""
    known = [row for row in tables["account_reads"] if row["version"]]
    if not known:
        return
    read = draw.choice(known)
    newer = [
        row
        for row in known
        if row["aggregate"] == read["aggregate"] and row["version"] >= read["version"]
    ]
    newest = draw.choice(newer) | {name: read[name] for name in ("writer", "session")}
    newest |= {"seq": read["seq"] - draw.choice([0, 1]), "token": draw.choice([None, 1])}
    tables["account_reads"].append(newest)
    if draw.random() < 0.8:
        at = tables["account_reads"].index(read)
        tables["account_reads"][at] = read | {"token": read["version"]}


def leave_views_only(tables: Tables, _: random.Random | None = None) -> None:
    """What of a run a system has that shows one view of each account, and knows no balances."""
    for name in _NOT_OF_VIEWS:
        tables[name] = []
    tables["ops"] = [op for op in tables["ops"] if op["reads"] in (None, "account_reads")]
    nothing = {"owner": None, "amount": None, "status": None, "in_outbox": False}
    tables["events"] = [event | nothing for event in tables["events"]]
    tables["accounts"] = [account | {"balance": None} for account in tables["accounts"]]
    tables["settings"] = [*tables["settings"], {"name": "views_only", "value": 1}]


def _take(tables: Tables, name: str, draw: random.Random) -> Row | None:
    rows = tables[name]
    return rows.pop(draw.randrange(len(rows))) if rows else None


def _change_op(tables: Tables, of: Row, **cells: Any) -> None:
    number = [of[name] for name in ("writer", "session", "seq")]
    tables["ops"][:] = [
        op | cells if [op[name] for name in ("writer", "session", "seq")] == number else op
        for op in tables["ops"]
    ]


EDITS: list[Edit] = [
    _drop, _double, _change, _change, _swap, _empty,
    _move_event, _shift_versions, _deliver_again, _make_stale, _lose_projection, _commit_refused,
    _pin, _share_key, _postpone, _kill, _never_heal, _rebind, _count_twice, _unclaim,
    _read_backwards, leave_views_only,
]  # fmt: skip
