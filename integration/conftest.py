"""What the tests on a deployed stack share."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from integration.accounts import Names, accepted
from integration.lines import LogReader
from integration.poison import Injected, injected
from integration.site import Site, site_of
from integration.throttled import Throttled
from integration.turns import TURNS
from tidemark.faults.messages import Queue
from tidemark.workloads import bank

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from integration.facts import Fact
    from tidemark.api.client import Client
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.testing.testbed import Testbed
    from tidemark.workloads.bank_tables import BankTables

# Fixtures whose effect takes up to a minute by design. They are set up first, and the tests that
# look at the effect come last, so that the others run meanwhile.
_SLOW = ("throttled", "poisoned", "left_to_the_schedule")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: max(map(_fixtures_of(item).__contains__, _SLOW)))


@pytest.fixture(scope="session", autouse=True)
def begun(request: pytest.FixtureRequest) -> None:
    for name in _SLOW:
        if any(name in _fixtures_of(item) for item in request.session.items):
            try:
                request.getfixturevalue(name)
            except pytest.skip.Exception:
                continue  # the tests that want it are skipped, with its reason


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool, bool]:
    """Under pytest-xdist, whose workers share a deployment, a fault is injected alone.

    A turn is taken for all of a test: what a fixture of a module does, is disturbed as well.
    """
    TURNS.share(getattr(item.config, "workerinput", {}).get("tidemark_state"))
    with TURNS.beside_others():
        return (yield)


def pytest_sessionfinish() -> None:
    TURNS.close()


def _fixtures_of(item: pytest.Item) -> list[str]:
    return getattr(item, "fixturenames", [])


@pytest.fixture(scope="session")
def site(testbed: Testbed, deployment: Deployment, aws: AwsClients) -> Iterator[Site]:
    with site_of(testbed, deployment, aws) as site:
        yield site


@pytest.fixture(scope="session")
def direct(testbed: Testbed, deployment: Deployment, aws: AwsClients) -> Iterator[Site]:  # noqa: ARG001 -- the first stack is the session's
    """A second stack beside the first, in the wiring without a queue."""
    with site_of(testbed, testbed.deploy(wiring="direct").deployment, aws) as site:
        yield site


@pytest.fixture(scope="session")
def tables(site: Site) -> BankTables:
    return site.tables


@pytest.fixture(scope="session")
def queue(site: Site) -> Queue:
    if site.deployment.wiring != "queued":
        pytest.skip(f"the wiring {site.deployment.wiring} has no queue")
    return Queue.of(site.deployment, site.aws)


@pytest.fixture(scope="session")
def session_log(site: Site) -> LogReader:
    """The log from the session's beginning."""
    return LogReader(site.aws, site.deployment)


@pytest.fixture
def logged(site: Site) -> LogReader:
    """The log from the test's beginning."""
    return LogReader(site.aws, site.deployment)


@pytest.fixture(scope="session")
def throttled(site: Site) -> Throttled:
    """An account that was changed while nothing could be projected."""
    client = site.client.for_session("throttled")
    names = Names.of(client)
    account_id = names.account()
    with site.throttled_projection():
        facts = [
            accepted(client.run(bank.open_account(account_id=account_id, owner_id=names.owner()))),
            accepted(client.run(bank.deposit(account_id, 8))),
        ]
        shown = site.tables.account(account_id)
    return Throttled(facts, shown, time.monotonic())


@pytest.fixture(scope="session")
def poisoned(site: Site, queue: Queue, session_log: LogReader) -> Iterator[Injected]:  # noqa: ARG001 -- they begin before
    with injected(site) as poison:
        yield poison


@pytest.fixture(scope="session")
def left_to_the_schedule(site: Site) -> list[Fact]:
    """Events whose publish was lost, and which no test sweeps."""
    client = site.client.for_session("schedule")
    names = Names.of(client)
    account_id = names.account()
    with site.lost_publishes():
        return [
            accepted(client.run(bank.open_account(account_id=account_id, owner_id=names.owner()))),
            accepted(client.run(bank.deposit(account_id, 8))),
        ]


@pytest.fixture
def client(tidemark_client: Client) -> Client:
    """Of the test's own session."""
    return tidemark_client


@pytest.fixture
def direct_names(direct: Site, client: Client) -> Names:
    """Of the test, in the run on the second stack."""
    return Names.of(direct.client.for_session(client.session.name))


@pytest.fixture
def names(client: Client) -> Names:
    return Names.of(client)


@pytest.fixture
def account_id(client: Client, names: Names) -> str:
    """An account that holds 500 at version 2."""
    account_id = names.account()
    accepted(client.run(bank.open_account(account_id=account_id, owner_id=names.owner())))
    accepted(client.run(bank.deposit(account_id, 500)))
    return account_id
