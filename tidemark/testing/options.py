"""The options of a session's testbed: what they are, and what they mean together."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tidemark import targets
from tidemark.errors import RefusedError
from tidemark.host.state import CHECKOUT_MARK, find_checkout, read_json
from tidemark.targets.emulators import parts_of

if TYPE_CHECKING:
    from tidemark.testing.testbed import Plan


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
        "in the rootdir or above)",
    )
    group.addoption(
        "--tidemark-stack",
        metavar="NAME",
        help="a stack that is deployed already, on a target that the session does not start; it "
        "is used and left alone",
    )
    group.addoption(
        "--tidemark-context",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a context value for the CDK app, such as wiring=direct; may be repeated",
    )
    group.addoption(
        "--tidemark-keep",
        action="store_true",
        help="leave target and stacks running after the session",
    )


def check(config: pytest.Config) -> None:
    """Check what can be checked before anything is started.

    Raises:
        pytest.UsageError: The options contradict each other.
    """
    name = target_name(config)
    target = targets.class_of(name)
    endpoint = config.getoption("--tidemark-endpoint")
    if endpoint:
        if not target.takes_endpoint_url:
            raise pytest.UsageError(f"--tidemark-endpoint does not go with --target {name}.")
        _check_url(endpoint)
    if target.asks_first:
        from tidemark.targets.aws import ACCOUNT_VARIABLE  # noqa: PLC0415 -- such a target has loaded boto3

        if not os.environ.get(ACCOUNT_VARIABLE):
            raise pytest.UsageError(
                f"--target {name} wants {ACCOUNT_VARIABLE}: the only account that the session may "
                "deploy to, and remove what it deployed."
            )
    if config.getoption("--tidemark-stack"):
        if target.is_ours:
            raise pytest.UsageError(
                "--tidemark-stack needs a target that runs already: give --tidemark-endpoint URL, "
                "or a --target that the session does not start."
            )
        if config.getoption("--tidemark-app") or config.getoption("--tidemark-context"):
            raise pytest.UsageError("--tidemark-stack deploys nothing: no app, no context.")
    _given_command(config)
    _contexts(config)


def _check_url(endpoint: str) -> None:
    try:
        parts_of(endpoint)
    except RefusedError as refused:
        raise pytest.UsageError(f"--tidemark-endpoint: {refused}") from refused


def target_name(config: pytest.Config) -> str:
    """The target that the session runs on."""
    default = "endpoint" if config.getoption("--tidemark-endpoint") else "embedded"
    return str(config.getoption("--target") or default)


def plan_of(config: pytest.Config) -> Plan:
    """What the session is to run on.

    Raises:
        pytest.UsageError: There is no CDK app.
    """
    from tidemark.testing.testbed import Plan  # noqa: PLC0415 -- sessions without a deployment stay quick

    return Plan(
        target=target_name(config),
        endpoint_url=config.getoption("--tidemark-endpoint"),
        checkout=folder_of(config),
        command=_command(config),
        stack_name=config.getoption("--tidemark-stack"),
        contexts=_contexts(config),
        keep=config.getoption("--tidemark-keep"),
    )


def folder_of(config: pytest.Config) -> Path:
    """Where the app runs: the folder of cdk.json, or the rootdir for an app that is given."""
    is_given = config.getoption("--tidemark-app") or config.getoption("--tidemark-stack")
    return (None if is_given else find_checkout(config.rootpath)) or config.rootpath


def _command(config: pytest.Config) -> tuple[str, ...]:
    if config.getoption("--tidemark-stack"):
        return ()
    given = _given_command(config)
    if given:
        return given
    app = (read_json(folder_of(config) / CHECKOUT_MARK) or {}).get("app")
    if not app:
        raise pytest.UsageError(
            f"There is no CDK app here: give --tidemark-app COMMAND, or put {CHECKOUT_MARK} with "
            "the app's command into the rootdir or above."
        )
    first, *rest = shlex.split(str(app))
    # A Python is the one that runs the tests, wherever it is.
    return ("python" if Path(first).name in {"python", "python3"} else first, *rest)


def _given_command(config: pytest.Config) -> tuple[str, ...]:
    given = config.getoption("--tidemark-app")
    try:
        command = tuple(shlex.split(given or ""))
    except ValueError as error:
        raise pytest.UsageError(f"--tidemark-app {given!r} is no command: {error}.") from error
    if given is not None and not command:
        raise pytest.UsageError("--tidemark-app is empty: give the command of a CDK app.")
    return command


def _contexts(config: pytest.Config) -> dict[str, str]:
    contexts = {}
    for one in config.getoption("--tidemark-context"):
        name, equals, value = one.partition("=")
        if not name or not equals:
            raise pytest.UsageError(f"--tidemark-context must be NAME=VALUE, not {one!r}.")
        contexts[name] = value
    return contexts
