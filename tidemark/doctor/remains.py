"""The state folder: what is known here and no longer true, and what earlier runs left behind."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tidemark import targets
from tidemark.api.exchange import is_loopback
from tidemark.doctor.finding import Finding, lacking, well
from tidemark.errors import NotStartedError, TidemarkError
from tidemark.host import deployment as deployments
from tidemark.host.locking import locked
from tidemark.host.undo import Journal
from tidemark.targets.base import SilentTargetError, TargetOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tidemark.aws.connection import Connection
    from tidemark.host.deployment import Deployment

_SESSIONS = "pytest"
# The targets that are started here, and the file that says so.
_RECORDS = {"embedded": "process.json", "localstack": "container.json"}


def examine(state: Path) -> Iterator[Finding]:
    """All that the state folder tells."""
    yield folder(state)
    yield from running(state)
    yield from known(state)
    yield from left(state)
    yield from evidence(state)


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
    """The targets that were started here."""
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
                "was started here and does not answer",
                "`tidemark up` starts it again, `tidemark down` forgets it",
                is_needed=False,
            )


def known(state: Path) -> Iterator[Finding]:
    """The deployments that are known here."""
    for path in deployments.paths(state):
        try:
            deployment = deployments.Deployment.load(path)
        except TidemarkError:
            yield lacking(
                f"deployment {path.stem}", "cannot be read", f"delete {path}", is_needed=False
            )
            continue
        yield _deployment(deployment, state)


def _deployment(deployment: Deployment, state: Path) -> Finding:
    name = f"stack {deployment.stack_name}"
    where = f"on {deployment.target} ({deployment.endpoint or deployment.region})"
    if deployment.endpoint is None or not is_loopback(deployment.endpoint):
        return well(name, f"known {where}; not asked, it is not on this machine")
    options = TargetOptions(
        state=state, endpoint_url=deployment.endpoint, settings=deployment.settings
    )
    try:
        connection = ask_once(deployment.target, options)
    except NotStartedError as error:
        fix = f"delete what is known of it in {state / 'deployments'}"
        return lacking(name, f"known {where}: {error}", fix, is_needed=False)
    except TidemarkError:
        fix = "nothing, if it is only busy; `tidemark down` otherwise"
        return lacking(name, f"known {where}, which does not say", fix, is_needed=False)
    if connection is None or connection.endpoint != deployment.endpoint:
        return lacking(
            name,
            f"known {where}, where nothing answers",
            "`tidemark up` deploys it again, `tidemark down` forgets it",
            is_needed=False,
        )
    return well(name, f"known {where}, which answers")


def left(state: Path) -> Iterator[Finding]:
    """What killed runs and test sessions left behind, as they wrote it down before they began."""
    for folder in (state, *_sessions(state)):
        begun = Journal(folder).abandoned()
        if begun and not _is_at_work(folder):
            for one in begun:
                yield lacking("left behind", one.what, one.remedy, is_needed=False)


def evidence(state: Path) -> Iterator[Finding]:
    """What failed test sessions kept to be looked at."""
    kept = [session for session in _sessions(state) if (session / "failed").is_dir()]
    if kept:
        places = f"{len(kept)} failed test sessions can be looked at in {state / _SESSIONS}"
        yield well("evidence", f"{places}; delete what you are done with")


def _sessions(state: Path) -> list[Path]:
    return [path for path in sorted((state / _SESSIONS).glob("*-*")) if path.is_dir()]


def _is_at_work(folder: Path) -> bool:
    """Whether a process holds a state folder, and so owns what is begun in it."""
    try:
        with locked(folder):
            return False
    except NotStartedError:
        return True
