"""The tables that are exported at the end of a run: what the system under test holds."""

from __future__ import annotations

from tidemark.history.columns import Table, flag, number, perhaps, text

_WHAT = (
    text("aggregate", "the account's id"),
    number("version", "its version"),
)

EVENTS = Table(
    "events",
    "an event of the log, as exported after quiescence",
    (
        *_WHAT,
        text("event_id", "its id"),
        text("principal", "who commanded it, - for nobody"),
        text("key", "the idempotency key of its command"),
        text("effect", "what it does, as canonical JSON"),
        number("effect_digest", "of the effect"),
        number("state_digest", "of the account after it: the fold of the events so far"),
        number("line_digest", "of the statement line that it makes, at its version"),
        perhaps(text("owner", "whose totals it counts in")),
        perhaps(number("amount", "what it adds to the balance; less than 0 takes away")),
        perhaps(text("status", "what the account is after it: open or closed")),
        number("recorded_at_ms", "when it was appended"),
        perhaps(number("projected_at_ms", "when it was projected")),
        flag("in_outbox", "whether it still carries the mark of an event that is not projected"),
    ),
    aggregate="aggregate",
)

HEADS = Table(
    "heads",
    "what deciding needs to know of an account, as the write side keeps it",
    (
        *_WHAT,
        text("state", "the account, as canonical JSON"),
        number("digest", "of the state"),
    ),
    aggregate="aggregate",
)

COMMANDS = Table(
    "commands",
    "the answer that is kept for an idempotency key",
    (
        text("principal", "whose key it is, - for nobody"),
        text("key", "the key"),
        *_WHAT,
        text("event_id", "the event that was answered"),
    ),
    aggregate="aggregate",
)

ACCOUNTS = Table(
    "accounts",
    "an account of the read model",
    (
        *_WHAT,
        text("state", "the account, as canonical JSON"),
        number("digest", "of the state"),
        perhaps(number("balance", "its balance")),
        number("projected_at_ms", "when its last event was projected"),
    ),
    aggregate="aggregate",
)

LINES = Table(
    "lines",
    "a statement line of the read model",
    (
        *_WHAT,
        text("line", "the line, as canonical JSON"),
        number("digest", "of the line at its version"),
    ),
    aggregate="aggregate",
)

TOTALS = Table(
    "totals",
    "an owner's totals in the read model",
    (
        text("owner", "the owner's id"),
        number("accounts", "how many accounts were ever opened"),
        number("balance", "the sum of their balances"),
    ),
)

DELIVERIES = Table(
    "deliveries",
    "a record that the update processor dealt with, from its log",
    (
        text("request_id", "the invocation"),
        text("message_id", "the message"),
        perhaps(number("receive_count", "how often the queue had delivered it; none from a topic")),
        perhaps(text("event_id", "the event it carries, if it could be read")),
        perhaps(text("aggregate", "the account")),
        perhaps(number("version", "the version")),
        text("outcome", "applied, duplicate or failed"),
        number("attempts", "how many transactions it took"),
        flag("ambiguous", "whether an attempt may have had its effect although it failed"),
        number("at_ms", "when the line was written"),
    ),
    aggregate="aggregate",
)

HEALED = Table(
    "healed",
    "a version that was applied before the event of a delivery, because it was missing",
    (
        text("request_id", "the invocation"),
        text("message_id", "the message whose delivery healed it"),
        *_WHAT,
    ),
    aggregate="aggregate",
)

INVOCATIONS = Table(
    "invocations",
    "a message that an invocation of the update processor started with",
    (
        text("request_id", "the invocation"),
        text("message_id", "the message"),
        number("at_ms", "when it started"),
        flag("ended", "whether the invocation wrote its last line"),
    ),
)

DEAD_LETTERS = Table(
    "dead_letters",
    "a message in the dead-letter queue at the end of the run",
    (
        text("message_id", "the message"),
        perhaps(text("event_id", "the event it carries, if it can be read")),
        perhaps(text("aggregate", "the account")),
        perhaps(number("version", "the version")),
        number("receive_count", "how often it had been received"),
    ),
    aggregate="aggregate",
)

EXPORTED = (
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
)
"""All of them."""
