"""The options of a session's testbed, and what the session is to run on according to them."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tidemark import targets
from tidemark.errors import NotStartedError
from tidemark.host.state import CHECKOUT_MARK, find_checkout, read_json
from tidemark.invariants.catalog import choose
from tidemark.targets.emulators import parts_of
from tidemark.workloads import own_checks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemark.targets.base import Target
    from tidemark.workloads.own import OwnWorkload

_PYTHONS = {"python", "python3"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a session is to run on.

    Attributes:
        target: The target's name.
        endpoint_url: Where an endpoint target answers.
        checkout: The folder that the CDK app runs in.
        command: What runs the CDK app; empty to deploy none.
        stack_name: The stack that the tests are about: one of the app's, or, without an app, one
            that is there already and is only used.
        contexts: Context values for the app.
        keep: Whether all of it outlives the session.
        workload: What describes the system, if it is one of the project's own.
    """

    target: str
    endpoint_url: str | None
    checkout: Path
    command: tuple[str, ...] = ()
    stack_name: str | None = None
    contexts: Mapping[str, str] = field(default_factory=dict)
    keep: bool = False
    workload: type[OwnWorkload] | None = None

    def __str__(self) -> str:
        where = f" at {self.endpoint_url}" if self.endpoint_url else ""
        what = f"app {shlex.join(self.command)}" if self.command else f"stack {self.stack_name}"
        values = ", ".join(f"{name}={value}" for name, value in self.contexts.items())
        by = f", workload {self.workload.__name__}" if self.workload else ""
        return f"target {self.target}{where}, {what}" + (values and f" ({values})") + by


CHECK = "--tidemark-check"
"""The option that says what becomes of a verdict."""


def add(parser: pytest.Parser) -> None:
    """Add the options to the command line."""
    group = parser.getgroup("tidemark", "tests on a deployed stack")
    group.addoption(
        "--target",
        choices=targets.names(),
        help="where the session deploys; embedded by default, localstack is one in Docker, "
        "endpoint wants --tidemark-endpoint, and aws TIDEMARK_AWS_ACCOUNT, which says that the "
        "session may deploy to that account, and remove what it deployed",
    )
    group.addoption(
        "--tidemark-endpoint",
        metavar="URL",
        help="an emulator that runs already; only the session's own stacks on it are touched",
    )
    group.addoption(
        "--tidemark-app",
        metavar="COMMAND",
        help='the CDK app, such as "python app.py", run in the rootdir (default: that of cdk.json '
        "in the rootdir or above); all its stacks are deployed",
    )
    group.addoption(
        "--tidemark-stack",
        metavar="NAME",
        help="of an app with several stacks, the one that the tests are about; on a target that "
        "the session does not start, and without --tidemark-app, a stack that is deployed "
        "already: it is used and left alone",
    )
    group.addoption(
        "--tidemark-context",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a context value for the CDK app, such as wiring=direct; may be repeated",
    )
    group.addoption(
        "--tidemark-workload",
        metavar="MODULE:CLASS",
        help="the class that says how the system is commanded, read, exported and folded, so that "
        "what becomes of the calls of `tidemark_caller` is judged",
    )
    group.addoption(
        CHECK,
        choices=("off", "report", "fail"),
        default="fail",
        help="judge what the session left behind: not at all, to be reported, or so that a session "
        "ends with 1 if an invariant is violated, and with 3 if its verdict is unknown (default)",
    )
    group.addoption(
        "--tidemark-keep",
        action="store_true",
        help="leave target and stacks running after the session",
    )


def plan_of(config: pytest.Config) -> Plan:
    """What the session is to run on, as far as it is known before a test asks for it.

    Raises:
        pytest.UsageError: The options contradict each other.
        NotStartedError: The workload is none.
    """
    endpoint, stack_name = map(config.getoption, ("--tidemark-endpoint", "--tidemark-stack"))
    target_name = config.getoption("--target") or ("endpoint" if endpoint else "embedded")
    target = targets.class_of(target_name)
    _check_target(target, endpoint)
    contexts, command = _contexts(config), _given_command(config)
    checkout = config.rootpath
    if not command and (not stack_name or target.is_ours or contexts):
        checkout = find_checkout(config.rootpath) or config.rootpath
        command = _command_of(checkout)
    keep = config.getoption("--tidemark-keep")
    workload = _workload(config)
    return Plan(target_name, endpoint, checkout, command, stack_name, contexts, keep, workload)


def check_deployable(plan: Plan) -> None:
    """See that there is something to deploy, or to use.

    Raises:
        pytest.UsageError: There is no CDK app.
    """
    if not plan.command and (not plan.stack_name or targets.class_of(plan.target).is_ours):
        raise pytest.UsageError(
            f"There is no CDK app here: give --tidemark-app COMMAND, or put {CHECKOUT_MARK} with "
            "the app's command into the rootdir or above."
        )


def _check_target(target: type[Target], endpoint: str | None) -> None:
    if endpoint and not target.takes_endpoint_url:
        raise pytest.UsageError(f"--tidemark-endpoint does not go with --target {target.name}.")
    if endpoint:
        try:
            parts_of(endpoint)
        except NotStartedError as refused:
            raise pytest.UsageError(f"--tidemark-endpoint: {refused}") from refused
    if target.asks_first:
        from tidemark.targets.aws import ACCOUNT_VARIABLE  # noqa: PLC0415 -- such a target has loaded boto3

        if not os.environ.get(ACCOUNT_VARIABLE):
            raise pytest.UsageError(
                f"--target {target.name} wants {ACCOUNT_VARIABLE}: the only account that the "
                "session may deploy to, and remove what it deployed."
            )


def _workload(config: pytest.Config) -> type[OwnWorkload] | None:
    name = config.getoption("--tidemark-workload")
    if name is None:
        return None
    found = own_checks.find(name, config.rootpath)
    try:
        choose(",".join(found.claims))
    except NotStartedError as unknown:
        raise NotStartedError(f"The workload {name} claims what it cannot: {unknown}") from unknown
    return found


def _given_command(config: pytest.Config) -> tuple[str, ...]:
    given = config.getoption("--tidemark-app")
    try:
        command = tuple(shlex.split(given or ""))
    except ValueError as error:
        raise pytest.UsageError(f"--tidemark-app {given!r} is no command: {error}.") from error
    if given is not None and not command:
        raise pytest.UsageError("--tidemark-app is empty: give the command of a CDK app.")
    return command


def _command_of(checkout: Path) -> tuple[str, ...]:
    """The app's command that a project states; empty if it states none."""
    command = shlex.split(str((read_json(checkout / CHECKOUT_MARK) or {}).get("app") or ""))
    if command and Path(command[0]).name in _PYTHONS:
        command[0] = "python"  # the one that runs the tests, wherever it is
    return tuple(command)


def _contexts(config: pytest.Config) -> dict[str, str]:
    contexts = {}
    for one in config.getoption("--tidemark-context"):
        name, equals, value = one.partition("=")
        if not name or not equals:
            raise pytest.UsageError(f"--tidemark-context must be NAME=VALUE, not {one!r}.")
        contexts[name] = value
    return contexts
