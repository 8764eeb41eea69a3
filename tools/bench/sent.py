"""A run of a million calls in ten minutes, sent to a bank in memory, judged and drawn."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
from boto3.dynamodb.types import TypeSerializer
from botocore.credentials import Credentials

from tidemark.api.session import Writer
from tidemark.history.finishing import finish
from tidemark.history.writing import RunWriter
from tidemark.host import ports
from tidemark.host.deployment import Deployment
from tidemark.host.waiting import eventually
from tidemark.workloads.bank_history import BankHistory
from tidemark.workloads.bank_items import event_of
from tidemark.workloads.bank_tables import BankTables
from tools.bench import generator
from tools.bench.export import delivery_of
from tools.bench.row import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CALLS = 1_000_000
_SECONDS = 600.0
_OUTPUTS = ("CommandTableName", "QueryTableName", "UpdateProcessorName", "DeadLetterQueueName")


def measure(calls: int = _CALLS, seconds: float = _SECONDS) -> list[Row]:
    """Send the calls, and judge and draw them by the program, as a user does.

    Args:
        calls: How many arrive.
        seconds: In which time.
    """
    with tempfile.TemporaryDirectory(prefix="tidemark-bench-") as folder, _little_bank() as url:
        run = Path(folder) / "runs" / generator.RUN
        sent = generator.mixed(url, calls / seconds, seconds, run)
        _end(run, url)
        judged_s, drawn_s = (_seconds(verb, run) for verb in ("check", "report"))
        page_mb = (run / "report.html").stat().st_size / 1e6
    took = f"{sent.requests:,} calls in {sent.seconds:.0f} s, {sent.late_p99_ms:.1f} ms late (p99)"
    return [
        Row("memory grown while they were sent", sent.grown_mb, "MB", 5, took),
        Row("judged and drawn", judged_s + drawn_s, "s", 60, f"{judged_s:.1f} s, {drawn_s:.1f} s"),
        Row("the page", page_mb, "MB", 1),
    ]


def _end(run: Path, url: str) -> None:
    """Export what the bank holds, as at the end of every run."""
    outputs = {name: name for name in _OUTPUTS}
    tables = _Tables(url)
    deployment = Deployment("memory", url, "us-east-1", "Bench", url, "none", outputs)
    clients: Any = SimpleNamespace(
        credentials=Credentials("AKIAEXAMPLE", "secret"),
        connection=SimpleNamespace(ca_bundle=None),
        sqs=_NoLetters(),
        functions=SimpleNamespace(get_function_configuration=lambda **_: {}),
        logs=SimpleNamespace(
            get_paginator=lambda _: _Log(tables),
            exceptions=SimpleNamespace(ResourceNotFoundException=LookupError),
        ),
    )
    # No more is asked of its tables than these answer.
    workload = BankHistory(BankTables(tables, "CommandTableName", "QueryTableName"))  # type: ignore[arg-type]
    with RunWriter(run, Writer(run.name, "about"), workload) as about_it:
        load = {"profile": "mixed", "plan": {}, "refusals": [], "slo": {}}
        about_it.describe(deployment, kind="load", load=load)
    finish(run, deployment, clients, workload)


class _Tables:
    """What is asked of DynamoDB: all items of a table."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._typed = TypeSerializer().serialize

    def get_paginator(self, _: str) -> _Tables:
        return self

    def paginate(
        self,
        *,
        TableName: str,  # noqa: N803 -- as AWS has it
        FilterExpression: str,  # noqa: N803 -- likewise
        **_: Any,
    ) -> Iterator[dict[str, Any]]:
        # It is asked for what is not projected, too, which is nothing.
        if "#projected" in FilterExpression:
            return
        for page in self.items("log" if TableName == "CommandTableName" else "views"):
            yield {"Items": page}

    def items(self, table: str) -> Iterator[list[Mapping[str, Any]]]:
        """The items of a table, some at once."""
        while some := httpx.get(f"{self._url}/items/{table}").json()["items"]:
            yield [self._typed(item)["M"] for item in some]


class _Log:
    """What a processor would have logged, had there been one."""

    def __init__(self, tables: _Tables) -> None:
        self._tables = tables

    def paginate(self, *, logGroupName: str, **_: Any) -> Iterator[dict[str, Any]]:  # noqa: N803 -- as AWS has it
        if "UpdateProcessor" not in logGroupName:
            return
        for page in self._tables.items("log"):
            for item in page:
                if "event_id" in item:
                    event = event_of(item)
                    at_ms = event.projected_at_ms
                    lines = map(json.dumps, delivery_of(event.key))
                    yield {"events": [{"timestamp": at_ms, "message": line} for line in lines]}


class _NoLetters:
    """A dead-letter queue that is empty."""

    def get_queue_url(self, QueueName: str) -> dict[str, Any]:  # noqa: N803 -- as AWS has it
        return {"QueueUrl": QueueName}

    def receive_message(self, **_: Any) -> dict[str, Any]:
        return {}


@contextmanager
def _little_bank() -> Iterator[str]:
    port = ports.choose(None)
    command = [sys.executable, "-m", "tools.bench.little_bank", str(port)]
    with subprocess.Popen(command) as server:
        try:
            eventually(lambda: not ports.is_free(port), what="the bank to listen")
            yield f"http://{ports.LOOPBACK}:{port}"
        finally:
            server.kill()


def _seconds(verb: str, run: Path) -> float:
    began = time.monotonic()
    command = [sys.executable, "-m", "tidemark", verb, str(run)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began
