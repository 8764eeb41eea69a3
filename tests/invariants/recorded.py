"""Who uses the small bank and writes down what was seen: sessions, ops, reads and samples."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.invariants.bank import Answer, Command, CrashError, Row, WriteSide
from tests.invariants.projecting import Clock, Projection, Transport
from tidemark.workloads.canonical import digest_at, digest_of

if TYPE_CHECKING:
    from tests.invariants.bank import Account, Event

Tables = dict[str, list[Row]]
Caller = tuple[str, str]

RUN = "20260101T000000-abcdef"
_START_NS = 1_767_225_600_000_000_000
_PAGE = 2
_SENDING = {"is_lost", "refused", "head", "since_ns"}


def writer(number: int) -> str:
    return f"{RUN}.w{number}"


class Run:
    """A run of the bank, one call after the other.

    Args:
        seed: Where every draw comes from.
        write_side: The write side, or one with something broken.
        projection: The projection, likewise.
        transport: The transport, likewise.
    """

    def __init__(
        self,
        seed: int,
        write_side: type[WriteSide] = WriteSide,
        projection: type[Projection] = Projection,
        transport: type[Transport] = Transport,
    ) -> None:
        self.random = random.Random(seed)  # noqa: S311 -- draws, no secrets
        self.clock = Clock(_START_NS)
        self.write = write_side()
        self.projection = projection(self.write)
        self.transport = transport(self.projection, self.clock)
        self.rows: Tables = defaultdict(list)
        self.publishes = True
        self._ops: dict[Caller, int] = defaultdict(int)
        self._keys = 0
        self._asked: dict[tuple[str, str, int], Command] = {}
        self._seen: dict[tuple[Caller, str], int] = defaultdict(int)

    def caller(self, number: int | None = None, session: int | None = None) -> Caller:
        """A session: one that is named, or any."""
        name = writer(self.random.randrange(2) if number is None else number)
        return name, f"{name}.c{self.random.randrange(3) if session is None else session}"

    # Commands

    def command(self, operation: str, account: str, amount: int = 0, **about: Any) -> Row:
        """One new command of some session; `about` is of the command, or of :meth:`send`."""
        caller = about.pop("caller", None) or self.caller()
        sending = {name: about.pop(name) for name in _SENDING & about.keys()}
        return self.send(caller, self.asked(caller, operation, account, amount, **about), **sending)

    def asked(
        self, caller: Caller, operation: str, account: str, amount: int = 0, **about: Any
    ) -> Command:
        """A command under a key of its own."""
        self._keys += 1
        principal = "-" if caller[1].endswith("c0") else "AROA1"
        key = f"{caller[1]}.{self._keys}"
        return replace(Command(operation, account, key, principal, amount), **about)

    def again(self, op: Row, **about: Any) -> Row:
        """The command of an op once more, or with something changed."""
        sending = {name: about.pop(name) for name in _SENDING & about.keys()}
        command = replace(self._asked[op["writer"], op["session"], op["seq"]], **about)
        return self.send((op["writer"], op["session"]), command, **sending)

    def send(
        self,
        caller: Caller,
        command: Command,
        *,
        is_lost: bool = False,
        refused: Answer | None = None,
        head: Account | None = None,
        since_ns: int | None = None,
    ) -> Row:
        """Send a command, and publish what it did.

        Args:
            caller: The session.
            command: The command.
            is_lost: Whether its answer gets lost, so that nobody knows.
            refused: What the gateway says instead of the handler, if it does.
            head: The head that it is decided on, if that was read before.
            since_ns: When it was sent, if that was before.
        """
        known = len(self.write.events)
        effect_digest = self.write.effect_digest(command)
        start_ns = since_ns or self.clock.now_ns
        self.clock.pass_ms(self.random.randint(5, 15))
        try:
            answer = refused or self.write.handle(command, self.clock.now_ms, head)
        except CrashError:
            is_lost, answer = True, Answer(504)
        op = self._op(
            caller, "command", command.operation, start_ns,
            principal=command.principal, key=command.key, payload_hash=command.payload_hash,
            effect_digest=effect_digest, aggregate=command.account,
            expected_version=command.pinned,
            **({"outcome": "info", "problem": "timeout"} if is_lost else _told(answer)),
        )  # fmt: skip
        self._asked[op["writer"], op["session"], op["seq"]] = command
        if op["outcome"] == "ok":
            self._sees(caller, command.account, op["version"])
        for event in self.write.events[known:]:
            if self.publishes:
                self.transport.publish(event)
        return op

    # The read model

    def project(self, most: int | None = None) -> None:
        """Let the processor have what waits, in batches as they come."""
        waiting = self.transport.waiting[:most]
        while waiting:
            size = self.random.randint(1, 3)
            self.transport.project(waiting[:size])
            waiting = waiting[size:]

    def sweep(self) -> None:
        """Publish again what is not projected."""
        for event in self.write.events:
            if event.in_outbox:
                self.transport.publish(event)

    def sample(self, event: Event, number: int = 0) -> None:
        """Event, line and account as they are now, in one transaction of some writer's."""
        self.clock.pass_ms(1)
        taken = [row for row in self.rows["snapshots"] if row["writer"] == writer(number)]
        self.rows["snapshots"].append(
            {
                "writer": writer(number),
                "sample": len(taken) + 1,
                "aggregate": event.account,
                "version": event.version,
                "event_id": event.event_id,
                "recorded_at_ms": event.recorded_at_ms,
                "taken_at_ms": self.clock.now_ms,
                "projected_at_ms": event.projected_at_ms,
                "has_line": (event.account, event.version) in self.projection.lines,
                "account_version": self.projection.version(event.account),
            }
        )

    # Reads

    def read(
        self, account: str, *, with_token: bool = False, caller: Caller | None = None, **op: Any
    ) -> None:
        """Read an account; with a token, at least as new as this session knows it to be."""
        caller = caller or self.caller()
        token = self._seen[caller, account] or None if with_token else None
        start_ns = self._starts()
        version = self.projection.version(account)
        if token is not None and version < token:
            self._op(
                caller, "query", "account", start_ns, aggregate=account, token=token,
                reads="account_reads", rows_read=0, outcome="fail", status=409, problem="behind",
            )  # fmt: skip
            return
        told: Row = {"version": version} if version else {}
        if not version:
            told = {"outcome": "fail", "status": 404, "problem": "no-such-account"}
        row = self._op(caller, "query", "account", start_ns, aggregate=account, token=token,
                       reads="account_reads", rows_read=1, **told, **op)  # fmt: skip
        state = self.projection.accounts[account][0].state() if version else None
        self._sees(caller, account, version)
        self.rows["account_reads"].append(
            _reading(row)
            | {
                "aggregate": account,
                "version": version,
                "token": token,
                "state": state,
                "digest": None if state is None else digest_of(state),
            }
        )

    def read_pages(
        self, account: str, size: int, pages: int, *, is_kept: bool = True, **op: Any
    ) -> None:
        """Read pages of a statement, newest lines first."""
        lines = [one for key, one in self.projection.lines.items() if key[0] == account]
        lines.sort(key=lambda one: -one.version)
        for page in range(pages):
            start, end = page * size, (page + 1) * size
            if page and start >= len(lines):
                return
            self._read_page(account, lines[start:end], is_last=end >= len(lines), is_kept=is_kept,
                            op=op)  # fmt: skip

    def _read_page(
        self, account: str, shown: list[Event], *, is_last: bool, is_kept: bool, op: Row
    ) -> None:
        row = self._op(self.caller(), "query", "statement", self._starts(), aggregate=account,
                       reads="page_reads", rows_read=1, **op)  # fmt: skip
        first = shown[0].version if shown else 0
        places = [(first - index, line) for index, line in enumerate(shown)]
        digests = [digest_at(place, line.line()) for place, line in places]
        self.rows["page_reads"].append(
            _reading(row)
            | {
                "aggregate": account,
                "first_version": first,
                "last_version": shown[-1].version if shown else 0,
                "lines": len(shown),
                "digest_sum": sum(digests),
                "is_last": is_last,
                "is_kept": is_kept,
            }
        )
        self.rows["page_lines"] += [
            {name: row[name] for name in ("writer", "session", "seq")}
            | {"aggregate": account, "version": line.version, "place": place}
            | {"line": line.line(), "digest": digest}
            for (place, line), digest in zip(places, digests, strict=True)
            if is_kept
        ]

    def read_owner(self, owner: str, **op: Any) -> None:
        """Read an owner's totals, and the pages of the owner's accounts."""
        row = self._op(self.caller(), "query", "totals", self._starts(), owner=owner,
                       reads="totals_reads", rows_read=1, **op)  # fmt: skip
        totals = next(
            (one for one in self.projection.totals_rows() if one["owner"] == owner),
            {"owner": owner, "accounts": 0, "balance": 0},
        )
        self.rows["totals_reads"].append(_reading(row) | totals)
        shown = [one for one, _ in self.projection.accounts.values() if one.owner == owner]
        for start in range(0, max(len(shown), 1), _PAGE):
            page = shown[start : start + _PAGE]
            row = self._op(self.caller(), "query", "owner_accounts", self._starts(), owner=owner,
                           reads="owner_reads", rows_read=len(page), **op)  # fmt: skip
            self.rows["owner_reads"] += [
                _reading(row)
                | {"owner": owner, "aggregate": one.id, "version": one.version}
                | {"state": one.state(), "digest": digest_of(one.state())}
                for one in page
            ]

    # What is written down

    def fault(self, name: str, **about: Any) -> Row:
        """A fault that strikes now; it is healed once `end_ns` is set."""
        row: Row = {
            "fault": name,
            "id": f"f{len(self.rows['faults']) + 1}",
            "message_id": None,
            "event_id": None,
            "aggregate": None,
            "start_ns": self.clock.now_ns,
            "end_ns": None,
            "fired": 1,
        } | about
        self.rows["faults"].append(row)
        return row

    def _starts(self) -> int:
        start_ns = self.clock.now_ns
        self.clock.pass_ms(self.random.randint(5, 15))
        return start_ns

    def _sees(self, caller: Caller, account: str, version: int) -> None:
        self._seen[caller, account] = max(self._seen[caller, account], version)

    def _op(self, caller: Caller, kind: str, operation: str, start_ns: int, **about: Any) -> Row:
        self._ops[caller] += 1
        self.clock.pass_ms(1)
        row: Row = {
            "writer": caller[0],
            "session": caller[1],
            "seq": self._ops[caller],
            "purpose": "load",
            "kind": kind,
            "operation": operation,
            "reads": None,
            "rows_read": None,
            "principal": None,
            "key": None,
            "payload_hash": None,
            "effect_digest": None,
            "aggregate": None,
            "owner": None,
            "expected_version": None,
            "token": None,
            "intended_ns": start_ns,
            "start_ns": start_ns,
            "end_ns": self.clock.now_ns,
            "outcome": "ok",
            "status": None if about.get("outcome") == "info" else 200,
            "replayed": False,
            "version": None,
            "event_id": None,
            "problem": None,
        } | about
        self.rows["ops"].append(row)
        return row


def _told(answer: Answer) -> Row:
    if answer.status == 202:
        return {
            "status": 202,
            "version": answer.version,
            "event_id": answer.event_id,
            "replayed": answer.replayed,
        }
    return {"outcome": "fail", "status": answer.status, "problem": answer.problem}


def _reading(op: Row) -> Row:
    return {name: op[name] for name in ("writer", "session", "seq", "start_ns", "end_ns")}
