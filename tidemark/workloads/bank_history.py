"""The bank as its history needs to know it: effects, what reads saw, and both tables exported."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tidemark.api.call import Kind
from tidemark.api.op import Outcome
from tidemark.host.sorting import SortedRows
from tidemark.workloads import bank_items, bank_last_reads
from tidemark.workloads.bank_items import event_of, nobodys_event, plain, principal_and_key
from tidemark.workloads.canonical import canonical, digest_at, digest_of
from tidemark.workloads.workload import Seen, Values

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from tidemark.api.op import Op
    from tidemark.workloads.bank_items import Event, Row
    from tidemark.workloads.bank_tables import BankTables
    from tidemark.workloads.workload import Asking

_EVENT_OF = {
    "open_account": "AccountOpened",
    "deposit": "FundsDeposited",
    "withdraw": "FundsWithdrawn",
    "close": "AccountClosed",
}
_NOT_THERE = 404
_LINE = ("type", "amount", "balance", "recorded_at")
_ACCOUNT = ("account_id", "owner_id", "balance", "status", "version")
_KEPT_OF = 10
"""Of so many pages one is kept with its lines."""


@dataclass(frozen=True)
class BankHistory:
    """The bank of one deployment.

    Attributes:
        tables: Its tables.
    """

    tables: BankTables
    name: str = "bank"
    is_views_only: bool = False
    claims: tuple[str, ...] = ("I0", "I1", "I2", "I3", "I4", "I5", "I6", "I13", "I17", "I18")

    def effect(self, op: Op) -> Mapping[str, Any] | None:
        """What the event of a command must do; see `Workload.effect`."""
        if op.operation not in _EVENT_OF or op.aggregate is None:
            return None
        body = op.call.body or {}
        return _effect(
            _EVENT_OF[op.operation], op.aggregate, body.get("amount", 0), body.get("owner_id")
        )

    def seen(self, op: Op) -> Seen | None:  # noqa: PLR0911 -- one for each query
        """What a query saw; see `Workload.seen`."""
        if op.kind is Kind.COMMAND:
            return None
        is_missing = op.operation == "account" and op.status == _NOT_THERE
        if op.outcome is not Outcome.OK and not is_missing:
            return None
        about, state = op.call.aggregate or "", op.state or {}
        match op.operation:
            case "account":
                return Seen("account_reads", (_read(about, op.call.token, op.state),))
            case "statement":
                return Seen("page_reads", (_page(op, about, state),))
            case "owner_totals":
                totals = {"owner": about}
                totals |= {one: state.get(one, -1) for one in ("accounts", "balance")}
                return Seen("totals_reads", (totals,), owner=about)
            case "owner_accounts":
                rows = tuple(
                    {"owner": about, "aggregate": one.get("account_id", "")}
                    | {"version": one.get("version", 0)}
                    | _digested("state", one)
                    for one in state.get("accounts", ())
                )
                return Seen("owner_reads", rows, owner=about)
        return None

    def sample(self, aggregate: str, version: int) -> Values | None:
        """One event with its effects, by one transaction; see `Workload.sample`."""
        keys = (
            (self.tables.command_table, bank_items.event_key(aggregate, version)),
            (self.tables.query_table, bank_items.line_key(aggregate, version)),
            (self.tables.query_table, bank_items.account_key(aggregate)),
        )
        answer = self.tables.dynamodb.transact_get_items(
            TransactItems=[{"Get": {"TableName": table, "Key": key}} for table, key in keys]
        )
        event, line, account = (one.get("Item") for one in answer["Responses"])
        if event is None:
            return None
        known = event_of(event)
        return {
            "aggregate": aggregate,
            "version": version,
            "event_id": known.key.event_id,
            "recorded_at_ms": known.recorded_at_ms,
            "projected_at_ms": known.projected_at_ms,
            "has_line": line is not None,
            "account_version": 0 if account is None else plain(account)["version"],
        }

    def unprojected(self, prefix: str) -> int:
        """How many events of a run are not projected; see `Workload.unprojected`."""
        on_their_way = bank_items.unprojected_of_run(prefix)
        found = self.tables.filtered(self.tables.command_table, on_their_way)
        events = (nobodys_event(item) or event_of(item) for item in found)
        return sum(_is_of(event, prefix) for event in events)

    def export(self, prefix: str) -> Iterator[tuple[str, Values]]:
        """Both tables as they are, of a run; see `Workload.export`."""
        of_run = bank_items.of_run(prefix)
        made_by_the_server: set[str] = set()
        # A scan promises no order, and one account may be all of it.
        with SortedRows() as log:
            for item in self.tables.filtered(self.tables.command_table, of_run):
                row = plain(item)
                kind, _, name = row["pk"].partition("#")
                if kind == "command":
                    yield from _command(row, prefix)
                elif row["sk"] == "head":
                    yield from _head(name, row, prefix)
                else:
                    event = nobodys_event(item) or event_of(item)
                    if _is_of(event, prefix):
                        log.add(name, event.key.version, event)
                        if not name.startswith(prefix):
                            made_by_the_server.add(name)
            for account_id, events in log.groups():
                yield from _log(account_id, events)
        for item in self.tables.filtered(self.tables.query_table, of_run):
            yield from _of_query_side(plain(item), prefix, made_by_the_server)
        for account_id in sorted(made_by_the_server):
            for item in self.tables.view(account_id):
                yield from _of_view(account_id, plain(item))

    def ask(self, asking: Asking) -> None:
        """Read through the API what it shows in the end; see `Workload.ask`."""
        bank_last_reads.ask(asking)


@dataclass
class _Fold:
    """An account, as its events make it."""

    account_id: str
    owner_id: str
    balance: int = 0
    status: str = "open"
    version: int = 0
    rows: list[Values] = field(default_factory=list)

    def apply(self, event: Event) -> int:
        """Take the next event; returns what it adds to the balance."""
        amount = int(event.data.get("amount", 0))
        signed = {"FundsDeposited": amount, "FundsWithdrawn": -amount}.get(event.type, 0)
        self.balance += signed
        self.version = event.key.version
        if event.type == "AccountClosed":
            self.status = "closed"
        return signed

    def state(self) -> Mapping[str, Any]:
        """The account as the API shows it."""
        return {name: getattr(self, name) for name in _ACCOUNT}


def _log(account_id: str, events: Iterator[Event]) -> Iterator[tuple[str, Values]]:
    fold: _Fold | None = None
    for event in events:
        fold = fold or _Fold(account_id, event.owner_id)
        signed = fold.apply(event)
        amount = int(event.data.get("amount", 0))
        owner = event.owner_id if event.type == "AccountOpened" else None
        effect = canonical(_effect(event.type, account_id, amount, owner))
        line = {
            "type": event.type,
            "amount": amount,
            "balance": fold.balance,
            "recorded_at": event.recorded_at_ms,
            "version": event.key.version,
        }
        yield (
            "events",
            {
                "aggregate": account_id,
                "version": event.key.version,
                "event_id": event.key.event_id,
                **_caller(event.command_id),
                "effect": effect,
                "effect_digest": digest_of(effect),
                "state_digest": digest_of(canonical(fold.state())),
                "line_digest": digest_at(event.key.version, canonical(line)),
                "owner": event.owner_id,
                "amount": signed,
                "status": fold.status,
                "recorded_at_ms": event.recorded_at_ms,
                "projected_at_ms": event.projected_at_ms,
                "in_outbox": event.mark is not None,
            },
        )


def _head(account_id: str, row: Row, prefix: str) -> Iterator[tuple[str, Values]]:
    if account_id.startswith(prefix) or str(row["owner_id"]).startswith(prefix):
        yield "heads", _state(account_id, row)


def _command(row: Row, prefix: str) -> Iterator[tuple[str, Values]]:
    event = bank_items.event_of_command(row)
    caller = _caller(row["pk"].removeprefix("command#"))
    if caller["key"].startswith(prefix) or event.account_id.startswith(prefix):
        yield (
            "commands",
            {
                **caller,
                "aggregate": event.account_id,
                "version": event.version,
                "event_id": event.event_id,
            },
        )


def _of_query_side(
    row: Row, prefix: str, read_apart: Collection[str]
) -> Iterator[tuple[str, Values]]:
    _, kind, name = row["pk"].split("#", 2)
    is_ours = name.startswith(prefix)
    if kind == "owner":
        if is_ours:
            yield "totals", {"owner": name} | {one: row[one] for one in ("accounts", "balance")}
    elif (is_ours or str(row.get("owner_id", "")).startswith(prefix)) and name not in read_apart:
        yield from _of_view(name, row)


def _of_view(account_id: str, row: Row) -> Iterator[tuple[str, Values]]:
    if row["sk"] == "account":
        about = {"balance": row["balance"], "projected_at_ms": row["projected_at"]}
        yield "accounts", _state(account_id, row) | about
    else:
        version = int(row["sk"].removeprefix("line#"))
        text = canonical({one: row[one] for one in _LINE} | {"version": version})
        about = {"line": text, "digest": digest_at(version, text)}
        yield "lines", {"aggregate": account_id, "version": version} | about


def _state(account_id: str, row: Row) -> Values:
    """A row of an account, on whichever side, with its state as the API shows it."""
    state = {"account_id": account_id}
    state |= {one: row[one] for one in ("owner_id", "balance", "status", "version")}
    return {"aggregate": account_id, "version": row["version"]} | _digested("state", state)


def _read(account_id: str, token: int | None, state: Mapping[str, Any] | None) -> Values:
    if state is None:
        nothing = {"version": 0, "state": None, "digest": None}
        return {"aggregate": account_id, "token": token, **nothing}
    # As it was answered: what is missing or added makes it differ from the fold.
    about = {"aggregate": account_id, "version": state.get("version", 0), "token": token}
    return about | _digested("state", state)


def _page(op: Op, account_id: str, state: Mapping[str, Any]) -> Values:
    lines = state.get("lines", [])
    first = lines[0].get("version", 0) if lines else 0
    texts = [canonical(line) for line in lines]
    digests = [digest_at(first - place, text) for place, text in enumerate(texts)]
    is_kept = (op.sequence + len(op.session)) % _KEPT_OF == 0
    kept = [
        {"aggregate": account_id, "version": line.get("version", 0), "place": first - place}
        | {"line": text, "digest": digest}
        for place, (line, text, digest) in enumerate(zip(lines, texts, digests, strict=True))
    ]
    return {
        "aggregate": account_id,
        "first_version": first,
        "last_version": lines[-1].get("version", 0) if lines else 0,
        "lines": len(lines),
        "digest_sum": sum(digests),
        "is_last": "cursor" not in state,
        "is_kept": is_kept,
        "page_lines": kept if is_kept else [],
    }


def _effect(kind: str, aggregate: str, amount: int, owner: str | None) -> Mapping[str, Any]:
    """What an event does; whose account it is, only the command that opens it says."""
    return {"type": kind, "aggregate": aggregate, "amount": amount, "owner": owner}


def _digested(name: str, value: Mapping[str, Any]) -> Values:
    text = canonical(value)
    return {name: text, "digest": digest_of(text)}


def _caller(command_id: str) -> Values:
    """Who commanded, and the idempotency key."""
    return dict(zip(("principal", "key"), principal_and_key(command_id), strict=True))


def _is_of(event: Event, prefix: str) -> bool:
    return event.key.account_id.startswith(prefix) or event.owner_id.startswith(prefix)
