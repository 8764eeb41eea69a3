"""The pytest plugin: tests on a deployed stack, on a target that the session starts itself.

Loaded with `-p tidemark.pytest_plugin`, never by itself. A test asks for `deployment`,
`tidemark_client` or `aws`; the first that does starts the target and deploys the stack.
"""

from __future__ import annotations

import os
import shlex
import time
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from tidemark.errors import InterruptedByUserError, TidemarkError
from tidemark.state import CHECKOUT_MARK, find_checkout, read_json, state_dir
from tidemark.testing import capabilities
from tidemark.testing.capabilities import Capabilities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tidemark.aws import Clients
    from tidemark.client import Client
    from tidemark.deployment import Deployment
    from tidemark.probe.result import Finding
    from tidemark.targets.base import Target
    from tidemark.testing.sharing import Host
    from tidemark.testing.testbed import Plan, Testbed

TARGETS = ("embedded", "localstack", "endpoint", "aws")

_LAST_WORDS = pytest.StashKey[list[str]]()
_LACKING = pytest.StashKey["frozenset[str] | None"]()
_SESSION_STATE = pytest.StashKey[Path]()
_HOST = pytest.StashKey["Host"]()
# What a worker of pytest-xdist is told.
_INVITATION = "tidemark_invitation"
_STATE = "tidemark_state"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a session's testbed."""
    group = parser.getgroup("tidemark", "tests on a deployed stack")
    group.addoption(
        "--target",
        choices=TARGETS,
        help="where the session deploys: embedded (the default), localstack (in Docker), "
        "endpoint (with --tidemark-endpoint), or aws (with TIDEMARK_AWS_ACCOUNT, which says that "
        "the session may deploy to that account, and remove what it deployed)",
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
        help="a stack that is deployed at --tidemark-endpoint already; it is used and left alone",
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
    if _target_name(config) == "aws" and not os.environ.get("TIDEMARK_AWS_ACCOUNT"):
        raise pytest.UsageError(
            "--target aws wants TIDEMARK_AWS_ACCOUNT: the only account that the session may deploy "
            "to, and remove what it deployed."
        )
    if config.getoption("--tidemark-stack"):
        if not config.getoption("--tidemark-endpoint"):
            raise pytest.UsageError("--tidemark-stack needs --tidemark-endpoint URL: where it is.")
        if config.getoption("--tidemark-app") or config.getoption("--tidemark-context"):
            raise pytest.UsageError("--tidemark-stack deploys nothing: no app, no context.")
    _given_command(config)
    _contexts(config)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs what the target is known to lack, before anything is started."""
    needed = _needed(item)
    unknown = [one for one in needed if one not in capabilities.CAPABILITIES]
    if unknown:
        known = ", ".join(capabilities.CAPABILITIES)
        pytest.fail(f"There is no capability {unknown[0]!r}: {known}.", pytrace=False)
    if needed and (lacking := _lacking(item.config)) is not None:
        _skip_without(Capabilities(_target_name(item.config), lacking, _never), needed)


@pytest.fixture(autouse=True)
def _needs_are_met(request: pytest.FixtureRequest) -> None:
    """Skip a test that needs what the target turns out to lack, where nobody knew."""
    needed = _needed(request.node)
    if needed and _lacking(request.config) is None:
        _skip_without(request.getfixturevalue("capabilities"), needed)


def pytest_report_collectionfinish(
    config: pytest.Config, items: list[pytest.Item]
) -> list[str] | None:
    """Say what the session is about to deploy on, where a test asks for it."""
    if not any("testbed" in getattr(item, "fixturenames", ()) for item in items):
        return None
    plan = _plan(config)
    where = f" at {plan.endpoint_url}" if plan.endpoint_url else ""
    chosen = ", ".join(f"{name}={value}" for name, value in plan.contexts.items())
    what = f"stack {plan.stack_name}" if plan.stack_name else f"app {shlex.join(plan.command)}"
    return [f"tidemark: target {plan.target}{where}, {what}" + (chosen and f" ({chosen})")]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist whom to ask for the session's deployments."""
    node.workerinput[_INVITATION] = _host(node.config).invitation
    node.workerinput[_STATE] = str(_state(node.config))


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Remove, once all workers have ended, what they shared."""
    host = session.config.stash.get(_HOST, None)
    if host is not None:
        host.interrupt()  # a worker that the user stopped would wait for its deployment
    yield
    bed = None if host is None else host.close()
    if bed is not None:
        _close(bed, session)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Say last where to look."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        for line in config.stash.get(_LAST_WORDS, []):
            reporter.write_line(line)


@pytest.fixture(scope="session")
def testbed(request: pytest.FixtureRequest) -> Iterator[Testbed]:
    """The session's own target and the stacks on it; all of it is removed at the end."""
    config = request.config
    if _is_worker(config):
        yield _guest(config)
        return
    bed = _new_testbed(config)
    yield bed
    _close(bed, request.session)


@pytest.fixture(scope="session")
def deployment(testbed: Testbed, request: pytest.FixtureRequest) -> Deployment:
    """The deployed stack, proven to work."""
    from tidemark.testing.container import NotHereError  # noqa: PLC0415 -- sessions without a deployment stay quick

    try:
        with _shown(request.config):
            return testbed.deployed()
    except InterruptedByUserError as interrupted:
        raise KeyboardInterrupt(str(interrupted)) from None
    except NotHereError as error:
        if request.config.getoption("--tidemark-no-skip"):
            _end(request.config, error)
        pytest.skip(str(error))
    except TidemarkError as error:
        _end(request.config, error)


@pytest.fixture(scope="session")
def target(testbed: Testbed, deployment: Deployment) -> Target:  # noqa: ARG001 -- it answers by then
    """The target that the stack is deployed on."""
    return testbed.target


@pytest.fixture(scope="session", name="capabilities")
def target_capabilities(request: pytest.FixtureRequest) -> Capabilities:
    """What the target can do, of what targets differ in."""
    target_name, lacking = _target_name(request.config), _lacking(request.config)
    if lacking is not None:
        return Capabilities(target_name, lacking, _never)
    deployment: Deployment = request.getfixturevalue("deployment")
    testbed: Testbed = request.getfixturevalue("testbed")

    def measure(capability: str) -> Finding:
        with _shown(request.config):
            return testbed.probed(capability, deployment)

    return Capabilities(target_name, None, measure)


@pytest.fixture(scope="session")
def aws(testbed: Testbed, deployment: Deployment) -> Clients:  # noqa: ARG001 -- it answers by then
    """AWS clients for the target."""
    from tidemark.aws import Clients  # noqa: PLC0415 -- sessions without a deployment stay quick

    return Clients(testbed.connection)


@pytest.fixture(scope="session")
def tidemark_client(testbed: Testbed, deployment: Deployment) -> Iterator[Client]:
    """A client of the deployed API that signs its requests."""
    with ExitStack() as opened:
        try:
            client = opened.enter_context(testbed.client_of(deployment))
        except TidemarkError as error:
            pytest.fail(str(error), pytrace=False)
        yield client


@pytest.fixture(scope="session")
def eventually() -> Callable[..., object]:
    """The waiting function: a probe, a deadline, and what was last seen."""
    from tidemark.waiting import eventually  # noqa: PLC0415 -- the fixture has its name

    return eventually


def _target_name(config: pytest.Config) -> str:
    default = "endpoint" if config.getoption("--tidemark-endpoint") else "embedded"
    return str(config.getoption("--target") or default)


def _lacking(config: pytest.Config) -> frozenset[str] | None:
    if _LACKING not in config.stash:
        config.stash[_LACKING] = capabilities.measured(
            _target_name(config), config.getoption("--tidemark-endpoint")
        )
    return config.stash[_LACKING]


def _needed(item: pytest.Item) -> list[str]:
    """The capabilities that a test declares to need."""
    return [capability for marker in item.iter_markers("needs") for capability in marker.args]


def _skip_without(target: Capabilities, needed: Iterable[str]) -> None:
    for capability in needed:
        if capability not in target:
            pytest.skip(target.why_not(capability))


def _never(capability: str) -> NoReturn:
    raise AssertionError(f"{capability} is known, and not measured")


def _plan(config: pytest.Config) -> Plan:
    from tidemark.testing.testbed import Plan  # noqa: PLC0415 -- sessions without a deployment stay quick

    return Plan(
        target=_target_name(config),
        endpoint_url=config.getoption("--tidemark-endpoint"),
        checkout=_folder(config),
        command=_command(config),
        stack_name=config.getoption("--tidemark-stack"),
        contexts=_contexts(config),
        keep=config.getoption("--tidemark-keep"),
    )


def _folder(config: pytest.Config) -> Path:
    """Where the app runs: the folder of cdk.json, or the rootdir for an app that is given."""
    is_given = config.getoption("--tidemark-app") or config.getoption("--tidemark-stack")
    return (None if is_given else find_checkout(config.rootpath)) or config.rootpath


def _command(config: pytest.Config) -> tuple[str, ...]:
    if config.getoption("--tidemark-stack"):
        return ()
    given = _given_command(config)
    if given:
        return given
    app = (read_json(_folder(config) / CHECKOUT_MARK) or {}).get("app")
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


def _state(config: pytest.Config) -> Path:
    """The session's own folder."""
    if _SESSION_STATE not in config.stash:
        session = f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}"
        folder = state_dir(project=_folder(config)) / "pytest" / session
        config.stash[_SESSION_STATE] = folder
    return config.stash[_SESSION_STATE]


def _new_testbed(config: pytest.Config) -> Testbed:
    from tidemark.progress import Steps  # noqa: PLC0415 -- sessions without a deployment stay quick
    from tidemark.testing.testbed import Testbed  # noqa: PLC0415 -- likewise

    return Testbed(_plan(config), _state(config), Steps())


def _close(bed: Testbed, session: pytest.Session) -> None:
    """Keep what explains a failure, and remove the rest."""
    config = session.config
    with _shown(config):
        try:
            if session.testsfailed:
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


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _host(config: pytest.Config) -> Host:
    """What answers the workers of this session."""
    from tidemark.testing.sharing import Host  # noqa: PLC0415 -- only under pytest-xdist

    if _HOST not in config.stash:
        config.stash[_HOST] = Host(lambda: _new_testbed(config))
    return config.stash[_HOST]


def _guest(config: Any) -> Testbed:
    from tidemark.progress import Steps  # noqa: PLC0415 -- sessions without a deployment stay quick
    from tidemark.testing.sharing import Guest  # noqa: PLC0415 -- only under pytest-xdist

    told = config.workerinput
    return Guest(_plan(config), Path(told[_STATE]), Steps(), told[_INVITATION], told["workerid"])


def _end(config: pytest.Config, error: TidemarkError) -> NoReturn:
    """End the session: nothing can be deployed."""
    if _is_worker(config):
        pytest.fail(str(error), pytrace=False)  # a worker that exits is only replaced by another
    pytest.exit(str(error), returncode=error.exit_code)


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
