"""One step of a search: a load run as a process of its own, and what it came to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from tidemark.errors import ExitCode, InterruptedByUserError, NotStartedError, TidemarkError
from tidemark.history.folder import RunFolder
from tidemark.history.places import folder_of_runs
from tidemark.host.killing import interrupted_by_kill
from tidemark.host.state import state_dir
from tidemark.invariants.views import connect
from tidemark.measures.contention import hot_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tidemark.host.deployment import Deployment
    from tidemark.measures.contention import HotKey

# The run ends in order within some of it, and at once when it is asked again.
_ENDS_WITHIN_S = 7.0
_KILLED_WITHIN_S = 2.0
_LINES = 5


@dataclass(frozen=True)
class Ended:
    """A load run that has ended.

    Attributes:
        run: Its name.
        exit_code: How it ended.
        reason: Why that is not 0; empty if it is.
        figures: Those of its report.
    """

    run: str
    exit_code: ExitCode
    reason: str
    figures: Mapping[str, Any]

    def hot_key(self, bounds: Mapping[str, float]) -> HotKey | None:
        """Find the key with which most went wrong, if it was one.

        Args:
            bounds: What each measure may be.
        """
        folder = RunFolder.open(folder_of_runs(state_dir()) / self.run)
        with connect(folder) as database:
            return hot_key(
                database,
                slow_ms=bounds.get("write_p99_ms", float("inf")),
                late_ms=bounds.get("lag_p99_ms", float("inf")),
            )


def load(deployment: Deployment, arguments: Sequence[str]) -> Ended:
    """Load a deployment, and wait for the end of it.

    Args:
        deployment: Where to.
        arguments: Of `tidemark load`.

    Raises:
        InterruptedByUserError: Ctrl-C or a kill ended it.
        NotStartedError: It did not start.
        TidemarkError: It came to nothing.
    """
    command = [sys.executable, "-m", "tidemark", "load", *arguments, "--json"]
    command += ["--target", deployment.target, "--stack-name", deployment.stack_name]
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,  # the terminal's Ctrl-C reaches it through here, once
        )
        code = _wait(process)
        out.seek(0)
        err.seek(0)
        return _ended(code, out.read(), err.read())


def _wait(process: subprocess.Popen[bytes]) -> int:
    with interrupted_by_kill(process):
        try:
            return process.wait()
        except KeyboardInterrupt:
            with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
                process.wait(_ENDS_WITHIN_S)
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
                process.wait(_KILLED_WITHIN_S)
            raise InterruptedByUserError("Interrupted.") from None
        finally:
            process.kill()


def _ended(code: int, out: str, err: str) -> Ended:
    try:
        report = json.loads(out)
        ended = Ended(
            run=report["run"],
            exit_code=ExitCode(report["exit_code"]),
            reason=str(report["reason"] or ""),
            figures=report["figures"],
        )
    except (ValueError, KeyError, TypeError):
        lines = [one for one in err.strip().splitlines() if not one.startswith("tidemark: ")]
        said = "\n".join(lines[-_LINES:])
        if code == ExitCode.NOT_STARTED:
            raise NotStartedError(said) from None
        raise TidemarkError(f"A load run ended with {code} and without a report:\n{said}") from None
    if ended.exit_code is ExitCode.INTERRUPTED:
        raise InterruptedByUserError("Interrupted.")
    return ended
