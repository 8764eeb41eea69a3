"""The tables that are written while a run goes on: calls, what they saw, faults, and who wrote."""

from __future__ import annotations

from tidemark.history.columns import Table, flag, number, perhaps, text

_CALLER = (
    text("writer", "the process that wrote the row"),
    text("session", "who called; the ops of one session never overlap"),
    number("seq", "the op's number in its session: 1, 2, 3 ..."),
)
_WHEN = (
    number("start_ns", "when the call was handed to the transport"),
    number("end_ns", "when its answer was complete, or given up"),
)
_WHAT = (
    text("aggregate", "the account's id"),
    number("version", "its version"),
)

OPS = Table(
    "ops",
    "one call by one session",
    (
        *_CALLER,
        text("purpose", "load, setup, poll, test, proof or final"),
        text("kind", "command or query"),
        text("operation", "its name in the workload, such as deposit"),
        perhaps(text("reads", "of a query: the table that holds what it saw")),
        perhaps(number("rows_read", "of a query: how many rows of that table are its own")),
        perhaps(text("principal", "of a command: the caller as the API knows it, - for nobody")),
        perhaps(text("key", "of a command: its idempotency key")),
        perhaps(text("payload_hash", "of a command: equal exactly for what asks the same")),
        perhaps(number("effect_digest", "of a command: what its event must do")),
        perhaps(text("aggregate", "the account, as far as it is known")),
        perhaps(text("owner", "of a query about an owner: whose")),
        perhaps(number("expected_version", "of a command: the version it is pinned to")),
        perhaps(number("token", "of a query: the version it must see at least")),
        number("intended_ns", "when the call was planned to start"),
        *_WHEN,
        text("outcome", "ok, fail (certainly not done) or info (it may have been done)"),
        perhaps(number("status", "the HTTP status, if an answer came")),
        flag("replayed", "whether the answer is that of an earlier call with the same key"),
        perhaps(number("version", "made by an ok command, or read by a query")),
        perhaps(text("event_id", "the event of an ok command")),
        perhaps(text("problem", "what went wrong, in one word")),
    ),
    aggregate="aggregate",
)

ACCOUNT_READS = Table(
    "account_reads",
    "an account that was read; one that is not there has version 0 and no state",
    (
        *_CALLER,
        *_WHAT,
        perhaps(number("token", "the version that had to be seen at least")),
        perhaps(text("state", "what was read, as canonical JSON")),
        perhaps(number("digest", "of the state")),
        *_WHEN,
    ),
    aggregate="aggregate",
)

PAGE_READS = Table(
    "page_reads",
    "a page of a statement, newest line first",
    (
        *_CALLER,
        text("aggregate", "the account's id"),
        number("first_version", "the version of its first line; 0 for a page without lines"),
        number("last_version", "the version of its last line; 0 for a page without lines"),
        number("lines", "how many lines it has"),
        number("digest_sum", "the sum of its lines' digests, each for the place it stands at"),
        flag("is_last", "whether no page follows"),
        flag("is_kept", "whether its lines are kept in page_lines"),
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
        number("place", "the version that the line's place on the page stands for"),
        text("line", "the line, as canonical JSON"),
        number("digest", "of the line at its place"),
    ),
    aggregate="aggregate",
)

TOTALS_READS = Table(
    "totals_reads",
    "an owner's totals that were read",
    (
        *_CALLER,
        text("owner", "the owner's id"),
        number("accounts", "how many accounts were ever opened"),
        number("balance", "the sum of their balances"),
        *_WHEN,
    ),
)

OWNER_READS = Table(
    "owner_reads",
    "an account on a page of its owner's accounts",
    (
        *_CALLER,
        text("owner", "the owner's id"),
        *_WHAT,
        text("state", "what was read, as canonical JSON"),
        number("digest", "of the state"),
        *_WHEN,
    ),
    aggregate="aggregate",
)

SNAPSHOTS = Table(
    "snapshots",
    "an event, its statement line and its account, read by one transaction while the run went on",
    (
        text("writer", "the process that took it, one sample after the other"),
        number("sample", "the number of its sample: 1, 2, 3 ..."),
        *_WHAT,
        text("event_id", "the event"),
        number("recorded_at_ms", "when it was appended"),
        number("taken_at_ms", "when the sample was taken, by the harness's clock"),
        perhaps(number("projected_at_ms", "when it was projected, by the log")),
        flag("has_line", "whether the statement line was there"),
        number("account_version", "the account's version on the read side; 0 without a row"),
    ),
    aggregate="aggregate",
)

GENERATOR = Table(
    "generator",
    "how a process that calls did for a second",
    (
        text("writer", "the process"),
        number("at_ns", "when the second ended"),
        number("span_ns", "how long it really was"),
        number("cpu_ns", "the CPU time that the process took in it"),
        number("loop_lag_p99_ns", "by how much its event loop was late, in 99 of 100 looks"),
        number("loop_lag_max_ns", "by how much at most"),
        perhaps(number("due", "of a plan: how many of its calls were to start in it")),
    ),
)

BACKLOG = Table(
    "backlog",
    "what was on its way from the write side to the read side, about once a second",
    (
        text("writer", "the process that looked"),
        number("at_ns", "when"),
        perhaps(number("queue_visible", "messages that waited in the queue, if there is one")),
        perhaps(number("queue_in_flight", "messages that were being processed")),
        number("outbox", "events in the index of those not projected, of the first 1 MiB of it"),
    ),
)

PLANNED_FAULTS = Table(
    "planned_faults",
    "a fault that the run was to inject",
    (
        text("fault", "its name"),
        number("times", "how often, at least"),
    ),
)

FAULTS = Table(
    "faults",
    "a fault that was injected",
    (
        text("fault", "its name"),
        text("id", "which of them"),
        perhaps(text("message_id", "the message that it sent")),
        perhaps(text("event_id", "the event that it concerns")),
        perhaps(text("aggregate", "the account that it concerns")),
        number("start_ns", "when it was seen to begin"),
        perhaps(number("end_ns", "when it was seen to have healed")),
        number("fired", "how often it had an effect"),
    ),
    aggregate="aggregate",
)

WRITERS = Table(
    "writers",
    "a process that wrote a part of the history",
    (
        text("writer", "its name, new at each start"),
        number("ops_begun", "how many calls it had begun"),
        number("ops_written", "how many it wrote down"),
        number("clock_offset_ns", "its clock less the run's reference clock"),
        number("clock_error_ns", "by how much that may be wrong"),
        flag("closed", "whether it ended in order"),
    ),
)

WRITTEN = Table(
    "written",
    "how many rows of a table a writer has written",
    (
        text("writer", "the writer"),
        text("table_name", "the table"),
        number("row_count", "how many rows"),
    ),
)

CLAIMS = Table(
    "claims",
    "an invariant that the run is held to",
    (text("invariant", "its id, such as I4"),),
)

SETTINGS = Table(
    "settings",
    "a bound that the run is held to, or what its system is",
    (
        text("name", "such as convergence_bound_ms, or views_only"),
        number("value", "the bound; 1 for what is so"),
    ),
)
