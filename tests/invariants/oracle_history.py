"""The oracle's view of the history itself: is it sound, and did what was planned happen?"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tests.invariants.finding import (
    NUMBER,
    Finding,
    grouped,
    has_twins,
    killed_writers,
    number_of,
    op_of,
)

if TYPE_CHECKING:
    from tests.invariants.bank import Row
    from tests.invariants.recorded import Tables

_READS = ("account_reads", "page_reads", "totals_reads", "owner_reads")


def soundness(tables: Tables) -> Finding:
    return Finding(
        is_violated=any(
            contradicts(tables)
            for contradicts in (
                _sessions_are_wrong,
                _an_op_is_wrong,
                _operations_are_mixed,
                _a_read_is_wrong,
                _something_is_there_twice,
                _a_line_is_wrong,
                _samples_are_missing,
                _invocations_are_wrong,
            )
        ),
        is_enough=bool(tables["ops"]),
        is_beyond_judgement=_is_incomplete(tables),
    )


def not_vacuous(tables: Tables) -> Finding:
    def fired(name: str) -> int:
        return sum(row["fired"] for row in tables["faults"] if row["fault"] == name)

    planned = tables["planned_faults"]
    return Finding(
        is_violated=any(fired(row["fault"]) < row["times"] for row in planned),
        is_enough=bool(planned),
    )


def _sessions_are_wrong(tables: Tables) -> bool:
    for (writer, _), ops in grouped(tables["ops"], "writer", "session").items():
        in_order = sorted(ops, key=lambda op: (op["seq"], op["start_ns"]))
        numbers = [op["seq"] for op in in_order]
        if len(set(numbers)) < len(numbers):
            return True
        if numbers != list(range(1, len(numbers) + 1)) and any(
            row["closed"] and row["ops_begun"] == row["ops_written"]
            for row in tables["writers"]
            if row["writer"] == writer
        ):
            return True
        if any(later["start_ns"] < earlier["end_ns"] for earlier, later in pairwise(in_order)):
            return True
    return False


def _an_op_is_wrong(tables: Tables) -> bool:
    writers = {row["writer"] for row in tables["writers"]}
    return any(
        op["writer"] not in writers
        or not op["intended_ns"] <= op["start_ns"] <= op["end_ns"]
        or not _has_an_outcome(op)
        or (op["kind"] == "command" and not _is_a_command(op))
        or (op["kind"] == "query" and not _is_a_query(op))
        or op["kind"] not in ("command", "query")
        for op in tables["ops"]
    )


def _operations_are_mixed(tables: Tables) -> bool:
    return any(
        len({op["kind"] for op in ops}) > 1 or len({op["reads"] for op in ops} - {None}) > 1
        for ops in grouped(tables["ops"], "operation").values()
    )


def _has_an_outcome(op: Row) -> bool:
    status = op["status"]
    if op["outcome"] == "ok":
        return status is not None and 200 <= status <= 299
    if op["outcome"] == "fail":
        return status is None or _is_refusal(status)
    return op["outcome"] == "info" and (status is None or not _is_refusal(status))


def _is_refusal(status: int) -> bool:
    """Whether it says that nothing was done; who gave up waiting (408) does not know."""
    return 400 <= status <= 499 and status != 408


def _is_a_command(op: Row) -> bool:
    must: list[Any] = [op["key"], op["principal"], op["payload_hash"]]
    must_not = [op["reads"], op["rows_read"], op["token"], op["owner"]]
    if op["outcome"] == "ok":
        must += [op["aggregate"], op["version"], op["event_id"]]
    else:
        must_not += [op["event_id"], op["replayed"] or None]
    return None not in must and must_not.count(None) == len(must_not)


def _is_a_query(op: Row) -> bool:
    of_commands = ("key", "principal", "payload_hash", "effect_digest", "expected_version",
                   "event_id")  # fmt: skip
    if op["replayed"] or any(op[name] is not None for name in of_commands):
        return False
    reads, rows = op["reads"], op["rows_read"]
    if reads is None or rows is None:
        return reads is None and rows is None
    is_known = reads in _READS and rows >= 0
    if not is_known or (op["outcome"] == "info" and rows):
        return False
    if reads != "account_reads" and op["token"] is not None:
        return False
    if reads == "owner_reads":
        return True
    possible = (1,) if op["outcome"] == "ok" else (0, 1)
    return any(rows == number for number in possible)


def _a_read_is_wrong(tables: Tables) -> bool:
    for name in _READS:
        for row in tables[name]:
            ops = op_of(tables, row)
            if not ops and row["writer"] in killed_writers(tables):
                continue  # its recorder was killed before it wrote down the op
            if sum(_is_what_it_saw(op, name, row) for op in ops) != 1:
                return True
        own = ("aggregate", "version") if name == "owner_reads" else ()
        if has_twins(tables[name], *NUMBER, *own):
            return True
    return any(
        _tells_otherwise(op, row) for row in tables["account_reads"] for op in op_of(tables, row)
    )


def _is_what_it_saw(op: Row, name: str, row: Row) -> bool:
    about = {"owner": row["owner"]} if "owner" in row else {"aggregate": row["aggregate"]}
    about |= {"aggregate": None} if "owner" in row else {"owner": None}
    said = {"reads": name, "start_ns": row["start_ns"], "end_ns": row["end_ns"]} | about
    return op["kind"] == "query" and all(op[key] == value for key, value in said.items())


def _tells_otherwise(op: Row, read: Row) -> bool:
    if (op["version"] or 0) != read["version"] or op["token"] != read["token"]:
        return True
    was_there = read["version"] != 0
    return bool((read["digest"] is not None) != was_there or (op["outcome"] == "ok") != was_there)


def _something_is_there_twice(tables: Tables) -> bool:
    named = [
        *(row["fault"] for row in tables["planned_faults"]),
        *(row["name"] for row in tables["settings"]),
        *(row["invariant"] for row in tables["claims"]),
    ]
    return (
        has_twins(tables["commands"], "principal", "key")
        or has_twins(tables["snapshots"], "writer", "sample")
        or has_twins(tables["invocations"], "request_id", "message_id")
        or has_twins(tables["totals"], "owner")
        or has_twins(tables["faults"], "id")
        or has_twins(tables["writers"], "writer")
        or len(set(named)) < len(named)
    )


def _a_line_is_wrong(tables: Tables) -> bool:
    def is_on(page: Row, line: Row) -> bool:
        same = all(page[name] == line[name] for name in (*NUMBER, "aggregate"))
        within = page["last_version"] <= line["place"] <= page["first_version"]
        return bool(same and page["is_kept"] and within)

    pages = {number_of(page) for page in tables["page_reads"]}

    def is_orphan(line: Row) -> bool:
        return line["writer"] in killed_writers(tables) and number_of(line) not in pages

    return has_twins(tables["page_lines"], *NUMBER, "aggregate", "version", "place") or any(
        sum(is_on(page, line) for page in tables["page_reads"]) != 1
        for line in tables["page_lines"]
        if not is_orphan(line)
    )


def _samples_are_missing(tables: Tables) -> bool:
    taken = grouped(tables["snapshots"], "writer").values()
    numbers = [{row["sample"] for row in samples} for samples in taken]
    return any(ones != set(range(1, len(ones) + 1)) for ones in numbers)


def _invocations_are_wrong(tables: Tables) -> bool:
    requests = grouped(tables["invocations"], "request_id").values()
    return any(len({row["ended"] for row in rows}) > 1 for rows in requests) or any(
        row["end_ns"] is not None and row["end_ns"] < row["start_ns"] for row in tables["faults"]
    )


def _is_incomplete(tables: Tables) -> bool:
    """Whether rows are missing that must once have been there."""
    for ops in grouped(tables["ops"], "writer", "session").values():
        numbers = {op["seq"] for op in ops}
        if numbers != set(range(1, len(numbers) + 1)):
            return True
    if any(row["closed"] and row["ops_begun"] != row["ops_written"] for row in tables["writers"]):
        return True
    read = [row for name in (*_READS, "page_lines") for row in tables[name]]
    if any(row["writer"] in killed_writers(tables) and not op_of(tables, row) for row in read):
        return True
    for op in tables["ops"]:
        if op["rows_read"] is not None:
            rows = tables.get(op["reads"], [])
            if sum(number_of(row) == number_of(op) for row in rows) != op["rows_read"]:
                return True
    for page in tables["page_reads"]:
        kept = [row for row in tables["page_lines"] if number_of(row) == number_of(page)]
        if page["is_kept"] and len(kept) < page["lines"]:
            return True
    return False
