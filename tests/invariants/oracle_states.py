"""The oracle's view of what both sides hold in the end, and of the samples on the way there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.invariants.finding import (
    NS_PER_MS,
    NUMBER,
    Finding,
    final,
    grouped,
    has_twins,
    is_late,
    is_views_only,
    killed_writers,
    number_of,
    setting,
    whole_accounts,
)

if TYPE_CHECKING:
    from tests.invariants.bank import Row
    from tests.invariants.recorded import Tables

_PLACE = ("aggregate", "version")
_NOT_THERE = 404


def nothing_lost(tables: Tables) -> Finding:
    accounts = grouped(tables["accounts"], "aggregate")
    lines = grouped(tables["lines"], *_PLACE)
    views_only = is_views_only(tables)

    def is_lost(event: Row) -> bool:
        if event["in_outbox"] or (event["projected_at_ms"] is None and not views_only):
            return True
        rows = accounts.get(event["aggregate"], [])
        is_shown = bool(rows) and all(row["version"] >= event["version"] for row in rows)
        return not (is_shown and (views_only or (event["aggregate"], event["version"]) in lines))

    log = tables["events"]
    return Finding(any(map(is_lost, log)), bool(log))


def exactly_once(tables: Tables) -> Finding:
    logs = grouped(tables["events"], "aggregate")
    whole = whole_accounts(tables)
    return Finding(
        is_violated=(
            any(len(_owners(log)) > 1 for log in logs.values())
            or any(not _is_counted_once(tables, name, log) for name, log in whole.items())
            or not _are_totals_right(tables, logs)
        ),
        is_enough=any(_balance(log) is not None for log in whole.values()),
        is_beyond_judgement=not is_views_only(tables) and len(whole) < len(logs),
    )


def _owners(log: list[Row]) -> set[str]:
    return {event["owner"] for event in log} - {None}


def _distinct(log: list[Row]) -> set[tuple[int, str, int | None]]:
    """The events of an account, each once however often it is there."""
    return {(event["version"], event["event_id"], event["amount"]) for event in log}


def _balance(log: list[Row]) -> int | None:
    """The sum over distinct events; none where events have no amounts."""
    amounts = [amount for *_, amount in _distinct(log) if amount is not None]
    return sum(amounts) if amounts else None


def _is_counted_once(tables: Tables, account: str, log: list[Row]) -> bool:
    rows = [row for row in tables["accounts"] if row["aggregate"] == account]
    lines = [row for row in tables["lines"] if row["aggregate"] == account]
    balances = [row["balance"] for row in rows] or [None]
    is_counted = is_views_only(tables) or len(lines) == len(_distinct(log))
    return is_counted and all(one == _balance(log) for one in balances)


def _are_totals_right(tables: Tables, logs: dict[str, list[Row]]) -> bool:
    of_owner = grouped(
        [
            {"owner": min(_owners(log)), "log": log, "late": any(map(is_late, log))}
            for log in logs.values()
            if _owners(log)
        ],
        "owner",
    )
    totals = grouped(tables["totals"], "owner")
    for owner, accounts in of_owner.items():
        if any(one["late"] for one in accounts):
            continue
        balance = sum(_balance(one["log"]) or 0 for one in accounts)
        rows = totals.get(owner, [])
        if not rows or any((r["balance"], r["accounts"]) != (balance, len(accounts)) for r in rows):
            return False
    return True


def order(tables: Tables) -> Finding:
    def is_in_order(rows: list[Row]) -> bool:
        versions = sorted(row["version"] for row in rows)
        return versions == list(range(1, len(versions) + 1))

    logs = grouped(tables["events"], "aggregate").values()
    statements = grouped(tables["lines"], "aggregate").values()
    return Finding(not all(map(is_in_order, [*logs, *statements])), bool(tables["events"]))


def convergence(tables: Tables) -> Finding:
    return Finding(
        is_violated=(
            has_twins(tables["accounts"], "aggregate")
            or any(
                not _is_fold(tables["accounts"], log)
                for log in grouped(tables["events"], "aggregate").values()
            )
            or _a_line_differs(tables)
            or _the_api_differs(tables)
            or _came_late(tables)
        ),
        is_enough=bool(tables["events"]) and bool(setting(tables, "convergence_bound_ms")),
        is_beyond_judgement=any(
            op["kind"] == "query"
            and op["purpose"] == "final"
            and op["outcome"] != "ok"
            and op["status"] != _NOT_THERE
            for op in tables["ops"]
        ),
    )


def _is_fold(rows: list[Row], log: list[Row]) -> bool:
    """Whether an account, as it is kept somewhere, is what its newest event made of it."""
    newest = max(event["version"] for event in log)
    kept = [row for row in rows if row["aggregate"] == log[0]["aggregate"]]
    return bool(kept) and all(
        (row["version"], row["digest"]) == (newest, event["state_digest"])
        for row in kept
        for event in log
        if event["version"] == newest
    )


def _a_line_differs(tables: Tables) -> bool:
    return any(
        all(line[name] == event[name] for name in _PLACE) and line["digest"] != event["line_digest"]
        for line in tables["lines"]
        for event in tables["events"]
    )


def _the_api_differs(tables: Tables) -> bool:
    """Whether what was read at the end is not what the read model holds."""
    held = {row["aggregate"]: (row["version"], row["digest"]) for row in tables["accounts"]}
    totals = grouped(tables["totals"], "owner")
    for read in [*final(tables, "account_reads"), *final(tables, "owner_reads")]:
        if (read["version"], read["digest"]) != held.get(read["aggregate"], (0, None)):
            return True
    for account, pages in grouped(final(tables, "page_reads"), "aggregate").items():
        newest, _ = held.get(account, (0, None))
        if _differs(tables, max(page["first_version"] for page in pages), newest):
            return True
    for read in final(tables, "totals_reads"):
        of_owner = totals.get(read["owner"], [{"accounts": 0, "balance": 0}])
        if any(read[name] != row[name] for row in of_owner for name in ("accounts", "balance")):
            return True
    return _pages_of_owners_differ(tables)


def _differs(tables: Tables, shown: int, held: int) -> bool:
    """Whether as much was shown at the end as is held; a killed recorder lost some of it."""
    return shown > held or (shown < held and not killed_writers(tables))


def _pages_of_owners_differ(tables: Tables) -> bool:
    pages = [
        op for op in tables["ops"] if op["purpose"] == "final" and op["reads"] == "owner_reads"
    ]
    shown = grouped(tables["owner_reads"], *NUMBER)
    for owner, ops in grouped(pages, "owner").items():
        accounts = {row["aggregate"] for op in ops for row in shown.get(number_of(op), [])}
        counted = [row["accounts"] for row in tables["totals"] if row["owner"] == owner] or [0]
        is_complete = all(op["outcome"] == "ok" for op in ops)
        if is_complete and any(_differs(tables, len(accounts), count) for count in counted):
            return True
    return False


def _came_late(tables: Tables) -> bool:
    log = tables["events"]
    projected = [e["projected_at_ms"] for e in log if e["projected_at_ms"] is not None]
    healed = [row["end_ns"] for row in tables["faults"] if row["end_ns"] is not None]
    if not projected:
        return False
    written_ns = max(event["recorded_at_ms"] for event in log) * NS_PER_MS
    took_ns = max(projected) * NS_PER_MS - max([written_ns, *healed])
    return any(took_ns > bound * NS_PER_MS for bound in setting(tables, "convergence_bound_ms"))


def atomic_projection(tables: Tables) -> Finding:
    samples = tables["snapshots"]
    before = [
        row
        for row in samples
        if row["projected_at_ms"] is None and row["taken_at_ms"] - row["recorded_at_ms"] < 1000
    ]
    after = [row for row in samples if row["projected_at_ms"] is not None]
    whole = whole_accounts(tables)
    return Finding(
        is_violated=(
            any(_shows_half(sample) for sample in samples)
            or any(not _is_of_the_log(tables, sample) for sample in samples)
            or _went_back(samples)
            or any(not _is_all_there(tables, log) for log in whole.values())
            or _marks_differ(tables)
        ),
        is_enough=len(before) >= 20 and len(after) >= 20,
        is_beyond_judgement=not is_views_only(tables)
        and len(whole) < len(grouped(tables["events"], "aggregate")),
    )


def _shows_half(sample: Row) -> bool:
    is_marked = sample["projected_at_ms"] is not None
    return len({is_marked, sample["has_line"], sample["account_version"] >= sample["version"]}) > 1


def _went_back(samples: list[Row]) -> bool:
    """Whether a sample shows an account at an older version than an earlier one."""
    return any(
        all(later[name] == earlier[name] for name in ("writer", "aggregate"))
        and later["sample"] > earlier["sample"]
        and later["account_version"] < earlier["account_version"]
        for later in samples
        for earlier in samples
    )


def _is_of_the_log(tables: Tables, sample: Row) -> bool:
    log = [event for event in tables["events"] if event["aggregate"] == sample["aggregate"]]
    is_there = any(
        all(event[name] == sample[name] for name in ("version", "event_id", "recorded_at_ms"))
        and sample["projected_at_ms"] in (None, event["projected_at_ms"])
        for event in log
    )
    shown = sample["account_version"]
    return is_there and (shown == 0 or any(event["version"] == shown for event in log))


def _is_all_there(tables: Tables, log: list[Row]) -> bool:
    """Whether account and lines of an account are there whose events are all marked."""
    account = log[0]["aggregate"]
    reached = [row["version"] for row in tables["accounts"] if row["aggregate"] == account] or [0]
    lines = {row["version"] for row in tables["lines"] if row["aggregate"] == account}
    return all(
        min(reached) >= event["version"] and (is_views_only(tables) or event["version"] in lines)
        for event in log
    )


def _marks_differ(tables: Tables) -> bool:
    return any(
        all(account[name] == event[name] for name in _PLACE)
        and event["projected_at_ms"] not in (None, account["projected_at_ms"])
        for account in tables["accounts"]
        for event in tables["events"]
    )


def head_equals_fold(tables: Tables) -> Finding:
    logs = grouped(tables["events"], "aggregate").values()
    heads = {row["aggregate"] for row in tables["heads"]}
    return Finding(
        is_violated=has_twins(tables["heads"], "aggregate")
        or any(
            not _is_fold(tables["heads"], log)
            for log in logs
            if not is_views_only(tables) or log[0]["aggregate"] in heads
        ),
        is_enough=bool(tables["heads"]),
    )


def rules_hold(tables: Tables) -> Finding:
    is_violated = False
    for log in grouped(tables["events"], "aggregate").values():
        closed = [event["version"] for event in log if event["status"] == "closed"]
        versions = {event["version"] for event in log}
        for version in versions:
            balance = _balance([event for event in log if event["version"] <= version]) or 0
            is_violated |= balance < 0 or (version in closed and balance > 0)
        is_violated |= bool(closed) and max(versions) > min(closed)
    of_a_balance = any(event["amount"] is not None for event in tables["events"])
    return Finding(is_violated, of_a_balance)
