"""How long a newcomer waits: a fresh clone, then `make up` three times and `make test`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tidemark.errors import TidemarkError
from tidemark.host.killing import interrupted_by_kill
from tools.bench.row import Row

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_CHECKOUT = Path(__file__).resolve().parents[2]


def measure() -> list[Row]:
    """Measure the commands of the README in a clone of the last commit."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "tidemark"
        subprocess.run(["git", "clone", "--quiet", _CHECKOUT, clone], check=True)
        try:
            rows = [
                Row("make up, fresh clone, warm package caches", _make_s(clone, "up"), "s", 60),
                Row("make up, nothing changed", _make_s(clone, "up"), "s", 3),
            ]
            _make_s(clone, "down")
            rows.append(Row("make up, installed, not running", _make_s(clone, "up"), "s", 10))
        finally:
            _make_s(clone, "down")
        rows.append(Row("make test", _make_s(clone, "test"), "s", 120))
        return rows


def tidemark(*arguments: str, state: Path, ends: Collection[int] = (0,)) -> str:
    """Run the harness of this checkout in a state folder, and return what it printed.

    Args:
        arguments: A verb and its arguments.
        state: The folder.
        ends: The exit codes that are fine.

    Raises:
        TidemarkError: It failed.
    """
    program = Path(sys.executable).with_name("tidemark")
    return _run([program, *arguments], _CHECKOUT, {"TIDEMARK_STATE_DIR": str(state)}, ends=ends)


def _make_s(clone: Path, goal: str) -> float:
    begin = time.perf_counter()
    _run(["make", goal, *(["TARGET=embedded"] if goal == "up" else [])], clone, {})
    return time.perf_counter() - begin


def _run(
    command: Sequence[str | Path],
    folder: Path,
    extra: dict[str, str],
    *,
    ends: Collection[int] = (0,),
) -> str:
    # As a newcomer has it: no state folder, target or activated environment of this one.
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TIDEMARK_")
        and name not in {"TARGET", "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL"}
    }
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=env | extra,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # the terminal's Ctrl-C reaches it through here, once
    )
    with interrupted_by_kill():
        try:
            out, err = process.communicate()
        except KeyboardInterrupt:
            os.killpg(process.pid, signal.SIGINT)
            process.communicate()
            raise
        finally:
            process.kill()
    if process.returncode not in ends:
        words = " ".join([Path(command[0]).name, *map(str, command[1:])])
        raise TidemarkError(f"{words} failed:\n{err.strip() or out.strip()}")
    return out
