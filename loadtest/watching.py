"""What a run keeps an eye on besides its calls: the generator itself, and what is on its way."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING

import gevent  # type: ignore[import-untyped]  # it ships no types
from botocore.exceptions import BotoCoreError, ClientError

from tidemark.aws.queues import depths_at
from tidemark.percentiles import percentile
from tidemark.workloads.bank_outbox import outbox_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from gevent.event import Event  # type: ignore[import-untyped]  # it ships no types

    from tidemark.aws.clients import AwsClients
    from tidemark.history.writing import RunWriter
    from tidemark.host.deployment import Deployment
    from tidemark.load.schedule import Schedule
    from tidemark.workloads.workload import Values

_EVERY_S = 1.0
_LOOK_EVERY_S = 0.02
_COLLECTED_AT = 20_000


def collect_seldom() -> None:
    """Have no call wait for the garbage collector, which knows nothing of when one is due.

    What is there before a run stays, and to go through it takes 30 ms; of what a call leaves,
    next to nothing is in circles.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECTED_AT)


def watch_generator(
    run: RunWriter, schedule: Schedule | None, ended: Event, clock: Callable[[], int]
) -> gevent.Greenlet:
    """Write down each second how this process does, until the run has ended.

    Args:
        run: Where it is written down.
        schedule: What is to be sent, if there is a plan.
        ended: Set when no further call is to begin.
        clock: UTC in nanoseconds.
    """

    def watch() -> None:
        while not ended.is_set():
            began_s, cpu_s = time.perf_counter(), time.process_time()
            lags_s = []
            while not ended.is_set() and time.perf_counter() - began_s < _EVERY_S:
                asleep_s = time.perf_counter()
                ended.wait(_LOOK_EVERY_S)
                lags_s.append(max(0.0, time.perf_counter() - asleep_s - _LOOK_EVERY_S))
            lags_s.sort()
            run.add(
                "generator",
                {
                    "writer": run.name,
                    "at_ns": clock(),
                    "span_ns": _ns(time.perf_counter() - began_s),
                    "cpu_ns": _ns(time.process_time() - cpu_s),
                    "loop_lag_p99_ns": _ns(percentile(lags_s, 0.99)),
                    "loop_lag_max_ns": _ns(lags_s[-1]),
                    "due": None if schedule is None else schedule.newly_due(),
                },
            )

    return gevent.spawn(watch)


def watch_backlog(
    note: Callable[[Values], object], deployment: Deployment, clients: AwsClients, ended: Event
) -> gevent.Greenlet:
    """Note about once a second what is on its way, until the run has ended.

    Args:
        note: Takes what the table `backlog` says of a look, but for who looked.
        deployment: Where the run goes.
        clients: The AWS clients of its target.
        ended: Set when no further call is to begin.
    """

    def look(url: str | None) -> None:
        visible, in_flight = depths_at(clients.sqs, url) if url else (None, None)
        seen = {
            "at_ns": time.time_ns(),
            "queue_visible": visible,
            "queue_in_flight": in_flight,
            "outbox": outbox_size(deployment, clients),
        }
        note(seen)

    def watch() -> None:
        url = None
        while not ended.wait(_EVERY_S):
            try:
                if url is None and (queue := deployment.outputs.get("QueueName")):
                    url = clients.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
                look(url)
            except (BotoCoreError, ClientError):
                continue  # a look that could not be taken is none; the calls say how the target is

    return gevent.spawn(watch)


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)
