"""The pytest plugin: tests on a deployed stack, on a target that the session starts itself.

Loaded with `-p tidemark.pytest_plugin`, never by itself. A test asks for `deployment`,
`tidemark_client` or `aws`; the first that does starts the target and deploys the stack.
"""

from __future__ import annotations

import os
import shlex
import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import pytest

from tidemark.errors import InterruptedByUserError, TidemarkError
from tidemark.state import find_checkout, state_dir
from tidemark.testing import capabilities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tidemark.aws import Clients
    from tidemark.client import Client
    from tidemark.deployment import Deployment
    from tidemark.targets.base import Target
    from tidemark.testing.testbed import Plan, Testbed

TARGETS = ("embedded", "localstack", "endpoint")

_LAST_WORDS = pytest.StashKey[list[str]]()
_LACKING = pytest.StashKey[frozenset[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a session's testbed."""
    group = parser.getgroup("tidemark", "tests on a deployed stack")
    group.addoption(
        "--target",
        choices=TARGETS,
        help="where the session deploys: embedded (the default), localstack (in Docker), or "
        "endpoint (with --tidemark-endpoint)",
    )
    group.addoption(
        "--tidemark-endpoint",
        metavar="URL",
        help="an emulator that runs already; only the session's own stacks on it are touched",
    )
    group.addoption(
        "--tidemark-app",
        metavar="COMMAND",
        default="python -m stack.app",
        help='the CDK app, "python -m MODULE" (default: %(default)s)',
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
    group.addoption(
        "--tidemark-no-skip",
        action="store_true",
        default=bool(os.environ.get("CI")),
        help="fail where the target cannot be started here, instead of skipping (default in CI)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Check the options, and register the marker for capabilities."""
    config.stash[_LAST_WORDS] = []
    config.addinivalue_line(
        "markers",
        "needs(capability, ...): skip on a target that lacks one of "
        + ", ".join(capabilities.CAPABILITIES),
    )
    if (_target_name(config) == "endpoint") != bool(config.getoption("--tidemark-endpoint")):
        raise pytest.UsageError("--target endpoint and --tidemark-endpoint URL go together.")
    _module(config)
    _contexts(config)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs what the target lacks."""
    for marker in item.iter_markers("needs"):
        for capability in marker.args:
            if capability not in capabilities.CAPABILITIES:
                known = ", ".join(capabilities.CAPABILITIES)
                pytest.fail(f"There is no capability {capability!r}: {known}.", pytrace=False)
            if capability in _lacking(item.config):
                meaning = capabilities.CAPABILITIES[capability]
                pytest.skip(f"the {_target_name(item.config)} target lacks {capability}: {meaning}")


def pytest_report_collectionfinish(
    config: pytest.Config, items: list[pytest.Item]
) -> list[str] | None:
    """Say what the session is about to deploy on, where a test asks for it."""
    if not any("testbed" in getattr(item, "fixturenames", ()) for item in items):
        return None
    plan = _plan(config)
    where = f" at {plan.endpoint_url}" if plan.endpoint_url else ""
    chosen = ", ".join(f"{name}={value}" for name, value in plan.contexts.items())
    return [
        f"tidemark: target {plan.target}{where}, app {plan.module}" + (chosen and f" ({chosen})")
    ]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Say last where to look."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        for line in config.stash.get(_LAST_WORDS, []):
            reporter.write_line(line)


@pytest.fixture(scope="session")
def testbed(request: pytest.FixtureRequest) -> Iterator[Testbed]:
    """The session's own target and the stacks on it; all of it is removed at the end."""
    from tidemark.progress import Steps  # noqa: PLC0415 -- sessions without a deployment stay quick
    from tidemark.testing.testbed import Testbed  # noqa: PLC0415 -- likewise

    config = request.config
    session = f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}"
    bed = Testbed(_plan(config), state_dir() / "pytest" / session, Steps())
    yield bed
    with _shown(config):
        try:
            if request.session.testsfailed:
                bed.keep_evidence()
        finally:
            if config.getoption("--tidemark-keep"):
                config.stash[_LAST_WORDS].append(
                    f"Target and stacks are left running; to remove them: {bed.how_to_remove}"
                )
            else:
                bed.remove()
    if bed.evidence.is_dir():
        config.stash[_LAST_WORDS].append(f"What there is to look at: {bed.evidence}")


@pytest.fixture(scope="session")
def deployment(testbed: Testbed, request: pytest.FixtureRequest) -> Deployment:
    """The deployed stack, proven to work."""
    from tidemark.testing.container import NotHereError  # noqa: PLC0415 -- sessions without a deployment stay quick

    try:
        with _shown(request.config):
            deployed = testbed.deployed()
            versions = {**testbed.target.versions(), "template": deployed.template_digest[:12]}
            words = ", ".join(f"{name} {version}" for name, version in versions.items())
            testbed.steps.say(f"  {deployed.stack_name} is at {deployed.api_url} ({words})")
            return deployed
    except InterruptedByUserError as interrupted:
        raise KeyboardInterrupt(str(interrupted)) from None
    except NotHereError as error:
        if request.config.getoption("--tidemark-no-skip"):
            pytest.exit(str(error), returncode=error.exit_code)
        pytest.skip(str(error))
    except TidemarkError as error:
        pytest.exit(str(error), returncode=error.exit_code)


@pytest.fixture(scope="session")
def target(testbed: Testbed, deployment: Deployment) -> Target:  # noqa: ARG001 -- it answers by then
    """The target that the stack is deployed on."""
    return testbed.target


@pytest.fixture(scope="session", name="capabilities")
def target_capabilities(request: pytest.FixtureRequest) -> frozenset[str]:
    """What the target can do, of what targets differ in."""
    return frozenset(capabilities.CAPABILITIES) - _lacking(request.config)


@pytest.fixture(scope="session")
def aws(testbed: Testbed, deployment: Deployment) -> Clients:  # noqa: ARG001 -- it answers by then
    """AWS clients for the target."""
    from tidemark.aws import Clients  # noqa: PLC0415 -- sessions without a deployment stay quick

    return Clients(testbed.connection)


@pytest.fixture(scope="session")
def tidemark_client(testbed: Testbed, deployment: Deployment) -> Iterator[Client]:
    """A client of the deployed API that signs its requests."""
    with testbed.client_of(deployment) as client:
        yield client


@pytest.fixture(scope="session")
def eventually() -> Callable[..., object]:
    """The waiting function: a probe, a deadline, and what was last seen."""
    from tidemark.waiting import eventually  # noqa: PLC0415 -- the fixture has its name

    return eventually


def _target_name(config: pytest.Config) -> str:
    default = "endpoint" if config.getoption("--tidemark-endpoint") else "embedded"
    return str(config.getoption("--target") or default)


def _lacking(config: pytest.Config) -> frozenset[str]:
    if _LACKING not in config.stash:
        config.stash[_LACKING] = capabilities.lacking(
            _target_name(config), config.getoption("--tidemark-endpoint")
        )
    return config.stash[_LACKING]


def _plan(config: pytest.Config) -> Plan:
    from tidemark.testing.testbed import Plan  # noqa: PLC0415 -- sessions without a deployment stay quick

    checkout = find_checkout(config.rootpath)
    if checkout is None:
        raise pytest.UsageError("There is no CDK app here: no cdk.json in the rootdir or above.")
    return Plan(
        target=_target_name(config),
        endpoint_url=config.getoption("--tidemark-endpoint"),
        checkout=checkout,
        module=_module(config),
        contexts=_contexts(config),
        keep=config.getoption("--tidemark-keep"),
    )


def _module(config: pytest.Config) -> str:
    match shlex.split(config.getoption("--tidemark-app")):
        case ["python", "-m", module]:
            return module
    raise pytest.UsageError('--tidemark-app must be "python -m MODULE".')


def _contexts(config: pytest.Config) -> dict[str, str]:
    contexts = {}
    for one in config.getoption("--tidemark-context"):
        name, equals, value = one.partition("=")
        if not name or not equals:
            raise pytest.UsageError(f"--tidemark-context must be NAME=VALUE, not {one!r}.")
        contexts[name] = value
    return contexts


@contextmanager
def _shown(config: pytest.Config) -> Iterator[None]:
    """Let progress through to the terminal while fixtures are set up or torn down."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    capture = config.pluginmanager.get_plugin("capturemanager")
    if reporter is not None:
        reporter.ensure_newline()
    with capture.global_and_fixture_disabled() if capture is not None else nullcontext():
        yield
