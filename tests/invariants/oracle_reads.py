"""The oracle's view of reads: what a session was shown, and what the log says it could be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.invariants.finding import Finding, grouped

if TYPE_CHECKING:
    from tests.invariants.bank import Row
    from tests.invariants.recorded import Tables


def true_reads(tables: Tables) -> Finding:
    log = grouped(tables["events"], "aggregate", "version")
    return Finding(
        is_violated=(
            any(not _is_true_account(log, read) for read in tables["account_reads"])
            or any(not _is_true_page(log, page) for page in tables["page_reads"])
            or any(not _is_true_line(log, line) for line in tables["page_lines"])
            or any(not _is_true_account_of_owner(log, read) for read in tables["owner_reads"])
            or any(not _are_possible_totals(tables, read) for read in tables["totals_reads"])
        ),
        is_enough=any(read["version"] != 0 for read in tables["account_reads"]),
    )


def _is_true_account(log: dict[tuple[str, int], list[Row]], read: Row) -> bool:
    if read["token"] is not None and read["version"] < read["token"]:
        return False
    events = log.get((read["aggregate"], read["version"]), [])
    if read["version"] == 0 and not events:
        return True
    return bool(events) and all(event["state_digest"] == read["digest"] for event in events)


def _is_true_page(log: dict[tuple[str, int], list[Row]], page: Row) -> bool:
    first, last = page["first_version"], page["last_version"]
    if page["lines"] == 0:
        return bool(first == last == page["digest_sum"] == 0)
    if last < 1 or first - last + 1 != page["lines"] or (page["is_last"] and last != 1):
        return False
    lines = [
        {event["line_digest"] for event in log.get((page["aggregate"], version), [])}
        for version in range(last, first + 1)
    ]
    if not all(len(of_version) == 1 for of_version in lines):
        return False
    return bool(page["digest_sum"] == sum(sum(of_version) for of_version in lines))


def _is_true_line(log: dict[tuple[str, int], list[Row]], line: Row) -> bool:
    events = log.get((line["aggregate"], line["version"]), [])
    return line["place"] == line["version"] and any(
        event["line_digest"] == line["digest"] for event in events
    )


def _is_true_account_of_owner(log: dict[tuple[str, int], list[Row]], read: Row) -> bool:
    events = log.get((read["aggregate"], read["version"]), [])
    return any(event["state_digest"] == read["digest"] for event in events) and all(
        event["owner"] in (None, read["owner"]) for event in events
    )


def _are_possible_totals(tables: Tables, read: Row) -> bool:
    opened = {e["aggregate"] for e in tables["events"] if e["owner"] == read["owner"]}
    return read["accounts"] in range(len(opened) + 1)


def monotonic_reads(tables: Tables) -> Finding:
    is_violated = was_read_again = False
    for reads in grouped(tables["account_reads"], "writer", "session", "aggregate").values():
        for read in reads:
            if read["token"] is None:
                continue
            earlier = [one["version"] for one in reads if one["seq"] < read["seq"]]
            is_violated |= bool(earlier) and read["version"] < max(earlier)
            was_read_again |= bool(earlier)
    return Finding(is_violated, was_read_again)
