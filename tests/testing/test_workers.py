"""Under pytest-xdist the workers share what one process deploys and removes."""

from __future__ import annotations

import errno
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Client
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError

from tidemark.aws.connection import EMULATOR_CREDENTIALS, Connection
from tidemark.errors import ExitCode, TidemarkError
from tidemark.host.deployment import Deployment
from tidemark.host.progress import Steps
from tidemark.testing.options import Plan
from tidemark.testing.sharing import Guest, Host
from tidemark.testing.testbed import DeployedApp, Testbed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.testing.sessions import Project

ENDPOINT = "http://127.0.0.1:1"
TWO_WORKERS = ["-p", "xdist", "-n", "2"]
DEPLOYED = """
@pytest.mark.parametrize("number", range(4))
def test_it(deployment, number): pass
"""


class CountedTestbed(Testbed):
    """A testbed that counts its deployments, and deploys nothing."""

    def __init__(self, plan: Plan, state: Path) -> None:
        super().__init__(plan, state, Steps())
        self.deploys: list[Mapping[str, str]] = []
        self.trouble: list[Exception] = []
        self.was_interrupted = False

    @property
    def connection(self) -> Connection:
        return Connection("us-east-1", ENDPOINT, EMULATOR_CREDENTIALS)

    def interrupt(self) -> None:
        self.was_interrupted = True

    def _deploy(self, contexts: Mapping[str, str]) -> DeployedApp:
        self.deploys.append(contexts)
        if self.trouble:
            raise self.trouble.pop()
        deployment = Deployment(
            target="embedded",
            endpoint=ENDPOINT,
            region="us-east-1",
            stack_name="-".join(["Tidemark", *contexts.values()]),
            api_url="",
            template_digest="0",
            outputs={"number": str(len(self.deploys))},
        )
        return DeployedApp("Tidemark", (deployment,))


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return Plan("embedded", None, tmp_path)


@pytest.fixture
def bed(plan: Plan, tmp_path: Path) -> CountedTestbed:
    return CountedTestbed(plan, tmp_path / "state")


@pytest.fixture
def host(bed: CountedTestbed) -> Iterator[Host]:
    host = Host(lambda: bed)
    yield host
    host.close()


@pytest.fixture
def guests(host: Host, plan: Plan, tmp_path: Path) -> list[Guest]:
    return [
        Guest(plan, tmp_path / "state", Steps(), host.invitation, f"gw{number}")
        for number in range(4)
    ]


def test_workers_that_ask_at_once_share_one_deployment(
    bed: CountedTestbed, guests: list[Guest]
) -> None:
    with ThreadPoolExecutor(len(guests)) as pool:
        deployments = list(pool.map(Guest.deployed, guests))

    assert bed.deploys == [{}]
    assert deployments == [bed.deployed()] * len(guests)


def test_each_choice_of_context_is_deployed_once(bed: CountedTestbed, guests: list[Guest]) -> None:
    names = {guest.deployed(wiring="direct").stack_name for guest in guests}
    names |= {guest.deployed().stack_name for guest in guests}

    assert names == {"Tidemark", "Tidemark-direct"}
    assert bed.deploys == [{"wiring": "direct"}, {}]


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        (TidemarkError("The deploy failed."), "The deploy failed."),
        (OSError(errno.ENOSPC, "No space left"), "The disk is full: make room"),
        (EndpointConnectionError(endpoint_url=ENDPOINT), "The target failed: Could not connect"),
        (ValueError("a bug"), "ValueError('a bug')"),
    ],
)
def test_what_fails_for_one_worker_fails_for_all_and_is_tried_once(
    bed: CountedTestbed, guests: list[Guest], host: Host, trouble: Exception, sentence: str
) -> None:
    trouble.add_note("Something may be left.")
    bed.trouble.append(trouble)

    for guest in guests:
        with pytest.raises(TidemarkError) as caught:
            guest.deployed()
        assert str(caught.value).startswith(sentence)
        assert isinstance(trouble, ValueError) or "Something may be left." in str(caught.value)

    assert bed.deploys == [{}]
    assert host.trouble is not None


def test_a_stranger_and_a_worker_that_ends_do_not_keep_the_others_from_it(
    host: Host, guests: list[Guest]
) -> None:
    address = ("127.0.0.1", host.invitation["port"])
    with pytest.raises(Exception, match="digest"):
        Client(address, authkey=b"a guess")
    Client(address, authkey=bytes.fromhex(host.invitation["key"])).close()

    assert guests[0].deployed().stack_name == "Tidemark"


def test_what_a_worker_keeps_and_removes_is_nothing_of_the_session(
    bed: CountedTestbed, guests: list[Guest]
) -> None:
    for guest in guests:
        guest.deployed()
        (bed.state / "deployments").mkdir(parents=True, exist_ok=True)
        guest.keep_evidence()
        guest.remove()

    assert [path.name for path in bed.state.iterdir()] == ["deployments"]
    assert len({guest.state for guest in guests} | {bed.state}) == len(guests) + 1


def test_a_host_that_nobody_asked_makes_no_testbed_and_ends(bed: CountedTestbed) -> None:
    def fail() -> Testbed:
        raise AssertionError("nobody asked")

    assert Host(fail).close() is None

    host = Host(lambda: bed)
    Guest(bed.plan, bed.state, Steps(), host.invitation, "gw0").deployed()
    assert host.close() is bed
    assert bed.was_interrupted
    assert not [one for one in threading.enumerate() if one.name == "testbed"]


def test_a_worker_whose_host_has_ended_is_told_so(plan: Plan, tmp_path: Path) -> None:
    host = Host(lambda: CountedTestbed(plan, tmp_path))
    guest = Guest(plan, tmp_path, Steps(), host.invitation, "gw0")
    host.close()

    with pytest.raises(TidemarkError, match="The session is over"):
        guest.deployed()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--target", "localstack"], "No Docker engine answers"),
        (["--tidemark-endpoint", ENDPOINT], f"No AWS answers at {ENDPOINT}"),
    ],
)
def test_what_cannot_be_started_fails_every_test_and_the_session_with_its_own_code(
    project: Project, tmp_path: Path, options: list[str], sentence: str
) -> None:
    no_engine: dict[str, Any] = {"DOCKER_HOST": f"unix://{tmp_path / 'no-docker.sock'}"}

    session = project.run(DEPLOYED, *TWO_WORKERS, *options, **no_engine)

    assert session.exit_code == ExitCode.FAILED
    assert "4 errors" in session.output
    assert sentence in session.output
    assert "crashed" not in session.output


def test_workers_that_deploy_nothing_need_no_app_and_leave_nothing(project: Project) -> None:
    (project.folder / "cdk.json").unlink()

    session = project.run("def test_nothing(): pass", *TWO_WORKERS)

    assert session.exit_code == 0
    assert not (project.folder / "state").exists()
