"""The tables of a run folder: what each row is, and what each column means.

This is the contract between who writes a run down (the recorder, the export) and who reads it
(the invariants, the measures, other engines). Every table is a folder of Parquet files.

Times of clients end in `_ns` (UTC nanoseconds by the writer's clock), times of the system under
test in `_ms` (UTC milliseconds by its own). A digest is 40 bits of a hash
(:mod:`tidemark.workloads.canonical`), so that a sum of millions fits 64 bits in every engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SCHEMA_VERSION = 1
"""Raised when a table changes so that an older reader would misread it."""


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    INTEGER = "integer"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: Its name.
        kind: What it holds.
        means: What it says.
        is_optional: Whether it may be empty.
    """

    name: str
    kind: Kind
    means: str
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Attributes:
        name: Its name, and that of its folder.
        row: What one row is.
        columns: Its columns, in order.
        aggregate: The column by which the rows of one account belong together, if there is one.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    aggregate: str | None = None


def _text(name: str, means: str) -> Column:
    return Column(name, Kind.TEXT, means)


def _number(name: str, means: str) -> Column:
    return Column(name, Kind.INTEGER, means)


def _flag(name: str, means: str) -> Column:
    return Column(name, Kind.FLAG, means)


def _perhaps(column: Column) -> Column:
    return Column(column.name, column.kind, column.means, is_optional=True)


_CALLER = (
    _text("writer", "the process that wrote the row"),
    _text("session", "who called; the ops of one session never overlap"),
    _number("seq", "the op's number in its session: 1, 2, 3 ..."),
)
_WHEN = (
    _number("start_ns", "when the call was handed to the transport"),
    _number("end_ns", "when its answer was complete, or given up"),
)
_WHAT = (
    _text("aggregate", "the account's id"),
    _number("version", "its version"),
)

OPS = Table(
    "ops",
    "one call by one session",
    (
        *_CALLER,
        _text("purpose", "load, setup, poll, test, proof or final"),
        _text("kind", "command or query"),
        _text("operation", "its name in the workload, such as deposit"),
        _perhaps(_text("reads", "of a query: the table that holds what it saw")),
        _perhaps(_number("rows_read", "of a query: how many rows of that table are its own")),
        _perhaps(_text("principal", "of a command: the caller as the API knows it, - for nobody")),
        _perhaps(_text("key", "of a command: its idempotency key")),
        _perhaps(_text("payload_hash", "of a command: equal exactly for what asks the same")),
        _perhaps(_number("effect_digest", "of a command: what its event must do")),
        _perhaps(_text("aggregate", "the account, as far as it is known")),
        _perhaps(_text("owner", "of a query about an owner: whose")),
        _perhaps(_number("expected_version", "of a command: the version it is pinned to")),
        _perhaps(_number("token", "of a query: the version it must see at least")),
        _number("intended_ns", "when the call was planned to start"),
        *_WHEN,
        _text("outcome", "ok, fail (certainly not done) or info (it may have been done)"),
        _perhaps(_number("status", "the HTTP status, if an answer came")),
        _flag("replayed", "whether the answer is that of an earlier call with the same key"),
        _perhaps(_number("version", "made by an ok command, or read by a query")),
        _perhaps(_text("event_id", "the event of an ok command")),
        _perhaps(_text("problem", "what went wrong, in one word")),
    ),
    aggregate="aggregate",
)

ACCOUNT_READS = Table(
    "account_reads",
    "an account that was read; one that is not there has version 0 and no state",
    (
        *_CALLER,
        *_WHAT,
        _perhaps(_number("token", "the version that had to be seen at least")),
        _perhaps(_text("state", "what was read, as canonical JSON")),
        _perhaps(_number("digest", "of the state")),
        *_WHEN,
    ),
    aggregate="aggregate",
)

PAGE_READS = Table(
    "page_reads",
    "a page of a statement, newest line first",
    (
        *_CALLER,
        _text("aggregate", "the account's id"),
        _number("first_version", "the version of its first line; 0 for a page without lines"),
        _number("last_version", "the version of its last line; 0 for a page without lines"),
        _number("lines", "how many lines it has"),
        _number("digest_sum", "the sum of its lines' digests, each for the place it stands at"),
        _flag("is_last", "whether no page follows"),
        _flag("is_kept", "whether its lines are kept in page_lines"),
        *_WHEN,
    ),
    aggregate="aggregate",
)

PAGE_LINES = Table(
    "page_lines",
    "a line of a page that was kept as a sample",
    (
        *_CALLER,
        *_WHAT,
        _number("place", "the version that the line's place on the page stands for"),
        _text("line", "the line, as canonical JSON"),
        _number("digest", "of the line at its place"),
    ),
    aggregate="aggregate",
)

TOTALS_READS = Table(
    "totals_reads",
    "an owner's totals that were read",
    (
        *_CALLER,
        _text("owner", "the owner's id"),
        _number("accounts", "how many accounts were ever opened"),
        _number("balance", "the sum of their balances"),
        *_WHEN,
    ),
)

OWNER_READS = Table(
    "owner_reads",
    "an account on a page of its owner's accounts",
    (
        *_CALLER,
        _text("owner", "the owner's id"),
        *_WHAT,
        _text("state", "what was read, as canonical JSON"),
        _number("digest", "of the state"),
        *_WHEN,
    ),
    aggregate="aggregate",
)

EVENTS = Table(
    "events",
    "an event of the log, as exported after quiescence",
    (
        *_WHAT,
        _text("event_id", "its id"),
        _text("principal", "who commanded it, - for nobody"),
        _text("key", "the idempotency key of its command"),
        _text("effect", "what it does, as canonical JSON"),
        _number("effect_digest", "of the effect"),
        _number("state_digest", "of the account after it: the fold of the events so far"),
        _number("line_digest", "of the statement line that it makes, at its version"),
        _perhaps(_text("owner", "whose totals it counts in")),
        _perhaps(_number("amount", "what it adds to the balance; less than 0 takes away")),
        _perhaps(_text("status", "what the account is after it: open or closed")),
        _number("recorded_at_ms", "when it was appended"),
        _perhaps(_number("projected_at_ms", "when it was projected")),
        _flag("in_outbox", "whether it still carries the mark of an event that is not projected"),
    ),
    aggregate="aggregate",
)

HEADS = Table(
    "heads",
    "what deciding needs to know of an account, as the write side keeps it",
    (
        *_WHAT,
        _text("state", "the account, as canonical JSON"),
        _number("digest", "of the state"),
    ),
    aggregate="aggregate",
)

COMMANDS = Table(
    "commands",
    "the answer that is kept for an idempotency key",
    (
        _text("principal", "whose key it is, - for nobody"),
        _text("key", "the key"),
        *_WHAT,
        _text("event_id", "the event that was answered"),
    ),
    aggregate="aggregate",
)

ACCOUNTS = Table(
    "accounts",
    "an account of the read model",
    (
        *_WHAT,
        _text("state", "the account, as canonical JSON"),
        _number("digest", "of the state"),
        _perhaps(_number("balance", "its balance")),
        _number("projected_at_ms", "when its last event was projected"),
    ),
    aggregate="aggregate",
)

LINES = Table(
    "lines",
    "a statement line of the read model",
    (
        *_WHAT,
        _text("line", "the line, as canonical JSON"),
        _number("digest", "of the line at its version"),
    ),
    aggregate="aggregate",
)

TOTALS = Table(
    "totals",
    "an owner's totals in the read model",
    (
        _text("owner", "the owner's id"),
        _number("accounts", "how many accounts were ever opened"),
        _number("balance", "the sum of their balances"),
    ),
)

DELIVERIES = Table(
    "deliveries",
    "a record that the update processor dealt with, from its log",
    (
        _text("request_id", "the invocation"),
        _text("message_id", "the message"),
        _perhaps(
            _number("receive_count", "how often the queue had delivered it; none from a topic")
        ),
        _perhaps(_text("event_id", "the event it carries, if it could be read")),
        _perhaps(_text("aggregate", "the account")),
        _perhaps(_number("version", "the version")),
        _text("outcome", "applied, duplicate or failed"),
        _number("attempts", "how many transactions it took"),
        _flag("ambiguous", "whether an attempt may have had its effect although it failed"),
        _number("at_ms", "when the line was written"),
    ),
    aggregate="aggregate",
)

HEALED = Table(
    "healed",
    "a version that was applied before the event of a delivery, because it was missing",
    (
        _text("request_id", "the invocation"),
        _text("message_id", "the message whose delivery healed it"),
        *_WHAT,
    ),
    aggregate="aggregate",
)

INVOCATIONS = Table(
    "invocations",
    "a message that an invocation of the update processor started with",
    (
        _text("request_id", "the invocation"),
        _text("message_id", "the message"),
        _number("at_ms", "when it started"),
        _flag("ended", "whether the invocation wrote its last line"),
    ),
)

DEAD_LETTERS = Table(
    "dead_letters",
    "a message in the dead-letter queue at the end of the run",
    (
        _text("message_id", "the message"),
        _perhaps(_text("event_id", "the event it carries, if it can be read")),
        _perhaps(_text("aggregate", "the account")),
        _perhaps(_number("version", "the version")),
        _number("receive_count", "how often it had been received"),
    ),
    aggregate="aggregate",
)

SNAPSHOTS = Table(
    "snapshots",
    "an event, its statement line and its account, read by one transaction while the run went on",
    (
        _number("sample", "the number of the sample: 1, 2, 3 ..."),
        *_WHAT,
        _text("event_id", "the event"),
        _number("recorded_at_ms", "when it was appended"),
        _number("taken_at_ms", "when the sample was taken, by the harness's clock"),
        _perhaps(_number("projected_at_ms", "when it was projected, by the log")),
        _flag("has_line", "whether the statement line was there"),
        _number("account_version", "the account's version on the read side; 0 without a row"),
    ),
    aggregate="aggregate",
)

PLANNED_FAULTS = Table(
    "planned_faults",
    "a fault that the run was to inject",
    (
        _text("fault", "its name"),
        _number("times", "how often, at least"),
    ),
)

FAULTS = Table(
    "faults",
    "a fault that was injected",
    (
        _text("fault", "its name"),
        _text("id", "which of them"),
        _perhaps(_text("message_id", "the message that it sent")),
        _perhaps(_text("event_id", "the event that it concerns")),
        _perhaps(_text("aggregate", "the account that it concerns")),
        _number("start_ns", "when it was seen to begin"),
        _perhaps(_number("end_ns", "when it was seen to have healed")),
        _number("fired", "how often it had an effect"),
    ),
    aggregate="aggregate",
)

WRITERS = Table(
    "writers",
    "a process that wrote a part of the history",
    (
        _text("writer", "its name, new at each start"),
        _number("ops_begun", "how many calls it had begun"),
        _number("ops_written", "how many it wrote down"),
        _number("clock_offset_ns", "its clock less the run's reference clock"),
        _number("clock_error_ns", "by how much that may be wrong"),
        _flag("closed", "whether it ended in order"),
    ),
)

WRITTEN = Table(
    "written",
    "how many rows of a table a writer has written",
    (
        _text("writer", "the writer"),
        _text("table_name", "the table"),
        _number("row_count", "how many rows"),
    ),
)

CLAIMS = Table(
    "claims",
    "an invariant that the run is held to",
    (_text("invariant", "its id, such as I4"),),
)

SETTINGS = Table(
    "settings",
    "a bound that the run is held to",
    (
        _text("name", "such as convergence_bound_ms"),
        _number("value", "the bound"),
    ),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        OPS,
        ACCOUNT_READS,
        PAGE_READS,
        PAGE_LINES,
        TOTALS_READS,
        OWNER_READS,
        EVENTS,
        HEADS,
        COMMANDS,
        ACCOUNTS,
        LINES,
        TOTALS,
        DELIVERIES,
        HEALED,
        INVOCATIONS,
        DEAD_LETTERS,
        SNAPSHOTS,
        PLANNED_FAULTS,
        FAULTS,
        WRITERS,
        WRITTEN,
        CLAIMS,
        SETTINGS,
    )
}
"""Every table by its name."""
