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

    The queue must be seen empty three times, for its counts are approximate; while it is not, a
    run whose events are all projected waits for messages of others, and does not.

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
        if owed := workload.unprojected(prefix):
            empty = foreign = 0
            raise NotYetError(f"{owed} events are not projected")
        held = depth(clients, queue) if queue else 0
        empty = empty + 1 if held == 0 else 0
        foreign = foreign + 1 if held else 0
        if empty >= _READINGS:
            return "quiet"
        if foreign >= _READINGS * _READINGS:
            return "quiet (foreign messages)"
        raise NotYetError(f"{held} messages are on their way")

    try:
        how = eventually(probe, within_s=within_s, what="the run to come to rest")
    except NotSeenError:
        how = "deadline"
    return Quiescence(how, time.monotonic() - began)
