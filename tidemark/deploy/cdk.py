"""The CDK command line, run in the environment of a target and nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidemark.aws.connection import clean_environment, for_children
from tidemark.errors import NotStartedError, TidemarkError
from tidemark.host.node import node, tool_path
from tidemark.host.project import find_upwards
from tidemark.host.state import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemark.aws.connection import Connection
    from tidemark.host.processes import Children, Finished

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# The programs that deploy, by name; the second is LocalStack's wrapper of the first.
_PROGRAMS = {
    "cdk": Path("node_modules/aws-cdk/bin/cdk"),
    "cdklocal": Path("node_modules/aws-cdk-local/bin/cdklocal"),
}
# The newest of these deploys what any aws-cdk-lib 2 makes; npm's `latest` of the first does not.
_PACKAGES = {"cdk": "aws-cdk@2", "cdklocal": "aws-cdk-local@3"}
PROGRAMS = tuple(_PROGRAMS)
# A profile of ~/.cdk.json would go before the credentials of the environment: it is no profile.
_ALWAYS = ("--no-notices", "--no-color", "--profile=")
# What the CDK would choose another account, region or source of credentials by.
_CHOOSE = ("plugin", "profile", "region")


@dataclass(frozen=True, slots=True)
class Cdk:
    """The CDK command line of a project, which npm installed there or in a folder above it.

    Attributes:
        checkout: The project's folder.
        state: The state folder; logs and the CDK's own caches go there.
        children: Runs it.
        program: Which of the programs: `cdk`, or `cdklocal` for emulators.
    """

    checkout: Path
    state: Path
    children: Children
    program: str = "cdk"

    def bootstrap(self, connection: Connection, account: str) -> Finished:
        """Create or update the toolkit stack in an account and region."""
        # Away from `cdk.json`: with an app at hand, the command would synthesise it first.
        cwd = self.log_of("bootstrap").parent
        return self.run("bootstrap", [f"aws://{account}/{connection.region}"], connection, cwd=cwd)

    def deploy(
        self, assembly: Path, stack_id: str, connection: Connection, tags: Mapping[str, str]
    ) -> Finished:
        """Deploy one stack of an assembly with stack tags."""
        arguments = [
            *(stack_id, "--exclusively"),
            *("--app", str(assembly)),
            *("--require-approval", "never"),
            *("--progress", "events"),
            *(word for key, value in tags.items() for word in ("--tags", f"{key}={value}")),
        ]
        return self.run("deploy", arguments, connection)

    def diff(self, assembly: Path, stack_id: str, deployed: Mapping[str, Any]) -> Finished:
        """Compare a stack of an assembly with a template that is deployed, file with file.

        The command line gets neither credentials nor an endpoint, so it assumes no role, uploads
        nothing and leaves no change set behind.
        """
        folder = self.log_of("diff").parent
        folder.mkdir(parents=True, exist_ok=True)
        (template := folder / "deployed.template.json").write_text(json.dumps(deployed))
        arguments = [stack_id, "--exclusively", "--app", str(assembly), "--template", str(template)]
        return self._run("diff", arguments, clean_environment())

    def run(
        self, verb: str, arguments: list[str], connection: Connection, *, cwd: Path | None = None
    ) -> Finished:
        """Run a verb of the command line to its end and keep what it printed.

        Args:
            verb: The verb.
            arguments: Its arguments.
            connection: The target's; its environment has this and nothing else.
            cwd: Where it runs; the project's folder if absent.

        Raises:
            NotStartedError: A setting of the CDK's would choose another account than was shown, or
                the credentials are no longer those that were.
            TidemarkError: The command line is not installed.
        """
        if connection.caller is not None:
            refuse_settings_that_choose(self.checkout)
        return self._run(verb, arguments, for_children(connection), cwd=cwd)

    def _run(
        self, verb: str, arguments: list[str], env: Mapping[str, str], *, cwd: Path | None = None
    ) -> Finished:
        if not self._script.is_file():
            raise TidemarkError(
                f"The CDK command line is not installed in {self.checkout} or above it: run "
                "`make up`, which installs it, or in a project of your own "
                f"`npm install {_PACKAGES[self.program]}`."
            )
        env = {
            **env,
            "PATH": tool_path(),
            # Its caches know accounts by access key; those of an emulator stay here.
            "CDK_HOME": str(self.state / "cdk"),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CDK_DISABLE_VERSION_CHECK": "true",
            "NO_COLOR": "1",
        }
        if self.program == "cdklocal":
            # Else it takes the region and the credentials for its own defaults.
            env["AWS_ENVAR_ALLOWLIST"] = ",".join(key for key in env if key.startswith("AWS_"))
        cwd = cwd or self.checkout
        cwd.mkdir(parents=True, exist_ok=True)
        return self.children.run(
            [node(), self._script, verb, *_ALWAYS, *arguments],
            env=env,
            cwd=cwd,
            log=self.log_of(verb),
        )

    def log_of(self, command: str) -> Path:
        """Where the output of the last such command is kept."""
        return self.state / "cdk" / f"{command}.log"

    @property
    def _script(self) -> Path:
        """Where the program is, as Node would look for it within the project."""
        program = _PROGRAMS[self.program]
        return (find_upwards(program, self.checkout) or self.checkout) / program


def refuse_settings_that_choose(checkout: Path) -> None:
    """Refuse settings of the CDK's own, in the project or the home folder, that name where to.

    Raises:
        NotStartedError: There is one.
    """
    for path in (checkout / "cdk.json", Path.home() / ".cdk.json"):
        settings = read_json(path) or {}
        if found := next((name for name in _CHOOSE if settings.get(name)), None):
            raise NotStartedError(
                f"{path} has the setting {found!r}, by which the CDK would choose credentials or a "
                "region of its own: remove it there, and say it with AWS_PROFILE or AWS_REGION."
            )


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
