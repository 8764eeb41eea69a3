"""The folder of a run, which outlives what made it: what the run was, and every call it made."""

from __future__ import annotations

import fcntl
import json
from typing import TYPE_CHECKING, Any, Self

from tidemark.host.state import write_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from tidemark.api.op import Op
    from tidemark.host.deployment import Deployment

ABOUT = "run.json"
OPS = "ops.jsonl"


def folder_of_runs(state: Path) -> Path:
    """Return where the runs of a state folder are."""
    return state / "runs"


class RunFolder:
    """One process's way into a run's folder; several processes may have theirs at once.

    While any has it open, the folder is not cleared away. `record` is a sink: it writes one line
    of JSON for each op, whole and at once, so that a process that is killed loses nothing it
    had taken.

    Args:
        path: The folder, which is made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        # Unbuffered and appending: a line is one write, which the system does not mix with others.
        self._ops = (path / OPS).open("ab", buffering=0)
        fcntl.flock(self._ops, fcntl.LOCK_SH)

    def describe(self, deployment: Deployment, **about: Any) -> None:
        """Write down what the run is, unless another of its processes has.

        Args:
            deployment: Where its calls go.
            about: What else is known, such as its seed.
        """
        if not (self.path / ABOUT).exists():
            write_json(
                self.path / ABOUT,
                {
                    "run_id": self.path.name,
                    "target": deployment.target,
                    "stack_name": deployment.stack_name,
                    "api_url": deployment.api_url,
                    "template_digest": deployment.template_digest,
                    **about,
                },
            )

    def record(self, op: Op) -> None:
        """Write an op down."""
        self._ops.write(f"{json.dumps(_members(op))}\n".encode())

    def close(self) -> None:
        """Let go of the folder."""
        self._ops.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def is_in_use(path: Path) -> bool:
    """Tell whether a process that lives has a run's folder open."""
    try:
        with (path / OPS).open("rb") as ops:
            fcntl.flock(ops, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _members(op: Op) -> Mapping[str, Any]:
    call = op.call
    return {
        "writer": op.writer,
        "session": op.session,
        "sequence": op.sequence,
        "purpose": op.purpose,
        "kind": op.kind,
        "operation": op.operation,
        "principal": op.principal,
        "key": op.key,
        "payload_hash": call.payload_hash,
        "body": call.body,
        "aggregate": op.aggregate,
        "expected_version": call.expected_version,
        "token": call.token,
        "parameters": {name: one for name, one in call.parameters.items() if one is not None},
        "intended_ns": op.intended_ns,
        "start_ns": op.start_ns,
        "end_ns": op.end_ns,
        "outcome": op.outcome,
        "status": op.status,
        "replayed": op.replayed,
        "version": op.version,
        "event_id": op.event_id,
        "problem": op.problem,
        "detail": op.detail,
        "state": op.state,
    }
