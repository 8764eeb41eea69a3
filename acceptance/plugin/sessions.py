"""Small pytest sessions with the plugin, each in a process and a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Session:
    """How a session ended and what it printed."""

    exit_code: int
    output: str


@dataclass(frozen=True)
class Project:
    """A folder with a test file."""

    folder: Path

    def run(self, tests: str, *options: str, **environ: str) -> Session:
        """Run tests with the plugin; nothing of the caller's choice of a target gets through."""
        with self.started(tests, *options, **environ) as process:
            output = process.communicate()[0]
        return Session(process.returncode, output)

    def started(self, tests: str, *options: str, **environ: str) -> subprocess.Popen[str]:
        """The same, not awaited."""
        (self.folder / "test_it.py").write_text(f"import pytest\n\n{tests}\n", encoding="utf-8")
        env = {name: value for name, value in os.environ.items() if name != "CI"}
        env |= {
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "TIDEMARK_STATE_DIR": str(self.folder / "state"),
            **environ,
        }
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "tidemark.pytest_plugin", "-ra", *options],
            cwd=self.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
