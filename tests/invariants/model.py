"""A small model of the bank and of who records it: what a clean run leaves in its tables."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tidemark.history.digests import canonical, digest_at, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = dict[str, Any]
Tables = dict[str, list[Row]]

RUN = "20260101T000000-abcdef"
EXPORT = f"{RUN}.export"
_START_NS = 1_767_225_600_000_000_000
_MS = 1_000_000
CLAIMED = [f"I{number}" for number in (*range(14), 15, 16, 17, 18)]


@dataclass
class Account:
    """An account as the write side knows it."""

    id: str
    owner: str
    balance: int = 0
    status: str = "open"
    version: int = 0

    def state(self) -> str:
        return canonical(
            {
                "account_id": self.id,
                "owner_id": self.owner,
                "balance": self.balance,
                "status": self.status,
                "version": self.version,
            }
        )


@dataclass
class Model:
    """The bank, one call after the other, with a clock that each call moves on."""

    seed: int
    writers: int = 2
    now_ns: int = _START_NS
    accounts: dict[str, Account] = field(default_factory=dict)
    tables: Tables = field(default_factory=lambda: defaultdict(list))
    seqs: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    seen: dict[tuple[str, str, str], int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 -- draws, no secrets
        self.states: dict[tuple[str, int], str] = {}
        self.lines: dict[str, list[Row]] = defaultdict(list)
        self.answers: dict[str, Row] = {}
        self.serial = 0

    def writer(self, number: int) -> str:
        return f"{RUN}.w{number}"

    def caller(self) -> tuple[str, str]:
        number = self.random.randrange(self.writers)
        writer = self.writer(number)
        return writer, f"{writer}.c{self.random.randrange(3)}"

    def op(self, caller: tuple[str, str], kind: str, operation: str, **fields: Any) -> Row:
        writer, session = caller
        self.seqs[caller] += 1
        start_ns = self.now_ns
        self.now_ns += self.random.randint(5, 30) * _MS
        row = {
            "writer": writer,
            "session": session,
            "seq": self.seqs[caller],
            "purpose": "load",
            "kind": kind,
            "operation": operation,
            "reads": {
                "account": "account_reads",
                "statement": "page_reads",
                "totals": "totals_reads",
                "owner_accounts": "owner_reads",
            }.get(operation),
            "rows_read": 1 if kind == "query" else None,
            "owner": None,
            "principal": "-" if kind == "command" else None,
            "key": None,
            "payload_hash": None,
            "effect_digest": None,
            "aggregate": None,
            "expected_version": None,
            "token": None,
            "intended_ns": start_ns,
            "start_ns": start_ns,
            "end_ns": self.now_ns - _MS,
            "outcome": "ok",
            "status": 202 if kind == "command" else 200,
            "replayed": False,
            "version": None,
            "event_id": None,
            "problem": None,
        } | fields
        self.tables["ops"].append(row)
        return row

    def command(
        self,
        operation: str,
        account_id: str,
        amount: int = 0,
        *,
        owner: str | None = None,
        pinned: int | None = None,
        caller: tuple[str, str] | None = None,
        is_lost: bool = False,
    ) -> Row:
        """One command; `is_lost` loses its answer, so that it ends as info."""
        caller = caller or self.caller()
        self.serial += 1
        account = self.accounts.get(account_id)
        owner = owner or (account.owner if account else f"{RUN}-o1")
        event_type = {
            "open": "AccountOpened",
            "deposit": "FundsDeposited",
            "withdraw": "FundsWithdrawn",
            "close": "AccountClosed",
        }[operation]
        effect = {"type": event_type, "aggregate": account_id, "amount": amount, "owner": owner}
        fields: Row = {
            "key": f"{caller[1]}.{self.serial}",
            "payload_hash": f"{operation}/{account_id}/{amount}",
            "effect_digest": digest_of(canonical(effect)),
            "aggregate": account_id,
            "expected_version": pinned,
        }
        refused = self._refused(operation, account, amount, pinned)
        if refused is not None:
            status, problem = refused
            return self.op(
                caller, "command", operation,
                **fields, outcome="fail", status=status, problem=problem,
            )  # fmt: skip
        event = self._append(operation, account_id, owner, amount, fields["key"], effect)
        told: Row = {"version": event["version"], "event_id": event["event_id"]}
        if is_lost:
            told = {"outcome": "info", "status": None, "problem": "lost"}
        op = self.op(caller, "command", operation, **(fields | told))
        self._project(event)
        return op

    def retry(self, op: Row) -> Row:
        """The same command once more: it gets the answer that was kept."""
        answer = self.answers[op["key"]]
        return self.op(
            (op["writer"], op["session"]), "command", op["operation"],
            **{
                name: op[name]
                for name in ("key", "payload_hash", "effect_digest", "aggregate")
            },
            replayed=True, version=answer["version"], event_id=answer["event_id"],
        )  # fmt: skip

    def reuse(self, op: Row) -> Row:
        """Another payload under the key of an accepted command: refused."""
        return self.op(
            (op["writer"], op["session"]), "command", op["operation"],
            key=op["key"], payload_hash="another", aggregate=op["aggregate"],
            outcome="fail", status=422, problem="key-reused",
        )  # fmt: skip

    def _refused(  # noqa: PLR0911 -- one for each rule
        self, operation: str, account: Account | None, amount: int, pinned: int | None
    ) -> tuple[int, str] | None:
        if operation == "open":
            return (409, "already-exists") if account else None
        if account is None:
            return 404, "no-such-account"
        if account.status == "closed":
            return 422, "account-closed"
        if pinned not in (None, account.version):
            return 412, "precondition-failed"
        if operation == "withdraw" and amount > account.balance:
            return 422, "insufficient-funds"
        if operation == "close" and account.balance:
            return 422, "balance-not-zero"
        return None

    def _append(
        self, operation: str, account_id: str, owner: str, amount: int, key: str, effect: Row
    ) -> Row:
        account = self.accounts.setdefault(account_id, Account(account_id, owner))
        account.version += 1
        signed = {"deposit": amount, "withdraw": -amount}.get(operation, 0)
        account.balance += signed
        if operation == "close":
            account.status = "closed"
        recorded_ms = self.now_ns // _MS + 3
        line = {
            "version": account.version,
            "type": effect["type"],
            "amount": amount,
            "balance": account.balance,
            "recorded_at": recorded_ms,
        }
        self.states[account_id, account.version] = account.state()
        self.lines[account_id].append(line)
        event = {
            "aggregate": account_id,
            "version": account.version,
            "event_id": f"e{self.serial}",
            "principal": "-",
            "key": key,
            "effect": canonical(effect),
            "effect_digest": digest_of(canonical(effect)),
            "state_digest": digest_of(account.state()),
            "line_digest": digest_at(account.version, canonical(line)),
            "owner": owner,
            "amount": signed,
            "status": account.status,
            "recorded_at_ms": recorded_ms,
            "projected_at_ms": recorded_ms + self.random.randint(20, 90),
            "in_outbox": False,
        }
        self.tables["events"].append(event)
        self.tables["commands"].append(
            {
                "principal": "-",
                "key": key,
                "aggregate": account_id,
                "version": account.version,
                "event_id": event["event_id"],
            }
        )
        self.answers[key] = event
        return event

    def _project(self, event: Row) -> None:
        request = f"r{self.serial}"
        message = f"m{self.serial}"
        times = 2 if self.random.random() < 0.1 else 1
        for receive in range(1, times + 1):
            self._deliver(event, f"{request}.{receive}", message, receive, is_first=receive == 1)
        number = len(self.tables["events"])
        base = {name: event[name] for name in ("aggregate", "version", "event_id")}
        base["recorded_at_ms"] = event["recorded_at_ms"]
        self.tables["snapshots"] += [
            base | {
                "sample": 2 * number - 1,
                "taken_at_ms": event["recorded_at_ms"] + 5,
                "projected_at_ms": None,
                "has_line": False,
                "account_version": event["version"] - 1,
            },
            base | {
                "sample": 2 * number,
                "taken_at_ms": event["projected_at_ms"] + 5,
                "projected_at_ms": event["projected_at_ms"],
                "has_line": True,
                "account_version": event["version"],
            },
        ]  # fmt: skip

    def _deliver(
        self, event: Row, request: str, message: str, receive: int, *, is_first: bool
    ) -> None:
        self.tables["invocations"].append(
            {
                "request_id": request,
                "message_id": message,
                "at_ms": event["recorded_at_ms"] + 8,
                "ended": True,
            }
        )
        self.tables["deliveries"].append(
            {
                "request_id": request,
                "message_id": message,
                "receive_count": receive,
                "event_id": event["event_id"],
                "aggregate": event["aggregate"],
                "version": event["version"],
                "outcome": "applied" if is_first else "duplicate",
                "attempts": 1,
                "ambiguous": False,
                "at_ms": event["projected_at_ms"] + 2,
            }
        )

    def heal(self, earlier: str, later: str) -> None:
        """Let the delivery of one event have healed the one before it."""
        first, second = self._delivery(earlier), self._delivery(later)
        first["outcome"] = "duplicate"
        self.tables["healed"].append(
            {
                "request_id": second["request_id"],
                "message_id": second["message_id"],
                "aggregate": first["aggregate"],
                "version": first["version"],
            }
        )

    def _delivery(self, event_id: str) -> Row:
        return next(
            row
            for row in self.tables["deliveries"]
            if row["event_id"] == event_id and row["outcome"] == "applied"
        )

    def read(self, account_id: str, *, with_token: bool = True, **fields: Any) -> None:
        """Read an account as it is by now, or as it was a version ago without a token."""
        caller = self.caller()
        account = self.accounts.get(account_id)
        newest = account.version if account else 0
        token = self.seen[*caller, account_id] or None if with_token else None
        lowest = token or (newest if with_token else max(newest - 1, 0))
        version = self.random.randint(min(lowest, newest), newest)
        state = self.states.get((account_id, version))
        op = self.op(
            caller, "query", "account", aggregate=account_id, token=token, version=version or None,
            **({} if version else {"outcome": "fail", "status": 404, "problem": "no-such-account"}),
            **fields,
        )  # fmt: skip
        if fields.get("purpose") == "final":
            version, state = newest, self.states.get((account_id, newest))
            op["version"] = newest or None
        self.seen[*caller, account_id] = max(self.seen[*caller, account_id], version)
        self.tables["account_reads"].append(
            _reading(op)
            | {
                "aggregate": account_id,
                "version": version,
                "token": token,
                "state": state,
                "digest": None if state is None else digest_of(state),
            }
        )

    def read_page(self, account_id: str, size: int, **fields: Any) -> None:
        """Read the newest lines of a statement."""
        caller = self.caller()
        op = self.op(caller, "query", "statement", aggregate=account_id, **fields)
        lines = self.lines[account_id][::-1][:size]
        first = lines[0]["version"] if lines else 0
        last = lines[-1]["version"] if lines else 0
        digests = [digest_at(first - index, canonical(line)) for index, line in enumerate(lines)]
        self.tables["page_reads"].append(
            _reading(op)
            | {
                "aggregate": account_id,
                "first_version": first,
                "last_version": last,
                "lines": len(lines),
                "digest_sum": sum(digests),
                "is_last": last <= 1,
                "is_kept": True,
            }
        )
        for index, (line, digest) in enumerate(zip(lines, digests, strict=True)):
            self.tables["page_lines"].append(
                {
                    "writer": op["writer"],
                    "session": op["session"],
                    "seq": op["seq"],
                    "aggregate": account_id,
                    "version": line["version"],
                    "place": first - index,
                    "line": canonical(line),
                    "digest": digest,
                }
            )

    def read_owner(self, owner: str, **fields: Any) -> None:
        """Read the totals and the accounts of an owner."""
        totals = self.totals()[owner]
        op = self.op(self.caller(), "query", "totals", owner=owner, **fields)
        self.tables["totals_reads"].append(_reading(op) | {"owner": owner} | totals)
        op = self.op(self.caller(), "query", "owner_accounts", owner=owner, **fields)
        op["rows_read"] = totals["accounts"]
        for account in self.accounts.values():
            if account.owner == owner:
                self.tables["owner_reads"].append(
                    _reading(op)
                    | {
                        "owner": owner,
                        "aggregate": account.id,
                        "version": account.version,
                        "state": account.state(),
                        "digest": digest_of(account.state()),
                    }
                )

    def totals(self) -> dict[str, Row]:
        """The totals of each owner."""
        found: dict[str, Row] = defaultdict(lambda: {"accounts": 0, "balance": 0})
        for account in self.accounts.values():
            found[account.owner]["accounts"] += 1
            found[account.owner]["balance"] += account.balance
        return found

    def poison(self) -> None:
        """Inject a message that ends in the dead-letter queue."""
        self.serial += 1
        message = f"poison{self.serial}"
        self.tables["faults"].append(
            _fault("poison", f"p{self.serial}", self.now_ns, message_id=message)
        )
        self.tables["dead_letters"].append(
            {
                "message_id": message,
                "event_id": None,
                "aggregate": None,
                "version": None,
                "receive_count": 5,
            }
        )
        self.tables["invocations"].append(
            {"request_id": f"rp{self.serial}", "message_id": message,
             "at_ms": self.now_ns // _MS, "ended": True}
        )  # fmt: skip
        self.tables["deliveries"].append(
            {
                "request_id": f"rp{self.serial}",
                "message_id": message,
                "receive_count": 1,
                "event_id": None,
                "aggregate": None,
                "version": None,
                "outcome": "failed",
                "attempts": 0,
                "ambiguous": False,
                "at_ms": self.now_ns // _MS,
            }
        )

    def throttle(self) -> None:
        """A throttle of the processor that begins and ends."""
        self.serial += 1
        fault = _fault("throttled", f"t{self.serial}", self.now_ns)
        self.now_ns += 50 * _MS
        self.tables["faults"].append(fault | {"end_ns": self.now_ns})

    def export(self) -> Tables:
        """What is in the tables once the run is over, with the rows of its closing."""
        for account in self.accounts.values():
            event = next(
                row for row in reversed(self.tables["events"]) if row["aggregate"] == account.id
            )
            about = {"aggregate": account.id, "version": account.version}
            about |= {"state": account.state(), "digest": digest_of(account.state())}
            self.tables["heads"].append(dict(about))
            self.tables["accounts"].append(
                about
                | {
                    "balance": account.balance,
                    "projected_at_ms": event["projected_at_ms"],
                }
            )
            for line in self.lines[account.id]:
                text = canonical(line)
                self.tables["lines"].append(
                    {
                        "aggregate": account.id,
                        "version": line["version"],
                        "line": text,
                        "digest": digest_at(line["version"], text),
                    }
                )
        for owner, totals in self.totals().items():
            self.tables["totals"].append({"owner": owner} | totals)
        self.tables["claims"] = [{"invariant": one} for one in CLAIMED]
        self.tables["settings"] = [
            {"name": "convergence_bound_ms", "value": 150_000},
            {"name": "lag_bound_ms", "value": 5_000},
            {"name": "recovery_ms", "value": 0},
            {"name": "most_receives", "value": 6},
        ]
        faults = {row["fault"] for row in self.tables["faults"]}
        self.tables["planned_faults"] = [{"fault": one, "times": 1} for one in sorted(faults)]
        return dict(self.tables)


def _reading(op: Row) -> Row:
    return {name: op[name] for name in ("writer", "session", "seq", "start_ns", "end_ns")}


def _fault(fault: str, identifier: str, start_ns: int, **about: Any) -> Row:
    row: Row = {
        "fault": fault,
        "id": identifier,
        "message_id": None,
        "event_id": None,
        "aggregate": None,
        "start_ns": start_ns,
        "end_ns": start_ns + _MS,
        "fired": 1,
    }
    return row | about


def clean_run(seed: int = 1, steps: int = 60) -> Tables:
    """The tables of a run in which nothing went wrong, and everything was exercised.

    Args:
        seed: Where every draw comes from.
        steps: How many commands and reads, beside those that exercise each invariant.
    """
    model = Model(seed)
    draw = model.random
    ids = [f"{RUN}-a{number}" for number in range(4)]
    for number, account_id in enumerate(ids):
        model.command("open", account_id, owner=f"{RUN}-o{number % 2}")
    _exercise(model, ids[0])
    for _ in range(steps):
        account_id = draw.choice(ids)
        match draw.randrange(8):
            case 0 | 1 | 2:
                model.command(
                    "deposit", account_id, draw.randint(1, 99), is_lost=draw.random() < 0.1
                )
            case 3:
                model.command("withdraw", account_id, draw.randint(1, 150))
            case 4 | 5:
                model.read(account_id, with_token=draw.random() < 0.7)
            case 6:
                model.read_page(account_id, draw.randint(1, 4))
            case 7:
                model.read_owner(model.accounts[account_id].owner)
    for account_id in ids:
        model.read(account_id, purpose="final", with_token=False)
        model.read_page(account_id, 3, purpose="final")
    for owner in sorted(model.totals()):
        model.read_owner(owner, purpose="final")
    return model.export()


def _exercise(model: Model, account_id: str) -> None:
    """Something of everything that an invariant wants to have seen."""
    model.poison()
    model.throttle()
    version = model.accounts[account_id].version
    first = model.command("deposit", account_id, 50, pinned=version)
    model.command("deposit", account_id, 60, pinned=version)
    model.retry(first)
    model.reuse(first)
    gap = model.command("deposit", account_id, 7)
    after = model.command("deposit", account_id, 8)
    model.heal(gap["event_id"], after["event_id"])
    caller = (model.writer(0), f"{model.writer(0)}.c0")
    model.seen[*caller, account_id] = 1
    original, model.caller = model.caller, lambda: caller  # type: ignore[method-assign]
    for _ in range(3):
        model.read(account_id)
    model.caller = original  # type: ignore[method-assign]
    for amount in range(20):
        model.command("deposit", account_id, amount + 1)
    shut = f"{RUN}-shut"
    model.command("open", shut, owner=f"{RUN}-o0")
    model.command("close", shut)
    model.command("deposit", shut, 5)


def writers_of(tables: Tables) -> Iterable[str]:
    """The writers of a run's recorded rows, the export's included."""
    return sorted({row["writer"] for row in tables["ops"]} | {EXPORT})
