"""The state folder: what is recorded and no longer true, and what earlier runs left behind."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tidemark import targets
from tidemark.api.exchange import is_loopback
from tidemark.doctor.finding import Finding, lacking, well
from tidemark.errors import RefusedError, TidemarkError
from tidemark.host import deployment as deployments
from tidemark.host.processes import ProcessIdentity
from tidemark.targets.base import SilentTargetError, TargetOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tidemark.aws.connection import Connection
    from tidemark.host.deployment import Deployment

# The targets that are started here, and the record that says so.
_RECORDS = {"embedded": "process.json", "localstack": "container.json"}


def examine(state: Path) -> Iterator[Finding]:
    """All that the state folder tells."""
    yield folder(state)
    yield from running(state)
    yield from recorded(state)
    yield from sessions(state)


def ask_once(target_name: str, options: TargetOptions) -> Connection | None:
    """Find a target without the patience of who depends on it; see :meth:`Target.find`."""
    target = targets.create(target_name, options)
    target.patience_s = 0.0
    return target.find()


def folder(state: Path) -> Finding:
    """Whether the state folder can be written."""
    there = next(at for at in (state, *state.parents) if at.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        fix = "make it writable, or name another folder in TIDEMARK_STATE_DIR"
        return lacking("state folder", f"{state} cannot be written", fix, is_needed=True)
    return well("state folder", f"{state}{'' if state.exists() else ' (not there yet)'}")


def running(state: Path) -> Iterator[Finding]:
    """The targets that are recorded as running."""
    for name, record in _RECORDS.items():
        if not (state / name / record).is_file():
            continue
        try:
            connection = ask_once(name, TargetOptions(state=state))
        except SilentTargetError:
            fix = "nothing, if it is only busy; `tidemark down` removes it with what is on it"
            yield lacking(
                f"{name} target", "runs, and does not answer at once", fix, is_needed=False
            )
            continue
        except TidemarkError as error:
            says, _, fix = str(error).rstrip(".").partition(": ")
            yield lacking(f"{name} target", says, fix, is_needed=False)
            continue
        if connection is not None:
            yield well(f"{name} target", f"answers at {connection.endpoint}")
        else:
            yield lacking(
                f"{name} target",
                "is recorded as running and does not answer",
                "`tidemark up` starts it again, `tidemark down` forgets it",
                is_needed=False,
            )


def recorded(state: Path) -> Iterator[Finding]:
    """The recorded deployments."""
    for path in deployments.paths(state):
        try:
            deployment = deployments.Deployment.load(path)
        except TidemarkError:
            yield lacking(
                f"record {path.name}", "cannot be read", f"delete {path}", is_needed=False
            )
            continue
        yield _deployment(deployment, state)


def _deployment(deployment: Deployment, state: Path) -> Finding:
    name = f"stack {deployment.stack_name}"
    where = f"on {deployment.target} ({deployment.endpoint or deployment.region})"
    if deployment.endpoint is None or not is_loopback(deployment.endpoint):
        return well(name, f"recorded {where}; not asked, it is not on this machine")
    options = TargetOptions(
        state=state, endpoint_url=deployment.endpoint, settings=deployment.settings
    )
    try:
        connection = ask_once(deployment.target, options)
    except RefusedError as error:
        fix = f"delete its record in {state / 'deployments'}"
        return lacking(name, f"recorded {where}: {error}", fix, is_needed=False)
    except TidemarkError:
        fix = "nothing, if it is only busy; `tidemark down` otherwise"
        return lacking(name, f"recorded {where}, which does not say", fix, is_needed=False)
    if connection is None or connection.endpoint != deployment.endpoint:
        return lacking(
            name,
            f"recorded {where}, where nothing answers",
            "`tidemark up` deploys it again, `tidemark down` forgets it",
            is_needed=False,
        )
    return well(name, f"recorded {where}, which answers")


def sessions(state: Path) -> Iterator[Finding]:
    """What test sessions left: a target that runs on, and folders to look at."""
    folders = [path for path in sorted((state / "pytest").glob("*-*")) if path.is_dir()]
    ended = [path for path in folders if not _is_at_work(path)]
    for path in ended:
        for name, record in _RECORDS.items():
            target = targets.create(name, TargetOptions(state=path))
            if not (path / name / record).is_file() or target.how_ended() is not None:
                continue
            yield lacking(
                "left running",
                f"the {name} target of the test session {path.name}",
                f"TIDEMARK_STATE_DIR={path} tidemark down",
                is_needed=False,
            )
    kept = [path for path in ended if (path / "failed").is_dir()]
    if kept:
        places = f"{len(kept)} failed test sessions can be looked at in {state / 'pytest'}"
        yield well("evidence", f"{places}; delete what you are done with")


def _is_at_work(session: Path) -> bool:
    """Whether the pytest that a session folder is named after still runs."""
    pid = session.name.rpartition("-")[2]
    return pid.isdecimal() and ProcessIdentity.of(int(pid)) is not None
