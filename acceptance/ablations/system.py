"""The functions as they are deployed, in one process, with a topic and a queue that tests rule.

Calls go through the client and are written down; both tables, and what the processor logged, are
exported as a run's are. So what the judge is given is what a stack would have left.
"""

from __future__ import annotations

import itertools
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from botocore.exceptions import EndpointConnectionError

from functions.command_handler import handler as command_handler
from functions.outbox_sweeper import handler as outbox_sweeper
from functions.query_handler import handler as query_handler
from functions.update_processor import handler as update_processor
from tests.functions.calling import LambdaContext, StoppedClock, aws, parts, proxy_event
from tests.functions.projecting import queue_record
from tidemark.api.client import Client
from tidemark.api.exchange import Answer, Headers, LostError
from tidemark.api.op import Op, Purpose
from tidemark.api.session import Writer, new_run_id
from tidemark.aws.logs import document_in
from tidemark.history.deliveries import told
from tidemark.history.folder import RunFolder
from tidemark.history.writing import RunWriter, describe_more, writers_of
from tidemark.host.state import write_json
from tidemark.workloads import bank
from tidemark.workloads.bank_history import BankHistory
from tidemark.workloads.bank_tables import BankTables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tidemark.api.call import Call
    from tidemark.api.exchange import Request

RECEIVES = 5
_HOUR_MS = 3_600_000
_BOUNDS = {"convergence_bound_ms": 60_000, "lag_bound_ms": 60_000, "recovery_ms": 0}


class Crash(BaseException):
    """A function's process dies: nothing in it may catch that."""


@dataclass
class Delivered:
    """A message of the queue.

    Attributes:
        id: Its id.
        body: What it carries.
        receives: How often it was delivered.
    """

    id: str
    body: str
    receives: int = 0


class System:
    """A system, and the run that calls it.

    Args:
        runs: The folder of all runs' folders.
        printed: What functions printed since it was last asked.
    """

    def __init__(self, runs: Path, printed: Callable[[], list[dict[str, Any]]]) -> None:
        self.path = runs / new_run_id()
        self.a, self.b, self.owner = (f"{self.path.name}-{one}" for one in ("a", "b", "o"))
        self.waiting: list[Delivered] = []
        self.dead: list[Delivered] = []
        self.is_topic_down = self.is_answer_lost = self.crashes_between_writes = False
        self.sweeps = True
        self._numbers = itertools.count(1)
        self._printed = printed
        self._lines: list[tuple[int, dict[str, Any]]] = []
        self._workload = BankHistory(BankTables(aws().dynamodb, "commands", "queries"))
        self._run = RunWriter(self.path, Writer(self.path.name, "w1"), self._workload)
        clients = {"sns": self, "sqs": self}
        self._command = command_handler.build(parts(clients=clients)).handle
        self._process = update_processor.build(parts(clients=clients)).handle
        self._query = query_handler.build(parts()).handle
        later = StoppedClock(time.time_ns() // 1_000_000 + _HOUR_MS)
        self._sweep = outbox_sweeper.build(parts(later, clients)).handle
        self._client = Client(
            api_url="http://127.0.0.1:1",
            region="us-east-1",
            credentials=None,
            transport=self._answer,
            session=Writer(self.path.name, "w1").session("c1"),
            sink=self._run.record,
            principal="-",
        )

    def call(self, call: Call, *, key: str | None = None, purpose: Purpose | None = None) -> Op:
        """Have the session call."""
        return self._client.run(call, key=key, purpose=purpose)

    def crash_if_armed(self) -> None:
        """Where a broken function has written a part of what it writes."""
        if self.crashes_between_writes:
            self.crashes_between_writes = False
            raise Crash

    def project(self, *messages: Delivered) -> None:
        """Deliver messages as one batch: those, or all that wait."""
        batch = messages or tuple(self.waiting)
        if not batch:
            return
        records = []
        for one in batch:
            one.receives += 1
            record = queue_record(one.body, receive_count=one.receives)
            records.append(record | {"messageId": one.id})
        try:
            result = self._process({"Records": records}, LambdaContext())
        except (Crash, RuntimeError):  # the whole batch comes again
            failed = {one.id for one in batch}
        else:
            failed = {one["itemIdentifier"] for one in result["batchItemFailures"]}
        self._read_log()
        done = [one for one in batch if one.id not in failed]
        given_up = [one for one in batch if one.id in failed and one.receives >= RECEIVES]
        self.dead += given_up
        self.waiting = [one for one in self.waiting if one not in [*done, *given_up]]

    def poisoned(self, body: str) -> None:
        """Send a message that nobody can project, until it is gone."""
        message = Delivered(f"poison-{self.path.name}", body)
        start_ns = time.time_ns()
        self.waiting.append(message)
        for _ in range(RECEIVES):
            self.project()
        fault = {"fault": "poison", "id": "f1", "fired": 1, "message_id": message.id}
        when = {"start_ns": start_ns, "end_ns": time.time_ns()}
        self._run.add("faults", fault | when | {"event_id": None, "aggregate": None})

    def sample(self, account_id: str, version: int) -> None:
        """Read an event with its effects by one transaction."""
        values = self._workload.sample(account_id, version)
        assert values is not None
        taken = {"writer": self._run.name, "sample": 1, "taken_at_ms": time.time_ns() // 1_000_000}
        self._run.add("snapshots", taken | values)

    def finish(self) -> RunFolder:
        """Bring all to rest, read it once more, and export it."""
        for _ in range(RECEIVES):
            self.project()
        if self.sweeps:
            self._sweep({}, LambdaContext())
            self.project()
        for call in (
            *(bank.account(one) for one in (self.a, self.b)),
            *(bank.statement(one) for one in (self.a, self.b)),
            bank.owner_accounts(self.owner),
            bank.owner_totals(self.owner),
        ):
            self.call(call, purpose=Purpose.FINAL)
        self._run.close()
        with RunWriter(self.path, Writer(self.path.name, "export"), self._workload) as export:
            self._export(export)
        write_json(self.path / "run.json", {"schema": 1, "run": self.path.name})
        describe_more(self.path, writers=writers_of(self.path))
        return RunFolder.open(self.path)

    def _export(self, export: RunWriter) -> None:
        for table, values in self._workload.export(self.path.name):
            export.add(table, values)
        ours = {self.a, self.b}
        messages = {one.id for one in [*self.waiting, *self.dead]} | {f"poison-{self.path.name}"}
        for table, values in told(self._lines, accounts=ours, messages=messages):
            export.add(table, values)
        for one in self.dead:
            carried = document_in(one.body) or {}
            about = {name: carried.get(name) for name in ("event_id", "version")}
            about |= {"message_id": one.id, "aggregate": carried.get("account_id")}
            export.add("dead_letters", about | {"receive_count": one.receives})
        for claim in self._workload.claims:
            export.add("claims", {"invariant": claim})
        for name, value in (_BOUNDS | {"most_receives": RECEIVES}).items():
            export.add("settings", {"name": name, "value": value})

    def _answer(self, request: Request) -> Answer:
        """What the gateway would: a transport."""
        path = urlsplit(request.url).path
        kind, name, *_ = [*path.strip("/").split("/"), ""]
        variable = {"accounts": "account_id", "owners": "owner_id"}[kind]
        event = proxy_event(
            request.method,
            re.sub(r"^/(\w+)/[^/]+", rf"/\1/{{{variable}}}", path),
            path={variable: unquote(name)} if name else None,
            headers=dict(request.headers),
            body=request.body.decode() or None,
        )
        handle = self._query if request.method == "GET" else self._command
        try:
            result = handle(event, LambdaContext())
        except Crash as crash:
            raise LostError("the function is gone") from crash
        finally:
            self._read_log()
        if self.is_answer_lost:
            self.is_answer_lost = False
            raise LostError("the answer is gone")
        return Answer(result["statusCode"], Headers(result["headers"]), result["body"].encode())

    def _read_log(self) -> None:
        at_ms = time.time_ns() // 1_000_000
        self._lines += [(at_ms, line) for line in self._printed()]

    # What the functions take for SNS and SQS.

    def publish(self, *, Message: str, **_: object) -> None:  # noqa: N803 -- as boto3 has it
        """Take a message of this run; what other runs left in the outbox is not ours."""
        if self.is_topic_down:
            raise EndpointConnectionError(endpoint_url="sns")
        if self.path.name in Message:
            self.waiting.append(Delivered(f"m{next(self._numbers)}", Message))

    def change_message_visibility(self, **_: object) -> None:
        """Every message comes again at once."""
