"""The pytest plugin: tests on a deployed stack, on a target that the session starts itself.

Loaded with `-p tidemark.pytest_plugin`, never by itself. A test asks for `deployment`,
`tidemark_client` or `aws`; the first that does starts the target and deploys the stack.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tidemark.api.session import new_run_id
from tidemark.errors import ExitCode, TidemarkError
from tidemark.host.killing import interrupted_by_kill
from tidemark.host.state import make_private, state_dir
from tidemark.testing import capabilities, options
from tidemark.testing.capabilities import Capabilities
from tidemark.testing.ending import ending, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tidemark.api.client import Client
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.probe.result import RowResult
    from tidemark.targets.base import Target
    from tidemark.testing.runs import SessionHistory
    from tidemark.testing.testbed import Testbed
    from tidemark.workloads.calling import Caller

_PLAN = pytest.StashKey[options.Plan]()
_LAST_WORDS = pytest.StashKey[list[str]]()
_EXIT_CODE = pytest.StashKey[ExitCode]()
_CAPABILITIES = pytest.StashKey[Capabilities]()
_TESTBED = pytest.StashKey["Testbed"]()
_SESSION_STATE = pytest.StashKey[Path]()
# What a worker of pytest-xdist is told.
_STATE = "tidemark_state"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a session's testbed."""
    options.add(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Check the options, and register the marker for capabilities."""
    config.stash[_LAST_WORDS] = []
    config.addinivalue_line(
        "markers",
        "needs(capability, ...): skip on a target that lacks one of "
        + ", ".join(capabilities.CAPABILITIES),
    )
    try:
        config.stash[_PLAN] = options.plan_of(config)
    except TidemarkError as refused:
        pytest.exit(str(refused), returncode=refused.exit_code)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs what the target lacks; what nobody knows of it is measured then."""
    for capability in (one for marker in item.iter_markers("needs") for one in marker.args):
        if capability not in capabilities.CAPABILITIES:
            known = ", ".join(capabilities.CAPABILITIES)
            pytest.fail(f"There is no capability {capability!r}: {known}.", pytrace=False)
        target = _capabilities(item.config)
        if capability not in target:
            pytest.skip(target.why_not(capability))


def pytest_report_collectionfinish(
    config: pytest.Config, items: list[pytest.Item]
) -> list[str] | None:
    """Say what the session is about to deploy on, where a test asks for it."""
    if not any("testbed" in getattr(item, "fixturenames", ()) for item in items):
        return None
    options.check_deployable(config.stash[_PLAN])
    return [f"tidemark: {config.stash[_PLAN]}"]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the session's deployments are."""
    node.workerinput[_STATE] = str(_state(node.config))


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Remove, once all workers have ended, what was made; say what is not as it should be."""
    state = session.config.stash.get(_SESSION_STATE, None)
    if state is not None and session.exitstatus == pytest.ExitCode.INTERRUPTED:
        from tidemark.testing.session import stop_processes  # noqa: PLC0415 -- sessions without a deployment stay quick

        stop_processes(state)  # else a worker of pytest-xdist sees a deploy through
    yield
    if _TESTBED in session.config.stash:
        _end_recording(session)
    if state is not None:
        _close(session)
    if session.exitstatus != pytest.ExitCode.INTERRUPTED:
        session.exitstatus = session.config.stash.get(_EXIT_CODE, session.exitstatus)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Say last where to look."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        for line in config.stash.get(_LAST_WORDS, []):
            reporter.write_line(line)


@pytest.fixture(scope="session")
def testbed(request: pytest.FixtureRequest) -> Testbed:
    """The session's own target and the stacks on it; all of it is removed at the end."""
    with ending(request.config):
        return _testbed(request.config)


@pytest.fixture(scope="session")
def deployments(testbed: Testbed, request: pytest.FixtureRequest) -> dict[str, Deployment]:
    """The app's deployed stacks by name, each after those that it depends on."""
    with ending(request.config):
        return testbed.deploy().by_name


@pytest.fixture(scope="session")
def deployment(
    testbed: Testbed,
    deployments: dict[str, Deployment],  # noqa: ARG001 -- it is one of them
    request: pytest.FixtureRequest,
) -> Deployment:
    """The deployed stack: of several, that with the API, or that `--tidemark-stack` names."""
    with ending(request.config):
        return testbed.deploy().deployment


@pytest.fixture(scope="session")
def target(testbed: Testbed, deployments: dict[str, Deployment]) -> Target:  # noqa: ARG001 -- it answers by then
    """The target that the app is deployed on."""
    return testbed.target


@pytest.fixture(scope="session", name="capabilities")
def target_capabilities(request: pytest.FixtureRequest) -> Capabilities:
    """What the target can do, of what targets differ in."""
    return _capabilities(request.config)


@pytest.fixture(scope="session")
def aws(testbed: Testbed, deployments: dict[str, Deployment]) -> AwsClients:  # noqa: ARG001 -- it answers by then
    """AWS clients for the target."""
    from tidemark.aws.clients import AwsClients  # noqa: PLC0415 -- sessions without a deployment stay quick

    try:
        return AwsClients(testbed.connection)
    except TidemarkError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def tidemark_sessions(
    testbed: Testbed, deployment: Deployment
) -> Iterator[Callable[[str], Client]]:
    """Makes clients of the deployed API: each name is a session, whose calls do not overlap."""
    with ExitStack() as opened:
        try:
            client = opened.enter_context(testbed.client_of(deployment))
        except TidemarkError as error:
            pytest.fail(str(error), pytrace=False)
        yield client.for_session


@pytest.fixture
def tidemark_client(
    tidemark_sessions: Callable[[str], Client], request: pytest.FixtureRequest
) -> Client:
    """A client of the deployed API that signs its requests; its session is the test."""
    from tidemark.testing.runs import session_name  # noqa: PLC0415 -- sessions without a deployment stay quick

    return tidemark_sessions(session_name(request.node.name))


@pytest.fixture
def tidemark_caller(testbed: Testbed, request: pytest.FixtureRequest) -> Caller:
    """A caller of the deployed system, by `--tidemark-workload`; its session is the test."""
    from tidemark.testing.runs import session_name  # noqa: PLC0415 -- sessions without a deployment stay quick

    with ending(request.config):
        _ = testbed.runs.own  # before anything is deployed
        deployment = request.getfixturevalue("deployment")
        return testbed.caller_of(deployment).for_session(session_name(request.node.name))


@pytest.fixture(scope="session")
def tidemark_history(testbed: Testbed, deployment: Deployment) -> SessionHistory:
    """The history of the session on the deployed stack: its folder, its run id, its faults."""
    return testbed.history_of(deployment)


@pytest.fixture(scope="session")
def eventually() -> Callable[..., object]:
    """The waiting function: a probe, a deadline, and what was last seen."""
    from tidemark.host.waiting import eventually  # noqa: PLC0415 -- the fixture has its name

    return eventually


def _capabilities(config: pytest.Config) -> Capabilities:
    if _CAPABILITIES not in config.stash:
        plan = config.stash[_PLAN]

        def measure(capability: str) -> RowResult:
            with ending(config):
                return _testbed(config).probe(capability)

        lacking = capabilities.look_up(plan.target, plan.endpoint_url)
        config.stash[_CAPABILITIES] = Capabilities(plan.target, lacking, measure)
    return config.stash[_CAPABILITIES]


def _state(config: Any) -> Path:
    """The session's own folder, which it holds from now on; what killed runs left is undone."""
    from tidemark.host.locking import locked  # noqa: PLC0415 -- sessions without a deployment stay quick
    from tidemark.host.progress import stderr  # noqa: PLC0415 -- likewise
    from tidemark.testing import session  # noqa: PLC0415 -- likewise

    if hasattr(config, "workerinput"):
        return Path(config.workerinput[_STATE])
    if _SESSION_STATE not in config.stash:
        root = state_dir(project=config.stash[_PLAN].checkout)
        make_private(root)
        with ending(config):
            for line in session.heal(root):
                stderr.print(f"  {line}", markup=False)
        holding = ExitStack()
        # From now on, a `kill` ends the session as Ctrl-C does.
        holding.enter_context(interrupted_by_kill())
        folder = root / session.SESSIONS / new_run_id()
        holding.enter_context(locked(folder))
        config.add_cleanup(holding.close)
        config.stash[_SESSION_STATE] = folder
    state: Path = config.stash[_SESSION_STATE]
    return state


def _testbed(config: Any) -> Testbed:
    """The session's testbed, in this process."""
    if _TESTBED not in config.stash:
        from tidemark.host.progress import Steps  # noqa: PLC0415 -- sessions without a deployment stay quick
        from tidemark.testing.runs import SessionRuns  # noqa: PLC0415 -- likewise
        from tidemark.testing.testbed import Testbed  # noqa: PLC0415 -- likewise

        state, steps = _state(config), Steps()
        process = config.workerinput["workerid"] if hasattr(config, "workerinput") else "main"
        plan = config.stash[_PLAN]
        runs = SessionRuns.of_session(state, process, steps.say, plan.workload)
        config.stash[_TESTBED] = Testbed(plan, state, steps, runs)
    bed: Testbed = config.stash[_TESTBED]
    return bed


def _close(session: pytest.Session) -> None:
    """Keep what explains a failure, remove the rest, and say what is left."""
    from tidemark.testing.session import clear, has_evidence, is_unused  # noqa: PLC0415 -- sessions without a deployment stay quick

    words, state = session.config.stash[_LAST_WORDS], session.config.stash[_SESSION_STATE]
    if is_unused(state):
        clear(state)
        return
    bed = _testbed(session.config)
    if session.config.getoption("tx", None) and bed.failures:  # workers of xdist ran the tests
        session.config.stash[_EXIT_CODE] = bed.failures[0].exit_code
    try:
        with shown(session.config):
            _judge(session, bed)
            if session.testsfailed:
                words.extend(_kept_evidence(bed))
            if not bed.plan.keep:
                bed.remove()
    finally:
        if bed.plan.keep:
            words.extend(f"It is left running; to remove it: {how}" for how in bed.keep())
        elif bed.left:
            words.extend(bed.left)
            session.config.stash[_EXIT_CODE] = ExitCode.FAILED
        if has_evidence(state):
            words.append(f"What there is to look at: {bed.evidence}")


def _end_recording(session: pytest.Session) -> None:
    """Write down the rest of what this process called; say so where that cannot be done."""
    try:
        session.config.stash[_TESTBED].runs.close()
    except TidemarkError as error:
        session.config.stash[_LAST_WORDS].append(str(error))
        _end_with(session, error.exit_code)


def _judge(session: pytest.Session, bed: Testbed) -> None:
    """Judge what the session left behind, and say what does not hold."""
    from tidemark.host import failures  # noqa: PLC0415 -- sessions without a deployment stay quick

    config = session.config
    what = config.getoption(options.CHECK)
    if what == "off" or session.exitstatus == pytest.ExitCode.INTERRUPTED:
        return
    try:
        for code, said in bed.judge():
            config.stash[_LAST_WORDS].extend(said)
            if what == "fail":
                _end_with(session, code)
    except ImportError:
        config.stash[_LAST_WORDS].append(
            "What the session left behind is not judged: `pip install 'tidemark-cqrs[check]'` "
            "brings what does."
        )
    except Exception as error:
        if (known := failures.known(error)) is None:
            raise
        config.stash[_LAST_WORDS].append("What the session left behind could not be judged.")
        config.stash[_LAST_WORDS].extend(failures.lines(known))
        if what == "fail":
            _end_with(session, known.exit_code)


def _end_with(session: pytest.Session, code: ExitCode) -> None:
    """End the session with a code: what is violated outranks all, and else what came first."""
    stash = session.config.stash
    if code is ExitCode.VIOLATED or not stash.get(_EXIT_CODE, session.exitstatus):
        stash[_EXIT_CODE] = code


def _kept_evidence(bed: Testbed) -> list[str]:
    """Keep what explains a failure; return why it cannot be kept, if so."""
    from tidemark.host import failures  # noqa: PLC0415 -- sessions without a deployment stay quick

    try:
        bed.keep_evidence()
    except Exception as error:
        if (known := failures.known(error)) is None:
            raise
        return failures.lines(known)
    return []
