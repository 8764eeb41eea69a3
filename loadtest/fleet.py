"""The master's side of a load run of several processes: who takes part, and what each is told.

Locust starts and stops the users; of its messages the ones here say what a worker's share of the
run is, which clock all go by, and when a worker has written its part of the history down.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gevent  # type: ignore[import-untyped]  # it ships no types
import psutil
from locust.runners import STATE_MISSING

from loadtest import parcels
from tidemark.api.client import process_clock
from tidemark.errors import NotStartedError, TidemarkError
from tidemark.history.writing import expect
from tidemark.load.share import Share

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from locust.rpc import Message
    from locust.runners import MasterRunner
    from rich.console import Console

PREPARE, READY = "tidemark-prepare", "tidemark-ready"
BEGIN, ENOUGH = "tidemark-begin", "tidemark-enough"
END, CLOSED = "tidemark-end", "tidemark-closed"
ASK_CLOCK, CLOCK = "tidemark-ask-clock", "tidemark-clock"
LATE = "tidemark-late"
"""What master and workers tell each other."""

_GATHER_WITHIN_S = 60.0
_NO_OTHER_FOR_S = 5.0
_READY_WITHIN_S = 60.0
# After its last call a worker writes the rest, and may have it all to send.
_CLOSED_WITHIN_S = 60.0
_LEAD_NS = 1_500_000_000
_POLL_S = 0.05


@dataclass
class Part:
    """A worker's part of a run.

    Attributes:
        client_id: The worker, as Locust knows it.
        writer: What it is called in the run.
        is_ready: Whether it can begin.
        is_closed: Whether its part of the history is whole, in the run's folder.
        problem: What went wrong there, as a sentence.
    """

    client_id: str
    writer: str
    is_ready: bool = False
    is_closed: bool = False
    problem: str | None = None


class Fleet:
    """The workers of a master.

    Args:
        runner: Locust's.
        on_enough: Called when a worker has made so many calls that the run is to end.
        stderr: Where people are told what goes on.
    """

    def __init__(
        self, runner: MasterRunner, on_enough: Callable[[], object], stderr: Console
    ) -> None:
        self._runner = runner
        self._on_enough = on_enough
        self._stderr = stderr
        self._parts: dict[str, Part] = {}
        self._late: set[str] = set()
        self._path: Path | None = None
        self._is_ending = False
        self._expected = 1
        for kind, listener in (
            (READY, self._on_ready),
            (ASK_CLOCK, self._on_ask_clock),
            (ENOUGH, self._on_said_enough),
            (parcels.PARCEL, self._on_parcel),
            (CLOSED, self._on_closed),
        ):
            runner.register_message(kind, listener)
        self._handle: Callable[[str, Message], object] = runner.handle_message
        runner.handle_message = self._handle_in_time  # type: ignore[method-assign, assignment]  # Locust has no hook before it takes a worker in

    @property
    def size(self) -> int:
        """How many workers there are that could begin a run."""
        return len(self._runner.clients.ready)

    def gather(self, expected: int, *, is_exact: bool) -> None:
        """Wait for workers, before a run that nobody starts by hand.

        Args:
            expected: How many to wait for.
            is_exact: Whether there will be no others; else they have a few seconds to come.

        Raises:
            TidemarkError: They did not come in time, or ended before.
        """
        self._expected = expected
        # What was forked: those that ended are zombies until Locust waits for them.
        children = psutil.Process().children()
        until = time.monotonic() + _GATHER_WITHIN_S
        last, seen = time.monotonic(), 0
        while True:
            if self.size != seen:
                last, seen = time.monotonic(), self.size
            settled = time.monotonic() - last >= _NO_OTHER_FOR_S
            if seen >= expected and (is_exact or settled):
                return
            died = sum(_is_over(child) for child in children)
            if died or time.monotonic() > until:
                why = f"{died} ended" if died else f"in {_GATHER_WITHIN_S:.0f} s no other came"
                raise TidemarkError(f"{seen} of {expected} workers are there, and {why}.")
            gevent.sleep(_POLL_S)

    def begin(self, path: Path, run: Mapping[str, Any], users: int) -> int:
        """Give each worker its share of a run, and say when it begins.

        Args:
            path: The run's folder.
            run: What all workers are told of it.
            users: How many users they have together.

        Returns:
            The instant of the begin, by the clock of this process.

        Raises:
            NotStartedError: A worker would have no user.
            TidemarkError: A worker is gone, cannot take part, or does not say that it can.
        """
        self._path, self._is_ending = path, False
        clients = [worker.id for worker in self._runner.clients.ready]
        if len(clients) < self._expected:
            raise TidemarkError(f"Of {self._expected} workers {len(clients)} are left.")
        if users < len(clients):
            raise NotStartedError(
                f"There are {len(clients)} workers for {users} users: say --users "
                f"{len(clients)} or more."
            )
        shares = [Share(place, len(clients)) for place in range(len(clients))]
        self._parts = {
            client: Part(client, f"{path.name}.{share.writer}")
            for client, share in zip(clients, shares, strict=True)
        }
        expect(path, [part.writer for part in self._parts.values()])
        for client, share in zip(clients, shares, strict=True):
            told = dict(run) | {"worker": share.worker, "workers": share.workers}
            self._tell(client, PREPARE, told)
        self._await(
            lambda part: part.is_ready or part.problem is not None or self._is_lost(part),
            _READY_WITHIN_S,
        )
        for part in self._parts.values():
            if not part.is_ready:
                why = part.problem or "it does not answer"
                raise TidemarkError(f"The worker {_short(part)} cannot take part: {why}")
        begin_ns = process_clock()() + _LEAD_NS
        for client in self._parts:
            self._tell(client, BEGIN, {"begin_ns": begin_ns})
        return begin_ns

    def end(self, within_s: float) -> None:
        """Have every worker end its calls and close its part.

        Args:
            within_s: How long calls that are under way may take.
        """
        self._is_ending = True
        for client in self._parts:
            self._tell(client, END, {"within_s": within_s})
        self._await(lambda part: part.is_closed or self._is_lost(part), within_s + _CLOSED_WITHIN_S)

    def gap(self) -> str | None:
        """Say what is missing of the workers' parts, as a sentence without its end."""
        said = [part.problem.rstrip(".") for part in self._parts.values() if part.problem]
        lost = [_short(part) for part in self._parts.values() if not part.is_closed]
        if lost:
            was = "was" if len(lost) == 1 else "were"
            said.append(
                f"{len(lost)} of {len(self._parts)} workers {was} lost ({', '.join(lost)}): the "
                "last calls there are in no history"
            )
        return "; ".join(dict.fromkeys(said)) or None

    def _await(self, is_there: Callable[[Part], bool], within_s: float) -> None:
        until = time.monotonic() + within_s
        while time.monotonic() < until and not all(map(is_there, self._parts.values())):
            gevent.sleep(_POLL_S)

    def _is_lost(self, part: Part) -> bool:
        node = self._runner.clients.get(part.client_id)
        return node is None or node.state == STATE_MISSING

    def _tell(self, client: str, kind: str, data: Mapping[str, Any] | None = None) -> None:
        self._runner.send_message(kind, dict(data or {}), client_id=client)

    def _handle_in_time(self, client_id: str, message: Message) -> None:
        """Take in no worker while a run goes on: all of it is given away."""
        is_new = message.type == "client_ready" and client_id not in self._parts
        if is_new and any(not part.is_closed for part in self._parts.values()):
            self._late.add(client_id)
            self._tell(client_id, "ack")
            self._stderr.print("A worker came after the run had begun: it has no share, and ends.")
        elif client_id not in self._late:
            self._handle(client_id, message)
        elif message.type == "heartbeat":  # before that, it would not understand
            self._tell(client_id, LATE)

    def _on_ready(self, msg: Message, **_: Any) -> None:
        if part := self._parts.get(msg.node_id):
            part.is_ready, part.problem = msg.data["problem"] is None, msg.data["problem"]

    def _on_ask_clock(self, msg: Message, **_: Any) -> None:
        self._tell(msg.node_id, CLOCK, msg.data | {"there_ns": process_clock()()})

    def _on_said_enough(self, msg: Message, **_: Any) -> None:
        if msg.node_id in self._parts:
            self._on_enough()

    def _on_parcel(self, msg: Message, **_: Any) -> None:
        part = self._parts.get(msg.node_id)
        if part is not None and self._path is not None:
            parcels.take_in(self._path, part.writer, msg.data)

    def _on_closed(self, msg: Message, **_: Any) -> None:
        if part := self._parts.get(msg.node_id):
            part.is_closed, part.problem = True, msg.data["problem"]
            if part.problem is None and not self._is_ending:
                part.problem = f"the worker {_short(part)} ended before the run did"


def _short(part: Part) -> str:
    return part.writer.rpartition(".")[2]


def _is_over(child: psutil.Process) -> bool:
    try:
        return bool(child.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
