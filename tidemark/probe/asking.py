"""Asking rows on a deployed stack's target, and removing what that needs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tidemark.host.progress import Steps
from tidemark.probe.bench import PREFIX, Bench, unique_name
from tidemark.probe.role import Role
from tidemark.probe.running import Runner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemark.host.deployment import Deployment
    from tidemark.probe.clients import SharedClients
    from tidemark.probe.row import Row
    from tidemark.probe.running import Run


def asked(
    rows: Sequence[Row],
    clients: SharedClients,
    deployment: Deployment,
    *,
    what: str,
    is_patient: bool = False,
) -> Run:
    """Ask rows side by side, each within its bound, and show that it is being done.

    Args:
        rows: What to ask.
        clients: The target's.
        deployment: The stack that rows about the deployed stack look at.
        what: What is being done, in words.
        is_patient: Whether rows may take as long as AWS itself.
    """
    role = Role(clients, unique_name(), PREFIX)
    runner = Runner(
        lambda within_s: Bench(clients, deployment, role, within_s=within_s),
        is_patient=is_patient,
    )
    try:
        with Steps().step(what):
            run = runner.run(rows)
    finally:
        left_behind = role.leftovers.remove()
    return replace(run, left_behind=[*run.left_behind, *left_behind])
