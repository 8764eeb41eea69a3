"""The program from outside: the console script, in a state folder of its own.

Every process has proxy variables that point at a dead port: nothing that is installed may need
the network.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tidemark.errors import ExitCode
from tidemark.host.processes import is_alive
from tidemark.host.state import read_json
from tidemark.targets.base import TargetOptions
from tidemark.targets.embedded import EmbeddedTarget

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CHECKOUT = Path(__file__).resolve().parent.parent
PROGRAM = Path(sys.executable).parent / "tidemark"
DEAD_PROXY = "http://127.0.0.1:9"
VERB_TAKES_AT_MOST_S = 150.0


@dataclass(frozen=True)
class Ended:
    exit_code: int
    stdout: str
    stderr: str

    @property
    def last_line(self) -> str:
        return (self.stdout + self.stderr).rstrip().splitlines()[-1]


@dataclass(frozen=True)
class Emulator:
    """The process of an embedded target, by what it is known by."""

    pid: int
    mark: str

    @property
    def is_alive(self) -> bool:
        return is_alive(self.pid, self.mark)


@dataclass(frozen=True)
class Program:
    """The console script, in a state folder of its own.

    Attributes:
        state: The state folder.
        cwd: Where it runs.
        exported: What its shell has been told.
    """

    state: Path
    cwd: Path = CHECKOUT
    exported: Mapping[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy")
        ours = dict.fromkeys(names, DEAD_PROXY) | {
            "TIDEMARK_STATE_DIR": str(self.state),
            # What must not matter: another endpoint, and a profile that does not exist.
            "AWS_ENDPOINT_URL": DEAD_PROXY,
            "AWS_PROFILE": "no-such-profile",
        }
        foreign = {"CI", "ENDPOINT_URL", "PORT", "STACK_NAME", "TARGET", "WIRING"}
        return {key: one for key, one in os.environ.items() if key not in foreign} | {
            **ours,
            **self.exported,
        }

    @contextmanager
    def brought_down(self) -> Iterator[Self]:
        """The program, and at the end nothing of what it started."""
        yield self
        self("down")
        assert self.left_running() == []

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [PROGRAM, *arguments],
            cwd=self.cwd,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __call__(self, *arguments: str) -> Ended:
        with self.start(*arguments) as process:
            stdout, stderr = process.communicate(timeout=VERB_TAKES_AT_MOST_S)
        return Ended(process.returncode, stdout, stderr)

    def succeeds(self, *arguments: str) -> str:
        ended = self(*arguments)
        assert ended.exit_code == ExitCode.OK, ended.stderr
        return ended.stdout

    def status(self, *arguments: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.succeeds("status", "--json", *arguments))
        return document

    @property
    def embedded(self) -> EmbeddedTarget:
        """The embedded target of its state folder."""
        return EmbeddedTarget(TargetOptions(state=self.state))

    @property
    def emulator(self) -> Emulator | None:
        record = read_json(self.state / "embedded" / "process.json")
        return None if record is None else Emulator(record["pid"], str(self.state / "embedded"))

    def left_running(self) -> list[str]:
        """The command lines of processes whose environment names this state folder."""
        mark = str(self.state).encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                is_marked = mark in (folder / "environ").read_bytes()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if is_marked and command:
                found.append(command)
        return found
