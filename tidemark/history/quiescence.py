"""When a run is over: nothing of it is on its way any more, or it has been given long enough."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemark.aws.queues import depth
from tidemark.host.waiting import NotSeenError, NotYetError, eventually

if TYPE_CHECKING:
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.workloads.workload import Workload

DEADLINE_S = 150.0
"""Sweep threshold, schedule, visibility and function timeout, one after the other."""

DEADLINE = "deadline"
"""How the waiting ended that was not worth it."""

_READINGS = 3


@dataclass(frozen=True, slots=True)
class Quiescence:
    """How the waiting ended.

    Attributes:
        how: `quiet`, `quiet (foreign messages)` or `deadline`.
        waited_s: How long it took.
    """

    how: str
    waited_s: float


def await_quiescence(
    deployment: Deployment,
    clients: AwsClients,
    workload: Workload,
    prefix: str,
    *,
    within_s: float = DEADLINE_S,
) -> Quiescence:
    """Wait until every event of a run is projected and the queue is empty.

    The queue must be seen empty three times, for its counts are approximate; then the log says
    whether all is projected. Where it is, messages of others are waited for a little, and no more.

    Args:
        deployment: The stack.
        clients: The target's.
        workload: What the run calls.
        prefix: What its ids begin with.
        within_s: How long to wait at most.
    """
    began = time.monotonic()
    queue = deployment.outputs.get("QueueName")
    empty = foreign = 0

    def probe() -> str:
        nonlocal empty, foreign
        held = depth(clients, queue) if queue else 0
        empty = empty + 1 if held == 0 else 0
        foreign = foreign + 1 if held else 0
        if empty < _READINGS and foreign < _READINGS * _READINGS:
            raise NotYetError(f"{held} messages are on their way")
        how = "quiet" if empty >= _READINGS else "quiet (foreign messages)"
        # Last, and once: it reads the whole log.
        if owed := workload.unprojected(prefix):
            empty = foreign = 0
            raise NotYetError(f"{owed} events are not projected")
        return how

    try:
        how = eventually(probe, within_s=within_s, what="the run to come to rest")
    except NotSeenError:
        how = DEADLINE
    return Quiescence(how, time.monotonic() - began)
